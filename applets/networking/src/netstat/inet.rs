//! Sockets of TCP, UDP and raw ones, by sock_diag(7), or where the kernel lacks that, by /proc/net (proc(5)).

use core::net::IpAddr;

use rbox_core::bytes::{split_once, words};
use rbox_core::io::Input;
use rbox_core::net::addr::from_octets;
use rbox_core::net::dns::ReverseNames;
use rbox_core::net::netlink::{Netlink, word};
use rbox_core::net::sockets::Services;
use rbox_core::number::{parse_decimal, parse_radix};
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::text::{Left, Right};
use rbox_core::users::NameCache;
use rbox_core::{push, text};

use super::{EXTENDED, FOUR, NUMBERS, PROGRAM, SIX, Show, WIDE};

/// A socket.
struct Socket {
    local: (IpAddr, u16),
    remote: (IpAddr, u16),
    /// Number of the state: 1 ESTABLISHED, 7 CLOSE, 10 LISTEN (net/tcp_states.h).
    state: u8,
    /// Bytes that wait to be read, and to be acknowledged.
    waiting: (u32, u32),
    uid: u32,
    inode: u64,
}

/// AF_INET and AF_INET6.
const FAMILIES: [u8; 2] = [2, 10];
const LISTEN: u8 = 10;

pub fn print(env: &mut Env, show: &Show<'_>, chosen: [bool; 3]) -> Result<()> {
    let width = if show.args.has(WIDE) { 51 } else { 23 };
    let mut title = text!("Active Internet connections ", show.title(), "Proto Recv-Q Send-Q ");
    push!(title, Left("Local Address", width), " ", Left("Foreign Address", width), " State       ");
    if show.args.has(EXTENDED) {
        push!(title, "User       Inode      ");
    }
    if show.owners.is_some() {
        push!(title, Left("PID/Program name", PROGRAM), " ");
    }
    title.push(b'\n');
    env.stdout.write(&title)?;
    let netlink = Netlink::open_diagnosis().ok();
    let mut names = Names { numbers: show.args.has(NUMBERS), ..Names::default() };
    for (protocol, chosen) in PROTOCOLS.into_iter().zip(chosen) {
        for family in FAMILIES {
            let only = if family == 2 { SIX } else { FOUR };
            if !chosen || show.args.has(only) {
                continue;
            }
            for socket in sockets(netlink.as_ref(), protocol, family)? {
                let listens = if protocol.1 == b"tcp" { socket.state == LISTEN } else { socket.state != 1 };
                if show.wants(listens) {
                    env.stdout.write(&line(show, protocol, &socket, &mut names, width))?;
                }
            }
        }
    }
    Ok(())
}

type Protocol = (u8, &'static [u8]);

/// IPPROTO_TCP, IPPROTO_UDP, IPPROTO_RAW.
const PROTOCOLS: [Protocol; 3] = [(6, b"tcp"), (17, b"udp"), (255, b"raw")];

fn sockets(netlink: Option<&Netlink>, protocol: Protocol, family: u8) -> Result<Vec<Socket>> {
    if let Some(netlink) = netlink {
        match diagnose(netlink, protocol.0, family) {
            // The kernel has no module for the protocol, or a sandbox no netlink.
            Err(error)
                if matches!(error.errno(), Some(Errno::NOENT | Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS)) => {}
            result => return result,
        }
    }
    let mut file = match Input::open(&text!("/proc/net/", protocol.1, if family == 2 { "" } else { "6" })) {
        // A kernel without IPv6.
        Err(error) if error.errno() == Some(Errno::NOENT) && family != 2 => return Ok(Vec::new()),
        file => file?,
    };
    let mut sockets = Vec::new();
    while let Some(line) = file.line()? {
        // The first line is a title, which is no socket.
        sockets.extend(Socket::parse(line));
    }
    Ok(sockets)
}

/// SOCK_DIAG_BY_FAMILY: linux/sock_diag.h, linux/inet_diag.h.
fn diagnose(netlink: &Netlink, protocol: u8, family: u8) -> Result<Vec<Socket>> {
    // struct inet_diag_req_v2: family, protocol, extensions, padding, states, and a struct inet_diag_sockid of zeros. The
    // states are those of /proc/net: 1 to 12.
    let mut request = vec![family, protocol, 0, 0];
    request.extend_from_slice(&0x1fff_u32.to_ne_bytes());
    request.resize(8 + 48, 0);
    Ok(netlink.dump(20, &request, 20)?.iter().filter_map(|body| Socket::of_message(body)).collect())
}

impl Socket {
    /// struct inet_diag_msg.
    fn of_message(body: &[u8]) -> Option<Self> {
        let body = body.get(..72)?;
        let port = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
        let length = if body[0] == 2 { 4 } else { 16 };
        let address = |at: usize| from_octets(&body[at..at + length]);
        Some(Self {
            local: (address(8)?, port(4)),
            remote: (address(24)?, port(6)),
            state: body[1],
            // Of a listening socket the second is its backlog.
            waiting: (word(&body[56..]), if body[1] == LISTEN { 0 } else { word(&body[60..]) }),
            uid: word(&body[64..]),
            inode: word(&body[68..]).into(),
        })
    }

    /// A line of /proc/net/tcp and the like (proc(5)).
    fn parse(line: &[u8]) -> Option<Self> {
        let mut words = words(line);
        let mut word = || words.next();
        word()?;
        let (local, remote) = (parse_end(word()?)?, parse_end(word()?)?);
        let state = parse_radix(word()?, 16)? as u8;
        let (sent, received) = split_once(word()?, b':')?;
        let waiting = (parse_radix(received, 16)? as u32, parse_radix(sent, 16)? as u32);
        // Timer, retransmissions.
        word()?;
        word()?;
        let uid = parse_decimal(word()?)? as u32;
        word()?;
        Some(Self { local, remote, state, waiting, uid, inode: parse_decimal(word()?)? })
    }
}

/// `0100007F:0050`: words of 32 bits in the processor's order, and a port.
fn parse_end(end: &[u8]) -> Option<(IpAddr, u16)> {
    let (address, port) = split_once(end, b':')?;
    let mut octets = Vec::new();
    for digits in address.chunks(8).take(4) {
        octets.extend_from_slice(&(parse_radix(digits, 16)? as u32).to_ne_bytes());
    }
    Some((from_octets(&octets)?, u16::try_from(parse_radix(port, 16)?).ok()?))
}

/// Names of hosts, services and users, as far as they are wanted.
#[derive(Default)]
struct Names {
    numbers: bool,
    hosts: ReverseNames,
    services: Option<Services>,
    users: NameCache,
}

impl Names {
    fn end(&mut self, (address, port): (IpAddr, u16), protocol: &[u8]) -> Vec<u8> {
        let host = if self.numbers || address.is_unspecified() { None } else { self.hosts.of(address) };
        let mut end = host.map_or_else(|| text!(address), <[u8]>::to_vec);
        let service = match (port, self.numbers) {
            (0, _) => Some(&b"*"[..]),
            (_, true) => None,
            (_, false) => self.services.get_or_insert_with(Services::load).name(port, protocol),
        };
        match service {
            Some(name) => push!(end, ":", name),
            None => push!(end, ":", port),
        }
        end
    }
}

fn line(show: &Show<'_>, (number, protocol): Protocol, socket: &Socket, names: &mut Names, width: usize) -> Vec<u8> {
    let mut line = text!(protocol, "   ", Right(socket.waiting.0, 6, b' '), " ", Right(socket.waiting.1, 6, b' '), " ");
    let state = match (number, socket.state) {
        // Of a raw socket the state says nothing.
        (255, state) => text!(state),
        (17, state) if state != 1 => Vec::new(),
        (_, state) => text!(state_name(state)),
    };
    let (local, remote) = (names.end(socket.local, protocol), names.end(socket.remote, protocol));
    push!(line, Left(local, width), " ", Left(remote, width), " ", Left(state, 11), " ");
    if show.args.has(EXTENDED) {
        match show.args.has(NUMBERS) {
            true => push!(line, Left(socket.uid, 10)),
            false => push!(line, Left(names.users.user(socket.uid), 10)),
        }
        push!(line, " ", Left(socket.inode, 10), " ");
    }
    push!(line, show.program(socket.inode), "\n");
    line
}

/// net/tcp_states.h.
fn state_name(state: u8) -> &'static str {
    match state {
        1 => "ESTABLISHED",
        2 => "SYN_SENT",
        3 | 12 => "SYN_RECV",
        4 => "FIN_WAIT1",
        5 => "FIN_WAIT2",
        6 => "TIME_WAIT",
        7 => "CLOSE",
        8 => "CLOSE_WAIT",
        9 => "LAST_ACK",
        LISTEN => "LISTEN",
        11 => "CLOSING",
        _ => "UNKNOWN",
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    // Only a panic counts.
    let _ = (Socket::parse(data), Socket::of_message(data));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn lines_of_proc_are_sockets() {
        let line =
            b"   0: 0100007F:0035 00000000:0000 0A 00000001:00000002 00:00000000 00000000  1000        0 4711 2 0 0";
        let socket = Socket::parse(line).expect("a socket");
        assert_eq!((socket.local, socket.state), (([127, 0, 0, 1].into(), 53), LISTEN));
        assert_eq!((socket.waiting, socket.uid, socket.inode), ((2, 1), 1000, 4711));
        let end = parse_end(b"00000000000000000000000001000000:1F90");
        assert_eq!(end, Some((core::net::Ipv6Addr::LOCALHOST.into(), 8080)));
        for line in [&b""[..], b"  sl  local_address rem_address   st tx_queue", b"0: 0100007F:0035 0:0 0A"] {
            assert!(Socket::parse(line).is_none());
        }
    }

    #[test]
    fn messages_of_the_kernel_are_sockets() {
        let mut body = vec![0; 72];
        (body[0], body[1], body[5], body[8], body[64]) = (2, 1, 80, 10, 9);
        let socket = Socket::of_message(&body).expect("a socket");
        assert_eq!((socket.local, socket.remote), (([10, 0, 0, 0].into(), 80), ([0, 0, 0, 0].into(), 0)));
        assert!(Socket::of_message(&body[..71]).is_none());
    }
}
