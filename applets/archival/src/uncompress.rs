//! `uncompress`: decompress the files of compress(1).

use rbox_core::codec::Format;
use rbox_core::prelude::*;

use crate::compress::{self, Action, Job};

options! {
    "[-cfkqv] [FILE]...

Replace each FILE.Z by FILE; without FILE, write to standard output.

  -c, --stdout   Write to standard output; keep FILE
  -f, --force    Replace existing files; accept links and terminals
  -k, --keep     Keep FILE
  -q, --quiet    Print no warnings
  -v, --verbose  Print each name and how much was saved";
    STDOUT = "-c",
    FORCE = "-f",
    KEEP = "-k",
    QUIET = "-q",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let job = Job {
        to_stdout: args.has(STDOUT),
        keep: args.has(KEEP),
        force: args.has(FORCE),
        verbose: args.has(VERBOSE),
        quiet: args.has(QUIET),
        ..Job::new(Action::Decompress, Format::Lzw, 1, b".Z")
    };
    compress::run(env, &job, args.operands())
}
