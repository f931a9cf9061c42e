//! Namespaces: `unshare(2)`, `setns(2)`.

use super::{AsRawFd, BorrowedFd, Errno, last_errno};

/// CLONE_NEWNS.
pub const MOUNT: i32 = libc::CLONE_NEWNS;
/// CLONE_NEWUTS.
pub const UTS: i32 = libc::CLONE_NEWUTS;
/// CLONE_NEWIPC.
pub const IPC: i32 = libc::CLONE_NEWIPC;
/// CLONE_NEWNET.
pub const NET: i32 = libc::CLONE_NEWNET;
/// CLONE_NEWPID.
pub const PID: i32 = libc::CLONE_NEWPID;
/// CLONE_NEWUSER.
pub const USER: i32 = libc::CLONE_NEWUSER;
/// CLONE_NEWCGROUP.
pub const CGROUP: i32 = libc::CLONE_NEWCGROUP;
/// CLONE_NEWTIME, which not every libc has.
pub const TIME: i32 = 0x80;

/// Puts the process into new namespaces of these kinds: `unshare(2)`.
pub fn unshare(kinds: i32) -> Result<(), Errno> {
    // SAFETY: the kinds are those above: no memory and no descriptors of this one thread are given up.
    match unsafe { libc::unshare(kinds) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// Puts the process into the namespace that `file` shows, which must be of that kind: `setns(2)`.
pub fn enter(file: BorrowedFd<'_>, kind: i32) -> Result<(), Errno> {
    // SAFETY: the call takes numbers.
    match unsafe { libc::setns(file.as_raw_fd(), kind) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}
