//! `lzop`, `unlzop`, `lzopcat`: compress and decompress files fast, by LZO1X.

use rbox_core::codec::Format;
use rbox_core::prelude::*;

use crate::compress::{self, Action, Job};

options! {
    "[-cdfklqtvCFU] [-S SUFFIX] [-1..-9] [FILE]...

Compress each FILE to FILE.lzo, or decompress FILE.lzo to FILE as unlzop; without
FILE, or as lzopcat, write to standard output.

  -c, --stdout      Write to standard output
  -d, -x, --decompress  Decompress
  -f, --force       Replace existing files; accept links and terminals
  -k, --keep        Keep FILE (default)
  -U, --delete      Remove FILE once it has been processed
  -l, --list        Print the sizes of compressed files
  -q, --quiet       Print no warnings
  -t, --test        Test compressed files
  -v, --verbose     Print each name and how much was saved
  -C, --crc         Store checksums of the compressed blocks, too
  -F, --no-checksum  Do not store or verify checksums
  -S, --suffix=SUFFIX  Use SUFFIX instead of .lzo
      --fast        Compress fast
      --best        Compress well
  -NUM              Compress with level NUM, 1 to 9 (3); 7 and more are slower";
    STDOUT = "-c",
    DECOMPRESS = "-d",
    FORCE = "-f",
    KEEP = "-k",
    DELETE = "-U",
    LIST = "-l",
    QUIET = "-q",
    TEST = "-t",
    VERBOSE = "-v",
    CHECK_ALL = "-C",
    NO_CHECKSUM = "-F",
    SUFFIX = "-S",
    FAST = "--fast",
    BEST = "--best",
    LEVEL = "-NUM",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut action = compress::action(env, args, [DECOMPRESS, DECOMPRESS, TEST]);
    if args.last_of(&[DECOMPRESS, TEST]) == Some(DECOMPRESS) {
        action = Action::Decompress;
    }
    if args.has(LIST) {
        action = Action::List;
    }
    let checks = if args.has(NO_CHECKSUM) { 0 } else { 1 + u8::from(args.has(CHECK_ALL)) };
    let level = compress::level(args, [FAST, BEST, LEVEL], 1, 3)?;
    let job = Job {
        to_stdout: args.has(STDOUT) || env.name.ends_with(b"cat"),
        keep: args.last_of(&[KEEP, DELETE]) != Some(DELETE),
        force: args.has(FORCE),
        verbose: args.has(VERBOSE),
        quiet: args.has(QUIET),
        named: true,
        checks,
        ..Job::new(action, Format::Lzop, level, args.value(SUFFIX).unwrap_or(b".lzo"))
    };
    compress::run(env, &job, args.operands())
}
