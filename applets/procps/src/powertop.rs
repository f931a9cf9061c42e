//! `powertop`: what keeps the CPUs from sleeping: idle states, interrupts, and the power that the battery gives.
//!
//! /proc/timer_stats and /proc/acpi, which BusyBox reads, are gone since Linux 4.11 and 3.x; what is shown comes from
//! cpuidle, /proc/interrupts and power_supply (Documentation/admin-guide/pm/cpuidle.rst, ABI/testing/sysfs-class-power).

use core::cmp::Reverse;

use rbox_core::daemon::{pause, uptime_milliseconds};
use rbox_core::files::list_at;
use rbox_core::number::{hundredths, parse_decimal, ratio};
use rbox_core::prelude::*;
use rbox_core::processes::machine::sources;
use rbox_core::processes::read_path;
use rbox_core::term::keys::Key;
use rbox_core::term::screen::{Manner, Screen};
use rbox_core::text::{Left, Right};
use rbox_core::{push, text};

options! {
    "

Show every 10 seconds how long the CPUs slept, how often they were woken, and by what. Keys: Q quits, R shows at once."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// Milliseconds from one display to the next.
const INTERVAL: u64 = 10_000;

/// How many interrupts are shown.
const CAUSES: usize = 15;

/// What was read at one time.
#[derive(Default)]
struct Sample {
    milliseconds: u64,
    cpus: usize,
    /// Each idle state of all CPUs: its name, how often it was entered, and the microseconds in it.
    states: Vec<(Vec<u8>, u64, u64)>,
    /// Each interrupt and what it is for, with its number on all CPUs.
    interrupts: Vec<(Vec<u8>, u64)>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let mut screen = Screen::open(None, Manner::Whole);
    let mut before = read()?;
    if let Some(screen) = &mut screen {
        screen.draw(&[b"Collecting data for 10 seconds".to_vec()], (0, 0))?;
    }
    loop {
        if wait(&mut screen) {
            return Ok(ExitStatus::SUCCESS);
        }
        let sample = read()?;
        let page = report(&sample, &before);
        before = sample;
        let Some(screen) = &mut screen else {
            // Where nobody can press a key, one report is all.
            env.stdout.write(&page)?;
            return Ok(ExitStatus::SUCCESS);
        };
        let lines = page.split(|&byte| byte == b'\n').take(screen.rows);
        let rows: Vec<Vec<u8>> = lines.map(|line| line[..line.len().min(screen.columns)].to_vec()).collect();
        screen.draw(&rows, (0, 0))?;
    }
}

/// Waits for the next report. True when a key or a signal ends the program.
fn wait(screen: &mut Option<Screen>) -> bool {
    let Some(screen) = screen else {
        pause(INTERVAL);
        return false;
    };
    let ends = uptime_milliseconds() + INTERVAL;
    loop {
        screen.keys.timeout = Some(ends.saturating_sub(uptime_milliseconds()));
        match screen.key() {
            Key::Char('q' | 'Q' | '\x03') | Key::Hangup => return true,
            Key::Char('r' | 'R') | Key::TimedOut => return false,
            _ => {}
        }
    }
}

fn read() -> Result<Sample> {
    let mut sample = Sample { milliseconds: uptime_milliseconds(), ..Sample::default() };
    let (cpus, interrupts) = sources(&read_path(b"/proc/interrupts")?);
    sample.cpus = cpus.len();
    for source in interrupts {
        let count = source.counts.iter().fold(0u64, |sum, count| sum.saturating_add(*count));
        sample.interrupts.push((text!(source.name, " : ", source.description), count));
    }
    for cpu in cpus {
        let directory = text!("/sys/devices/system/cpu/cpu", cpu, "/cpuidle");
        // A virtual machine has no idle states to choose from.
        let Ok(mut entries) = list_at(&directory) else { continue };
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        for entry in entries {
            let file = |name: &str| {
                let text = read_path(&text!(&directory, "/", &entry.name, "/", name)).unwrap_or_default();
                text.trim_ascii().to_vec()
            };
            let number = |name: &str| parse_decimal(&file(name)).unwrap_or(0);
            let (name, usage, time) = (file("name"), number("usage"), number("time"));
            match sample.states.iter_mut().find(|(known, ..)| *known == name) {
                Some(state) => (state.1, state.2) = (state.1 + usage, state.2 + time),
                None => sample.states.push((name, usage, time)),
            }
        }
    }
    Ok(sample)
}

fn report(now: &Sample, old: &Sample) -> Vec<u8> {
    let passed = (now.milliseconds - old.milliseconds).max(1);
    let mut text = Vec::new();
    let mut states = Vec::new();
    for (name, usage, time) in &now.states {
        let before = old.states.iter().find(|(known, ..)| known == name).map_or((0, 0), |state| (state.1, state.2));
        states.push((name, usage.saturating_sub(before.0), time.saturating_sub(before.1)));
    }
    // All CPUs' microseconds.
    let whole = passed * 1000 * now.cpus.max(1) as u64;
    if !states.is_empty() {
        let slept = states.iter().fold(0u64, |sum, state| sum.saturating_add(state.2));
        push!(text, "C-state            Avg residency\n");
        push!(text, Left("C0 (running)", 24), "(", percent(whole.saturating_sub(slept), whole), ")\n");
        for (name, usage, time) in &states {
            let average = text!(hundredths(ratio(*time, 1, *usage * 10)), "ms");
            push!(text, Left(*name, 12), Right(average, 11, b' '), " (", percent(*time, whole), ")\n");
        }
        let wakeups = states.iter().fold(0u64, |sum, state| sum.saturating_add(state.1));
        push!(text, "Wakeups from idle per second: ", hundredths(ratio(wakeups, 100_000, passed)));
        push!(text, "   interval: ", hundredths(passed / 10), "s\n");
    }
    push_power(&mut text);
    let before = |name: &[u8]| old.interrupts.iter().find(|(known, _)| known == name).map_or(0, |known| known.1);
    let mut causes: Vec<(u64, &[u8])> =
        now.interrupts.iter().map(|(name, count)| (count.saturating_sub(before(name)), name.as_slice())).collect();
    let all = causes.iter().fold(0u64, |sum, cause| sum.saturating_add(cause.0));
    causes.retain(|cause| cause.0 > 0);
    causes.sort_by_key(|cause| Reverse(cause.0));
    push!(text, "Interrupts per second: ", hundredths(ratio(all, 100_000, passed)), "\n");
    for (count, name) in causes.into_iter().take(CAUSES) {
        let rate = hundredths(ratio(count, 100_000, passed));
        push!(text, " ", percent(count, all), " (", Right(rate, 9, b' '), ")   ", name, "\n");
    }
    text
}

/// A share as ` 12.5%`.
fn percent(part: u64, whole: u64) -> Vec<u8> {
    let tenths = ratio(part, 1000, whole);
    text!(Right(tenths / 10, 3, b' '), ".", tenths % 10, "%")
}

/// What the batteries give, and for how long they can.
fn push_power(text: &mut Vec<u8>) {
    let directory = b"/sys/class/power_supply";
    // A machine without batteries has no such directory, or an empty one.
    for entry in list_at(directory).unwrap_or_default() {
        let file = |name: &str| read_path(&text!(directory, "/", &entry.name, "/", name)).unwrap_or_default();
        if file("status").trim_ascii() != b"Discharging" {
            continue;
        }
        let number = |name: &str| parse_decimal(file(name).trim_ascii());
        // Microwatts; where there is none, microamperes and microvolts.
        let product = |a: u64, b: u64| ratio(a, b, 1_000_000);
        let voltage = number("voltage_now").unwrap_or(0);
        let power = number("power_now").or_else(|| number("current_now").map(|current| product(current, voltage)));
        let energy = number("energy_now").or_else(|| number("charge_now").map(|charge| product(charge, voltage)));
        if let Some(power) = power.filter(|&power| power > 0) {
            push!(*text, "Power usage (", &entry.name, "): ", hundredths(power / 10_000), "W");
            push!(*text, " (", hundredths(ratio(energy.unwrap_or(0), 100, power)), " hours left)\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_causes_are_of_the_interval() {
        let sample = |milliseconds, usage, time, count| Sample {
            milliseconds,
            cpus: 2,
            states: vec![(b"C1".to_vec(), usage, time)],
            interrupts: vec![(b"0 : timer".to_vec(), count), (b"1 : keyboard".to_vec(), 5)],
        };
        let text = report(&sample(12_000, 110, 11_000_000, 150), &sample(2000, 10, 1_000_000, 50));
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains("C0 (running)            ( 50.0%)\n"), "{text}");
        assert!(
            text.contains("C1             100.00ms ( 50.0%)\nWakeups from idle per second: 10.00   interval: 10.00s")
        );
        assert!(text.contains("Interrupts per second: 10.00\n 100.0% (    10.00)   0 : timer\n"));
        assert!(!text.contains("keyboard"));
    }
}
