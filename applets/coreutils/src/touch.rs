//! `touch`: change the times of files, and make them (POSIX XCU touch).

use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::fs::{AtFlags, CWD, Mode, OFlags, Timestamps, UTIME_NOW, UTIME_OMIT, open, stat, utimensat};
use rbox_core::sys::time::Timespec;
use rbox_core::time::{self, Moment, Zone};

options! {
    "[-chamf] [-d TIME | -t TIME | -r FILE] FILE...

Set the access and modification times of each FILE to now; create missing FILEs.

  -c, --no-create       Do not create FILEs
  -h, --no-dereference  Change symbolic links, not their targets
  -a                    Change only the access time
  -m                    Change only the modification time
  -d, --date=TIME       Use TIME, as date(1) -d
  -t TIME               Use TIME, as [[CC]YY]MMDDhhmm[.ss]
  -r, --reference=FILE  Use the times of FILE
  -f                    No effect, for compatibility";
    NO_CREATE = "-c",
    LINKS = "-h",
    ACCESS = "-a",
    CHANGE = "-m",
    DATE = "-d",
    STAMP = "-t",
    REFERENCE = "-r",
    IGNORED = "-f",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    // GNU and BusyBox accept -f, too, and do nothing for it.
    let _ = args.has(IGNORED);
    let mut times = times(env, args)?;
    let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    match (args.has(ACCESS), args.has(CHANGE)) {
        (true, false) => times.last_modification = omit,
        (false, true) => times.last_access = omit,
        _ => {}
    }
    args.operands_between(1, usize::MAX)?;
    let flags = if args.has(LINKS) { AtFlags::SYMLINK_NOFOLLOW } else { AtFlags::empty() };
    env.for_each_operand(args.operands(), &mut |_, path| {
        let touched = match utimensat(CWD, path, &times, flags) {
            Err(Errno::NOENT) if args.has(NO_CREATE) => Ok(()),
            // A link cannot be made without knowing where it should lead.
            Err(Errno::NOENT) if !args.has(LINKS) => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
                open(path, flags, Mode::from_raw_mode(0o666))
                    .and_then(|file| rbox_core::sys::fs::futimens(&file, &times))
            }
            result => result,
        };
        touched.map_err(|errno| Error::on(path, errno))
    })
}

fn times(env: &Env, args: &Args<'_>) -> Result<Timestamps> {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let zone = Zone::load(env.vars.get("TZ"));
    let moment = match args.last_of(&[DATE, STAMP, REFERENCE]) {
        None => return Ok(Timestamps { last_access: now, last_modification: now }),
        Some(REFERENCE) => {
            let file = args.value(REFERENCE).unwrap_or_default();
            let stat = stat(file).map_err(|errno| Error::on(file, errno))?;
            return Ok(Timestamps {
                last_access: Timespec { tv_sec: stat.st_atime, tv_nsec: stat.st_atime_nsec as i64 },
                last_modification: Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec as i64 },
            });
        }
        Some(option) => {
            let word = args.value(option).unwrap_or_default();
            let now = Moment::now();
            let digits = time::parse_digits(word, false, now, &zone);
            let moment = if option == STAMP { digits } else { digits.or_else(|| time::parse(word, now, &zone)) };
            moment.ok_or_else(|| Error::parts(&[b"invalid date '", word, b"'"]))?
        }
    };
    let time = Timespec { tv_sec: moment.seconds, tv_nsec: moment.nanos.into() };
    Ok(Timestamps { last_access: time, last_modification: time })
}
