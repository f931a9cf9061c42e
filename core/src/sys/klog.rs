//! The kernel's log: `syslog(2)`, which libc calls klogctl.

use super::{Errno, last_errno};

/// Reads what is new and takes it out; waits when there is nothing.
pub const READ: i32 = 2;
/// Reads all that the buffer still holds.
pub const READ_ALL: i32 = 3;
/// The same, and clears it.
pub const READ_CLEAR: i32 = 4;
/// Clears it.
pub const CLEAR: i32 = 5;
/// Puts the console's level back.
pub const CONSOLE_ON: i32 = 7;
/// Sets the console's level.
pub const CONSOLE_LEVEL: i32 = 8;
/// Asks for the size of the buffer, in bytes.
pub const SIZE_BUFFER: i32 = 10;

/// Performs one of the actions that read, into `buffer`. Returns how many bytes that were.
pub fn read(action: i32, buffer: &mut [u8]) -> Result<usize, Errno> {
    let room = libc::c_int::try_from(buffer.len()).unwrap_or(libc::c_int::MAX);
    // SAFETY: the kernel writes at most `room` bytes, which the buffer has.
    match unsafe { libc::klogctl(action, buffer.as_mut_ptr().cast(), room) } {
        -1 => Err(last_errno()),
        count => Ok(count as usize),
    }
}

/// Performs one of the actions that take a number or nothing. Returns the kernel's answer.
pub fn control(action: i32, number: i32) -> Result<usize, Errno> {
    // SAFETY: these actions look at no buffer.
    match unsafe { libc::klogctl(action, core::ptr::null_mut(), number) } {
        -1 => Err(last_errno()),
        answer => Ok(answer as usize),
    }
}
