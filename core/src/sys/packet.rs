//! Sockets that rustix has no addresses for: packet(7), and socket(7)'s SO_BINDTODEVICE.

use super::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use super::{AsRawFd, BorrowedFd, Errno, OwnedFd, last_errno};

/// Opens a packet socket without link headers (SOCK_DGRAM), bound to the interface `index` and an Ethernet protocol.
pub fn open(index: u32, protocol: u16) -> Result<OwnedFd, Errno> {
    let socket = socket_with(AddressFamily::PACKET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let address = address(index, protocol, &[]);
    // SAFETY: address is a sockaddr_ll, valid for the call, and its size is given.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size()) };
    if bound < 0 { Err(last_errno()) } else { Ok(socket) }
}

/// Sends `packet` to the hardware address `to` through the interface `index`.
pub fn send(socket: BorrowedFd<'_>, index: u32, protocol: u16, to: &[u8], packet: &[u8]) -> Result<usize, Errno> {
    let address = address(index, protocol, to);
    // SAFETY: packet and address are valid for the call, with their sizes.
    let sent = unsafe {
        libc::sendto(socket.as_raw_fd(), packet.as_ptr().cast(), packet.len(), 0, (&raw const address).cast(), size())
    };
    usize::try_from(sent).map_err(|_| last_errno())
}

/// Lets `socket` receive from and send through the interface `name` only (SO_BINDTODEVICE).
pub fn bind_to_interface(socket: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    let length = name.len() as libc::socklen_t;
    // SAFETY: name is valid for length bytes; the kernel copies it.
    let set = unsafe {
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_BINDTODEVICE, name.as_ptr().cast(), length)
    };
    if set < 0 { Err(last_errno()) } else { Ok(()) }
}

/// Asks for the hop limit of what an IPv6 socket receives (RFC 3542 4): `setsockopt(2)`, IPV6_RECVHOPLIMIT.
pub fn ask_for_hop_limits(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    let on: libc::c_int = 1;
    let length = size_of_val(&on) as libc::socklen_t;
    let (level, option) = (libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT);
    // SAFETY: on is an int, valid for the call, and its size is given.
    let set = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const on).cast(), length) };
    if set < 0 { Err(last_errno()) } else { Ok(()) }
}

/// Receives one packet and its hop limit, where the socket was asked for it: `recvmsg(2)`.
pub fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<Received, Errno> {
    /// Space for one control message. Its value follows the header, whose size is a multiple of its alignment (cmsg(3)).
    #[repr(C)]
    struct Control {
        header: libc::cmsghdr,
        value: libc::c_int,
        rest: [u64; 4],
    }
    // SAFETY: all three are numbers, bytes and pointers, of which zeros are valid values.
    let (mut from, mut control, mut message): (libc::sockaddr_in6, Control, libc::msghdr) =
        unsafe { (core::mem::zeroed(), core::mem::zeroed(), core::mem::zeroed()) };
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    message.msg_name = (&raw mut from).cast();
    message.msg_namelen = size_of_val(&from) as libc::socklen_t;
    (message.msg_iov, message.msg_iovlen) = (&raw mut part, 1);
    message.msg_control = (&raw mut control).cast();
    message.msg_controllen = size_of::<Control>() as _;
    // SAFETY: message points to buffers that live through the call, with their sizes.
    let count = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, 0) };
    let count = usize::try_from(count).map_err(|_| last_errno())?;
    let is_limit = control.header.cmsg_level == libc::IPPROTO_IPV6 && control.header.cmsg_type == libc::IPV6_HOPLIMIT;
    let fits = message.msg_controllen as u64 >= (size_of::<libc::cmsghdr>() + size_of::<libc::c_int>()) as u64;
    let hop_limit = if is_limit && fits { u8::try_from(control.value).ok() } else { None };
    let from = (from.sin6_family == libc::AF_INET6 as u16).then(|| from.sin6_addr.s6_addr.into());
    Ok(Received { count, from, hop_limit })
}

/// A packet that came on an IPv6 socket.
#[derive(Debug)]
pub struct Received {
    /// Its length in bytes, as far as the buffer holds it.
    pub count: usize,
    /// Who sent it.
    pub from: Option<core::net::Ipv6Addr>,
    /// How many routers it could still have passed.
    pub hop_limit: Option<u8>,
}

fn size() -> libc::socklen_t {
    size_of::<libc::sockaddr_ll>() as libc::socklen_t
}

fn address(index: u32, protocol: u16, to: &[u8]) -> libc::sockaddr_ll {
    let mut hardware = [0; 8];
    let length = to.len().min(hardware.len());
    hardware[..length].copy_from_slice(&to[..length]);
    libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: protocol.to_be(),
        sll_ifindex: index as i32,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: length as u8,
        sll_addr: hardware,
    }
}

/// A packet of a packet socket.
#[derive(Debug)]
pub struct LinkPacket {
    /// Its length in bytes, as far as the buffer holds it.
    pub count: usize,
    /// Whom it was for.
    pub kind: LinkKind,
}

/// Whom a packet was for: packet(7), sll_pkttype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// This host alone.
    Host,
    /// All, or a group of hosts.
    Broadcast,
    /// Another host, or this host sent it.
    Other,
}

/// Receives a packet of a packet socket: `recvfrom(2)`.
pub fn receive_link(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<LinkPacket, Errno> {
    let mut from = address(0, 0, &[]);
    let mut length = size();
    // SAFETY: buffer and from are valid for the call, with their sizes.
    let count = unsafe {
        let at = (&raw mut from).cast();
        libc::recvfrom(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0, at, &raw mut length)
    };
    let count = usize::try_from(count).map_err(|_| last_errno())?;
    let kind = match from.sll_pkttype {
        libc::PACKET_HOST => LinkKind::Host,
        libc::PACKET_BROADCAST | libc::PACKET_MULTICAST => LinkKind::Broadcast,
        _ => LinkKind::Other,
    };
    Ok(LinkPacket { count, kind })
}
