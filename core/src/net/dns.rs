//! Addresses of names: hosts(5), then the servers of resolv.conf(5) (RFC 1035).
//!
//! A stub: it asks a server that does the work, over UDP, and takes the first answer. An answer that does not fit a
//! datagram still holds the first addresses, which is all that is asked for.

use core::net::{IpAddr, SocketAddr};

use super::addr;
use crate::bytes;
use crate::error::{Error, Result};
use crate::io::Input;
use crate::sys::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, send, socket_with};
use crate::sys::rand::{GetRandomFlags, getrandom};
use crate::text::Hex;
use crate::tty::wait_readable;

/// RFC 1035 3.2.2 and RFC 3596 2.1: the types of records that hold an address.
const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;
/// RFC 1035 3.3.12: the name of an address.
const TYPE_PTR: u16 = 12;
/// The longest answer that is read: what EDNS servers send at most over Ethernet, and more than RFC 1035's 512.
const LONGEST: usize = 4096;

/// The address of `host`, which may be one. `six` asks for IPv6 or for IPv4 only; else IPv4 is asked for first.
///
/// The error is BusyBox's `bad address 'HOST'`.
pub fn resolve(host: &[u8], six: Option<bool>) -> Result<IpAddr> {
    let fits = |address: &IpAddr| six.is_none_or(|six| address.is_ipv6() == six);
    let found = match addr::parse_v4(host).map(IpAddr::V4).or_else(|_| addr::parse(host)) {
        Ok(address) => Some(address).filter(fits),
        Err(_) => in_hosts(host, &fits).or_else(|| ask_servers(host, six)),
    };
    found.ok_or_else(|| Error::parts(&[b"bad address '", host, b"'"]))
}

fn in_hosts(host: &[u8], fits: &dyn Fn(&IpAddr) -> bool) -> Option<IpAddr> {
    let mut hosts = Input::open(b"/etc/hosts").ok()?;
    while let Ok(Some(line)) = hosts.line() {
        let entry = bytes::split_once(line, b'#').map_or(line, |(entry, _)| entry);
        let mut words = bytes::words(entry);
        let address = words.next().and_then(|word| addr::parse(word).ok()).filter(fits);
        if let (Some(address), true) = (address, words.any(|name| name.eq_ignore_ascii_case(host))) {
            return Some(address);
        }
    }
    None
}

/// The name of an address: hosts(5), then a record of type PTR (RFC 1035, 3.5; RFC 3596, 2.5). `None` where there is none.
pub fn name_of(address: IpAddr) -> Option<Vec<u8>> {
    let mut hosts = Input::open(b"/etc/hosts").ok();
    while let Some(line) = hosts.as_mut().and_then(|hosts| hosts.line().ok().flatten()) {
        let entry = bytes::split_once(line, b'#').map_or(line, |(entry, _)| entry);
        let mut words = bytes::words(entry);
        if words.next().and_then(|word| addr::parse(word).ok()) == Some(address)
            && let Some(name) = words.next()
        {
            return Some(name.to_vec());
        }
    }
    let mut name = Vec::new();
    for byte in addr::octets(address).into_iter().rev() {
        match address {
            IpAddr::V4(_) => crate::push!(name, byte, "."),
            IpAddr::V6(_) => crate::push!(name, Hex((byte & 15).into()), ".", Hex((byte >> 4).into()), "."),
        }
    }
    name.extend_from_slice(if address.is_ipv4() { b"in-addr.arpa" } else { b"ip6.arpa" });
    let text = Input::open(b"/etc/resolv.conf").and_then(|mut file| file.read_to_end()).unwrap_or_default();
    match ask(&Servers::parse(&text).addresses, &name, TYPE_PTR) {
        Some(Answer::Name(name)) => Some(name),
        _ => None,
    }
}

/// What resolv.conf(5) says: who is asked, and what is put after a name without dots.
#[derive(Default)]
struct Servers {
    addresses: Vec<IpAddr>,
    search: Vec<Vec<u8>>,
}

impl Servers {
    fn parse(text: &[u8]) -> Self {
        let mut servers = Self::default();
        for line in text.split(|&byte| byte == b'\n') {
            let mut words = bytes::words(line);
            match words.next() {
                // resolv.conf(5): at most three servers and six domains count.
                Some(b"nameserver") if servers.addresses.len() < 3 => {
                    servers.addresses.extend(words.next().and_then(|word| addr::parse(word).ok()));
                }
                Some(b"search" | b"domain") => servers.search = words.take(6).map(<[u8]>::to_vec).collect(),
                _ => {}
            }
        }
        servers
    }
}

fn ask_servers(host: &[u8], six: Option<bool>) -> Option<IpAddr> {
    let text = Input::open(b"/etc/resolv.conf").and_then(|mut file| file.read_to_end()).unwrap_or_default();
    let servers = Servers::parse(&text);
    let types = match six {
        Some(true) => &[TYPE_AAAA][..],
        Some(false) => &[TYPE_A],
        None => &[TYPE_A, TYPE_AAAA],
    };
    // A name with a dot is tried as it is first (`ndots:1`), one with a dot at its end only so.
    let mut names = vec![host.strip_suffix(b".").unwrap_or(host).to_vec()];
    if !host.ends_with(b".") {
        let longer = servers.search.iter().map(|domain| [host, b".", domain].concat());
        let at = if host.contains(&b'.') { 1 } else { 0 };
        names.splice(at..at, longer);
    }
    let address = |name: &[u8], kind| match ask(&servers.addresses, name, kind) {
        Some(Answer::Address(address)) => Some(address),
        _ => None,
    };
    names.iter().find_map(|name| types.iter().find_map(|&kind| address(name, kind)))
}

/// Asks each server for one record, twice round.
fn ask(servers: &[IpAddr], name: &[u8], kind: u16) -> Option<Answer> {
    let mut id = [0; 2];
    getrandom(&mut id, GetRandomFlags::empty()).ok()?;
    let query = query(u16::from_be_bytes(id), name, kind)?;
    for _ in 0..2 {
        for &server in servers {
            match exchange(server, &query).map(|answer| read_answer(&answer, &query, kind)) {
                Some(answer @ (Answer::Address(_) | Answer::Name(_))) => return Some(answer),
                // The server knows that there is none: another one knows no better.
                Some(Answer::Nothing) => return None,
                Some(Answer::Unusable) | None => {}
            }
        }
    }
    None
}

fn exchange(server: IpAddr, query: &[u8]) -> Option<Vec<u8>> {
    let family = if server.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()?;
    connect(&socket, &SocketAddr::new(server, 53)).ok()?;
    send(&socket, query, SendFlags::NOSIGNAL).ok()?;
    let mut answer = vec![0; LONGEST];
    // A connected socket only takes what the server sends; another query's late answer is waited past.
    for _ in 0..4 {
        if !wait_readable(crate::sys::AsFd::as_fd(&socket), Some(2500)) {
            return None;
        }
        let (count, _) = recv(&socket, &mut answer[..], RecvFlags::empty()).ok()?;
        if answer[..count].starts_with(&query[..2]) {
            answer.truncate(count);
            return Some(answer);
        }
    }
    None
}

/// RFC 1035 4.1: a header that wishes for recursion, and one question. `None` for a name that no server can know.
fn query(id: u16, name: &[u8], kind: u16) -> Option<Vec<u8>> {
    let mut query = id.to_be_bytes().to_vec();
    query.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split(|&byte| byte == b'.') {
        if label.is_empty() || label.len() > 63 {
            return None;
        }
        query.push(label.len() as u8);
        query.extend_from_slice(label);
    }
    query.extend_from_slice(&[0, (kind >> 8) as u8, kind as u8, 0, 1]);
    // RFC 1035 2.3.4: a name has at most 255 bytes.
    (query.len() <= 12 + 255 + 4).then_some(query)
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Address(IpAddr),
    /// For PTR. Only characters of host names are in it (RFC 952, RFC 1123 2.1), and the underscore.
    Name(Vec<u8>),
    /// The name or the record does not exist.
    Nothing,
    /// No answer to the question, or a server that could not do its work.
    Unusable,
}

fn read_answer(answer: &[u8], query: &[u8], kind: u16) -> Answer {
    let number = |at: usize| Some(u16::from_be_bytes([*answer.get(at)?, *answer.get(at + 1)?]));
    let question = &query[12..];
    let is_answer = answer.len() >= 12 && answer[2] & 0x80 != 0 && number(4) == Some(1);
    if !is_answer || !answer[12..].get(..question.len()).is_some_and(|echo| echo.eq_ignore_ascii_case(question)) {
        return Answer::Unusable;
    }
    match answer[3] & 15 {
        0 => {}
        // RFC 1035 4.1.1: the name does not exist.
        3 => return Answer::Nothing,
        _ => return Answer::Unusable,
    }
    let mut at = 12 + question.len();
    for _ in 0..number(6).unwrap_or(0) {
        let Some(fixed) = skip_name(answer, at) else { return Answer::Nothing };
        // Type, class, time to live, length, data.
        let (Some(found), Some(length)) = (number(fixed), number(fixed + 8)) else { return Answer::Nothing };
        let Some(data) = answer.get(fixed + 10..fixed + 10 + usize::from(length)) else { return Answer::Nothing };
        if found == kind && kind == TYPE_PTR {
            return read_name(answer, fixed + 10).map_or(Answer::Nothing, Answer::Name);
        }
        if found == kind
            && let Some(address) = addr::from_octets(data)
        {
            return Answer::Address(address);
        }
        at = fixed + 10 + data.len();
    }
    Answer::Nothing
}

/// The name at `at`. `None` for one with a character that no host's name has, one that breaks off, or is too long.
fn read_name(answer: &[u8], mut at: usize) -> Option<Vec<u8>> {
    let mut name = Vec::new();
    // A pointer that leads in a circle ends here: each step adds a byte or counts.
    for _ in 0..255 {
        match *answer.get(at)? {
            0 => return (!name.is_empty()).then_some(name),
            length @ 1..=63 => {
                let label = answer.get(at + 1..at + 1 + usize::from(length))?;
                if name.len() + label.len() > 254
                    || !label.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
                {
                    return None;
                }
                if !name.is_empty() {
                    name.push(b'.');
                }
                name.extend_from_slice(label);
                at += 1 + label.len();
            }
            high @ 192.. => at = usize::from(high & 63) << 8 | usize::from(*answer.get(at + 1)?),
            _ => return None,
        }
    }
    None
}

/// Where the name that starts at `at` ends: with an empty label, or with a pointer to the rest (RFC 1035 4.1.4).
fn skip_name(answer: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *answer.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            192.. => return Some(at + 2),
            _ => return None,
        }
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let Some(question) = query(0x1234, b"x.ab", TYPE_A) else { return };
    let whole = [b"\x12\x34\x81\x80\0\x01\0\x09\0\0\0\0", &question[12..], data].concat();
    read_answer(&whole, &question, TYPE_A);
    read_answer(data, &question, TYPE_A);
    read_answer(&whole, &question, TYPE_PTR);
    Servers::parse(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    const A_OF_X: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01x\x02ab\0\0\x01\0\x01";

    fn answer(rest: &[u8]) -> Vec<u8> {
        [b"\x12\x34\x81\x80\0\x01\0\x02\0\0\0\0\x01X\x02ab\0\0\x01\0\x01", rest].concat()
    }

    #[test]
    fn addresses_fit_their_version() {
        assert_eq!(resolve(b"127.0.0.1", None).ok(), Some(IpAddr::from([127, 0, 0, 1])));
        assert_eq!(resolve(b"::1", Some(true)).ok(), Some(IpAddr::V6(core::net::Ipv6Addr::LOCALHOST)));
        assert!(resolve(b"127.0.0.1", Some(true)).is_err());
    }

    #[test]
    fn a_question_has_labels() {
        assert_eq!(query(0x1234, b"x.ab", TYPE_A).as_deref(), Some(A_OF_X));
        for name in [&b""[..], b"a..b", b".a", &[b'x'; 64], &[b"x.".repeat(140), b"x".to_vec()].concat()] {
            assert_eq!(query(1, name, TYPE_A), None);
        }
    }

    #[test]
    fn the_address_may_stand_behind_an_alias() {
        let alias = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x04\x01y\xc0\x0e";
        let address = b"\xc0\x20\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\x02\x0f";
        let whole = answer(&[&alias[..], address].concat());
        assert_eq!(read_answer(&whole, A_OF_X, TYPE_A), Answer::Address(IpAddr::from([10, 0, 2, 15])));
        assert_eq!(read_answer(&answer(alias), A_OF_X, TYPE_A), Answer::Nothing);
        assert_eq!(read_answer(b"\x12\x34", A_OF_X, TYPE_A), Answer::Unusable);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        let mut random = Random::new(1);
        for _ in 0..20_000 {
            let whole = answer(&random.bytes(80));
            read_answer(&whole, A_OF_X, TYPE_A);
            read_answer(&random.bytes(60), A_OF_X, TYPE_A);
            Servers::parse(&random.bytes(60));
        }
    }

    #[test]
    fn servers_and_domains_are_taken() {
        let servers = Servers::parse(b"# x\nnameserver 10.0.2.3\nnameserver fe80\nsearch a.b c\n");
        assert_eq!(servers.addresses, [IpAddr::from([10, 0, 2, 3])]);
        assert_eq!(servers.search, [&b"a.b"[..], b"c"]);
    }
}
