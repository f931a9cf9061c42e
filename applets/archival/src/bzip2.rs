//! `bzip2`, `bunzip2`, `bzcat`: compress and decompress files by block sorting.

use rbox_core::codec::Format;
use rbox_core::prelude::*;

use crate::compress::{self, Job};

options! {
    "[-cdfkqtvz] [-1..-9] [FILE]...

Replace each FILE by a compressed FILE.bz2, or FILE.bz2 by FILE as bunzip2;
without FILE, or as bzcat, write to standard output.

  -c, --stdout      Write to standard output; keep FILE
  -d, --decompress  Decompress
  -z, --compress    Compress
  -f, --force       Replace existing files; accept links and terminals; with -dc,
                    copy what is not compressed
  -k, --keep        Keep FILE
  -q, --quiet       Print no warnings
  -t, --test        Test compressed files
  -v, --verbose     Print each name and how much was saved
  -1, --fast        Use blocks of 100 KB
  -9, --best        Use blocks of 900 KB (default)
  -NUM              Use blocks of NUM times 100 KB";
    STDOUT = "-c",
    DECOMPRESS = "-d",
    COMPRESS = "-z",
    FORCE = "-f",
    KEEP = "-k",
    QUIET = "-q",
    TEST = "-t",
    VERBOSE = "-v",
    FAST = "-1",
    BEST = "-9",
    LEVEL = "-NUM",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let action = compress::action(env, args, [COMPRESS, DECOMPRESS, TEST]);
    let level = compress::level(args, [FAST, BEST, LEVEL], 1, 9)?;
    let job = Job {
        to_stdout: args.has(STDOUT) || env.name.ends_with(b"cat"),
        keep: args.has(KEEP),
        force: args.has(FORCE),
        verbose: args.has(VERBOSE),
        quiet: args.has(QUIET),
        ..Job::new(action, Format::Bzip2, level, b".bz2")
    };
    compress::run(env, &job, args.operands())
}
