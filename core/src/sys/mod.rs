//! The system below: every `unsafe` of the crates is here, after small safe functions.
//!
//! Where rustix has the call, its safe function is re-exported under the module it belongs to; libc serves the rest.
//! File descriptors are owned types, failures are [`Errno`].

pub mod alloc;
pub mod ata;
pub mod block_device;
pub mod callback;
pub mod crash;
pub mod datagram;
pub mod device;
pub mod device_block;
pub mod entry;
pub mod fd;
pub mod flash;
pub mod float;
pub mod fs;
pub mod i2c;
pub mod inode_flags;
pub mod interface;
pub mod ipc;
pub mod job;
pub mod keyboard;
pub mod klog;
pub mod loop_device;
pub mod namespace;
pub mod nbd;
pub mod packet;
pub mod privilege;
pub mod process;
pub mod recovery;
pub mod rtc;
pub mod sandbox;
pub mod schedule;
pub mod shared_memory;
pub mod signal;
pub mod signal_queue;
pub mod time;
pub mod tun;
pub mod virtual_terminal;

pub use rustix::buffer::spare_capacity;
pub use rustix::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
pub use rustix::io::Errno;
pub use rustix::{event, mount, net, param, pipe, pty, rand, system, termios, thread};

/// The error number that the last failing libc call left: `errno(3)`.
pub fn last_errno() -> Errno {
    // SAFETY: the location is the thread's own and always valid.
    Errno::from_raw_os_error(unsafe { *libc::__errno_location() })
}

/// The result of a libc call whose answer says no more than whether it failed: below 0.
fn result(answer: libc::c_int) -> Result<(), Errno> {
    if answer < 0 { Err(last_errno()) } else { Ok(()) }
}

/// The text of an error number: `strerror(3)`.
pub fn error_text(errno: Errno) -> String {
    // SAFETY: strerror returns a NUL-terminated string; rbox is one thread, so nothing overwrites it before the copy.
    let text = unsafe { std::ffi::CStr::from_ptr(libc::strerror(errno.raw_os_error())) };
    text.to_string_lossy().into_owned()
}
