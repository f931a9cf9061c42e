//! Sockets of clients and servers: tcp(7), udp(7).

use std::net::SocketAddr;

use crate::bytes::words;
use crate::error::{Error, Result};
use crate::io::Input;
use crate::number::parse_decimal;
use crate::sys::event::{PollFd, PollFlags, poll};
use crate::sys::fd::ioctl_fionbio;
use crate::sys::net::{AddressFamily, SocketFlags, SocketType, bind, connect as connect_socket, socket_with, sockopt};
use crate::sys::time;
use crate::sys::{Errno, OwnedFd};

/// The port of a number, 0-65535, or of a name in /etc/services (services(5)) for `tcp` or `udp`.
///
/// The error is `bad port 'WORD'`.
pub fn port(word: &[u8], protocol: &[u8]) -> Result<u16> {
    let bad = || Error::parts(&[b"bad port '", word, b"'"]);
    if let Some(number) = parse_decimal(word) {
        return u16::try_from(number).map_err(|_| bad());
    }
    let mut input = Input::open(b"/etc/services").map_err(|_| bad())?;
    while let Some(line) = input.line()? {
        let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
        let mut fields = words(line);
        let (name, number) = (fields.next(), fields.next());
        if let Some((number, kind)) = number.and_then(|number| crate::bytes::split_once(number, b'/'))
            && kind == protocol
            && (name == Some(word) || fields.any(|alias| alias == word))
            && let Some(number) = parse_decimal(number).and_then(|number| u16::try_from(number).ok())
        {
            return Ok(number);
        }
    }
    Err(bad())
}

fn open(at: &SocketAddr, kind: SocketType) -> core::result::Result<OwnedFd, Errno> {
    let family = if at.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    socket_with(family, kind, SocketFlags::CLOEXEC, None)
}

/// A socket that is connected to an address, from `own` if that is given. ETIMEDOUT when it takes longer than
/// `milliseconds`.
pub fn connect(
    to: &SocketAddr,
    kind: SocketType,
    own: Option<&SocketAddr>,
    milliseconds: Option<u64>,
) -> core::result::Result<OwnedFd, Errno> {
    let socket = open(to, kind)?;
    if let Some(own) = own {
        sockopt::set_socket_reuseaddr(&socket, true)?;
        bind(&socket, own)?;
    }
    let Some(milliseconds) = milliseconds else {
        connect_socket(&socket, to)?;
        return Ok(socket);
    };
    ioctl_fionbio(&socket, true)?;
    match connect_socket(&socket, to) {
        Err(Errno::INPROGRESS) => {
            let limit = time::milliseconds(milliseconds);
            if poll(&mut [PollFd::new(&socket, PollFlags::OUT)], Some(&limit))? == 0 {
                return Err(Errno::TIMEDOUT);
            }
            sockopt::socket_error(&socket)??;
        }
        result => result?,
    }
    ioctl_fionbio(&socket, false)?;
    Ok(socket)
}

/// A socket at an address, on which a server waits. One for streams is made to listen.
pub fn serve(at: &SocketAddr, kind: SocketType) -> core::result::Result<OwnedFd, Errno> {
    let socket = open(at, kind)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, at)?;
    if kind == SocketType::STREAM {
        crate::sys::net::listen(&socket, 128)?;
    }
    Ok(socket)
}
