//! `xxd`: print a file in hexadecimal, or make a file of such a dump (xxd(1) of Vim).
//!
//! The last byte of `-i` has no comma after it, as Vim's, and a dump is reverted by Vim's rules: two blanks end the bytes
//! of a line. BusyBox reads characters beside them too.

mod dump;
mod revert;

use rbox_core::io::{Input, Output};
use rbox_core::number::{SIZE_SUFFIXES, invalid, parse_count, parse_size};
use rbox_core::options::Grammar;
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::fs::{Mode, OFlags, SeekFrom, open, seek};

use dump::{Dump, Form};

#[cfg(fuzzing)]
pub use revert::fuzz;

options! {
    "[-abdeiprCu] [-c N] [-g N] [-l N] [-n NAME] [-o N] [-s [+][-]N] [INFILE [OUTFILE]]

Dump INFILE, or standard input, in hexadecimal, or revert such a dump.

  -a       Print one * for several lines of NUL bytes
  -b       Binary digits
  -e       Read each group as a little-endian number
  -i       A declaration of C
  -p, -ps  Hexadecimal digits alone
  -r       Revert a dump; write into OUTFILE without truncating it
  -C       With -i, print the name in capitals
  -u       Print hexadecimal digits in capitals
  -d       Print offsets in decimal
  -c N     Print N bytes per line (16; -b 6, -i 12, -p 30; 0 with -p: one line)
  -g N     Print N bytes per group (2; -b 1, -e 4; 0: no groups)
  -l N     Stop after N bytes
  -n NAME  With -i, the name of the variable
  -o N     Add N to the printed offsets
  -s N     Start at byte N, before the end with -; with -r, add N to the offsets of the dump";
    SKIP_NUL = "-a",
    BINARY = "-b",
    LITTLE_ENDIAN = "-e",
    INCLUDE = "-i",
    PLAIN = "-p",
    REVERT = "-r",
    CAPITAL_NAME = "-C",
    CAPITALS = "-u",
    DECIMAL = "-d",
    COLUMNS = "-c",
    GROUP = "-g",
    LENGTH = "-l",
    NAME = "-n",
    ADD = "-o",
    SEEK = "-s",
}

/// The applet. Vim's words for options of several characters are taken out before options are read.
pub const APPLET: Applet = Applet::new(USAGE, run).raw().inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words: Vec<&[u8]> = args.words().iter().map(|word| short(word)).collect();
    let args = &Args::parse(USAGE, Grammar::OptionsFirst, &words)?;
    let operands = args.operands_between(0, 2)?;
    let name = operands.first().copied().unwrap_or(b"-");
    let mut input = env.open(name)?;
    let mut file = match operands.get(1) {
        None | Some(&b"-") => None,
        Some(path) if args.has(REVERT) => {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
            let opened = open(*path, flags, Mode::from_raw_mode(0o666));
            Some(Output::from_fd(opened.map_err(|errno| Error::cannot("create", path, errno))?))
        }
        Some(path) => Some(Output::create(path)?),
    };
    let output = file.as_mut().unwrap_or(&mut env.stdout);
    if args.has(REVERT) {
        revert(args, &mut input, output)?;
    } else {
        let offset = start(args, &mut input)?;
        let left = count(args, LENGTH)?.unwrap_or(u64::MAX);
        let is_named = args.has(NAME) || name != b"-";
        let variable = is_named.then(|| args.value(NAME).unwrap_or(name));
        let mut dump = Dump::new(form(args)?, count(args, ADD)?.unwrap_or(0).wrapping_add(offset), left);
        dump.begin(variable, args.has(CAPITAL_NAME));
        dump.read(&mut input, output)?;
        dump.finish(output)?;
    }
    output.flush()?;
    Ok(ExitStatus::SUCCESS)
}

/// Vim's spelling of an option in BusyBox's.
fn short(word: &[u8]) -> &[u8] {
    match word {
        b"-ps" | b"-postscript" | b"-plain" => b"-p",
        b"-autoskip" => b"-a",
        b"-bits" => b"-b",
        b"-cols" => b"-c",
        b"-capitalize" => b"-C",
        b"-groupsize" => b"-g",
        b"-include" => b"-i",
        b"-len" => b"-l",
        b"-name" => b"-n",
        b"-revert" => b"-r",
        b"-seek" | b"-skip" => b"-s",
        b"-uppercase" => b"-u",
        _ => word,
    }
}

fn count(args: &Args<'_>, option: Opt) -> Result<Option<u64>> {
    args.value(option).map(parse_size).transpose()
}

fn form(args: &Args<'_>) -> Result<Form> {
    let kind = args.last_of(&[BINARY, INCLUDE, PLAIN, LITTLE_ENDIAN]);
    let (columns, group) = match kind {
        Some(BINARY) => (6, 1),
        Some(INCLUDE) => (12, 0),
        Some(PLAIN) => (30, 0),
        Some(LITTLE_ENDIAN) => (16, 4),
        _ => (16, 2),
    };
    let small = |option, default| match args.value(option) {
        None => Ok(default),
        Some(word) => match parse_count(word, SIZE_SUFFIXES)? {
            0 => Ok(0),
            // A line is held in memory.
            number if number <= 1 << 20 => Ok(number as usize),
            _ => Err(invalid(word)),
        },
    };
    let mut columns = small(COLUMNS, columns)?;
    if columns == 0 {
        columns = if kind == Some(PLAIN) { usize::MAX } else { 16 };
    }
    let group = match small(GROUP, group)? {
        0 => columns,
        group => group.min(columns),
    };
    if kind == Some(LITTLE_ENDIAN) && !group.is_power_of_two() {
        return Err(Error::new("number of octets per group must be a power of 2 with -e"));
    }
    Ok(Form {
        columns,
        group,
        plain: kind == Some(PLAIN),
        include: kind == Some(INCLUDE),
        binary: kind == Some(BINARY),
        little_endian: kind == Some(LITTLE_ENDIAN),
        capitals: args.has(CAPITALS),
        decimal: args.has(DECIMAL),
        skip_nul: args.has(SKIP_NUL),
    })
}

/// Goes to the byte that `-s` asks for; its offset.
fn start(args: &Args<'_>, input: &mut Input) -> Result<u64> {
    let Some(word) = args.value(SEEK) else { return Ok(0) };
    let (from_end, digits) = match word.strip_prefix(b"+").unwrap_or(word) {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let count = parse_size(digits)?;
    if from_end {
        let file = input.fd().ok_or_else(|| Error::on(input.name(), Errno::SPIPE))?;
        let back = i64::try_from(count).map_err(|_| invalid(word))?;
        return seek(file, SeekFrom::End(-back)).map_err(|errno| Error::on(input.name(), errno));
    }
    input.skip(count)?;
    Ok(count)
}

fn revert(args: &Args<'_>, input: &mut Input, output: &mut Output) -> Result<()> {
    if args.has(PLAIN) {
        return revert::plain(input, output);
    }
    let columns = count(args, COLUMNS)?.filter(|&columns| columns > 0).unwrap_or(16);
    let (backwards, add) = match args.value(SEEK) {
        Some([b'-', digits @ ..]) => (true, parse_size(digits)?),
        Some(word) => (false, parse_size(word.strip_prefix(b"+").unwrap_or(word))?),
        None => (false, 0),
    };
    let add = i64::try_from(add).map_err(|_| invalid(args.value(SEEK).unwrap_or_default()))?;
    revert::dump(input, output, columns as usize, if backwards { -add } else { add })
}
