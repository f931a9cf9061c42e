//! Interfaces whose other end is a program: linux/if_tun.h.

use super::fs::{Mode, OFlags};
use super::{AsRawFd, Errno, fs, last_errno};

const TUNSETIFF: u64 = 0x4004_54ca;
const TUNSETPERSIST: u64 = 0x4004_54cb;
const TUNSETOWNER: u64 = 0x4004_54cc;
const TUNSETGROUP: u64 = 0x4004_54ce;

/// The user and the group who may open an interface.
pub type Owner = (Option<u32>, Option<u32>);

/// Makes the interface `name` of the device `path` (/dev/net/tun) with these flags (`IFF_...`) stay without a program,
/// for this user and this group; or `None`, to let it go. Returns its name, which the kernel chooses for an empty one or
/// one with `%d`.
pub fn set_persistent(path: &[u8], name: &[u8], flags: u16, owner: Option<Owner>) -> Result<Vec<u8>, Errno> {
    if name.len() >= libc::IFNAMSIZ {
        return Err(Errno::NAMETOOLONG);
    }
    let file = fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    let ask = |request: u64, argument: libc::c_ulong| {
        // SAFETY: these requests take a number; that of TUNSETIFF is the address of a struct ifreq, as below.
        match unsafe { libc::ioctl(file.as_raw_fd(), request as _, argument) } {
            -1 => Err(last_errno()),
            _ => Ok(()),
        }
    };
    // SAFETY: a struct ifreq of zeros is valid: it holds numbers, bytes and a pointer that is not followed.
    let mut asked: libc::ifreq = unsafe { core::mem::zeroed() };
    for (to, from) in asked.ifr_name.iter_mut().zip(name) {
        *to = *from as libc::c_char;
    }
    asked.ifr_ifru.ifru_flags = flags as libc::c_short;
    // The kernel reads and writes asked, which lives for the call.
    ask(TUNSETIFF, (&raw mut asked) as libc::c_ulong)?;
    let Some((user, group)) = owner else {
        ask(TUNSETPERSIST, 0)?;
        return Ok(name.to_vec());
    };
    if let Some(user) = user {
        ask(TUNSETOWNER, user as libc::c_ulong)?;
    }
    if let Some(group) = group {
        ask(TUNSETGROUP, group as libc::c_ulong)?;
    }
    ask(TUNSETPERSIST, 1)?;
    Ok(asked.ifr_name.iter().map(|byte| *byte as u8).take_while(|byte| *byte != 0).collect())
}
