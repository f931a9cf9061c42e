//! `gzip`, `gunzip`, `zcat`: compress and decompress files (RFC 1952), with GNU's options.

use rbox_core::codec::Format;
use rbox_core::prelude::*;

use crate::compress::{self, Action, Job, action_by_name};

options! {
    "[-cdfklnNqrtv] [-S SUFFIX] [-1..-9] [FILE]...

Replace each FILE by a compressed FILE.gz, or FILE.gz by FILE as gunzip; without
FILE, or as zcat, write to standard output. gunzip also reads .Z files; zcat
reads all formats of rbox.

  -c, --stdout, --to-stdout  Write to standard output; keep FILE
  -d, --decompress, --uncompress  Decompress, as gunzip does
  -f, --force       Replace existing files; accept links and terminals; with -c,
                    copy what is not compressed
  -k, --keep        Keep FILE
  -l, --list        Print the sizes of compressed files
  -n, --no-name     Do not save or restore the name and the time
  -N, --name        Save (default) or restore the name and the time
  -q, --quiet       Print no warnings
  -r, --recursive   Process the files in directories
  -S, --suffix=SUFFIX  Use SUFFIX instead of .gz
  -t, --test        Test compressed files
  -v, --verbose     Print each name and how much was saved
  -1, --fast        Compress fast
  -9, --best        Compress well
  -NUM              Compress with level NUM (6)";
    STDOUT = "-c",
    DECOMPRESS = "-d",
    FORCE = "-f",
    KEEP = "-k",
    LIST = "-l",
    NO_NAME = "-n",
    NAME = "-N",
    QUIET = "-q",
    RECURSIVE = "-r",
    SUFFIX = "-S",
    TEST = "-t",
    VERBOSE = "-v",
    FAST = "-1",
    BEST = "-9",
    LEVEL = "-NUM",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut action = action_by_name(&env.name);
    for (option, wanted) in [(DECOMPRESS, Action::Decompress), (TEST, Action::Test), (LIST, Action::List)] {
        if args.has(option) {
            action = wanted;
        }
    }
    let level = compress::level(args, [FAST, BEST, LEVEL], 1, 6)?;
    let suffix = args.value(SUFFIX).unwrap_or(b".gz");
    if suffix.is_empty() || suffix.contains(&b'/') {
        return Err(Error::parts(&[b"invalid suffix '", suffix, b"'"]));
    }
    let is_cat = env.name.ends_with(b"cat");
    let named = match args.last_of(&[NO_NAME, NAME]) {
        Some(last) => last == NAME,
        None => action == Action::Compress,
    };
    let job = Job {
        any: is_cat,
        to_stdout: is_cat || args.has(STDOUT),
        keep: args.has(KEEP),
        force: args.has(FORCE),
        recursive: args.has(RECURSIVE),
        verbose: args.has(VERBOSE) && !args.has(QUIET),
        quiet: args.has(QUIET),
        named,
        ..Job::new(action, Format::Gzip, level, suffix)
    };
    compress::run(env, &job, args.operands())
}
