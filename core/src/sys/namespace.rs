//! Namespaces: `unshare(2)`, `setns(2)`.

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::{BorrowedFd, Errno, last_errno};

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

const ALL: i32 = MOUNT | UTS | IPC | NET | PID | USER | CGROUP | TIME;

/// Puts the process into new namespaces of these kinds: `unshare(2)`. `EINVAL` for what is none of them.
pub fn unshare(kinds: i32) -> Result<(), Errno> {
    if kinds & !ALL != 0 {
        return Err(Errno::INVAL);
    }
    // SAFETY: the kinds are those above: no memory and no descriptors of this one thread are given up.
    match unsafe { libc::unshare(kinds) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// Puts the process into the namespace that `file` shows, which must be of that kind: `setns(2)`. `EINVAL` as for `unshare`.
pub fn enter(file: BorrowedFd<'_>, kind: i32) -> Result<(), Errno> {
    let kind = match kind {
        MOUNT => LinkNameSpaceType::Mount,
        UTS => LinkNameSpaceType::HostNameAndNISDomainName,
        IPC => LinkNameSpaceType::InterProcessCommunication,
        NET => LinkNameSpaceType::Network,
        PID => LinkNameSpaceType::ProcessID,
        USER => LinkNameSpaceType::User,
        CGROUP => LinkNameSpaceType::ControlGroup,
        TIME => LinkNameSpaceType::Time,
        _ => return Err(Errno::INVAL),
    };
    move_into_link_name_space(file, Some(kind))
}
