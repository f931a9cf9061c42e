//! `readlink`: print where symbolic links lead, with GNU's `-f`, `-e` and `-m`.

use rbox_core::files;
use rbox_core::prelude::*;
use rbox_core::sys::fs::readlink;

options! {
    "[-fenqsvz] FILE...

Print the target of each symbolic link FILE.

  -f, --canonicalize           Print the canonical path; the last component may be missing
  -e, --canonicalize-existing  Same as -f; all components must exist
  -m, --canonicalize-missing   Same as -f; any component may be missing
  -n, --no-newline             Omit the final newline
  -q, -s, --quiet, --silent    Print no errors (default)
  -v, --verbose                Print errors
  -z, --zero                   End output lines with NUL, not newline";
    CANONICAL = "-f",
    EXISTING = "-e",
    MISSING = "-m",
    NO_NEWLINE = "-n",
    QUIET = "-q",
    VERBOSE = "-v",
    ZERO = "-z",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let files = args.operands_between(1, usize::MAX)?;
    let form = args.last_of(&[CANONICAL, EXISTING, MISSING]);
    let mut status = ExitStatus::SUCCESS;
    for file in files {
        let found = match form {
            Some(MISSING) => files::canonical_missing(file),
            Some(form) => files::canonical(file, form == CANONICAL),
            None => readlink(file),
        };
        match found {
            Ok(path) => {
                env.stdout.write(&path)?;
                if !args.has(NO_NEWLINE) || files.len() > 1 {
                    env.stdout.push(if args.has(ZERO) { 0 } else { b'\n' })?;
                }
            }
            Err(errno) if args.last_of(&[QUIET, VERBOSE]) == Some(VERBOSE) => {
                status.worsen(env.warn(Error::on(*file, errno)))
            }
            Err(_) => status = ExitStatus::FAILURE,
        }
    }
    Ok(status)
}
