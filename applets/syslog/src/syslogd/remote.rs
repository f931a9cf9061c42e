//! Another machine that is sent all messages (RFC 3164 4, over UDP).

use core::net::SocketAddr;

use rbox_core::bytes;
use rbox_core::daemon::uptime_milliseconds;
use rbox_core::net::{addr, dns};
use rbox_core::number::{Decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::OwnedFd;
use rbox_core::sys::net::{AddressFamily, SendFlags, SocketFlags, SocketType, connect, send, socket_with};

/// How long a name that cannot be resolved is left alone, in milliseconds: asking keeps the log waiting.
const WAIT: u64 = 120_000;

/// One such machine.
pub struct Remote {
    host: Vec<u8>,
    port: u16,
    socket: Option<OwnedFd>,
    /// When its name may be asked for again, on the clock of `uptime_milliseconds`.
    next_try: u64,
}

impl Remote {
    /// `HOST[:PORT]`; an IPv6 address with a port is in brackets.
    pub fn parse(word: &[u8]) -> Result<Self> {
        let (host, port) = match word.strip_prefix(b"[").and_then(|rest| bytes::split_once(rest, b']')) {
            Some((host, port)) => (host, port.strip_prefix(b":")),
            None if addr::parse(word).is_ok() => (word, None),
            None => match bytes::split_once(word, b':') {
                Some((host, port)) => (host, Some(port)),
                None => (word, None),
            },
        };
        let port = port.map_or(Ok(514), |word| parse_in_range(word, 1, 65_535))? as u16;
        Ok(Self { host: host.to_vec(), port, socket: None, next_try: 0 })
    }

    /// The host is given by a name, which must be asked for again and again.
    pub fn has_name(&self) -> bool {
        addr::parse(&self.host).is_err()
    }

    /// Sends one message. What cannot be sent is lost, as UDP has it; the log must not wait.
    pub fn send(&mut self, priority: u16, time: &[u8], host: &[u8], text: &[u8]) {
        if self.socket.is_none() && uptime_milliseconds() >= self.next_try {
            self.socket = self.open();
            self.next_try = uptime_milliseconds() + WAIT;
        }
        let Some(socket) = &self.socket else { return };
        // RFC 3164 4.1.2: the name without its domain.
        let host = host.split(|&byte| byte == b'.').next().unwrap_or_default();
        let number = Decimal::new(priority.into());
        let packet = [b"<", number.as_bytes(), b">", time, b" ", host, b" ", text].concat();
        // A refusal of an earlier packet is reported with this one: the second attempt is this packet's own.
        let _ = send(socket, &packet, SendFlags::NOSIGNAL).or_else(|_| send(socket, &packet, SendFlags::NOSIGNAL));
    }

    fn open(&self) -> Option<OwnedFd> {
        let address = dns::resolve(&self.host, None).ok()?;
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(family, SocketType::DGRAM, flags, None).ok()?;
        connect(&socket, &SocketAddr::new(address, self.port)).ok()?;
        Some(socket)
    }
}

#[cfg(test)]
mod tests {
    use super::Remote;

    #[test]
    fn hosts_have_ports() {
        let parse = |word: &[u8]| Remote::parse(word).ok().map(|remote| (remote.host, remote.port));
        assert_eq!(parse(b"loghost"), Some((b"loghost".to_vec(), 514)));
        assert_eq!(parse(b"10.0.2.2:1514"), Some((b"10.0.2.2".to_vec(), 1514)));
        assert_eq!(parse(b"[::1]:9"), Some((b"::1".to_vec(), 9)));
        assert_eq!(parse(b"::1"), Some((b"::1".to_vec(), 514)));
        assert_eq!(parse(b"a:0"), None);
        assert_eq!(parse(b"a:x"), None);
    }
}
