//! The console's keyboard: `ioctl_console(2)`.

use super::{AsRawFd, BorrowedFd, Errno, last_errno};

// linux/kd.h; libc has no names for these.
const KDGKBTYPE: u32 = 0x4b33;
const KDGKBENT: u32 = 0x4b46;
const KDSKBENT: u32 = 0x4b47;

/// struct kbentry.
#[repr(C)]
struct Entry {
    table: u8,
    index: u8,
    value: u16,
}

/// True when `file` is a console with a keyboard.
pub fn is_console(file: BorrowedFd<'_>) -> bool {
    let mut kind = 0u8;
    // SAFETY: the kernel writes one byte, which lives for the call.
    unsafe { libc::ioctl(file.as_raw_fd(), KDGKBTYPE as _, &raw mut kind) == 0 }
}

/// What the key `index` means under the modifiers `table`.
pub fn key(file: BorrowedFd<'_>, table: u8, index: u8) -> Result<u16, Errno> {
    let mut entry = Entry { table, index, value: 0 };
    // SAFETY: the kernel reads and writes one kbentry, which lives for the call.
    match unsafe { libc::ioctl(file.as_raw_fd(), KDGKBENT as _, &raw mut entry) } {
        -1 => Err(last_errno()),
        _ => Ok(entry.value),
    }
}

/// Sets what the key `index` means under the modifiers `table`.
pub fn set_key(file: BorrowedFd<'_>, table: u8, index: u8, value: u16) -> Result<(), Errno> {
    let entry = Entry { table, index, value };
    // SAFETY: the kernel reads one kbentry, which lives for the call.
    match unsafe { libc::ioctl(file.as_raw_fd(), KDSKBENT as _, &raw const entry) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}
