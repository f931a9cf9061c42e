//! Data connections: of the client's to a port of ours, or of ours to a port of the client's.

use core::net::SocketAddr;
use core::time::Duration;

use rbox_core::daemon::uptime_milliseconds;
use rbox_core::net::sockets;
use rbox_core::sys::net::SocketType;
use rbox_core::sys::net::sockopt::{Timeout, set_socket_timeout};
use rbox_core::sys::{AsFd, Errno, OwnedFd};
use rbox_core::tty::wait_readable;

use crate::service::accept;

/// Where the next data connection comes from.
pub enum Data {
    None,
    /// The client connects to this socket.
    Passive(OwnedFd),
    /// The client waits there.
    Active(SocketAddr),
}

impl Data {
    /// A socket at the address that the client knows already.
    pub fn listen(local: SocketAddr) -> Result<(Self, u16), Errno> {
        let socket = sockets::listen(&SocketAddr::new(local.ip(), 0), SocketType::STREAM, 1)?;
        let port = sockets::local(socket.as_fd()).map_or(0, |address| address.port());
        Ok((Self::Passive(socket), port))
    }

    /// The connection, within so many milliseconds, which are the limit of each read and write as well.
    pub fn open(&self, local: SocketAddr, peer: SocketAddr, limit: u64) -> Result<OwnedFd, Errno> {
        let connection = match self {
            Self::None => return Err(Errno::NOTCONN),
            // RFC 959 3.2: from the port next to that of the control connection where that is allowed; every client takes any.
            Self::Active(to) => {
                sockets::connect(to, SocketType::STREAM, Some(&SocketAddr::new(local.ip(), 0)), Some(limit))?
            }
            Self::Passive(socket) => accept_from(socket, peer, limit)?,
        };
        for direction in [Timeout::Recv, Timeout::Send] {
            set_socket_timeout(&connection, direction, Some(Duration::from_millis(limit.max(1))))?;
        }
        Ok(connection)
    }
}

/// The connection of the client itself: others who guess the port get nothing (RFC 2577, 4).
fn accept_from(socket: &OwnedFd, peer: SocketAddr, limit: u64) -> Result<OwnedFd, Errno> {
    let deadline = uptime_milliseconds() + limit;
    loop {
        let left = deadline.saturating_sub(uptime_milliseconds());
        if left == 0 || !wait_readable(socket.as_fd(), Some(left)) {
            return Err(Errno::TIMEDOUT);
        }
        if let Ok(Some((connection, from))) = accept(socket)
            && from.ip() == peer.ip()
        {
            return Ok(connection);
        }
    }
}
