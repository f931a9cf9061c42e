//! `mpstat`: how busy each CPU is, and with which interrupts (sysstat's old form, as BusyBox has it).

use rbox_core::daemon::uptime_milliseconds;
use rbox_core::number::{hundredths, parse_decimal, parse_in_range, ratio};
use rbox_core::prelude::*;
use rbox_core::processes::machine::{Counters, Cpu, GUEST, IDLE, IOWAIT, IRQ, NICE, SOFTIRQ, STEAL, SYSTEM, USER};
use rbox_core::processes::machine::{Source, banner, sources};
use rbox_core::processes::read_path;
use rbox_core::signals::SIGINT;
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::text::{Left, Right};
use rbox_core::time::{self, Moment, Zone};
use rbox_core::{daemon, push, text};

options! {
    "[-A] [-I SUM|CPU|SCPU|ALL] [-u] [-P NUMBER,...|ALL] [INTERVAL [COUNT]]

Report the load of CPUs since boot, or of each INTERVAL seconds, COUNT times; then the average.

  -A            Same as -I ALL -u -P ALL
  -I WORD       Report interrupts: SUM, CPU (each one), SCPU (soft ones), ALL of these
  -P NUMBER     Report the CPUs of these NUMBERs, or ALL
  -u            Report how the time is spent (the default)";
    EVERYTHING = "-A",
    INTERRUPTS = "-I",
    PROCESSORS = "-P",
    UTILIZATION = "-u",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// What was read at one time.
#[derive(Clone, Default)]
struct Sample {
    counters: Counters,
    /// The CPUs that the tables have columns for.
    columns: Vec<u64>,
    hard: Vec<Source>,
    soft: Vec<Source>,
    milliseconds: u64,
}

/// What is reported.
#[derive(Default)]
struct Wanted {
    utilization: bool,
    sum: bool,
    hard: bool,
    soft: bool,
    all_cpus: bool,
    /// The sum of all, and single CPUs.
    total: bool,
    cpus: Vec<u64>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (interval, count) = match args.operands_between(0, 2)? {
        [interval, count] => (parse_in_range(interval, 1, i32::MAX as u64)?, parse_in_range(count, 1, u64::MAX)?),
        [interval] => (parse_in_range(interval, 1, i32::MAX as u64)?, u64::MAX),
        _ => (0, 1),
    };
    let wanted = wanted(args)?;
    let zone = Zone::load(env.vars.get("TZ"));
    let clock = || time::format(b"%H:%M:%S", Moment::now(), &zone);
    let first = read_sample(&wanted)?;
    env.stdout.write(&banner(&zone)?)?;
    if interval == 0 {
        env.stdout.write(&report(&wanted, &first, &Sample::default(), &clock(), &clock()))?;
        return Ok(ExitStatus::SUCCESS);
    }
    // An interrupt ends the reports, and the average follows.
    let before = signal::set(SIGINT, Disposition::Note);
    let (mut last, mut begun) = (first.clone(), clock());
    for _ in 0..count {
        daemon::pause(interval * 1000);
        if signal::pending() != 0 {
            break;
        }
        let (sample, now) = (read_sample(&wanted)?, clock());
        env.stdout.write(&report(&wanted, &sample, &last, &begun, &now))?;
        env.stdout.flush()?;
        (last, begun) = (sample, now);
    }
    if let Ok(before) = before {
        // It was set a moment ago, so it can be set back.
        let _ = signal::set(SIGINT, before);
    }
    env.stdout.write(&report(&wanted, &last, &first, b"Average:", b"Average:"))?;
    Ok(ExitStatus::SUCCESS)
}

fn wanted(args: &Args<'_>) -> Result<Wanted> {
    let all = args.has(EVERYTHING);
    let mut wanted = Wanted { utilization: all || args.has(UTILIZATION), total: true, ..Wanted::default() };
    let words = if all { vec![&b"ALL"[..]] } else { args.values(INTERRUPTS).collect() };
    for word in words {
        match word {
            b"SUM" => wanted.sum = true,
            b"CPU" => wanted.hard = true,
            b"SCPU" => wanted.soft = true,
            b"ALL" => (wanted.sum, wanted.hard, wanted.soft) = (true, true, true),
            _ => return Err(Error::parts(&[b"invalid argument '", word, b"' to '-I'"])),
        }
    }
    wanted.utilization |= !(wanted.sum || wanted.hard || wanted.soft);
    match (all, args.value(PROCESSORS)) {
        (true, _) | (_, Some(b"ALL")) => wanted.all_cpus = true,
        (_, Some(list)) => {
            wanted.total = false;
            for word in list.split(|&byte| byte == b',') {
                wanted.cpus.push(parse_decimal(word).ok_or_else(|| rbox_core::number::invalid(word))?);
            }
        }
        _ => {}
    }
    Ok(wanted)
}

fn read_sample(wanted: &Wanted) -> Result<Sample> {
    let mut sample = Sample {
        counters: Counters::parse(&read_path(b"/proc/stat")?),
        milliseconds: uptime_milliseconds(),
        ..Sample::default()
    };
    if wanted.hard || wanted.sum {
        (sample.columns, sample.hard) = sources(&read_path(b"/proc/interrupts")?);
    }
    if wanted.soft {
        (sample.columns, sample.soft) = sources(&read_path(b"/proc/softirqs")?);
    }
    if let Some(missing) = wanted.cpus.iter().find(|cpu| sample.counters.cpus.iter().all(|(number, _)| number != *cpu))
    {
        return Err(Error::new(text!("no CPU ", *missing)));
    }
    Ok(sample)
}

/// All tables that are wanted, from one time to another.
fn report(wanted: &Wanted, now: &Sample, old: &Sample, begun: &[u8], ended: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let passed = now.milliseconds - old.milliseconds;
    let mut cpus: Vec<u64> = now.counters.cpus.iter().map(|(number, _)| *number).collect();
    cpus.retain(|cpu| wanted.all_cpus || wanted.cpus.contains(cpu));
    if wanted.utilization {
        push!(
            text,
            "\n",
            Left(begun, 11),
            "  CPU    %usr   %nice    %sys %iowait    %irq   %soft  %steal  %guest   %idle\n"
        );
        if wanted.total {
            push_shares(&mut text, ended, b"all", &now.counters.all.since(&old.counters.all));
        }
        for cpu in &cpus {
            let find = |sample: &Sample| {
                sample.counters.cpus.iter().find(|(number, _)| number == cpu).map(|(_, times)| *times)
            };
            let (new, old) = (find(now).unwrap_or_default(), find(old).unwrap_or_default());
            push_shares(&mut text, ended, &text!(*cpu), &new.since(&old));
        }
    }
    let per_second = |count: u64| hundredths(ratio(count, 100_000, passed));
    let first = |sample: &Sample| sample.counters.interrupts.first().copied().unwrap_or(0);
    if wanted.sum {
        push!(text, "\n", Left(begun, 11), "  CPU    intr/s\n");
        if wanted.total {
            let count = first(now).saturating_sub(first(old));
            push!(text, Left(ended, 11), "  all ", Right(per_second(count), 9, b' '), "\n");
        }
        for cpu in &cpus {
            let sum = |sample: &Sample| {
                let column = sample.columns.iter().position(|number| number == cpu);
                let counts = sample.hard.iter().filter_map(|source| source.counts.get(column?));
                counts.fold(0u64, |sum, count| sum.saturating_add(*count))
            };
            let count = sum(now).saturating_sub(sum(old));
            push!(text, Left(ended, 11), " ", Right(*cpu, 4, b' '), " ", Right(per_second(count), 9, b' '), "\n");
        }
    }
    for (is_wanted, new, before) in [(wanted.hard, &now.hard, &old.hard), (wanted.soft, &now.soft, &old.soft)] {
        if !is_wanted {
            continue;
        }
        let all = if wanted.cpus.is_empty() { &now.columns } else { &cpus };
        push!(text, "\n", Left(begun, 11), "  CPU");
        for source in new {
            push!(text, " ", Right(text!(&source.name, "/s"), width(source), b' '));
        }
        text.push(b'\n');
        for cpu in all {
            let column = now.columns.iter().position(|number| number == cpu);
            push!(text, Left(ended, 11), " ", Right(*cpu, 4, b' '));
            for source in new {
                let count = |source: &Source| column.and_then(|at| source.counts.get(at)).copied().unwrap_or(0);
                let old = before.iter().find(|old| old.name == source.name).map_or(0, count);
                push!(text, " ", Right(per_second(count(source).saturating_sub(old)), width(source), b' '));
            }
            text.push(b'\n');
        }
    }
    text
}

/// The width of an interrupt's column.
fn width(source: &Source) -> usize {
    (source.name.len() + 2).max(10)
}

fn push_shares(text: &mut Vec<u8>, time: &[u8], cpu: &[u8], spent: &Cpu) {
    let times = spent.times;
    push!(*text, Left(time, 11), " ", Right(cpu, 4, b' '));
    let shown = [
        // The time of guests is in user's, too.
        times[USER].saturating_sub(times[GUEST]),
        times[NICE],
        times[SYSTEM],
        times[IOWAIT],
        times[IRQ],
        times[SOFTIRQ],
        times[STEAL],
        times[GUEST],
        times[IDLE],
    ];
    for time in shown {
        push!(*text, " ", Right(hundredths(ratio(time, 10_000, spent.total())), 7, b' '));
    }
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_under_their_names() {
        let mut now = Sample { milliseconds: 2000, ..Sample::default() };
        now.counters.all.times = [30, 0, 10, 60, 0, 0, 0, 0, 10, 0];
        now.counters.interrupts = vec![500];
        let wanted = Wanted { utilization: true, sum: true, total: true, ..Wanted::default() };
        let text = report(&wanted, &now, &Sample::default(), b"12:00:00", b"12:00:02");
        assert_eq!(
            String::from_utf8_lossy(&text),
            "\n12:00:00     CPU    %usr   %nice    %sys %iowait    %irq   %soft  %steal  %guest   %idle\n\
             12:00:02     all   20.00    0.00   10.00    0.00    0.00    0.00    0.00   10.00   60.00\n\
             \n12:00:00     CPU    intr/s\n12:00:02     all    250.00\n"
        );
    }
}
