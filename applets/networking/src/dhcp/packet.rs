//! DHCP packets (RFC 2131 2, RFC 2132) and the sockets they go through.
//!
//! Before there is an address, packets go through a packet socket with IP and UDP headers of our own.

use core::net::{Ipv4Addr, SocketAddrV4};

use rbox_core::prelude::*;
use rbox_core::sys::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use rbox_core::sys::{AsFd, Errno, OwnedFd, packet};

use crate::inet::checksum;

pub const REQUESTED: u8 = 50;
pub const LEASE_TIME: u8 = 51;
pub const KIND: u8 = 53;
pub const SERVER: u8 = 54;
pub const WANTED: u8 = 55;
pub const MAX_SIZE: u8 = 57;
pub const VENDOR_CLASS: u8 = 60;
pub const CLIENT_ID: u8 = 61;
pub const FULL_NAME: u8 = 81;

const COOKIE: [u8; 4] = [99, 130, 83, 99];
const IP: u16 = 0x0800;
/// Bytes before the options: RFC 2131's fixed fields and the cookie.
const FIXED: usize = 240;

/// The message type (RFC 2132 9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Discover = 1,
    Offer = 2,
    Request = 3,
    Decline = 4,
    Ack = 5,
    Nak = 6,
    Release = 7,
    Inform = 8,
}

/// BOOTREQUEST and BOOTREPLY.
pub const REQUEST: u8 = 1;
pub const REPLY: u8 = 2;
pub const SERVER_PORT: u16 = 67;

/// A packet, the fields that a client and a server read and write.
#[derive(Clone, Debug)]
pub struct Message {
    pub operation: u8,
    pub xid: u32,
    pub broadcast: bool,
    /// The client's address, when it has one.
    pub client: Ipv4Addr,
    /// The address that the server gives.
    pub your: Ipv4Addr,
    /// The server for the next step of a boot.
    pub next_server: Ipv4Addr,
    /// The relay between client and server.
    pub relay: Ipv4Addr,
    pub hardware: [u8; 6],
    pub server_name: Vec<u8>,
    pub boot_file: Vec<u8>,
    /// Options as they are in the packet, without end.
    pub options: Vec<u8>,
}

/// Appends an option; a longer value is cut into several (RFC 3396).
pub fn push_option(options: &mut Vec<u8>, code: u8, value: &[u8]) {
    for part in value.chunks(255) {
        options.extend_from_slice(&[code, part.len() as u8]);
        options.extend_from_slice(part);
    }
}

/// The options of a field: code and value. What is cut off ends them.
pub fn options(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    core::iter::from_fn(move || {
        while let Some((0, after)) = rest.split_first().map(|(code, after)| (*code, after)) {
            rest = after;
        }
        let (&code, after) = rest.split_first()?;
        let (&length, after) = after.split_first().filter(|_| code != 255)?;
        let value = after.get(..usize::from(length))?;
        rest = &after[usize::from(length)..];
        Some((code, value))
    })
}

impl Message {
    pub fn request(kind: Kind, xid: u32, hardware: [u8; 6]) -> Self {
        let none = Ipv4Addr::UNSPECIFIED;
        let options = vec![KIND, 1, kind as u8];
        let (server_name, boot_file) = (Vec::new(), Vec::new());
        Self {
            operation: REQUEST,
            xid,
            broadcast: false,
            client: none,
            your: none,
            next_server: none,
            relay: none,
            hardware,
            server_name,
            boot_file,
            options,
        }
    }

    /// The value of an option; its parts joined when it was cut.
    pub fn option(&self, code: u8) -> Option<&[u8]> {
        options(&self.options).find(|(found, _)| *found == code).map(|(_, value)| value)
    }

    pub fn kind(&self) -> Option<Kind> {
        let &[kind] = self.option(KIND)? else { return None };
        Some(match kind {
            1 => Kind::Discover,
            2 => Kind::Offer,
            3 => Kind::Request,
            4 => Kind::Decline,
            5 => Kind::Ack,
            6 => Kind::Nak,
            7 => Kind::Release,
            8 => Kind::Inform,
            _ => return None,
        })
    }

    /// The address that an option holds.
    pub fn address(&self, code: u8) -> Option<Ipv4Addr> {
        Some(Ipv4Addr::from(<[u8; 4]>::try_from(self.option(code)?).ok()?))
    }

    /// The number of 32 bits that an option holds.
    pub fn number(&self, code: u8) -> Option<u32> {
        Some(u32::from_be_bytes(self.option(code)?.try_into().ok()?))
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        // Ethernet, six bytes of hardware address, no hops.
        let mut bytes = vec![self.operation, 1, 6, 0];
        bytes.extend_from_slice(&self.xid.to_be_bytes());
        bytes.extend_from_slice(&[0, 0, if self.broadcast { 0x80 } else { 0 }, 0]);
        for address in [self.client, self.your, self.next_server, self.relay] {
            bytes.extend_from_slice(&address.octets());
        }
        bytes.extend_from_slice(&self.hardware);
        for (start, field) in [(44, &self.server_name), (108, &self.boot_file)] {
            bytes.resize(start, 0);
            bytes.extend_from_slice(field);
        }
        bytes.resize(FIXED - COOKIE.len(), 0);
        bytes.extend_from_slice(&COOKIE);
        bytes.extend_from_slice(&self.options);
        bytes.push(255);
        // Some servers and relays drop packets shorter than BOOTP's (RFC 1542 2.1).
        bytes.resize(bytes.len().max(300), 0);
        bytes
    }

    /// Reads a request or a reply; `None` when the bytes are none of DHCP.
    pub fn parse(bytes: &[u8], operation: u8) -> Option<Self> {
        if bytes.len() < FIXED || bytes[0] != operation || bytes[FIXED - 4..FIXED] != COOKIE {
            return None;
        }
        let address = |at: usize| Ipv4Addr::new(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
        let (name, file) = (&bytes[44..108], &bytes[108..236]);
        let mut fields: Vec<&[u8]> = vec![&bytes[FIXED..]];
        let overload = options(fields[0]).find(|(code, _)| *code == 52).and_then(|(_, value)| value.first()).copied();
        // RFC 2132 9.3: the two name fields may hold more options.
        if matches!(overload, Some(1 | 3)) {
            fields.push(file);
        }
        if matches!(overload, Some(2 | 3)) {
            fields.push(name);
        }
        let text = |field: &[u8], bit| match overload {
            Some(used) if used & bit != 0 => Vec::new(),
            _ => field.split(|&byte| byte == 0).next().unwrap_or_default().to_vec(),
        };
        Some(Self {
            operation,
            xid: u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
            broadcast: bytes[10] & 0x80 != 0,
            client: address(12),
            your: address(16),
            next_server: address(20),
            relay: address(24),
            hardware: bytes[28..34].try_into().ok()?,
            server_name: text(name, 2),
            boot_file: text(file, 1),
            options: join(fields.iter().flat_map(|field| options(field))),
        })
    }
}

/// Writes options with the parts of each code joined (RFC 3396), up to the 255 bytes that one may have here.
fn join<'a>(found: impl Iterator<Item = (u8, &'a [u8])>) -> Vec<u8> {
    let mut joined: Vec<(u8, Vec<u8>)> = Vec::new();
    for (code, value) in found {
        match joined.iter_mut().find(|(known, _)| *known == code) {
            Some((_, so_far)) => so_far.extend_from_slice(value),
            None => joined.push((code, value.to_vec())),
        }
    }
    let mut options = Vec::new();
    for (code, value) in joined {
        push_option(&mut options, code, &value[..value.len().min(255)]);
    }
    options
}

/// Where packets go out and come in. They come in as whole IP packets, since the client may have no address, and since a
/// refusal of a request to one server is broadcast (RFC 2131 4.1).
pub struct Socket {
    receiver: OwnedFd,
    index: u32,
    port: u16,
    /// UDP to one server.
    server: Option<OwnedFd>,
}

impl Socket {
    /// A packet socket on the interface `index`.
    pub fn raw(index: u32, port: u16) -> Result<Self> {
        let receiver = packet::open(index, IP).map_err(|errno| Error::on("packet socket", errno))?;
        Ok(Self { receiver, index, port, server: None })
    }

    /// The same, with a UDP socket between this host's address and the server to send through.
    pub fn to_server(interface: &[u8], index: u32, own: Ipv4Addr, server: Ipv4Addr, port: u16) -> Result<Self> {
        let open = || -> core::result::Result<OwnedFd, Errno> {
            let socket = net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
            sockopt::set_socket_reuseaddr(&socket, true)?;
            packet::bind_to_interface(socket.as_fd(), interface)?;
            net::bind(&socket, &SocketAddrV4::new(own, port))?;
            net::connect(&socket, &SocketAddrV4::new(server, SERVER_PORT))?;
            Ok(socket)
        };
        let socket = open().map_err(|errno| Error::on("UDP socket", errno))?;
        Ok(Self { server: Some(socket), ..Self::raw(index, port)? })
    }

    /// The descriptor to wait on.
    pub fn receiver(&self) -> &OwnedFd {
        &self.receiver
    }

    /// Sends to all servers on the link, or to the one server.
    pub fn broadcast(&self, message: &Message) -> Result<()> {
        let content = message.to_bytes();
        let sent = match &self.server {
            None => {
                let from = SocketAddrV4::new(message.client, self.port);
                let whole = wrap(&content, from, SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT));
                packet::send(self.receiver.as_fd(), self.index, IP, &[0xff; 6], &whole)
            }
            Some(socket) => net::send(socket, &content, SendFlags::empty()),
        };
        sent.map(drop).map_err(|errno| Error::on("can't send", errno))
    }

    /// Takes one packet; `None` when it is no DHCP reply for this port.
    pub fn receive(&self) -> Result<Option<Message>> {
        let mut buffer = [0; 2048];
        let count = match net::recv(&self.receiver, &mut buffer[..], RecvFlags::empty()) {
            Ok((count, _)) => count,
            Err(Errno::INTR | Errno::NETDOWN) => return Ok(None),
            Err(errno) => return Err(Error::on("can't receive", errno)),
        };
        let content = &buffer[..count.min(buffer.len())];
        Ok(unwrap(content, self.port).and_then(|bytes| Message::parse(bytes, REPLY)))
    }
}

/// Sends a UDP packet to a host that has no address yet, by its hardware address and with headers of our own.
pub fn send_raw(
    socket: &OwnedFd,
    index: u32,
    hardware: [u8; 6],
    content: &[u8],
    from: SocketAddrV4,
    to: SocketAddrV4,
) -> Result<()> {
    let hardware = if to.ip().is_broadcast() { [0xff; 6] } else { hardware };
    let sent = packet::send(socket.as_fd(), index, IP, &hardware, &wrap(content, from, to));
    sent.map(drop).map_err(|errno| Error::on("can't send", errno))
}

/// A packet socket that only sends.
pub fn raw_sender() -> Result<OwnedFd> {
    packet::open(0, 0).map_err(|errno| Error::on("packet socket", errno))
}

/// A UDP socket of a server or a relay at a port, for one interface.
pub fn listen(interface: &[u8], port: u16) -> Result<OwnedFd> {
    let open = || -> core::result::Result<OwnedFd, Errno> {
        let socket = net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        sockopt::set_socket_broadcast(&socket, true)?;
        // A whole network may start at once: with the usual size some 160 requests are kept. Only root may have more.
        let _ = sockopt::set_socket_recv_buffer_size_force(&socket, 1 << 20);
        packet::bind_to_interface(socket.as_fd(), interface)?;
        net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port))?;
        Ok(socket)
    };
    open().map_err(|errno| Error::on([interface, b": UDP socket"].concat(), errno))
}

/// Puts IP and UDP headers (RFC 791, RFC 768) before a packet.
fn wrap(content: &[u8], from: SocketAddrV4, to: SocketAddrV4) -> Vec<u8> {
    let length = (content.len() + 8) as u16;
    let mut udp = [from.port().to_be_bytes(), to.port().to_be_bytes(), length.to_be_bytes(), [0, 0]].concat();
    let addresses = [from.ip().octets(), to.ip().octets()].concat();
    let pseudo = [&addresses[..], &[0, 17], &length.to_be_bytes()].concat();
    // Zero would mean that there is no checksum.
    let sum = Some(checksum(&[&pseudo, &udp, content])).filter(|sum| *sum != 0).unwrap_or(0xffff);
    udp[6..].copy_from_slice(&sum.to_be_bytes());
    let mut ip = vec![0x45, 0];
    ip.extend_from_slice(&(length + 20).to_be_bytes());
    ip.extend_from_slice(&[0, 0, 0, 0, 64, 17, 0, 0]);
    ip.extend_from_slice(&addresses);
    let sum = checksum(&[&ip]);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    [&ip, &udp, content].concat()
}

/// The content of a UDP packet from a server's port to `port`, headers checked.
fn unwrap(bytes: &[u8], port: u16) -> Option<&[u8]> {
    let header = usize::from(bytes.first()? & 15) * 4;
    let total = usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]));
    let packet = bytes.get(..total)?;
    let ip = packet.get(..header).filter(|ip| ip.len() >= 20 && ip[0] >> 4 == 4 && ip[9] == 17)?;
    // Fragments are not put together here.
    if checksum(&[ip]) != 0 || u16::from_be_bytes([ip[6], ip[7]]) & 0x3fff != 0 {
        return None;
    }
    let udp = packet.get(header..header + 8)?;
    let field = |at: usize| u16::from_be_bytes([udp[at], udp[at + 1]]);
    if field(0) != SERVER_PORT || field(2) != port {
        return None;
    }
    packet.get(header + 8..header + usize::from(field(4)))
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    for bytes in [Some(data), unwrap(data, 68)].into_iter().flatten() {
        if let Some(message) = Message::parse(bytes, REPLY) {
            message.kind();
            let lease = super::lease::Lease::new(message);
            // Only that neither of them panics is tested.
            let _ = (lease.server(), lease.seconds());
            assert!(lease.vars().iter().all(|word| !word.contains(&0)));
        }
    }
    let _ = super::options::parse_option(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet of nobody to everyone.
    fn wrapped(content: &[u8], from: u16) -> Vec<u8> {
        let from = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, from);
        wrap(content, from, SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT))
    }

    fn reply() -> Vec<u8> {
        let mut bytes = Message::request(Kind::Offer, 7, [1, 2, 3, 4, 5, 6]).to_bytes();
        bytes[0] = 2;
        bytes[16..20].copy_from_slice(&[10, 0, 2, 15]);
        bytes
    }

    #[test]
    fn a_reply_is_read_back() {
        let message = Message::parse(&reply(), REPLY).expect("a whole reply");
        assert_eq!((message.xid, message.kind()), (7, Some(Kind::Offer)));
        assert_eq!(message.your, Ipv4Addr::new(10, 0, 2, 15));
        assert_eq!(message.hardware, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_packet_survives_its_headers() {
        let whole = wrapped(b"abc", 68);
        assert_eq!((whole.len(), checksum(&[&whole[..20]])), (31, 0));
        let mut answer = whole.clone();
        answer[20..24].copy_from_slice(&[0, 67, 0, 68]);
        assert_eq!(unwrap(&answer, 68), Some(&b"abc"[..]));
        assert_eq!(unwrap(&answer, 69), None);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        let mut random = rbox_core::testing::Random::new(19);
        let whole = wrapped(&reply(), 67);
        for _ in 0..20_000 {
            if let Some(message) = Message::parse(&[&reply()[..FIXED], &random.bytes(300)].concat(), REPLY) {
                super::super::lease::Lease::new(message).vars();
            }
            Message::parse(&random.spoil(&reply()), REPLY);
            unwrap(&random.spoil(&whole), 67);
            options(&random.bytes(64)).count();
        }
    }

    #[test]
    fn cut_packets_are_none() {
        let bytes = reply();
        for length in 0..FIXED {
            assert!(Message::parse(&bytes[..length], REPLY).is_none());
        }
        assert_eq!(options(&[53, 1]).count(), 0);
        assert_eq!(options(&[0, 0, 255, 1, 1]).count(), 0);
        assert_eq!(options(&[1, 200, 3]).count(), 0);
        for length in 0..30 {
            assert_eq!(unwrap(&wrapped(b"abc", 67)[..length], 67), None);
        }
    }
}
