//! Sockets of clients and servers: tcp(7), udp(7).

use std::net::SocketAddr;

use crate::bytes::words;
use crate::error::{Error, Result};
use crate::io::read_file;
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
    Services::load().number(word, protocol).ok_or_else(bad)
}

/// The services of /etc/services (services(5)).
#[derive(Debug)]
pub struct Services(Vec<u8>);

impl Services {
    /// Reads them; none where there is no file.
    pub fn load() -> Self {
        Self(read_file(b"/etc/services").unwrap_or_default())
    }

    /// Port, protocol and names of each.
    fn entries(&self) -> impl Iterator<Item = (u16, &[u8], impl Iterator<Item = &[u8]>)> {
        self.0.split(|&byte| byte == b'\n').filter_map(|line| {
            let mut fields = words(line.split(|&byte| byte == b'#').next().unwrap_or_default());
            let (name, number) = (fields.next()?, fields.next()?);
            let (number, protocol) = crate::bytes::split_once(number, b'/')?;
            let number = parse_decimal(number).and_then(|number| u16::try_from(number).ok())?;
            Some((number, protocol, core::iter::once(name).chain(fields)))
        })
    }

    /// The port of a name or alias.
    fn number(&self, word: &[u8], protocol: &[u8]) -> Option<u16> {
        let mut entries = self.entries().filter(|entry| entry.1 == protocol);
        entries.find_map(|(number, _, mut names)| names.any(|name| name == word).then_some(number))
    }

    /// The name of a port.
    pub fn name(&self, port: u16, protocol: &[u8]) -> Option<&[u8]> {
        self.entries().find(|entry| entry.0 == port && entry.1 == protocol).and_then(|(_, _, mut names)| names.next())
    }
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
