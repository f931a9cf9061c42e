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

/// Sets the host's name: `sethostname(2)`.
pub fn set_host_name(name: &[u8]) -> Result<(), Errno> {
    // SAFETY: name is valid for its length.
    match unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
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
