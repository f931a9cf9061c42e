//! `zstd`, `unzstd`, `zstdcat`: decompress files (RFC 8878). There is no compression.

use rbox_core::codec::Format;
use rbox_core::io::Output;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{AtFlags, CWD, Mode, OFlags, openat, unlinkat};

use crate::compress::{self, Action, Job, action_by_name};

options! {
    "-d [-cfklqtv] [--rm] [-o OUTPUT] [FILE]...

Decompress each FILE.zst to FILE; without FILE, or as zstdcat, write to standard
output. unzstd needs no -d. Compression is not supported.

  -c, --stdout   Write to standard output
  -d, --decompress, --uncompress  Decompress
  -f, --force    Replace existing files; accept links and terminals; with -c, copy
                 what is not compressed
  -k, --keep     Keep FILE (default)
      --rm       Remove FILE once it has been decompressed
  -l, --list     Print the sizes of compressed files
  -M, --memory=SIZE  Take at most SIZE bytes of memory (128M)
      --long[=N]  Take at most 2^N bytes of memory (27), N being 10 to 31
  -o OUTPUT      Write to the file OUTPUT
  -q, --quiet    Print no warnings
  -t, --test     Test compressed files
  -v, --verbose  Print each name and how much was saved";
    STDOUT = "-c",
    DECOMPRESS = "-d",
    FORCE = "-f",
    KEEP = "-k",
    REMOVE = "--rm",
    LIST = "-l",
    MEMORY = "-M",
    LONG = "--long",
    OUTPUT = "-o",
    QUIET = "-q",
    TEST = "-t",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let action = match args.last_of(&[DECOMPRESS, TEST, LIST]) {
        Some(TEST) => Action::Test,
        Some(LIST) => Action::List,
        Some(_) => Action::Decompress,
        None => action_by_name(&env.name),
    };
    if action == Action::Compress {
        return Err(Error::new("compression is not supported; -d decompresses"));
    }
    let memory = match args.last_of(&[MEMORY, LONG]) {
        Some(LONG) => Some(1 << parse_in_range(args.value(LONG).unwrap_or(b"27"), 10, 31)?),
        _ => compress::memory(args, MEMORY)?,
    };
    let job = Job {
        to_stdout: args.has(STDOUT) || args.has(OUTPUT) || env.name.ends_with(b"cat"),
        keep: args.last_of(&[KEEP, REMOVE]) != Some(REMOVE),
        force: args.has(FORCE),
        verbose: args.has(VERBOSE),
        quiet: args.has(QUIET),
        memory,
        ..Job::new(action, Format::Zstd, 1, b".zst")
    };
    let Some(path) = args.value(OUTPUT).filter(|_| action == Action::Decompress) else {
        return compress::run(env, &job, args.operands());
    };
    let how = if job.force { OFlags::TRUNC } else { OFlags::EXCL };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | how;
    let file =
        openat(CWD, path, flags, Mode::from_raw_mode(0o666)).map_err(|errno| Error::cannot("open", path, errno))?;
    let stdout = core::mem::replace(&mut env.stdout, Output::from_fd(file));
    let outcome = compress::run(env, &job, args.operands());
    let flushed = env.stdout.flush();
    env.stdout = stdout;
    if !job.force && !matches!(outcome, Ok(ExitStatus::SUCCESS)) {
        unlinkat(CWD, path, AtFlags::empty()).map_err(|errno| Error::cannot("remove", path, errno))?;
    }
    flushed.and(outcome)
}
