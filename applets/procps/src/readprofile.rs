//! `readprofile`: print what the kernel's profiler has counted (readprofile(8)).

use rbox_core::bytes::words;
use rbox_core::io::{Input, Output};
use rbox_core::number::parse_radix;
use rbox_core::prelude::*;
use rbox_core::text::{Hex, Left, Right};
use rbox_core::{push, text};

options! {
    "[-abinrsv] [-m MAPFILE] [-M MULTIPLIER] [-p PROFILE]

Print the ticks of the kernel's profiler by symbol.

  -a             Print symbols without ticks too
  -b             Print each counter with ticks
  -i             Print the step of the profile in bytes
  -m MAPFILE     Read symbols from MAPFILE (/boot/System.map)
  -M MULTIPLIER  Set the multiplier of the profiling interrupt (root), and exit
  -n             Take the profile's byte order as it is
  -p PROFILE     Read PROFILE (/proc/profile)
  -r             Reset all counters (root), and exit
  -s             Print each counter of each symbol
  -v             Print addresses too";
    ALL = "-a",
    BINS = "-b",
    INFO = "-i",
    MAP = "-m",
    MULTIPLIER = "-M",
    NATIVE = "-n",
    PROFILE = "-p",
    RESET = "-r",
    COUNTERS = "-s",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let path = args.value(PROFILE).unwrap_or(b"/proc/profile");
    if args.has(RESET) || args.has(MULTIPLIER) {
        // The kernel resets the counters at any write; a number of four bytes is the multiplier.
        let number = args.value(MULTIPLIER).map_or(Ok(0), |word| {
            rbox_core::number::parse_in_range(word, 1, i32::MAX as u64).map(|number| number as u32)
        })?;
        let content: &[u8] = if args.has(MULTIPLIER) { &number.to_ne_bytes() } else { b"\n" };
        let mut output = Output::open(path, true).map_err(|errno| Error::cannot("open", path, errno))?;
        output.write(content)?;
        output.flush()?;
        return Ok(ExitStatus::SUCCESS);
    }
    let content = Input::open(path)?.read_to_end()?;
    let counters = counters(&content, args.has(NATIVE));
    let Some((&step, counters)) = counters.split_first().filter(|(step, _)| **step > 0) else {
        return Err(Error::parts(&[path, b": no profile"]));
    };
    if args.has(INFO) {
        env.stdout.write(&text!("Sampling_step: ", step, "\n"))?;
        return Ok(ExitStatus::SUCCESS);
    }
    let map = args.value(MAP).unwrap_or(b"/boot/System.map");
    let lines = report(&mut Input::open(map)?, step.into(), counters, args)?;
    env.stdout.write(&lines.ok_or_else(|| Error::parts(&[map, b": can't find \"_stext\""]))?)?;
    Ok(ExitStatus::SUCCESS)
}

/// The numbers of the profile. A profile of another machine may have the other order of bytes, which shows in a step above
/// 65535.
fn counters(content: &[u8], is_native: bool) -> Vec<u32> {
    let numbers: Vec<u32> = content.as_chunks::<4>().0.iter().map(|bytes| u32::from_ne_bytes(*bytes)).collect();
    let is_foreign = !is_native && numbers.first().is_some_and(|step| *step > 0xffff);
    if is_foreign { numbers.into_iter().map(u32::swap_bytes).collect() } else { numbers }
}

/// The lines for the symbols of the map, which is sorted by address. `None` if it lacks the first symbol of the text.
fn report(map: &mut Input, step: u64, counters: &[u32], args: &Args<'_>) -> Result<Option<Vec<u8>>> {
    let (mut lines, mut total, mut base, mut first) = (Vec::new(), 0u64, 0, 0);
    let mut current: Option<(u64, Vec<u8>)> = None;
    while let Some(line) = map.line()? {
        let mut fields = words(line);
        let (Some(address), Some(kind), Some(name)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let Some(address) = parse_radix(address, 16) else { continue };
        if base == 0 {
            if matches!(name, b"_stext" | b"__stext") {
                (base, first) = (address, address);
                current = Some((address, name.to_vec()));
            }
            continue;
        }
        // What is before the text is none of it.
        if address < base {
            continue;
        }
        if let Some((start, symbol)) = current.take().filter(|(start, _)| address > *start) {
            total += push_symbol(&mut lines, &symbol, start, address, (base, step), counters, args);
        }
        current = Some((address, name.to_vec()));
        // The profile ends with the text.
        if !matches!(kind, b"T" | b"t" | b"W" | b"w" | b"A" | b"?") || (address - base) / step >= counters.len() as u64
        {
            current = None;
            break;
        }
    }
    if base == 0 {
        return Ok(None);
    }
    let end = first.saturating_add(counters.len() as u64 * step);
    if let Some((start, symbol)) = current.filter(|(start, _)| end > *start) {
        total += push_symbol(&mut lines, &symbol, start, end, (base, step), counters, args);
    }
    push_line(&mut lines, b"total", 0, (total, end - first), args);
    Ok(Some(lines))
}

/// Adds the lines of a symbol, which ends before `end`. Returns its ticks.
fn push_symbol(
    lines: &mut Vec<u8>,
    symbol: &[u8],
    start: u64,
    end: u64,
    (base, step): (u64, u64),
    counters: &[u32],
    args: &Args<'_>,
) -> u64 {
    let index =
        |address: u64| usize::try_from(address.saturating_sub(base) / step).unwrap_or(usize::MAX).min(counters.len());
    let own = &counters[index(start)..index(end).max(index(start))];
    let ticks: u64 = own.iter().map(|&count| u64::from(count)).sum();
    if ticks == 0 && !args.has(ALL) {
        return 0;
    }
    let bins = args.has(BINS);
    if bins {
        push!(*lines, symbol, ":\n");
    } else {
        push_line(lines, symbol, start, (ticks, end - start), args);
    }
    if bins || args.has(COUNTERS) {
        for (at, &count) in own.iter().enumerate().filter(|(_, count)| !bins || **count > 0) {
            let address = base.wrapping_add((index(start) + at) as u64 * step);
            if bins {
                push!(*lines, "\t", Hex(address), "\t", count, "\n");
            } else {
                push!(
                    *lines,
                    "\t0x",
                    Hex(address),
                    "\t",
                    symbol,
                    "+0x",
                    Hex(address.wrapping_sub(start)),
                    "\t",
                    count,
                    "\n"
                );
            }
        }
    }
    if bins {
        push!(*lines, "  total\t\t\t\t", ticks, "\n");
    }
    ticks
}

/// Ticks, name, and ticks for each byte with four decimals.
fn push_line(lines: &mut Vec<u8>, name: &[u8], address: u64, (ticks, size): (u64, u64), args: &Args<'_>) {
    let load = rbox_core::number::ratio(ticks, 10_000, size);
    let load = text!(load / 10_000, ".", Right(load % 10_000, 4, b'0'));
    if args.has(VERBOSE) {
        push!(*lines, Right(Hex(address), 16, b'0'), " ", Left(name, 40), " ", Right(ticks, 6, b' '));
    } else {
        push!(*lines, Right(ticks, 6, b' '), " ", Left(name, 40));
    }
    push!(*lines, " ", Right(&load, 8, b' '), "\n");
}
