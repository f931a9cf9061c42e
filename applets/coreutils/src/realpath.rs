//! `realpath`: print absolute paths without links, `.` and `..`, with GNU's options.

use rbox_core::files;
use rbox_core::prelude::*;

options! {
    "[-emqz] FILE...

Print the canonical path of each FILE. The last component may be missing.

  -e, --canonicalize-existing  All components must exist
  -m, --canonicalize-missing   Any component may be missing
  -q, --quiet                  Print no errors
  -z, --zero                   End output lines with NUL, not newline";
    EXISTING = "-e",
    MISSING = "-m",
    QUIET = "-q",
    ZERO = "-z",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut status = ExitStatus::SUCCESS;
    for file in args.operands_between(1, usize::MAX)? {
        let found = match args.last_of(&[EXISTING, MISSING]) {
            Some(MISSING) => files::canonical_missing(file),
            form => files::canonical(file, form.is_none()),
        };
        match found {
            Ok(path) => {
                env.stdout.write(&path)?;
                env.stdout.push(if args.has(ZERO) { 0 } else { b'\n' })?;
            }
            Err(_) if args.has(QUIET) => status = ExitStatus::FAILURE,
            Err(errno) => status.worsen(env.warn(Error::on(*file, errno))),
        }
    }
    Ok(status)
}
