//! Requests about an interface that rtnetlink has no words for: `netdevice(7)`, linux/if_slip.h.

use super::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use super::{AsRawFd, BorrowedFd, Errno, last_errno};

/// SIOCSIFMETRIC: netdevice(7).
pub const SET_METRIC: u32 = 0x891e;
/// SIOCSKEEPALIVE: seconds between the packets that keep a SLIP line up.
pub const SET_KEEPALIVE: u32 = 0x89f0;
/// SIOCSOUTFILL: seconds between the packets that fill a SLIP line.
pub const SET_OUTFILL: u32 = 0x89f2;

/// An interface's `struct ifreq`, in which only the name is set.
fn request_for(name: &[u8]) -> libc::ifreq {
    // SAFETY: a struct ifreq of zeros is valid: it holds numbers, bytes and a pointer that is not followed.
    let mut asked: libc::ifreq = unsafe { core::mem::zeroed() };
    // The last byte stays NUL.
    for (to, from) in asked.ifr_name[..libc::IFNAMSIZ - 1].iter_mut().zip(name) {
        *to = *from as libc::c_char;
    }
    asked
}

/// Adds a hardware address to those that the interface listens to, or takes it away: SIOCADDMULTI, SIOCDELMULTI.
pub fn set_multicast(name: &[u8], add: bool, address: [u8; 6]) -> Result<(), Errno> {
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let mut asked = request_for(name);
    let mut hardware = [0; 14];
    for (to, from) in hardware.iter_mut().zip(address) {
        *to = from as libc::c_char;
    }
    asked.ifr_ifru.ifru_hwaddr = libc::sockaddr { sa_family: 0, sa_data: hardware };
    let request = if add { 0x8931 } else { 0x8932 };
    // SAFETY: asked is a struct ifreq, which these requests read and which outlives the call.
    match unsafe { libc::ioctl(socket.as_raw_fd(), request as _, &raw mut asked) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// Makes one of these requests about the interface `name`: `ioctl(fd, request, struct ifreq *)`. `EINVAL` for another.
pub fn set_number(name: &[u8], request: u32, value: i32) -> Result<(), Errno> {
    if !matches!(request, SET_METRIC | SET_KEEPALIVE | SET_OUTFILL) {
        return Err(Errno::INVAL);
    }
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let mut asked = request_for(name);
    asked.ifr_ifru.ifru_metric = value;
    // SAFETY: asked is a struct ifreq, which these requests read and which outlives the call.
    match unsafe { libc::ioctl(socket.as_raw_fd(), request as _, &raw mut asked) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// A request about interfaces of IEEE 802.1Q: linux/if_vlan.h, enum vlan_ioctl_cmds.
#[derive(Clone, Copy, Debug)]
pub enum VlanRequest {
    /// Makes the interface of that VLAN on this one.
    Add(u32),
    /// Removes it.
    Remove,
    /// Maps a class of 802.1Q to a packet's priority.
    Ingress(u32, u16),
    /// Maps a packet's priority to a class.
    Egress(u32, u16),
    /// How new interfaces are named.
    NameType(u32),
    /// Sets or clears a flag.
    Flag(u32, u16),
}

/// Makes a request about the interface `name`: SIOCSIFVLAN.
pub fn vlan(name: &[u8], request: VlanRequest) -> Result<(), Errno> {
    /// struct vlan_ioctl_args.
    #[repr(C)]
    struct Arguments {
        command: libc::c_int,
        device: [u8; 24],
        value: [u32; 6],
        class: libc::c_short,
    }
    let (command, value, class) = match request {
        VlanRequest::Add(id) => (0, id, 0),
        VlanRequest::Remove => (1, 0, 0),
        VlanRequest::Ingress(priority, class) => (2, priority, class),
        VlanRequest::Egress(priority, class) => (3, priority, class),
        VlanRequest::NameType(kind) => (6, kind, 0),
        VlanRequest::Flag(flag, value) => (7, flag, value),
    };
    if name.len() >= libc::IFNAMSIZ {
        return Err(Errno::NODEV);
    }
    let mut arguments = Arguments { command, device: [0; 24], value: [0; 6], class: class as _ };
    arguments.device[..name.len()].copy_from_slice(name);
    arguments.value[0] = value;
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    // SAFETY: arguments is a struct vlan_ioctl_args, which the kernel reads and writes and which outlives the call.
    match unsafe { libc::ioctl(socket.as_raw_fd(), 0x8983 as _, &raw mut arguments) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// The line discipline of a terminal: TIOCGETD.
pub fn line_discipline(line: BorrowedFd<'_>) -> Result<i32, Errno> {
    let mut discipline: libc::c_int = 0;
    // SAFETY: the kernel writes one int, which lives for the call.
    match unsafe { libc::ioctl(line.as_raw_fd(), libc::TIOCGETD as _, &raw mut discipline) } {
        -1 => Err(last_errno()),
        _ => Ok(discipline),
    }
}

/// Sets the line discipline of a terminal: TIOCSETD.
pub fn set_line_discipline(line: BorrowedFd<'_>, discipline: i32) -> Result<(), Errno> {
    pass_int(line, libc::TIOCSETD, discipline)
}

/// Sets the mode of a SLIP line: SIOCSIFENCAP, linux/if_slip.h.
pub fn set_encapsulation(line: BorrowedFd<'_>, mode: i32) -> Result<(), Errno> {
    pass_int(line, 0x8926, mode)
}

fn pass_int(line: BorrowedFd<'_>, request: libc::Ioctl, value: i32) -> Result<(), Errno> {
    let value: libc::c_int = value;
    // SAFETY: both requests read one int, which lives for the call.
    match unsafe { libc::ioctl(line.as_raw_fd(), request, &raw const value) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// Whether the carrier of a serial line is there: TIOCMGET.
pub fn carrier(line: BorrowedFd<'_>) -> Result<bool, Errno> {
    let mut lines: libc::c_int = 0;
    // SAFETY: the kernel writes one int, which lives for the call.
    match unsafe { libc::ioctl(line.as_raw_fd(), libc::TIOCMGET as _, &raw mut lines) } {
        -1 => Err(last_errno()),
        _ => Ok(lines & libc::TIOCM_CAR != 0),
    }
}
