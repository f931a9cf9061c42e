//! Reading and writing of descriptors.

use rbox_core::daemon::uptime_milliseconds;
use rbox_core::signals::SIGTSTP;
use rbox_core::sys::Errno;
use rbox_core::sys::event::PollFd;
use rbox_core::sys::event::PollFlags;
use rbox_core::sys::event::poll;
use rbox_core::sys::fd;
use rbox_core::sys::fs;
use rbox_core::sys::signal;
use rbox_core::sys::signal::SignalSet;
use rbox_core::sys::time;
use std::os::fd::BorrowedFd;

/// Writes all of a text to a standard stream.
pub fn write_all(number: i32, text: &[u8]) -> Result<(), Errno> {
    rbox_core::io::write_all(fd::borrow(number), text)
}

/// Writes a message to standard error.
pub fn write_error(text: &[u8]) {
    // Nothing can report that standard error is closed.
    let _ = write_all(2, text);
}

/// Whether a descriptor can seek.
pub fn is_seekable(file: BorrowedFd<'_>) -> bool {
    fs::seek(file, fs::SeekFrom::Current(0)).is_ok()
}

/// Reads once, going on after signals; an error reads as the end.
pub fn read_once(file: BorrowedFd<'_>, into: &mut [u8]) -> usize {
    loop {
        match fd::read(file, &mut *into) {
            Ok(got) => return got,
            Err(Errno::INTR) => {}
            Err(_) => return 0,
        }
    }
}

/// All that comes out of a pipe.
pub fn read_all(reader: BorrowedFd<'_>) -> Vec<u8> {
    let mut output = Vec::new();
    let mut block = [0; 4096];
    loop {
        let got = read_once(reader, &mut block);
        if got == 0 {
            return output;
        }
        output.extend_from_slice(&block[..got]);
    }
}

/// One byte; `None` at the end of the file. The error is the status after a timeout or a signal. `deadline`: in milliseconds
/// of uptime.
pub fn take_byte(file: BorrowedFd<'_>, deadline: Option<u64>) -> Result<Option<u8>, u8> {
    if let Some(deadline) = deadline {
        let left = deadline.saturating_sub(uptime_milliseconds());
        if left == 0 || !is_ready(file, left) {
            return Err(142);
        }
    }
    let mut byte = [0];
    loop {
        match fd::read(file, &mut byte) {
            Ok(1) => return Ok(Some(byte[0])),
            // Ctrl-Z is noted for the next job; `read` is no job.
            Err(Errno::INTR) if signal::take(SignalSet::of(&[SIGTSTP])) != SignalSet::default() => {}
            Err(Errno::INTR) => return Err(1),
            _ => return Ok(None),
        }
    }
}

/// Whether there is something to read within that time, before a trapped signal comes.
fn is_ready(file: BorrowedFd<'_>, milliseconds: u64) -> bool {
    let end = uptime_milliseconds().saturating_add(milliseconds);
    loop {
        let left = end.saturating_sub(uptime_milliseconds());
        let limit = time::milliseconds(left);
        match poll(&mut [PollFd::from_borrowed_fd(file, PollFlags::IN)], Some(&limit)) {
            // The end of a child is no reason to stop.
            Err(Errno::INTR) if signal::pending() == 0 => {}
            ready => return matches!(ready, Ok(count) if count > 0),
        }
    }
}

/// One line of a descriptor for `select` and prompts; `None` at its end.
pub fn read_line(number: i32) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    loop {
        match take_byte(fd::borrow(number), None) {
            Ok(Some(b'\n')) => return Some(line),
            Ok(Some(byte)) => line.push(byte),
            _ if line.is_empty() => return None,
            _ => return Some(line),
        }
    }
}
