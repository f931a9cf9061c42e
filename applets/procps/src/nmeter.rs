//! `nmeter`: print counters of the machine again and again, in a line of the user's form (BusyBox).

use rbox_core::bytes::{find, find_byte, words};
use rbox_core::number::{parse_decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::processes::machine::{Counters, Cpu, IOWAIT, IRQ, NICE, SOFTIRQ, SYSTEM, USER, kilobytes};
use rbox_core::processes::read_path;
use rbox_core::text::Right;
use rbox_core::time::{self, Moment, Zone};
use rbox_core::{daemon, push, text};

options! {
    "[-d MSEC] FORMAT

Print FORMAT with counters of the machine, again and again.

  -d MSEC  Milliseconds between lines (1000); -1 for one line

%Nc or %[cN]  CPU, a bar of N characters (10): S system, U user, N niced, D waiting for disks, I interrupts, i soft ones
%[nDEVICE]    Network: bytes received, errors, bytes sent, errors
%m %[md] %[mf] %[mt]  Memory: used, dirty, free, all
%s            Swap in use
%f            Open files
%Ni           Interrupts, or those of number N
%x            Changes of context
%p %[pn]      New processes, number of processes
%b            Bytes read from and written to disks
%Nt           Time with N decimals
%r            End lines with a carriage return
%%            A percent sign";
    DELAY = "-d",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// A part of the format.
enum Item<'a> {
    Text(&'a [u8]),
    Cpu(usize),
    Network(&'a [u8]),
    Memory,
    Dirty,
    Free,
    Total,
    Swap,
    Files,
    Interrupts(Option<usize>),
    Switches,
    Forks,
    Processes,
    Blocks,
    Time(usize),
}

/// What was read at one time; files that no item needs are not read.
#[derive(Default)]
struct Sample {
    counters: Counters,
    memory: Vec<u8>,
    network: Vec<u8>,
    blocks: Vec<u8>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let delay = match args.value(DELAY) {
        Some(b"-1") => None,
        Some(word) => Some(parse_in_range(word, 0, i32::MAX as u64)?.max(1)),
        None => Some(1000),
    };
    let (items, end) = parse(args.operands_between(1, 1)?[0])?;
    let zone = Zone::load(env.vars.get("TZ"));
    let mut before = read(&items)?;
    loop {
        if let Some(delay) = delay {
            // Lines are printed when the clock is at a multiple.
            let now = Moment::now();
            let milliseconds = now.seconds as u64 * 1000 + u64::from(now.nanos) / 1_000_000;
            daemon::pause(delay - milliseconds % delay);
        }
        let sample = read(&items)?;
        let mut line = Vec::new();
        for item in &items {
            push_item(&mut line, item, &sample, &before, &zone)?;
        }
        line.push(end);
        env.stdout.write(&line)?;
        env.stdout.flush()?;
        if delay.is_none() {
            return Ok(ExitStatus::SUCCESS);
        }
        before = sample;
    }
}

/// The parts of a format, and the byte that ends a line.
fn parse(format: &[u8]) -> Result<(Vec<Item<'_>>, u8)> {
    let (mut items, mut end, mut rest) = (Vec::new(), b'\n', format);
    while !rest.is_empty() {
        let Some(at) = find_byte(b'%', rest) else {
            items.push(Item::Text(rest));
            break;
        };
        if at > 0 {
            items.push(Item::Text(&rest[..at]));
        }
        let bad = || Error::parts(&[b"bad format at '", &rest[at..], b"'"]);
        let after = &rest[at + 1..];
        let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (name, number, length) = match after {
            [b'[', inner @ ..] => {
                let close = find_byte(b']', inner).ok_or_else(bad)?;
                (&inner[..close], None, close + 2)
            }
            _ => (after.get(digits..digits + 1).ok_or_else(bad)?, Some(&after[..digits]), digits + 1),
        };
        rest = &after[length..];
        let limited = |word: &[u8]| parse_in_range(word, 0, 1000).map(|number| number as usize);
        let given = number.filter(|digits| !digits.is_empty()).map(limited).transpose()?;
        items.push(match name {
            b"%" => Item::Text(b"%"),
            b"r" => {
                end = b'\r';
                continue;
            }
            b"c" => Item::Cpu(given.unwrap_or(10)),
            [b'c', digits @ ..] => Item::Cpu(limited(digits)?),
            b"n" => return Err(bad()),
            [b'n', device @ ..] => Item::Network(device),
            b"m" => Item::Memory,
            b"md" => Item::Dirty,
            b"mf" => Item::Free,
            b"mt" => Item::Total,
            b"s" => Item::Swap,
            b"f" => Item::Files,
            b"i" => Item::Interrupts(given),
            [b'i', digits @ ..] => Item::Interrupts(Some(limited(digits)?)),
            b"x" => Item::Switches,
            b"p" => Item::Forks,
            b"pn" => Item::Processes,
            b"b" => Item::Blocks,
            b"t" => Item::Time(given.unwrap_or(0).min(9)),
            [b't', digits @ ..] => Item::Time(limited(digits)?.min(9)),
            _ => return Err(bad()),
        });
    }
    Ok((items, end))
}

fn read(items: &[Item<'_>]) -> Result<Sample> {
    let mut sample = Sample::default();
    let needs = |which: fn(&Item<'_>) -> bool| items.iter().any(which);
    if needs(|item| matches!(item, Item::Cpu(_) | Item::Interrupts(_) | Item::Switches | Item::Forks)) {
        sample.counters = Counters::parse(&read_path(b"/proc/stat")?);
    }
    if needs(|item| matches!(item, Item::Memory | Item::Dirty | Item::Free | Item::Total | Item::Swap)) {
        sample.memory = read_path(b"/proc/meminfo")?;
    }
    if needs(|item| matches!(item, Item::Network(_))) {
        sample.network = read_path(b"/proc/net/dev")?;
    }
    if needs(|item| matches!(item, Item::Blocks)) {
        sample.blocks = read_path(b"/proc/vmstat")?;
    }
    Ok(sample)
}

fn push_item(line: &mut Vec<u8>, item: &Item<'_>, now: &Sample, old: &Sample, zone: &Zone) -> Result<()> {
    let memory = |name: &str| kilobytes(&now.memory, name);
    let free = || memory("MemFree:") + memory("Buffers:") + memory("Cached:");
    let difference = |new: u64, old: u64| new.saturating_sub(old);
    match *item {
        Item::Text(text) => line.extend_from_slice(text),
        Item::Cpu(size) => push_bar(line, &now.counters.all.since(&old.counters.all), size),
        Item::Network(device) => {
            let (new, before) = (traffic(&now.network, device), traffic(&old.network, device));
            match new.zip(before) {
                Some((new, before)) => {
                    for at in 0..4 {
                        line.extend_from_slice(if at > 0 { b" " } else { b"" });
                        push_scaled(line, difference(new[at], before[at]));
                    }
                }
                None => line.extend_from_slice(b"????"),
            }
        }
        Item::Memory => push_scaled(line, memory("MemTotal:").saturating_sub(free()) << 10),
        Item::Dirty => push_scaled(line, (memory("Dirty:") + memory("Writeback:")) << 10),
        Item::Free => push_scaled(line, free() << 10),
        Item::Total => push_scaled(line, memory("MemTotal:") << 10),
        Item::Swap => push_scaled(line, memory("SwapTotal:").saturating_sub(memory("SwapFree:")) << 10),
        Item::Files => {
            // sysctl/fs.rst: allocated, allocated and free, the most that there may be.
            let text = read_path(b"/proc/sys/fs/file-nr")?;
            let mut numbers = words(&text).map(|word| parse_decimal(word).unwrap_or(0));
            let (allocated, free) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
            push_scaled(line, allocated.saturating_sub(free));
        }
        Item::Interrupts(number) => {
            let at = number.map_or(0, |number| number + 1);
            let count = |sample: &Sample| sample.counters.interrupts.get(at).copied().unwrap_or(0);
            push_scaled(line, difference(count(now), count(old)));
        }
        Item::Switches => push_scaled(line, difference(now.counters.switches, old.counters.switches)),
        Item::Forks => push_scaled(line, difference(now.counters.forks, old.counters.forks)),
        Item::Processes => {
            let text = read_path(b"/proc/loadavg")?;
            let running = words(&text).nth(3).and_then(|word| rbox_core::bytes::split_once(word, b'/'));
            push_scaled(line, running.and_then(|(_, all)| parse_decimal(all)).unwrap_or(0));
        }
        Item::Blocks => {
            for (at, name) in ["pgpgin", "pgpgout"].into_iter().enumerate() {
                line.extend_from_slice(if at > 0 { b" " } else { b"" });
                let count = |sample: &Sample| kilobytes(&sample.blocks, name);
                push_scaled(line, difference(count(now), count(old)) << 10);
            }
        }
        Item::Time(decimals) => {
            let now = Moment::now();
            line.extend_from_slice(&time::format(b"%H:%M:%S", now, zone));
            if decimals > 0 {
                let digits = text!(Right(now.nanos, 9, b'0'));
                push!(*line, ".", &digits[..decimals]);
            }
        }
    }
    Ok(())
}

/// Bytes and errors received and sent of a device, from /proc/net/dev; `None` where it is not there.
fn traffic(text: &[u8], device: &[u8]) -> Option<[u64; 4]> {
    let line = text.split(|&byte| byte == b'\n').find_map(|line| {
        let (name, numbers) = line.split_at(find(line, b":")?);
        (name.trim_ascii() == device).then_some(&numbers[1..])
    })?;
    let numbers: Vec<u64> = words(line).map_while(parse_decimal).collect();
    Some([*numbers.first()?, *numbers.get(2)?, *numbers.get(8)?, *numbers.get(10)?])
}

/// A bar of what the CPUs did; what is left of it was idle.
fn push_bar(line: &mut Vec<u8>, spent: &Cpu, size: usize) {
    let kinds = [(SYSTEM, b'S'), (USER, b'U'), (NICE, b'N'), (IOWAIT, b'D'), (IRQ, b'I'), (SOFTIRQ, b'i')];
    let (mut ticks, end, start) = (0, line.len() + size, line.len());
    for (index, character) in kinds {
        ticks += spent.times[index];
        // The ends of the parts are rounded, so that their sum is.
        let to = rbox_core::number::ratio(ticks, size as u64, spent.total()) as usize;
        line.resize((start + to).clamp(line.len(), end), character);
    }
    line.resize(end, b'.');
}

/// A number in four columns, with a unit of a power of 1024 from 10,000 on: `9999`, ` 10k`, `1.5m`.
fn push_scaled(line: &mut Vec<u8>, number: u64) {
    if number < 10_000 {
        return push!(*line, Right(number, 4, b' '));
    }
    let (mut tenths, mut unit) = (u128::from(number) * 10 / 1024, 0);
    while tenths >= 10_000 {
        (tenths, unit) = (tenths / 1024, unit + 1);
    }
    let letter = [b"kmgtpe"[unit]];
    match tenths as u64 {
        tenths @ 0..100 => push!(*line, tenths / 10, ".", tenths % 10, &letter),
        tenths => push!(*line, Right(tenths / 10, 3, b' '), &letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_four_columns() {
        let text = |number| {
            let mut line = Vec::new();
            push_scaled(&mut line, number);
            String::from_utf8_lossy(&line).into_owned()
        };
        assert_eq!([0, 9999, 10_000, 1 << 20, 1_500_000_000].map(text), ["   0", "9999", "9.7k", "1.0m", "1.3g"]);
        assert_eq!((text(1_023_000), text(u64::MAX)), ("999k".into(), " 15e".into()));
    }

    #[test]
    fn bars_have_their_size() {
        let bar = |times| {
            let mut line = Vec::new();
            push_bar(&mut line, &Cpu { times }, 10);
            String::from_utf8_lossy(&line).into_owned()
        };
        assert_eq!(bar([30, 10, 20, 30, 10, 0, 0, 0, 0, 0]), "SSUUUND...");
        assert_eq!((bar([0; 10]), bar([1, 0, 1, 0, 0, 0, 1, 0, 0, 0])), ("..........".into(), "SSSUUUUiii".into()));
    }

    #[test]
    fn devices_are_found_by_their_whole_name() {
        let text = b"Inter-|   Receive\n face |bytes packets\n  eth0: 100 2 3 0 0 0 0 0 200 5 6 0\n eth01:1 2 3 4 5 6 7 8 9 10 11\n";
        assert_eq!((traffic(text, b"eth0"), traffic(text, b"eth")), (Some([100, 3, 200, 6]), None));
    }

    #[test]
    fn wrong_formats_are_named() {
        for format in [&b"%"[..], b"%q", b"%[c", b"%[nope", b"%9999c", b"%n", b"%[]"] {
            assert!(parse(format).is_err(), "{format:?}");
        }
    }
}
