//! Requests about an interface that rtnetlink has no words for: `netdevice(7)`, linux/if_slip.h.

use super::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use super::{AsRawFd, Errno, last_errno};

/// SIOCSIFMETRIC: netdevice(7).
pub const SET_METRIC: u32 = 0x891e;
/// SIOCSKEEPALIVE: seconds between the packets that keep a SLIP line up.
pub const SET_KEEPALIVE: u32 = 0x89f0;
/// SIOCSOUTFILL: seconds between the packets that fill a SLIP line.
pub const SET_OUTFILL: u32 = 0x89f2;

/// Makes one of these requests about the interface `name`: `ioctl(fd, request, struct ifreq *)`. `EINVAL` for another.
pub fn set_number(name: &[u8], request: u32, value: i32) -> Result<(), Errno> {
    if !matches!(request, SET_METRIC | SET_KEEPALIVE | SET_OUTFILL) {
        return Err(Errno::INVAL);
    }
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    // SAFETY: a struct ifreq of zeros is valid: it holds numbers, bytes and a pointer that is not followed.
    let mut asked: libc::ifreq = unsafe { core::mem::zeroed() };
    // The last byte stays NUL.
    for (to, from) in asked.ifr_name[..libc::IFNAMSIZ - 1].iter_mut().zip(name) {
        *to = *from as libc::c_char;
    }
    asked.ifr_ifru.ifru_metric = value;
    // SAFETY: asked is a struct ifreq, which these requests read and which outlives the call.
    match unsafe { libc::ioctl(socket.as_raw_fd(), request as _, &raw mut asked) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}
