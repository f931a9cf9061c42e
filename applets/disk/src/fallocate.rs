//! `fallocate`: reserve space for a file, or give it up (fallocate(2)).

use rbox_core::number::{SIZE_SUFFIXES, invalid, parse_count};
use rbox_core::prelude::*;
use rbox_core::sys::fs;
use rbox_core::sys::fs::{FallocateFlags, Mode, OFlags};

options! {
    "[-ncipz] [-o OFFSET] -l LENGTH FILE

Allocate or deallocate disk space of FILE.

  -l, --length=LENGTH   Set the length of the range in bytes
  -o, --offset=OFFSET   Set the start of the range in bytes (0)
  -n, --keep-size       Do not change the file size
  -p, --punch-hole      Deallocate the range: it reads as zeros
  -z, --zero-range      Allocate the range and zero it
  -c, --collapse-range  Remove the range from the file
  -i, --insert-range    Insert a hole
  -x, --posix           Allocate with posix_fallocate(3)";
    LENGTH = "-l",
    OFFSET = "-o",
    KEEP = "-n",
    PUNCH = "-p",
    ZERO = "-z",
    COLLAPSE = "-c",
    INSERT = "-i",
    POSIX = "-x",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let number = |word: &[u8]| {
        parse_count(word, SIZE_SUFFIXES).ok().filter(|n| *n <= i64::MAX as u64).ok_or_else(|| invalid(word))
    };
    let length = number(args.value(LENGTH).ok_or_else(Error::usage)?)?;
    let offset = args.value(OFFSET).map_or(Ok(0), number)?;
    let mut flags = match args.last_of(&[PUNCH, ZERO, COLLAPSE, INSERT, POSIX]) {
        Some(PUNCH) => FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE,
        Some(ZERO) => FallocateFlags::ZERO_RANGE,
        Some(COLLAPSE) => FallocateFlags::COLLAPSE_RANGE,
        Some(INSERT) => FallocateFlags::INSERT_RANGE,
        _ => FallocateFlags::empty(),
    };
    flags.set(FallocateFlags::KEEP_SIZE, flags.contains(FallocateFlags::KEEP_SIZE) || args.has(KEEP));
    // Only reserving makes a file.
    let create = if args.last_of(&[PUNCH, COLLAPSE, INSERT]).is_none() { OFlags::CREATE } else { OFlags::empty() };
    let file = fs::open(path, OFlags::RDWR | OFlags::CLOEXEC | create, Mode::from_raw_mode(0o666));
    let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
    fs::fallocate(&file, flags, offset, length)
        .map_err(|errno| Error::on([b"fallocate '", path, b"'"].concat(), errno))?;
    Ok(ExitStatus::SUCCESS)
}
