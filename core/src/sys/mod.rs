//! The system below: every `unsafe` of rbox is here, after small safe functions.
//!
//! Where rustix has the call, its safe function is re-exported under the module it belongs to; libc serves the rest.
//! File descriptors are owned types, failures are [`Errno`].

pub mod alloc;
pub mod block_device;
pub mod callback;
pub mod crash;
pub mod entry;
pub mod float;
pub mod fs;
pub mod interface;
pub mod ipc;
pub mod job;
pub mod keyboard;
pub mod klog;
pub mod loop_device;
pub mod namespace;
pub mod packet;
pub mod privilege;
pub mod process;
pub mod recovery;
pub mod schedule;
pub mod shared_memory;
pub mod signal;
pub mod signal_queue;
pub mod time;
pub mod virtual_terminal;

pub use rustix::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
pub use rustix::io::Errno;
pub use rustix::{event, mount, net, param, pipe, pty, rand, system, termios, thread};

/// Reading, writing and duplicating descriptors: `read(2)`, `write(2)`, `dup(2)`, `fcntl(2)`.
pub mod fd {
    pub use rustix::io::{
        DupFlags, FdFlags, dup, dup3, fcntl_dupfd_cloexec, fcntl_getfd, fcntl_setfd, ioctl_fionbio, ioctl_fionread,
        pread, pwrite, read, readv, write, writev,
    };

    use super::{BorrowedFd, Errno, OwnedFd, RawFd};

    /// Borrows a descriptor by its number, for the three standard streams and those a user names (`exec 3<`, `sh <&3`).
    ///
    /// A number that is not open is no danger: every call on it answers `EBADF`.
    pub const fn borrow(fd: RawFd) -> BorrowedFd<'static> {
        assert!(fd >= 0);
        // SAFETY: the number is not -1. rbox is one thread that never closes a descriptor it does not own, and the
        // kernel checks the number in each call; a stale number is an error result, not undefined behaviour.
        unsafe { BorrowedFd::borrow_raw(fd) }
    }

    /// Takes over the descriptor of that number, for the standard streams and descriptors that a parent passed on.
    pub fn adopt(fd: RawFd) -> OwnedFd {
        use std::os::fd::FromRawFd;
        assert!(fd >= 0);
        // SAFETY: the caller names a descriptor that nothing else in the process owns; see `borrow` for stale numbers.
        unsafe { OwnedFd::from_raw_fd(fd) }
    }

    /// Makes `to` a copy of `from` (`dup2(2)`), without close-on-exec; equal numbers only lose close-on-exec.
    pub fn redirect(from: BorrowedFd<'_>, to: RawFd) -> Result<(), Errno> {
        use std::os::fd::AsRawFd;
        if from.as_raw_fd() == to {
            return fcntl_setfd(from, FdFlags::empty());
        }
        // SAFETY: dup2 takes two numbers and touches no memory of ours.
        match unsafe { libc::dup2(from.as_raw_fd(), to) } {
            -1 => Err(super::last_errno()),
            _ => Ok(()),
        }
    }

    /// Closes the descriptor of that number, owned by nobody here (a shell's `3>&-`).
    pub fn close_number(fd: RawFd) -> Result<(), Errno> {
        // SAFETY: close takes a number and touches no memory of ours.
        match unsafe { libc::close(fd) } {
            -1 => Err(super::last_errno()),
            _ => Ok(()),
        }
    }
}

/// The error number that the last failing libc call left: `errno(3)`.
pub fn last_errno() -> Errno {
    // SAFETY: the location is the thread's own and always valid.
    Errno::from_raw_os_error(unsafe { *libc::__errno_location() })
}

/// The text of an error number: `strerror(3)`.
pub fn error_text(errno: Errno) -> String {
    // SAFETY: strerror returns a NUL-terminated string; rbox is one thread, so nothing overwrites it before the copy.
    let text = unsafe { std::ffi::CStr::from_ptr(libc::strerror(errno.raw_os_error())) };
    text.to_string_lossy().into_owned()
}
