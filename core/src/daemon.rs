//! What programs that run for long share: waiting, clocks, leaving the caller's session.

use crate::bytes;
use crate::error::{Error, Result};
use crate::sys::fs::{FileType, Mode, OFlags};
use crate::sys::sandbox::{self, Keep};
use crate::sys::time::{self, ClockId, clock_gettime};
use crate::sys::{AsFd, AsRawFd, fd, fs, process, thread};

/// Sleeps for `milliseconds`, or until a signal is handled.
pub fn pause(milliseconds: u64) {
    let time = time::milliseconds(milliseconds);
    // An interruption ends the pause early, as documented.
    let _ = thread::nanosleep(&time);
}

/// Milliseconds since the machine started, not counting sleep: never goes back.
pub fn uptime_milliseconds() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

/// Opens `path` as standard input, output and error.
pub fn open_standard_streams(path: &[u8], flags: OFlags) -> Result<()> {
    let file =
        fs::open(path, flags, Mode::empty()).map_err(|errno| Error::on([b"can't open ", path].concat(), errno))?;
    for number in 0..3 {
        fd::redirect(file.as_fd(), number).map_err(Error::from)?;
    }
    // It may be one of the three itself, and then stays open.
    let own = file.as_raw_fd().min(2);
    fd::install(file, own).map_err(Error::from)
}

/// Gives up, for good, what the row of the table does not list. `files` stay writable, also when they are replaced,
/// rotated or made anew in their directories.
pub fn keep_only(row: Keep, files: &[&[u8]]) -> Result<()> {
    let paths: Vec<&[u8]> = files.iter().map(|path| holder(path)).collect();
    sandbox::enter(row, &paths).map_err(|errno| Error::on("sandbox", errno))
}

/// A device or a pipe itself, else its directory, or the nearest one that exists.
fn holder(path: &[u8]) -> &[u8] {
    let stat = fs::stat(path);
    if stat.is_ok_and(|stat| !matches!(FileType::from_raw_mode(stat.st_mode), FileType::RegularFile)) {
        return path;
    }
    match bytes::find_byte_back(b'/', path) {
        None => b".",
        Some(0) => b"/",
        Some(end) if fs::stat(&path[..end]).is_ok() => &path[..end],
        Some(end) => holder(&path[..end]),
    }
}

/// Goes on in a child in a session of its own, in `/`, with /dev/null for the standard streams; the parent ends with status 0.
pub fn detach() -> Result<()> {
    match process::fork() {
        Err(errno) => return Err(Error::on("can't fork", errno)),
        Ok(Some(_)) => process::exit_now(0),
        Ok(None) => {}
    }
    // The child of a fork is no group leader, so this cannot fail.
    let _ = process::setsid();
    process::chdir("/").map_err(|errno| Error::on("/", errno))?;
    open_standard_streams(b"/dev/null", OFlags::RDWR)
}
