//! Packets of DHCP for IPv6 (RFC 8415 8, 21), and what they give.

use core::net::Ipv6Addr;

use rbox_core::bytes;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{self, from_octets};
use rbox_core::number::{parse_decimal, parse_radix};
use rbox_core::prelude::*;
use rbox_core::text;

use super::options::{clean, domains, hexadecimal, labels};

/// Message types (RFC 8415 7.3).
pub const SOLICIT: u8 = 1;
pub const ADVERTISE: u8 = 2;
pub const REQUEST: u8 = 3;
pub const RENEW: u8 = 5;
pub const REBIND: u8 = 6;
pub const REPLY: u8 = 7;
pub const RELEASE: u8 = 8;
pub const INFORMATION: u8 = 11;

/// Options (RFC 8415 21).
pub const CLIENT_ID: u16 = 1;
pub const SERVER_ID: u16 = 2;
pub const ADDRESSES: u16 = 3;
pub const ADDRESS: u16 = 5;
pub const WANTED: u16 = 6;
pub const ELAPSED: u16 = 8;
const STATUS: u16 = 13;
/// RFC 8415 21.14.
pub const RAPID_COMMIT: u16 = 14;
pub const PREFIXES: u16 = 25;
pub const PREFIX: u16 = 26;
/// RFC 8415 21.23: for how many seconds the answer to an information request is good.
pub const REFRESH: u16 = 32;

/// The names of the options in the environment, and their codes.
const OPTIONS: Names = names! {
    "dns" = 23, "search" = 24, "fqdn" = 39, "tz" = 41, "tz_db" = 42, "ntpsrv" = 56, "bootfile_url" = 59,
    "bootfile_param" = 60, "pxeconffile" = 209, "pxepathprefix" = 210,
};
/// What is asked for without -o: dns, search.
pub const DEFAULTS: [u16; 2] = [23, 24];

/// The code of an option by its name or number.
pub fn option_code(word: &[u8]) -> Option<u16> {
    let number = || match word.strip_prefix(b"0x") {
        Some(digits) => parse_radix(digits, 16),
        None => parse_decimal(word),
    };
    u16::try_from(OPTIONS.number_of(word).or_else(number)?).ok().filter(|code| *code > 0)
}

/// Appends an option.
pub fn push_option(options: &mut Vec<u8>, code: u16, value: &[u8]) {
    options.extend_from_slice(&code.to_be_bytes());
    options.extend_from_slice(&(value.len() as u16).to_be_bytes());
    options.extend_from_slice(value);
}

/// The options of a field: code and value. What is cut off ends them.
pub fn options(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    core::iter::from_fn(move || {
        let (head, after) = rest.split_first_chunk::<4>()?;
        let (value, after) = after.split_at_checked(u16::from_be_bytes([head[2], head[3]]).into())?;
        rest = after;
        Some((u16::from_be_bytes([head[0], head[1]]), value))
    })
}

fn find(field: &[u8], wanted: u16) -> Option<&[u8]> {
    options(field).find(|(code, _)| *code == wanted).map(|(_, value)| value)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The option that `NAME:VALUE`, `0xNN:HEX` or `NN:"TEXT"` means, as it is in a packet.
pub fn parse_option(word: &[u8]) -> Result<Vec<u8>> {
    let bad = || Error::parts(&[b"bad option '", word, b"'"]);
    let (name, text) = bytes::split_once(word, b':').ok_or_else(bad)?;
    let code = option_code(name).ok_or_else(|| Error::parts(&[b"unknown option '", name, b"'"]))?;
    let quoted = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    let names = || text.split(|&byte| byte == b',' || byte == b' ').filter(|name| !name.is_empty());
    let value = match (OPTIONS.number_of(name), quoted) {
        (_, Some(text)) => Some(text.to_vec()),
        (Some(23), _) => names()
            .map(|name| addr::parse(name).ok().map(addr::octets))
            .collect::<Option<Vec<_>>>()
            .map(|all| all.concat()),
        (Some(24), _) => names().map(labels).collect::<Option<Vec<_>>>().map(|all| all.concat()),
        // RFC 4704 4.1: flag S, the server updates the AAAA record.
        (Some(39), _) => labels(text).map(|name| [&[1][..], &name].concat()),
        (Some(_), _) => Some(text.to_vec()),
        (None, None) => super::options::hex(text),
    };
    let value = value.filter(|value| value.len() <= 1024).ok_or_else(bad)?;
    let mut option = Vec::new();
    push_option(&mut option, code, &value);
    Ok(option)
}

/// What a server gives: an address or a prefix with its bits, and its lifetimes in seconds, 2^32-1 for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    pub address: Ipv6Addr,
    pub bits: u8,
    pub preferred: u32,
    pub valid: u32,
}

/// A server's answer to this client.
#[derive(Debug, Default)]
pub struct Lease {
    pub server: Vec<u8>,
    pub address: Option<Given>,
    pub prefix: Option<Given>,
    /// Seconds until the server's own answer is asked for again, and until any server's is; 0 when the server leaves it open.
    times: (u32, u32),
    /// The server has given it in its answer to the first message.
    pub is_committed: bool,
    /// The first status that is no success, with its text.
    pub refusal: Option<(u16, Vec<u8>)>,
    options: Vec<u8>,
}

/// RFC 8415 21.13.
const STATUSES: Names = names! {
    "UnspecFail" = 1, "NoAddrsAvail" = 2, "NoBinding" = 3, "NotOnLink" = 4, "UseMulticast" = 5, "NoPrefixAvail" = 6,
};
pub const NO_BINDING: u16 = 3;

/// The name of a status.
pub fn status_name(status: u16) -> &'static str {
    STATUSES.name_of(status.into()).unwrap_or("failure")
}

impl Lease {
    /// Reads an answer of that type to the client `id`; `None` when it is none (RFC 8415 16).
    pub fn parse(packet: &[u8], kind: u8, xid: [u8; 3], id: &[u8], association: [u8; 4]) -> Option<Self> {
        let (head, field) = packet.split_first_chunk::<4>()?;
        if head[0] != kind || head[1..] != xid || find(field, CLIENT_ID) != Some(id) {
            return None;
        }
        let server = find(field, SERVER_ID).filter(|server| !server.is_empty())?.to_vec();
        let mut lease = Self { server, options: field.to_vec(), ..Self::default() };
        lease.is_committed = kind == REPLY && find(field, RAPID_COMMIT).is_some();
        lease.note_status(field);
        for (code, value) in options(field) {
            // Identifier, two times, options.
            if !matches!(code, ADDRESSES | PREFIXES) || value.len() < 12 || value[..4] != association {
                continue;
            }
            lease.note_status(&value[12..]);
            let given = options(&value[12..]).find_map(|(inner, value)| given(code, inner, value));
            let Some(given) = given else { continue };
            let field = if code == ADDRESSES { &mut lease.address } else { &mut lease.prefix };
            *field = Some(given);
            // RFC 8415 14.2: where there are several, the earliest.
            let (renew, rebind) = (word(value, 4)?, word(value, 8)?);
            let least = |old: u32, new: u32| if old == 0 || new != 0 && new < old { new } else { old };
            lease.times = (least(lease.times.0, renew), least(lease.times.1, rebind));
        }
        Some(lease)
    }

    fn note_status(&mut self, field: &[u8]) {
        let status = find(field, STATUS).and_then(|value| value.split_first_chunk::<2>());
        if let Some((code, text)) = status
            && *code != [0, 0]
            && self.refusal.is_none()
        {
            self.refusal = Some((u16::from_be_bytes(*code), text.to_vec()));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.address.is_none() && self.prefix.is_none()
    }

    /// When to renew, to rebind and to end, in seconds. 2^32-1 is never.
    pub fn bounds(&self) -> (u32, u32, u32) {
        let all = || [self.address, self.prefix].into_iter().flatten();
        let preferred = u64::from(all().map(|given| given.preferred).min().unwrap_or(u32::MAX));
        let valid = all().map(|given| given.valid).min().unwrap_or(u32::MAX);
        let part =
            |tenths: u64| if preferred == u64::from(u32::MAX) { u32::MAX } else { (preferred * tenths / 10) as u32 };
        let renew = if self.times.0 == 0 { part(5) } else { self.times.0 };
        let rebind = if self.times.1 == 0 { part(8) } else { self.times.1 };
        // Less than four seconds would be a storm.
        let valid = valid.max(4);
        let rebind = rebind.clamp(3, valid);
        (renew.clamp(2, rebind), rebind, valid)
    }

    /// RFC 8415 21.23: a day where the server says nothing, ten minutes at least.
    pub fn refresh(&self) -> u32 {
        find(&self.options, REFRESH).and_then(|value| word(value, 0)).unwrap_or(86_400).max(600)
    }

    /// What of this lease a request names: `code` and what is in it.
    pub fn association(&self, association: [u8; 4]) -> Vec<u8> {
        let mut all = Vec::new();
        if let Some(given) = self.address {
            all.extend_from_slice(&wish(ADDRESSES, association, Some(given)));
        }
        if let Some(given) = self.prefix {
            all.extend_from_slice(&wish(PREFIXES, association, Some(given)));
        }
        all
    }

    /// The variables of the script's environment, `NAME=value`.
    pub fn vars(&self) -> Vec<Vec<u8>> {
        let mut vars = Vec::new();
        if let Some(given) = self.address {
            vars.push(text!("ipv6=", given.address));
            vars.push(text!("lease=", given.valid));
        }
        if let Some(given) = self.prefix {
            vars.push(text!("ipv6prefix=", given.address, "/", given.bits));
            vars.push(text!("ipv6prefix_lease=", given.valid));
            if self.address.is_none() {
                vars.push(text!("lease=", given.valid));
            }
        }
        for (code, value) in options(&self.options).filter(|(code, _)| !matches!(*code, ADDRESSES | PREFIXES)) {
            match OPTIONS.name_of(code.into()) {
                Some(name) => vars.extend(show(code, value).map(|value| text!(name, "=", value))),
                None => vars.push(text!("opt", code, "=", hexadecimal(value))),
            }
        }
        vars
    }
}

/// An address or a prefix within its association; `None` for one whose lifetime is over or wrong (RFC 8415 21.6, 21.22).
fn given(association: u16, code: u16, value: &[u8]) -> Option<Given> {
    let (times, bits, octets) = match (association, code) {
        (ADDRESSES, ADDRESS) => (16, 128, value.get(..16)?),
        (PREFIXES, PREFIX) => (0, *value.get(8)?, value.get(9..25)?),
        _ => return None,
    };
    let address = Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?);
    let (preferred, valid) = (word(value, times)?, word(value, times + 4)?);
    (valid > 0 && preferred <= valid && bits <= 128).then_some(Given { address, bits, preferred, valid })
}

/// An association of addresses or prefixes, and what is wanted in it.
pub fn wish(code: u16, association: [u8; 4], given: Option<Given>) -> Vec<u8> {
    let mut value = [&association[..], &[0; 8]].concat();
    if let Some(given) = given {
        let times = [given.preferred.to_be_bytes(), given.valid.to_be_bytes()].concat();
        let octets = given.address.octets();
        match code {
            ADDRESSES => push_option(&mut value, ADDRESS, &[&octets[..], &times].concat()),
            _ => push_option(&mut value, PREFIX, &[&times[..], &[given.bits], &octets].concat()),
        }
    }
    let mut option = Vec::new();
    push_option(&mut option, code, &value);
    option
}

/// The value of a known option as text; `None` when it is malformed.
fn show(code: u16, value: &[u8]) -> Option<Vec<u8>> {
    match code {
        23 if !value.is_empty() && value.len().is_multiple_of(16) => {
            let all: Vec<Vec<u8>> = value.chunks(16).filter_map(from_octets).map(addr::text).collect();
            Some(all.join(&b' '))
        }
        24 => domains(value),
        39 => domains(value.get(1..)?),
        // RFC 5908 4: an address, a multicast address, or a name.
        56 => {
            let servers = options(value)
                .map(|(code, value)| if code == 3 { domains(value) } else { from_octets(value).map(addr::text) });
            Some(servers.collect::<Option<Vec<Vec<u8>>>>()?.join(&b' '))
        }
        // RFC 5970 3.2: each with its length.
        60 => {
            let (mut words, mut rest) = (Vec::new(), value);
            while let Some((length, after)) = rest.split_first_chunk::<2>() {
                let (word, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
                words.push(clean(word));
                rest = after;
            }
            Some(words.join(&b' '))
        }
        23 => None,
        _ => Some(clean(value)),
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    // Of options alone, and of whole packets.
    let mut packet = vec![REPLY, 1, 2, 3, 0, 1, 0, 1, 9, 0, 2, 0, 1, 8];
    packet.extend_from_slice(data);
    if let Some(lease) = Lease::parse(&packet, REPLY, [1, 2, 3], &[9], [0; 4]) {
        assert!(lease.vars().iter().all(|word| !word.contains(&0)));
        let (renew, rebind, end) = lease.bounds();
        assert!(renew <= rebind && rebind <= end && lease.refresh() >= 600);
    }
    // Only a panic counts.
    let _ = (Lease::parse(data, REPLY, [0; 3], &[], [0; 4]), parse_option(data));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut packet = vec![REPLY, 1, 2, 3];
        for (code, value) in [(CLIENT_ID, &b"me"[..]), (SERVER_ID, b"you")].iter().chain(options) {
            push_option(&mut packet, *code, value);
        }
        packet
    }

    fn parse(packet: &[u8]) -> Option<Lease> {
        Lease::parse(packet, REPLY, [1, 2, 3], b"me", [0, 0, 0, 7])
    }

    const GIVEN: Given =
        Given { address: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 5), bits: 128, preferred: 100, valid: 200 };

    #[test]
    fn an_address_and_its_times_are_read_back() {
        let packet = [reply(&[]), wish(ADDRESSES, [0, 0, 0, 7], Some(GIVEN))].concat();
        let lease = parse(&packet).expect("a whole reply");
        assert_eq!((lease.address, lease.bounds()), (Some(GIVEN), (50, 80, 200)));
        assert!(lease.vars().contains(&b"ipv6=2001:db8::5".to_vec()));
        // Another association's is not this client's.
        let other = [reply(&[]), wish(ADDRESSES, [0, 0, 0, 8], Some(GIVEN))].concat();
        assert!(parse(&other).is_some_and(|lease| lease.is_empty()));
        assert!(Lease::parse(&packet, REPLY, [1, 2, 4], b"me", [0, 0, 0, 7]).is_none());
        assert!(Lease::parse(&packet, REPLY, [1, 2, 3], b"other", [0, 0, 0, 7]).is_none());
        assert!(Lease::parse(&packet, ADVERTISE, [1, 2, 3], b"me", [0, 0, 0, 7]).is_none());
    }

    #[test]
    fn a_prefix_and_a_refusal() {
        let prefix = Given { bits: 56, ..GIVEN };
        let refused = [&[0, 0, 0, 7][..], &[0; 8], &[0, 13, 0, 5, 0, 2], b"all"].concat();
        let packet = [reply(&[(ADDRESSES, &refused)]), wish(PREFIXES, [0, 0, 0, 7], Some(prefix))].concat();
        let lease = parse(&packet).expect("a whole reply");
        assert_eq!((lease.prefix, lease.refusal.clone()), (Some(prefix), Some((2, b"all".to_vec()))));
        assert!(lease.vars().contains(&b"ipv6prefix=2001:db8::5/56".to_vec()));
    }

    #[test]
    fn what_is_wrong_in_lifetimes_is_no_address() {
        let wrong = Given { preferred: 300, ..GIVEN };
        assert!(
            parse(&[reply(&[]), wish(ADDRESSES, [0, 0, 0, 7], Some(wrong))].concat())
                .is_some_and(|lease| lease.is_empty())
        );
    }

    #[test]
    fn options_have_their_forms() {
        assert_eq!(show(23, &[0; 15]), None);
        assert_eq!(show(24, b"\x01a\x01b\x00\x01c\x00"), Some(b"a.b c".to_vec()));
        assert_eq!(show(39, b"\x01\x03box\x00"), Some(b"box".to_vec()));
        assert_eq!(show(60, b"\x00\x02ab\x00\x01c"), Some(b"ab c".to_vec()));
        assert_eq!(show(60, b"\x00\x09ab"), None);
        assert_eq!(show(56, &[0, 3, 0, 3, 1, b'a', 0]), Some(b"a".to_vec()));
        assert_eq!(parse_option(b"fqdn:a.b").ok(), Some(b"\x00\x27\x00\x06\x01\x01a\x01b\x00".to_vec()));
        assert_eq!(parse_option(b"0x1234:ff").ok(), Some(b"\x12\x34\x00\x01\xff".to_vec()));
        assert!(parse_option(b"dns:x").is_err() && parse_option(b"no:1").is_err());
        assert_eq!(option_code(b"search"), Some(24));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        let mut random = rbox_core::testing::Random::new(61);
        let whole =
            [reply(&[(23, &[1; 16]), (56, &[0, 1, 0, 2, 3])]), wish(PREFIXES, [0, 0, 0, 7], Some(GIVEN))].concat();
        for _ in 0..20_000 {
            if let Some(lease) = parse(&random.spoil(&whole)) {
                lease.vars();
                lease.bounds();
            }
        }
    }
}
