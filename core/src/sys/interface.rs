//! Requests about an interface that rtnetlink has no words for: `netdevice(7)`, linux/if_slip.h.

use super::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use super::{AsRawFd, BorrowedFd, Errno, OwnedFd, last_errno};

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
    let (socket, mut asked) = request_about(name)?;
    asked.ifr_ifru.ifru_metric = value;
    // SAFETY: asked is a struct ifreq, which these requests read and which outlives the call.
    match unsafe { libc::ioctl(socket.as_raw_fd(), request as _, &raw mut asked) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// A socket to ask, and a request that names the interface.
fn request_about(name: &[u8]) -> Result<(OwnedFd, libc::ifreq), Errno> {
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    // SAFETY: a struct ifreq of zeros is valid: it holds numbers, bytes and a pointer that is not followed.
    let mut asked: libc::ifreq = unsafe { core::mem::zeroed() };
    // The last byte stays NUL.
    for (to, from) in asked.ifr_name[..libc::IFNAMSIZ - 1].iter_mut().zip(name) {
        *to = *from as libc::c_char;
    }
    Ok((socket, asked))
}

/// SIOCETHTOOL with a command of linux/ethtool.h and its structure.
fn ethtool<const WORDS: usize>(name: &[u8], command: u32) -> Result<[u32; WORDS], Errno> {
    let (socket, mut asked) = request_about(name)?;
    let mut data = [0; WORDS];
    data[0] = command;
    asked.ifr_ifru.ifru_data = data.as_mut_ptr().cast();
    // SAFETY: the kernel reads and writes the structure of the command, whose size each caller below gives as WORDS.
    match unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut asked) } {
        -1 => Err(last_errno()),
        _ => Ok(data),
    }
}

/// Whether a cable is plugged in, as the driver says: ETHTOOL_GLINK, struct ethtool_value.
pub fn ethtool_link(name: &[u8]) -> Result<bool, Errno> {
    ethtool::<2>(name, 0x0a).map(|[_, up]| up != 0)
}

/// The address of the interface's transceiver: ETHTOOL_GSET, struct ethtool_cmd of 44 bytes.
pub fn phy_address(name: &[u8]) -> Result<u8, Errno> {
    // Command, supported, advertised (32 bits each); speed (16); duplex, port, phy_address (8).
    ethtool::<11>(name, 1).map(|words| words[4].to_ne_bytes()[0])
}

/// SIOCDARP and SIOCSARP: arp(7).
pub const DELETE_ARP: u32 = 0x8953;
/// Sets an entry of the ARP cache.
pub const SET_ARP: u32 = 0x8955;

/// An entry of the ARP cache, for a request: arp(7).
#[derive(Clone, Copy, Debug)]
pub struct ArpEntry<'a> {
    /// Whose.
    pub address: core::net::Ipv4Addr,
    /// The type of its hardware (`ARPHRD_...`) and its address of at most 14 bytes.
    pub hardware: (u16, &'a [u8]),
    /// `ATF_...`.
    pub flags: i32,
    /// For a network that is answered for.
    pub netmask: core::net::Ipv4Addr,
    /// The interface's name, or nothing.
    pub device: &'a [u8],
}

/// Makes one of these requests. `EINVAL` for another.
pub fn change_arp(request: u32, entry: &ArpEntry<'_>) -> Result<(), Errno> {
    if !matches!(request, DELETE_ARP | SET_ARP) {
        return Err(Errno::INVAL);
    }
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let v4 = |address: core::net::Ipv4Addr| {
        let mut data = [0; 14];
        data[2..6].copy_from_slice(&address.octets().map(|byte| byte as libc::c_char));
        libc::sockaddr { sa_family: libc::AF_INET as _, sa_data: data }
    };
    let mut hardware = libc::sockaddr { sa_family: entry.hardware.0, sa_data: [0; 14] };
    for (to, from) in hardware.sa_data.iter_mut().zip(entry.hardware.1) {
        *to = *from as libc::c_char;
    }
    let mut device = [0; 16];
    // The last byte stays NUL.
    for (to, from) in device[..15].iter_mut().zip(entry.device) {
        *to = *from as libc::c_char;
    }
    let (arp_pa, arp_netmask) = (v4(entry.address), v4(entry.netmask));
    let asked = libc::arpreq { arp_pa, arp_ha: hardware, arp_flags: entry.flags, arp_netmask, arp_dev: device };
    // SAFETY: asked is a struct arpreq, which these requests read and which outlives the call.
    match unsafe { libc::ioctl(socket.as_raw_fd(), request as _, &raw const asked) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// Whether a cable is plugged in, as the transceiver's status says: SIOCGMIIPHY and SIOCGMIIREG, or the private requests
/// that drivers had before these (linux/mii.h).
pub fn mii_link(name: &[u8], private: bool) -> Result<bool, Errno> {
    // SIOCDEVPRIVATE, and the register BMSR with its bit for the link.
    let (ask, read) = if private { (0x89f0, 0x89f1) } else { (0x8947, 0x8948) };
    const STATUS: u16 = 1;
    const LINK: u16 = 4;
    let (socket, mut asked) = request_about(name)?;
    // SAFETY: both requests read and write a struct mii_ioctl_data of four 16-bit numbers, which is in the union of the
    // struct ifreq, whose size is at least that; zeros are valid there. asked outlives the calls.
    unsafe {
        let data = (&raw mut asked.ifr_ifru).cast::<[u16; 4]>();
        if libc::ioctl(socket.as_raw_fd(), ask as _, &raw mut asked) < 0 {
            return Err(last_errno());
        }
        (*data)[1] = STATUS;
        if libc::ioctl(socket.as_raw_fd(), read as _, &raw mut asked) < 0 {
            return Err(last_errno());
        }
        Ok((*data)[3] & LINK != 0)
    }
}

/// Whether a wireless interface belongs to a network: SIOCGIWAP (linux/wireless.h).
pub fn wireless_link(name: &[u8]) -> Result<bool, Errno> {
    let (socket, mut asked) = request_about(name)?;
    // SAFETY: the request writes a struct sockaddr into the union of what has the layout of a struct ifreq, which outlives
    // the call.
    let address = unsafe {
        if libc::ioctl(socket.as_raw_fd(), 0x8b15, &raw mut asked) < 0 {
            return Err(last_errno());
        }
        asked.ifr_ifru.ifru_hwaddr.sa_data
    };
    // No network is 00:00:00:00:00:00, ff:ff:ff:ff:ff:ff or 44:44:44:44:44:44.
    Ok(address[..6].iter().any(|byte| *byte != address[0]) || !matches!(address[0] as u8, 0 | 0xff | 0x44))
}

/// Adds a hardware address to those that the interface listens to, or takes it away: SIOCADDMULTI, SIOCDELMULTI.
pub fn set_multicast(name: &[u8], add: bool, address: [u8; 6]) -> Result<(), Errno> {
    let (socket, mut asked) = request_about(name)?;
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
