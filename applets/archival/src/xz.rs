//! `xz`, `unxz`, `xzcat`, `lzma`, `unlzma`, `lzcat`: compress and decompress files by LZMA.

use rbox_core::codec::Format;
use rbox_core::prelude::*;

use crate::compress::{self, Action, Job};

options! {
    "[-cdfklqtvz] [-S SUFFIX] [-F FORMAT] [-0..-9] [FILE]...

Replace each FILE by a compressed FILE.xz, or FILE.xz or FILE.lzma by FILE as
unxz; without FILE, or as xzcat, write to standard output. lzma, unlzma and lzcat
do the same with the format lzma.

  -c, --stdout, --to-stdout  Write to standard output; keep FILE
  -d, --decompress  Decompress
  -z, --compress    Compress
  -f, --force       Replace existing files; accept links and terminals; with -dc,
                    copy what is not compressed
  -k, --keep        Keep FILE
  -l, --list        Print the sizes of compressed files
  -q, --quiet       Print no warnings
  -t, --test        Test compressed files
  -v, --verbose     Print each name and how much was saved
  -F, --format=FORMAT  Use FORMAT: xz, lzma (alone) or auto
  -S, --suffix=SUFFIX  Use SUFFIX instead of .xz or .lzma
  -M, --memlimit, --memlimit-decompress=SIZE  Decompress with at most SIZE bytes of
                    memory (256M); 0 is the default
  -T, --threads=NUM  Ignored: one thread is used
  -e, --extreme     Ignored: the level alone counts
      --fast        Compress fast
      --best        Compress well
  -NUM              Compress with level NUM, 0 to 9 (6); 9 takes 674 MB of memory";
    STDOUT = "-c",
    DECOMPRESS = "-d",
    COMPRESS = "-z",
    FORCE = "-f",
    KEEP = "-k",
    LIST = "-l",
    QUIET = "-q",
    TEST = "-t",
    VERBOSE = "-v",
    FORMAT = "-F",
    SUFFIX = "-S",
    MEMORY = "-M",
    FAST = "--fast",
    BEST = "--best",
    LEVEL = "-NUM",
    "-T" => ignored,
    "-e" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut action = compress::action(env, args, [COMPRESS, DECOMPRESS, TEST]);
    if args.has(LIST) {
        action = Action::List;
    }
    let named = if rbox_core::bytes::find(&env.name, b"lz").is_some() { Format::Lzma } else { Format::Xz };
    let format = match args.value(FORMAT) {
        None | Some(b"auto") => named,
        Some(b"xz") => Format::Xz,
        Some(b"lzma" | b"alone") => Format::Lzma,
        Some(word) => return Err(Error::parts(&[b"unknown format '", word, b"'"])),
    };
    let suffix = args.value(SUFFIX).unwrap_or(if format == Format::Xz { b".xz" } else { b".lzma" });
    let job = Job {
        to_stdout: args.has(STDOUT) || env.name.ends_with(b"cat"),
        keep: args.has(KEEP),
        force: args.has(FORCE),
        verbose: args.has(VERBOSE),
        quiet: args.has(QUIET),
        memory: compress::memory(args, MEMORY)?,
        ..Job::new(action, format, compress::level(args, [FAST, BEST, LEVEL], 0, 6)?, suffix)
    };
    compress::run(env, &job, args.operands())
}
