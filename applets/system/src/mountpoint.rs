//! `mountpoint`: test whether a directory is a mount point.

use rbox_core::files::canonical;
use rbox_core::mounts;
use rbox_core::prelude::*;
use rbox_core::sys::fs;
use rbox_core::sys::fs::{FileType, major, minor};
use rbox_core::{bytes, text};

options! {
    "[-q] {[-dn] DIRECTORY | -x DEVICE}

Test whether DIRECTORY is a mount point: status 0 if it is, 32 if not.

  -q, --quiet     Print nothing
  -d, --fs-devno  Print MAJOR:MINOR of the filesystem
  -n              Print the name of the mounted device
  -x, --devno     Print MAJOR:MINOR of DEVICE
      --nofollow  Do not follow symbolic links";
    QUIET = "-q",
    NUMBER = "-d",
    SOURCE = "-n",
    DEVICE = "-x",
    NO_FOLLOW = "--nofollow",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// The status of what is no mount point, or no device.
const NO: ExitStatus = ExitStatus(32);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let found = if args.has(NO_FOLLOW) { fs::lstat(path) } else { fs::stat(path) };
    let fail = |env: &mut Env, status: ExitStatus, error: Error| {
        if args.has(QUIET) {
            return Ok(status);
        }
        env.warn(error);
        Ok(status)
    };
    let stat = match found {
        Ok(stat) => stat,
        Err(errno) => return fail(env, ExitStatus::FAILURE, Error::on(path, errno)),
    };
    let number = |device: u64| text!(major(device), ":", minor(device), "\n");
    if args.has(DEVICE) {
        if FileType::from_raw_mode(stat.st_mode) != FileType::BlockDevice {
            return fail(env, NO, Error::new(text!(path, ": not a block device")));
        }
        env.stdout.write(&number(stat.st_rdev))?;
        return Ok(ExitStatus::SUCCESS);
    }
    if args.has(NO_FOLLOW) && FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
        if !args.has(QUIET) {
            env.stdout.write(&text!(path, " is not a mountpoint\n"))?;
        }
        return Ok(NO);
    }
    if args.has(NUMBER) {
        env.stdout.write(&number(stat.st_dev))?;
        return Ok(ExitStatus::SUCCESS);
    }
    let source = source(path, &stat)?;
    if args.has(SOURCE) {
        let name = source.as_deref().unwrap_or(b"UNKNOWN");
        env.stdout.write(&text!(name, " ", path, "\n"))?;
    } else if !args.has(QUIET) {
        env.stdout
            .write(&text!(path, if source.is_some() { " is a mountpoint\n" } else { " is not a mountpoint\n" }))?;
    }
    Ok(if source.is_some() { ExitStatus::SUCCESS } else { NO })
}

/// What is mounted at `path`; `None` when nothing is. Without /proc a directory counts whose parent is on another device.
fn source(path: &[u8], stat: &fs::Stat) -> Result<Option<Vec<u8>>> {
    let real = canonical(path, false)?;
    if let Ok(mounted) = mounts::read(b"/proc/self/mounts") {
        // The last one lies on top.
        return Ok(mounted.into_iter().rev().find(|mount| mount.target == real).map(|mount| mount.source));
    }
    let parent = fs::stat(bytes::join_path(path, b".."))?;
    let other = (parent.st_dev, parent.st_ino);
    let is_one = other.0 != stat.st_dev || other.1 == stat.st_ino;
    Ok(is_one.then(|| b"UNKNOWN".to_vec()))
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn says_what_is_one() {
        assert_eq!(try_call(APPLET, &["mountpoint", "/proc"], b"").stdout, "/proc is a mountpoint\n");
        let ran = try_call(APPLET, &["mountpoint", "/proc/self"], b"");
        assert_eq!((ran.status, ran.stdout.as_str()), (32, "/proc/self is not a mountpoint\n"));
        assert_eq!(try_call(APPLET, &["mountpoint", "-q", "/nope"], b"").stderr, "");
    }
}
