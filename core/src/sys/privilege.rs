//! Rights that a process has from its program file, not from its caller: set-user-ID, set-group-ID and file
//! capabilities (`execve(2)`, `credentials(7)`, `capabilities(7)`).

use super::process::{getgid, getuid};
use super::thread::{
    CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_thread_res_gid, set_thread_res_uid,
};
use super::{Errno, process};

/// True when the program file gave the process rights: `getauxval(3)`, AT_SECURE. The C start-up has then opened
/// descriptors 0 to 2 that were closed, so that no file of the applet gets one of these numbers.
pub fn is_raised() -> bool {
    // SAFETY: getauxval takes a number and reads what the kernel wrote above the stack.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Gives these rights up for good: the group, the user, the capabilities; real, effective and saved.
///
/// Supplementary groups are the caller's already.
pub fn give_up() -> Result<(), Errno> {
    let (gid, uid) = (getgid(), getuid());
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    if !uid.is_root() {
        // A change from user 0 has cleared them; this is for file capabilities. Ambient ones go with the permitted.
        let inheritable = capabilities(None)?.inheritable;
        let none = CapabilitySet::empty();
        set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable })?;
    }
    // Who still has the rights must not go on.
    let kept = process::geteuid() != uid || process::getegid() != gid;
    if kept { Err(Errno::PERM) } else { Ok(()) }
}
