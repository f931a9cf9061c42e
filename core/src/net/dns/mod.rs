//! Addresses of names and names of addresses: hosts(5), then the servers of resolv.conf(5) (RFC 1035).
//!
//! A stub: it asks a server that does the work, over UDP, and over TCP where the reply does not fit a datagram.

pub mod message;

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use self::message::{A, AAAA, NAME_ERROR, PTR, Records, answers, push_escaped, query, read_name};
use super::addr;
use super::sockets;
use crate::bytes;
use crate::daemon::uptime_milliseconds;
use crate::error::{Error, Result};
use crate::io::{Input, read_file, write_all};
use crate::number::parse_decimal;
use crate::push;
use crate::sys::net::{RecvFlags, SendFlags, SocketType, recv, send};
use crate::sys::rand::{GetRandomFlags, getrandom};
use crate::sys::{AsFd, BorrowedFd, Errno};
use crate::text::Hex;
use crate::tty::wait_readable;

/// The longest datagram that is read: what EDNS servers send at most over Ethernet, and more than RFC 1035's 512.
const LONGEST: usize = 4096;

/// The address of `host`, which may be one. `six` asks for IPv6 or for IPv4 only; else IPv4 is asked for first.
///
/// The error is BusyBox's `bad address 'HOST'`.
pub fn resolve(host: &[u8], six: Option<bool>) -> Result<IpAddr> {
    resolve_all(host, six).map(|found| found[0])
}

/// The same with all addresses, one at least: those of hosts(5), else those of IPv4, else those of IPv6.
pub fn resolve_all(host: &[u8], six: Option<bool>) -> Result<Vec<IpAddr>> {
    let fits = |address: &IpAddr| six.is_none_or(|six| address.is_ipv6() == six);
    let found = match addr::parse_v4(host).map(IpAddr::V4).or_else(|_| addr::parse(host)) {
        Ok(address) => Some(address).filter(fits).into_iter().collect(),
        Err(_) => Some(in_hosts(host, &fits))
            .filter(|found| !found.is_empty())
            .or_else(|| ask_servers(host, six))
            .unwrap_or_default(),
    };
    if found.is_empty() { Err(Error::parts(&[b"bad address '", host, b"'"])) } else { Ok(found) }
}

fn in_hosts(host: &[u8], fits: &dyn Fn(&IpAddr) -> bool) -> Vec<IpAddr> {
    let mut found = Vec::new();
    let Ok(mut hosts) = Input::open(b"/etc/hosts") else { return found };
    while let Ok(Some(line)) = hosts.line() {
        let (address, mut names) = hosts_entry(line);
        if names.any(|name| name.eq_ignore_ascii_case(host)) {
            found.extend(address.filter(fits));
        }
    }
    found
}

/// The address and the names of a line of hosts(5).
fn hosts_entry(line: &[u8]) -> (Option<IpAddr>, impl Iterator<Item = &[u8]>) {
    let entry = bytes::split_once(line, b'#').map_or(line, |(entry, _)| entry);
    let mut words = bytes::words(entry);
    (words.next().and_then(|word| addr::parse(word).ok()), words)
}

/// What resolv.conf(5) says.
#[derive(Debug)]
pub struct Servers {
    /// Who is asked, in this order.
    pub addresses: Vec<IpAddr>,
    /// What is put after a name of few dots.
    pub search: Vec<Vec<u8>>,
    /// A name of so many dots is tried as it is first.
    pub dots: usize,
    /// Milliseconds to wait for a reply.
    pub timeout: u64,
    /// How often each server is asked.
    pub attempts: u64,
}

impl Servers {
    /// Those of /etc/resolv.conf.
    pub fn load() -> Self {
        Self::parse(&read_file(b"/etc/resolv.conf").unwrap_or_default())
    }

    fn parse(text: &[u8]) -> Self {
        let mut servers = Self { addresses: Vec::new(), search: Vec::new(), dots: 1, timeout: 2500, attempts: 2 };
        for line in text.split(|&byte| byte == b'\n') {
            let mut words = bytes::words(line);
            match words.next() {
                // resolv.conf(5): at most three servers and six domains count.
                Some(b"nameserver") if servers.addresses.len() < 3 => {
                    servers.addresses.extend(words.next().and_then(|word| addr::parse(word).ok()));
                }
                Some(b"search" | b"domain") => servers.search = words.take(6).map(<[u8]>::to_vec).collect(),
                Some(b"options") => words.for_each(|word| servers.take_option(word)),
                _ => {}
            }
        }
        if servers.addresses.is_empty() {
            // resolv.conf(5): the default is the name server on the local machine.
            servers.addresses.push(Ipv4Addr::LOCALHOST.into());
        }
        servers
    }

    /// resolv.conf(5), with its bounds: 15 dots, 30 seconds, 5 attempts.
    fn take_option(&mut self, word: &[u8]) {
        let Some((name, number)) = bytes::split_once(word, b':') else { return };
        let Some(number) = parse_decimal(number) else { return };
        match name {
            b"ndots" => self.dots = number.min(15) as usize,
            b"timeout" => self.timeout = number.clamp(1, 30) * 1000,
            b"attempts" => self.attempts = number.clamp(1, 5),
            _ => {}
        }
    }

    /// The names that `host` may mean, in the order in which they are tried. One with a dot at its end is only itself.
    pub fn candidates(&self, host: &[u8]) -> Vec<Vec<u8>> {
        let mut names = vec![host.to_vec()];
        if !host.ends_with(b".") {
            let longer = self.search.iter().map(|domain| [host, b".", domain].concat());
            let dots = host.iter().filter(|&&byte| byte == b'.').count();
            let at = if dots >= self.dots { 1 } else { 0 };
            names.splice(at..at, longer);
        }
        names
    }

    /// The reply of the first server that knows something: records, or that there are none.
    fn ask(&self, query: &[u8]) -> core::result::Result<Vec<u8>, Errno> {
        let mut failure = Errno::TIMEDOUT;
        for _ in 0..self.attempts {
            for &server in &self.addresses {
                match exchange(&SocketAddr::new(server, 53), query, self.timeout) {
                    Ok(reply) if matches!(reply[3] & 15, 0 | NAME_ERROR) => return Ok(reply),
                    Ok(_) => {}
                    Err(errno) => failure = errno,
                }
            }
        }
        Err(failure)
    }
}

/// Sixteen random bits: what a stranger has to guess to answer in a server's place (RFC 5452 4).
pub fn random_id() -> u16 {
    let mut id = [0; 2];
    // The kernel has random bytes since it started; a few zero bits would still be right.
    let _ = getrandom(&mut id, GetRandomFlags::empty());
    u16::from_be_bytes(id)
}

fn ask_servers(host: &[u8], six: Option<bool>) -> Option<Vec<IpAddr>> {
    let servers = Servers::load();
    let types = match six {
        Some(true) => &[AAAA][..],
        Some(false) => &[A],
        None => &[A, AAAA],
    };
    let names = servers.candidates(host);
    let found = |name: &[u8], kind| {
        let query = query(random_id(), name, kind).filter(|_| !name.is_empty())?;
        Some(addresses(&servers.ask(&query).ok()?, &query, kind)).filter(|found| !found.is_empty())
    };
    names.iter().find_map(|name| types.iter().find_map(|&kind| found(name, kind)))
}

/// The addresses of that type among the answers; they may follow aliases.
fn addresses(reply: &[u8], query: &[u8], kind: u16) -> Vec<IpAddr> {
    let answers = Records::of(reply, query).take_while(|record| record.section == 0);
    answers.filter(|record| record.kind == kind).filter_map(|record| record.address()).collect()
}

/// Sends a query to a server and waits so many milliseconds for its reply, which is one to the query.
pub fn exchange(server: &SocketAddr, query: &[u8], milliseconds: u64) -> core::result::Result<Vec<u8>, Errno> {
    let socket = sockets::connect(server, SocketType::DGRAM, None, None)?;
    send(&socket, query, SendFlags::NOSIGNAL)?;
    let mut reply = vec![0; LONGEST];
    let end = uptime_milliseconds() + milliseconds;
    // A connected socket only takes what the server sends; a late answer to another query is waited past.
    while wait_until(socket.as_fd(), end) {
        let (count, _) = recv(&socket, &mut reply[..], RecvFlags::empty())?;
        if answers(&reply[..count], query) {
            reply.truncate(count);
            // TC: the rest fits a stream only (RFC 7766 5). A part of the records is better than none.
            let whole = if reply[2] & 2 != 0 { exchange_stream(server, query, end).ok() } else { None };
            return Ok(whole.unwrap_or(reply));
        }
    }
    Err(Errno::TIMEDOUT)
}

fn wait_until(file: BorrowedFd<'_>, end: u64) -> bool {
    let left = end.saturating_sub(uptime_milliseconds());
    left > 0 && wait_readable(file, Some(left))
}

/// RFC 1035 4.2.2: over TCP a message has its length before it.
fn exchange_stream(server: &SocketAddr, query: &[u8], end: u64) -> core::result::Result<Vec<u8>, Errno> {
    let left = end.saturating_sub(uptime_milliseconds());
    let socket = sockets::connect(server, SocketType::STREAM, None, Some(left))?;
    write_all(socket.as_fd(), &[&(query.len() as u16).to_be_bytes(), query].concat())?;
    let mut reply = Vec::new();
    let mut wanted = 2;
    let mut buffer = [0; 2048];
    while reply.len() < wanted {
        if !wait_until(socket.as_fd(), end) {
            return Err(Errno::TIMEDOUT);
        }
        let (count, _) = recv(&socket, &mut buffer[..], RecvFlags::empty())?;
        if count == 0 {
            return Err(Errno::CONNRESET);
        }
        reply.extend_from_slice(&buffer[..count]);
        if let Some(length) = message::number(&reply, 0) {
            wanted = 2 + usize::from(length);
        }
    }
    reply.truncate(wanted);
    reply.drain(..2);
    if answers(&reply, query) { Ok(reply) } else { Err(Errno::BADMSG) }
}

/// The name below which the name of an address is: RFC 1035 3.5, RFC 3596 2.5.
pub fn reverse_name(address: IpAddr) -> Vec<u8> {
    let mut name = Vec::new();
    match address {
        IpAddr::V4(address) => {
            for byte in address.octets().into_iter().rev() {
                push!(name, byte, ".");
            }
            push!(name, "in-addr.arpa");
        }
        IpAddr::V6(address) => {
            for byte in address.octets().into_iter().rev() {
                push!(name, Hex((byte & 15).into()), ".", Hex((byte >> 4).into()), ".");
            }
            push!(name, "ip6.arpa");
        }
    }
    name
}

/// Names of addresses, each asked for once.
#[derive(Debug, Default)]
pub struct ReverseNames {
    known: Vec<(IpAddr, Option<Vec<u8>>)>,
    servers: Option<Servers>,
    /// The content of /etc/hosts.
    hosts: Option<Vec<u8>>,
    /// No server replied: they are asked no more.
    is_dead: bool,
}

impl ReverseNames {
    /// The name of an address, safe for a terminal: of hosts(5), or of the servers. `None` when it has none.
    pub fn of(&mut self, address: IpAddr) -> Option<&[u8]> {
        // What is embedded in IPv6 is the name of the IPv4 address.
        let address = address.to_canonical();
        let at = match self.known.binary_search_by_key(&address, |known| known.0) {
            Ok(at) => at,
            Err(at) => {
                let hosts = self.hosts.get_or_insert_with(|| read_file(b"/etc/hosts").unwrap_or_default());
                let name = name_in_hosts(hosts, address).or_else(|| self.ask(address));
                self.known.insert(at, (address, name));
                at
            }
        };
        self.known[at].1.as_deref()
    }

    fn ask(&mut self, address: IpAddr) -> Option<Vec<u8>> {
        if self.is_dead {
            return None;
        }
        let servers = self.servers.get_or_insert_with(Servers::load);
        let query = query(random_id(), &reverse_name(address), PTR)?;
        match servers.ask(&query) {
            Ok(reply) => {
                let found = Records::of(&reply, &query).find(|record| record.section == 0 && record.kind == PTR)?;
                read_name(&reply, found.at).map(|(name, _)| name).filter(|name| !name.is_empty())
            }
            Err(_) => {
                self.is_dead = true;
                None
            }
        }
    }
}

fn name_in_hosts(hosts: &[u8], address: IpAddr) -> Option<Vec<u8>> {
    let name = hosts.split(|&byte| byte == b'\n').find_map(|line| {
        let (found, mut names) = hosts_entry(line);
        names.next().filter(|_| found == Some(address))
    })?;
    let mut safe = Vec::new();
    push_escaped(&mut safe, name, b"");
    Some(safe)
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    message::fuzz(data);
    Servers::parse(data).candidates(data);
}

#[cfg(test)]
mod tests {
    use super::message::HEADER;
    use super::*;

    #[test]
    fn addresses_fit_their_version() {
        assert_eq!(resolve(b"127.0.0.1", None).ok(), Some(IpAddr::from([127, 0, 0, 1])));
        assert_eq!(resolve(b"::1", Some(true)).ok(), Some(IpAddr::V6(core::net::Ipv6Addr::LOCALHOST)));
        assert!(resolve(b"127.0.0.1", Some(true)).is_err());
    }

    #[test]
    fn the_address_may_follow_an_alias() {
        let query = query(0x1234, b"x.ab", A).expect("a name");
        let alias = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x04\x01y\xc0\x0e";
        let address = b"\xc0\x20\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\x02\x0f";
        let reply =
            |rest: &[&[u8]]| [b"\x12\x34\x81\x80\0\x01\0\x02\0\0\0\0", &query[HEADER..], &rest.concat()].concat();
        assert_eq!(addresses(&reply(&[alias, address]), &query, A), [IpAddr::from([10, 0, 2, 15])]);
        assert!(addresses(&reply(&[alias]), &query, A).is_empty());
    }

    #[test]
    fn servers_domains_and_options_are_taken() {
        let servers =
            Servers::parse(b"# x\nnameserver 10.0.2.3\nnameserver fe80\nsearch a.b c\noptions ndots:2 timeout:99 x\n");
        assert_eq!(servers.addresses, [IpAddr::from([10, 0, 2, 3])]);
        assert_eq!(servers.search, [&b"a.b"[..], b"c"]);
        assert_eq!((servers.dots, servers.timeout, servers.attempts), (2, 30_000, 2));
        assert_eq!(Servers::parse(b"").addresses, [IpAddr::from([127, 0, 0, 1])]);
    }

    #[test]
    fn names_of_few_dots_are_searched_first() {
        let servers = Servers::parse(b"search a.b c\n");
        assert_eq!(servers.candidates(b"x"), [&b"x.a.b"[..], b"x.c", b"x"]);
        assert_eq!(servers.candidates(b"x.y"), [&b"x.y"[..], b"x.y.a.b", b"x.y.c"]);
        assert_eq!(servers.candidates(b"x."), [&b"x."[..]]);
    }

    #[test]
    fn names_of_addresses_are_reversed() {
        assert_eq!(reverse_name(IpAddr::from([10, 0, 2, 15])), b"15.2.0.10.in-addr.arpa");
        let six = reverse_name("2001:db8::1f".parse().expect("an address"));
        assert_eq!(six, b"f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    }
}
