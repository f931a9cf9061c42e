//! `iostat`: how busy CPUs and disks are (sysstat's old form, as BusyBox has it).

use rbox_core::bytes::words;
use rbox_core::daemon::uptime_milliseconds;
use rbox_core::number::{hundredths, parse_decimal, parse_in_range, ratio};
use rbox_core::prelude::*;
use rbox_core::processes::machine::{Counters, Cpu, IDLE, IOWAIT, IRQ, NICE, SOFTIRQ, STEAL, SYSTEM, USER, banner};
use rbox_core::processes::read_path;
use rbox_core::sys::fs::{Access, access};
use rbox_core::text::{Left, Right};
use rbox_core::time::{self, Moment, Zone};
use rbox_core::{duration, push, text};

options! {
    "[-cdtz] [-k | -m] [ALL | DEVICE...] [INTERVAL [COUNT]]

Report the load of CPUs and devices since boot, then of each INTERVAL seconds, COUNT times in all.

  -c  Only of CPUs
  -d  Only of devices
  -t  Print the time of each report
  -z  Leave out devices without activity
  -k  In kB a second, not in blocks of 512 bytes
  -m  In MB a second";
    CPUS = "-c",
    DEVICES = "-d",
    TIME = "-t",
    ACTIVE = "-z",
    KILO = "-k",
    MEGA = "-m",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// A device's counters.
#[derive(Clone, Default)]
struct Disk {
    name: Vec<u8>,
    transfers: u64,
    /// Sectors of 512 bytes.
    read: u64,
    written: u64,
}

/// What was read at one time.
#[derive(Default)]
struct Sample {
    cpu: Cpu,
    disks: Vec<Disk>,
    milliseconds: u64,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let is_number = |word: &&[u8]| word.first().is_some_and(u8::is_ascii_digit);
    let names = args.operands().iter().take_while(|word| !is_number(word)).count();
    let (names, numbers) = args.operands().split_at(names);
    let (interval, mut left) = match numbers {
        [] => (0, 1),
        [interval] => (parse_in_range(interval, 1, i32::MAX as u64)?, u64::MAX),
        [interval, count] => (parse_in_range(interval, 1, i32::MAX as u64)?, parse_in_range(count, 1, u64::MAX)?),
        _ => return Err(Error::usage()),
    };
    let zone = Zone::load(env.vars.get("TZ"));
    env.stdout.write(&banner(&zone)?)?;
    env.stdout.push(b'\n')?;
    let mut before = Sample::default();
    loop {
        let sample = read_sample(names)?;
        if args.has(TIME) {
            env.stdout.write(&time::format(b"%m/%d/%y %H:%M:%S\n", Moment::now(), &zone))?;
        }
        if args.has(CPUS) || !args.has(DEVICES) {
            env.stdout.write(&cpu_report(&sample.cpu.since(&before.cpu)))?;
        }
        if args.has(DEVICES) || !args.has(CPUS) {
            env.stdout.write(&disk_report(args, &sample, &before))?;
        }
        env.stdout.flush()?;
        left -= 1;
        if left == 0 {
            return Ok(ExitStatus::SUCCESS);
        }
        before = sample;
        duration::sleep(core::time::Duration::from_secs(interval));
    }
}

fn read_sample(names: &[&[u8]]) -> Result<Sample> {
    let cpu = Counters::parse(&read_path(b"/proc/stat")?).all;
    let mut disks = Vec::new();
    for line in read_path(b"/proc/diskstats")?.split(|&byte| byte == b'\n') {
        let fields: Vec<&[u8]> = words(line).collect();
        let number = |index: usize| fields.get(index).and_then(|word| parse_decimal(word));
        // Documentation/admin-guide/iostats.rst: after the numbers and the name come eleven counters or more.
        let (Some(reads), Some(read), Some(writes), Some(written)) = (number(3), number(5), number(7), number(9))
        else {
            continue;
        };
        let disk = Disk { name: fields[2].to_vec(), transfers: reads.saturating_add(writes), read, written };
        if is_wanted(&disk, names) {
            disks.push(disk);
        }
    }
    Ok(Sample { cpu, disks, milliseconds: uptime_milliseconds() })
}

/// Whether a device is one of those that are named; without names the whole devices that have ever been used.
fn is_wanted(disk: &Disk, names: &[&[u8]]) -> bool {
    match names {
        [] => disk.transfers > 0 && access(text!("/sys/block/", slashes(&disk.name)), Access::EXISTS).is_ok(),
        [b"ALL"] => true,
        _ => names.iter().any(|name| name.strip_prefix(b"/dev/").unwrap_or(name) == disk.name),
    }
}

/// sysfs has `!` for the slashes of a name, as in cciss/c0d0.
fn slashes(name: &[u8]) -> Vec<u8> {
    name.iter().map(|&byte| if byte == b'/' { b'!' } else { byte }).collect()
}

fn cpu_report(spent: &Cpu) -> Vec<u8> {
    let mut text = b"avg-cpu:  %user   %nice %system %iowait  %steal   %idle\n       ".to_vec();
    let times = spent.times;
    let system = times[SYSTEM] + times[IRQ] + times[SOFTIRQ];
    for time in [times[USER], times[NICE], system, times[IOWAIT], times[STEAL], times[IDLE]] {
        push!(text, " ", Right(hundredths(ratio(time, 10_000, spent.total())), 7, b' '));
    }
    text.extend_from_slice(b"\n\n");
    text
}

fn disk_report(args: &Args<'_>, now: &Sample, before: &Sample) -> Vec<u8> {
    let (unit, sectors) = match args.last_of(&[KILO, MEGA]) {
        Some(KILO) => ("kB", 2),
        Some(_) => ("MB", 2048),
        None => ("Blk", 1),
    };
    let columns = ["_read/s", "_wrtn/s", "_read", "_wrtn"].map(|word| text!(unit, word));
    let mut text = text!("Device:            tps");
    for (column, width) in columns.into_iter().zip([13, 13, 11, 11]) {
        push!(text, Right(column, width, b' '));
    }
    text.push(b'\n');
    // Before the first report all is 0, and the time since boot has passed.
    let passed = now.milliseconds - before.milliseconds;
    for disk in &now.disks {
        let none = Disk::default();
        let old = before.disks.iter().find(|old| old.name == disk.name).unwrap_or(&none);
        let since = |now: u64, old: u64| now.saturating_sub(old);
        let transfers = since(disk.transfers, old.transfers);
        if args.has(ACTIVE) && transfers == 0 {
            continue;
        }
        let (read, written) = (since(disk.read, old.read), since(disk.written, old.written));
        push!(text, Left(&disk.name, 13), " ", Right(hundredths(ratio(transfers, 100_000, passed)), 8, b' '));
        for amount in [read, written] {
            push!(text, " ", Right(hundredths(ratio(amount, 100_000, passed * sectors)), 12, b' '));
        }
        for amount in [read, written] {
            push!(text, " ", Right(amount / sectors, 10, b' '));
        }
        text.push(b'\n');
    }
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_ticks() {
        let spent = Cpu { times: [50, 0, 20, 120, 5, 2, 3, 0, 0, 0] };
        let text = cpu_report(&spent);
        let line = text.split(|&byte| byte == b'\n').nth(1).expect("the line of numbers");
        assert_eq!(line, b"          25.00    0.00   12.50    2.50    0.00   60.00");
    }
}
