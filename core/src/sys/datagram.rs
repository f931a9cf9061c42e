//! Datagrams with what the kernel knows of them: to which address and when they came (ip(7), ipv6(7), socket(7)).

use core::mem::zeroed;
use core::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::time::Timespec;
use super::{AsRawFd, BorrowedFd, Errno, last_errno};

/// What a socket can be asked to tell with each datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The address it was sent to, and the interface that it came by.
    Destination,
    /// How many routers it could still have passed.
    HopLimit,
    /// When it came, by the system's clock.
    Time,
}

/// A datagram that was received.
#[derive(Debug)]
pub struct Datagram {
    /// Its length in bytes, as far as the buffer holds it.
    pub count: usize,
    /// Who sent it.
    pub from: SocketAddr,
    /// The address it was sent to, where the socket was asked for it.
    pub to: Option<IpAddr>,
    /// The interface's number with that, or 0.
    pub index: u32,
    /// How many routers it could still have passed, where the socket was asked for it.
    pub hop_limit: Option<u8>,
    /// When it came, where the socket was asked for it.
    pub time: Option<Timespec>,
}

/// Sets an option of a socket that is an int.
pub fn set_option(socket: BorrowedFd<'_>, level: i32, option: i32, value: i32) -> Result<(), Errno> {
    let length = size_of_val(&value) as libc::socklen_t;
    // SAFETY: value is an int, valid for the call, and its size is given.
    match unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), length) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// Asks for a detail with each datagram of an IPv6 socket, or of an IPv4 socket.
pub fn ask_for(socket: BorrowedFd<'_>, six: bool, detail: Detail) -> Result<(), Errno> {
    let (level, option) = match (detail, six) {
        (Detail::Destination, false) => (libc::IPPROTO_IP, libc::IP_PKTINFO),
        (Detail::Destination, true) => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
        (Detail::HopLimit, false) => (libc::IPPROTO_IP, libc::IP_RECVTTL),
        (Detail::HopLimit, true) => (libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT),
        (Detail::Time, _) => (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS),
    };
    set_option(socket, level, option, 1)
}

/// Space for control messages, aligned for their header (cmsg(3)).
type Control = [u64; 32];

/// Receives one datagram: `recvmsg(2)`. `EAFNOSUPPORT` for one without an address of IPv4 or IPv6.
pub fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8], flags: i32) -> Result<Datagram, Errno> {
    // SAFETY: both are numbers, bytes and pointers, of which zeros are valid values.
    let (mut from, mut message): (libc::sockaddr_storage, libc::msghdr) = unsafe { (zeroed(), zeroed()) };
    let mut control: Control = [0; 32];
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    message.msg_name = (&raw mut from).cast();
    message.msg_namelen = size_of_val(&from) as libc::socklen_t;
    (message.msg_iov, message.msg_iovlen) = (&raw mut part, 1);
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of::<Control>() as _;
    // SAFETY: message points to buffers that live through the call, with their sizes.
    let count = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, flags) };
    let count = usize::try_from(count).map_err(|_| last_errno())?;
    let from = socket_address(&from).ok_or(Errno::AFNOSUPPORT)?;
    let mut datagram = Datagram { count, from, to: None, index: 0, hop_limit: None, time: None };
    // SAFETY: the kernel has filled in msg_control and its length, which the CMSG functions walk through; each value is
    // read only where its header says that it is long enough.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&raw const message);
        while !header.is_null() {
            let length = ((*header).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
            let data = libc::CMSG_DATA(header);
            take(&mut datagram, ((*header).cmsg_level, (*header).cmsg_type), core::slice::from_raw_parts(data, length));
            header = libc::CMSG_NXTHDR(&raw const message, header);
        }
    }
    Ok(datagram)
}

fn take(datagram: &mut Datagram, kind: (i32, i32), value: &[u8]) {
    let word = |at: usize| value.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_ne_bytes);
    match kind {
        // struct in_pktinfo: interface, address that answers, destination.
        (libc::IPPROTO_IP, libc::IP_PKTINFO) if value.len() >= 12 => {
            let address: [u8; 4] = [value[4], value[5], value[6], value[7]];
            (datagram.index, datagram.to) = (word(0), Some(address.into()));
        }
        // struct in6_pktinfo: destination, interface.
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) if value.len() >= 20 => {
            let address = <[u8; 16]>::try_from(&value[..16]).ok();
            (datagram.index, datagram.to) = (word(16), address.map(IpAddr::from));
        }
        (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) if value.len() >= 4 => {
            datagram.hop_limit = u8::try_from(word(0)).ok();
        }
        (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS) if value.len() >= size_of::<libc::timespec>() => {
            // SAFETY: the value has the bytes of a struct timespec, of which all are numbers.
            let time: libc::timespec = unsafe { value.as_ptr().cast::<libc::timespec>().read_unaligned() };
            datagram.time = Some(Timespec { tv_sec: time.tv_sec as _, tv_nsec: time.tv_nsec as _ });
        }
        _ => {}
    }
}

fn socket_address(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let storage = core::ptr::from_ref(storage);
    // SAFETY: the family says which structure it is; sockaddr_storage has the size and alignment for each.
    unsafe {
        match i32::from((*storage).ss_family) {
            libc::AF_INET => {
                let address = &*storage.cast::<libc::sockaddr_in>();
                let ip = u32::from_be(address.sin_addr.s_addr).into();
                Some(SocketAddrV4::new(ip, u16::from_be(address.sin_port)).into())
            }
            libc::AF_INET6 => {
                let address = &*storage.cast::<libc::sockaddr_in6>();
                let ip = address.sin6_addr.s6_addr.into();
                let (port, scope) = (u16::from_be(address.sin6_port), address.sin6_scope_id);
                Some(SocketAddrV6::new(ip, port, address.sin6_flowinfo, scope).into())
            }
            _ => None,
        }
    }
}

/// Sends a datagram from the address and through the interface by which another one came: `sendmsg(2)`.
pub fn reply(socket: BorrowedFd<'_>, data: &[u8], other: &Datagram) -> Result<(), Errno> {
    let Some(own) = other.to.filter(|own| !own.is_multicast()) else {
        return super::net::sendto(socket, data, super::net::SendFlags::NOSIGNAL, &other.from).map(drop);
    };
    // SAFETY: all are numbers, bytes and pointers, of which zeros are valid values.
    let (mut to, mut message): (libc::sockaddr_storage, libc::msghdr) = unsafe { (zeroed(), zeroed()) };
    let length = fill_address(&mut to, &other.from);
    let mut control: Control = [0; 32];
    let mut part = libc::iovec { iov_base: data.as_ptr().cast_mut().cast(), iov_len: data.len() };
    message.msg_name = (&raw mut to).cast();
    message.msg_namelen = length as libc::socklen_t;
    (message.msg_iov, message.msg_iovlen) = (&raw mut part, 1);
    message.msg_control = control.as_mut_ptr().cast();
    let (level, kind, value) = match own {
        // struct in_pktinfo: an interface of 0 leaves the choice to the routes.
        IpAddr::V4(own) => (libc::IPPROTO_IP, libc::IP_PKTINFO, [&[0u8; 4][..], &own.octets(), &[0; 4]].concat()),
        IpAddr::V6(own) => {
            let index = if own.is_unicast_link_local() { other.index } else { 0 };
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, [&own.octets()[..], &index.to_ne_bytes()].concat())
        }
    };
    // SAFETY: control has space for one header and 20 bytes, aligned for the header; message points to it.
    unsafe {
        message.msg_controllen = libc::CMSG_SPACE(value.len() as u32) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = level;
        (*header).cmsg_type = kind;
        (*header).cmsg_len = libc::CMSG_LEN(value.len() as u32) as _;
        core::ptr::copy_nonoverlapping(value.as_ptr(), libc::CMSG_DATA(header), value.len());
    }
    // SAFETY: message points to buffers that live through the call, with their sizes.
    match unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) } {
        -1 => Err(last_errno()),
        _ => Ok(()),
    }
}

/// Writes an address into a storage and returns its length.
fn fill_address(storage: &mut libc::sockaddr_storage, address: &SocketAddr) -> usize {
    let storage = core::ptr::from_mut(storage);
    // SAFETY: sockaddr_storage has the size and alignment for both structures, whose fields are numbers.
    unsafe {
        match address {
            SocketAddr::V4(address) => {
                let to = &mut *storage.cast::<libc::sockaddr_in>();
                to.sin_family = libc::AF_INET as _;
                to.sin_port = address.port().to_be();
                to.sin_addr.s_addr = address.ip().to_bits().to_be();
                size_of::<libc::sockaddr_in>()
            }
            SocketAddr::V6(address) => {
                let to = &mut *storage.cast::<libc::sockaddr_in6>();
                to.sin6_family = libc::AF_INET6 as _;
                to.sin6_port = address.port().to_be();
                to.sin6_addr.s6_addr = address.ip().octets();
                to.sin6_scope_id = address.scope_id();
                size_of::<libc::sockaddr_in6>()
            }
        }
    }
}
