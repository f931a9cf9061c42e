//! Sockets of clients and servers: tcp(7), udp(7).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::bytes::{split_once, words};
use crate::error::{Error, Result};
use crate::io::read_file;
use crate::number::parse_decimal;
use crate::sys::event::{PollFd, PollFlags, poll};
use crate::sys::fd::ioctl_fionbio;
use crate::sys::net::{
    AddressFamily, SocketAddrAny, SocketFlags, SocketType, bind, connect as connect_socket, getpeername, getsockname,
    socket_with, sockopt,
};
use crate::sys::time;
use crate::sys::{BorrowedFd, Errno, OwnedFd};

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
pub struct Services {
    content: Vec<u8>,
    /// For each line its port and where it begins, by port; lines of one port in their order.
    lines: Vec<(u16, usize)>,
}

/// Port, protocol and names of a line.
fn service(line: &[u8]) -> Option<(u16, &[u8], impl Iterator<Item = &[u8]>)> {
    let line = line.split(|&byte| byte == b'\n').next()?;
    let mut fields = words(line.split(|&byte| byte == b'#').next()?);
    let (name, number) = (fields.next()?, fields.next()?);
    let (number, protocol) = crate::bytes::split_once(number, b'/')?;
    let number = parse_decimal(number).and_then(|number| u16::try_from(number).ok())?;
    Some((number, protocol, core::iter::once(name).chain(fields)))
}

impl Services {
    /// Reads them; none where there is no file.
    pub fn load() -> Self {
        let content = read_file(b"/etc/services").unwrap_or_default();
        let mut lines = Vec::new();
        let mut at = 0;
        for line in content.split(|&byte| byte == b'\n') {
            lines.extend(service(line).map(|(port, ..)| (port, at)));
            at += line.len() + 1;
        }
        lines.sort_unstable();
        Self { content, lines }
    }

    /// The port of a name or alias.
    fn number(&self, word: &[u8], protocol: &[u8]) -> Option<u16> {
        self.lines.iter().find_map(|(port, at)| {
            let (_, kind, mut names) = service(&self.content[*at..])?;
            (kind == protocol && names.any(|name| name == word)).then_some(*port)
        })
    }

    /// The name of a port.
    pub fn name(&self, port: u16, protocol: &[u8]) -> Option<&[u8]> {
        let first = self.lines.partition_point(|line| line.0 < port);
        self.lines[first..].iter().take_while(|line| line.0 == port).find_map(|(_, at)| {
            let (_, kind, mut names) = service(&self.content[*at..])?;
            names.next().filter(|_| kind == protocol)
        })
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
    listen(at, kind, 128)
}

/// The same with a limit of connections that wait to be accepted.
pub fn listen(at: &SocketAddr, kind: SocketType, backlog: i32) -> core::result::Result<OwnedFd, Errno> {
    let socket = open(at, kind)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, at)?;
    if kind == SocketType::STREAM {
        crate::sys::net::listen(&socket, backlog)?;
    }
    Ok(socket)
}

/// A listening socket at every address of the machine: of IPv6, which takes IPv4 as well (ipv6(7)), or of IPv4 alone
/// where the kernel has no IPv6.
pub fn listen_everywhere(port: u16, backlog: i32) -> core::result::Result<OwnedFd, Errno> {
    match listen(&SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port), SocketType::STREAM, backlog) {
        Err(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL) => {
            listen(&SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port), SocketType::STREAM, backlog)
        }
        result => result,
    }
}

/// The parts of `HOST:PORT`, `[IPV6]:PORT`, and of either alone: a word of digits is a port.
pub fn host_and_port(word: &[u8]) -> (Option<&[u8]>, Option<&[u8]>) {
    if let Some((host, rest)) = word.strip_prefix(b"[").and_then(|rest| split_once(rest, b']')) {
        return (Some(host), rest.strip_prefix(b":"));
    }
    match split_once(word, b':') {
        // A bare address of IPv6.
        Some((_, port)) if port.contains(&b':') => (Some(word), None),
        Some((host, port)) => ((!host.is_empty()).then_some(host), Some(port)),
        None if word.iter().all(u8::is_ascii_digit) => (None, Some(word)),
        None => (Some(word), None),
    }
}

/// The address of a kernel's answer; one of IPv4 within IPv6 in its own form. `None` for a socket of another family.
pub fn address_of(any: SocketAddrAny) -> Option<SocketAddr> {
    let address = SocketAddr::try_from(any).ok()?;
    Some(SocketAddr::new(address.ip().to_canonical(), address.port()))
}

/// Who is at the other end of a connection; `None` where that is no host.
pub fn peer(socket: BorrowedFd<'_>) -> Option<SocketAddr> {
    getpeername(socket).ok().flatten().and_then(address_of)
}

/// The own address of a connection.
pub fn local(socket: BorrowedFd<'_>) -> Option<SocketAddr> {
    getsockname(socket).ok().and_then(address_of)
}

/// `ADDRESS:PORT`, an address of IPv6 in brackets (RFC 3986, 3.2.2).
pub fn text(address: SocketAddr) -> Vec<u8> {
    match address {
        SocketAddr::V4(v4) => crate::text!(*v4.ip(), ":", u32::from(v4.port())),
        SocketAddr::V6(v6) => crate::text!("[", *v6.ip(), "]:", u32::from(v6.port())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers_have_two_parts() {
        let parts = |word: &'static str| {
            let text = |part: Option<&[u8]>| part.map(|part| String::from_utf8_lossy(part).into_owned());
            let (host, port) = host_and_port(word.as_bytes());
            (text(host), text(port))
        };
        let some = |word: &str| Some(word.to_string());
        assert_eq!(parts("80"), (None, some("80")));
        assert_eq!(parts("127.0.0.1:80"), (some("127.0.0.1"), some("80")));
        assert_eq!(parts("127.0.0.1"), (some("127.0.0.1"), None));
        assert_eq!(parts(":80"), (None, some("80")));
        assert_eq!(parts("[::1]:80"), (some("::1"), some("80")));
        assert_eq!(parts("[::1]"), (some("::1"), None));
        assert_eq!(parts("::1"), (some("::1"), None));
    }
}
