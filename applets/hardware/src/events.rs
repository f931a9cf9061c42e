//! The kernel's events about devices, as netlink(7) gives them (NETLINK_KOBJECT_UEVENT).

use rbox_core::prelude::*;
use rbox_core::sys::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rbox_core::sys::net::sockopt::set_socket_recv_buffer_size_force;
use rbox_core::sys::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recvfrom, socket_with};
use rbox_core::sys::{Errno, OwnedFd};

/// A socket to which the kernel sends its events.
pub struct Events {
    socket: OwnedFd,
    /// Holds one event; the kernel's are at most 2 KiB (UEVENT_BUFFER_SIZE) and a path.
    buffer: Vec<u8>,
}

/// How much may wait, in bytes. The kernel takes memory for it only when it does.
const WAITING: usize = 16 << 20;

impl Events {
    pub fn listen() -> Result<Self> {
        let failed = |errno| Error::on("can't listen for kernel events", errno);
        let family = AddressFamily::NETLINK;
        let socket = socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(KOBJECT_UEVENT));
        let socket = socket.map_err(failed)?;
        // Group 1 carries the kernel's own events.
        bind(&socket, &SocketAddrNetlink::new(0, 1)).map_err(failed)?;
        // Thousands of events may wait; without the right to that many, fewer.
        let _ = set_socket_recv_buffer_size_force(&socket, WAITING);
        Ok(Self { socket, buffer: vec![0; 16 << 10] })
    }

    /// Waits for an event; its variables, `NAME=VALUE`. None for a message that another process has sent.
    ///
    /// ENOBUFS when so many came that the kernel has dropped some, EINTR after a signal.
    pub fn next(&mut self) -> core::result::Result<Option<Vec<&[u8]>>, Errno> {
        let (count, _, sender) = recvfrom(&self.socket, &mut self.buffer[..], RecvFlags::empty())?;
        let sender = sender.and_then(|address| SocketAddrNetlink::try_from(address).ok());
        if sender.is_none_or(|address| address.pid() != 0) {
            return Ok(None);
        }
        // `ACTION@DEVPATH`, then the variables, a NUL byte after each.
        let words = self.buffer[..count].split(|&byte| byte == 0).skip(1).filter(|word| !word.is_empty());
        Ok(Some(words.collect()))
    }
}
