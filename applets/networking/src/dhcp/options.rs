//! The options of DHCP (RFC 2132 and later): their names, and their values as they are written on command lines, in
//! udhcpd.conf and in the environment of scripts.

use core::net::{IpAddr, Ipv4Addr};

use rbox_core::bytes;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{self, parse_prefix, parse_v4};
use rbox_core::number::{parse_c, parse_decimal, parse_radix};
use rbox_core::prelude::*;
use rbox_core::text;

use super::packet::push_option;

/// How the value of an option is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Addresses,
    Pairs,
    Text,
    /// Numbers of so many bytes.
    Number(usize),
    /// Of 32 bits, with a sign.
    Signed,
    Domains,
    Routes,
    /// RFC 3361: names or addresses, as the first byte says.
    Servers,
    /// RFC 5969 7.1.1.
    Rapid,
}

/// RFC 2132 and later: the names of the options in the environment, and their codes.
const OPTIONS: Names = names! {
    "subnet" = 1, "timezone" = 2, "router" = 3, "timesrv" = 4, "namesrv" = 5, "dns" = 6, "logsrv" = 7, "lprsrv" = 9, "hostname" = 12, "bootsize" = 13, "domain" = 15, "swapsrv" = 16, "rootpath" = 17, "ipttl" = 23, "mtu" = 26, "broadcast" = 28, "routes" = 33, "nisdomain" = 40, "nissrv" = 41, "ntpsrv" = 42, "wins" = 44, "lease" = 51, "serverid" = 54, "message" = 56, "vendor" = 60, "tftp" = 66, "bootfile" = 67, "tzstr" = 100, "tzdbstr" = 101, "search" = 119, "sipsrv" = 120, "staticroutes" = 121, "vlanid" = 132, "vlanpriority" = 133, "pxeconffile" = 209, "pxepathprefix" = 210, "reboottime" = 211, "ip6rd" = 212, "msstaticroutes" = 249, "wpad" = 252,
};

/// How the value of a known option is written.
fn form_of(code: u8) -> Form {
    match code {
        33 => Form::Pairs,
        2 => Form::Signed,
        23 | 133 => Form::Number(1),
        13 | 26 | 132 => Form::Number(2),
        51 | 211 => Form::Number(4),
        119 => Form::Domains,
        120 => Form::Servers,
        121 | 249 => Form::Routes,
        212 => Form::Rapid,
        12 | 15 | 17 | 40 | 56 | 60 | 66 | 67 | 100 | 101 | 209 | 210 | 252 => Form::Text,
        _ => Form::Addresses,
    }
}

/// The name of a known option.
pub fn name_of(code: u8) -> Option<&'static str> {
    OPTIONS.name_of(code.into())
}

/// What is asked for without -o: subnet, router, dns, hostname, domain, broadcast, ntpsrv, static routes.
pub const DEFAULTS: [u8; 8] = [1, 3, 6, 12, 15, 28, 42, 121];

/// The code of an option by its name or number.
pub fn option_code(word: &[u8]) -> Option<u8> {
    let named = OPTIONS.number_of(word).map(|code| code as u8);
    named.or_else(|| u8::try_from(number(word)?).ok().filter(|code| (1..=254).contains(code)))
}

fn number(word: &[u8]) -> Option<u64> {
    match word.strip_prefix(b"0x") {
        Some(digits) => parse_radix(digits, 16),
        None => parse_decimal(word),
    }
}

/// The option that `NAME:VALUE` or `0xNN:HEX` means, as it is in a packet.
pub fn parse_option(word: &[u8]) -> Result<Vec<u8>> {
    let (name, text) = bytes::split_once(word, b':').ok_or_else(|| bad(word))?;
    let (code, value) = parse_value(name, text)?;
    let mut option = Vec::new();
    push_option(&mut option, code, &value);
    Ok(option)
}

fn bad(word: &[u8]) -> Error {
    Error::parts(&[b"bad option '", word, b"'"])
}

/// The code and the value of an option that is given by its name or number; one without a name has hexadecimal digits.
pub fn parse_value(name: &[u8], text: &[u8]) -> Result<(u8, Vec<u8>)> {
    let code = option_code(name).ok_or_else(|| Error::parts(&[b"unknown option '", name, b"'"]))?;
    let quoted = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    let value = match (OPTIONS.number_of(name).map(|code| form_of(code as u8)), quoted) {
        (Some(Form::Text) | None, Some(text)) => Some(text.to_vec()),
        (Some(form), _) => encode(form, text),
        (None, None) => hex(text),
    };
    // No value of this protocol is longer than a packet.
    match value.filter(|value| !value.is_empty() && value.len() <= 1024) {
        Some(value) => Ok((code, value)),
        None => Err(bad(text)),
    }
}

fn encode(form: Form, text: &[u8]) -> Option<Vec<u8>> {
    let separators = |&byte: &u8| byte == b',' || byte == b'/' && form == Form::Pairs || byte.is_ascii_whitespace();
    let words = || text.split(separators).filter(|word| !word.is_empty());
    let addresses = || words().map(|word| Some(parse_v4(word).ok()?.octets())).collect::<Option<Vec<[u8; 4]>>>();
    Some(match form {
        Form::Text => text.to_vec(),
        Form::Addresses => addresses()?.concat(),
        Form::Pairs => addresses().filter(|all| all.len().is_multiple_of(2))?.concat(),
        Form::Number(width) => {
            let number = u32::try_from(parse_decimal(text)?).ok()?.to_be_bytes();
            let (lead, value) = number.split_at(4 - width);
            lead.iter().all(|&byte| byte == 0).then(|| value.to_vec())?
        }
        Form::Signed => i32::try_from(parse_c(text)?).ok()?.to_be_bytes().to_vec(),
        Form::Domains => words().map(labels).collect::<Option<Vec<Vec<u8>>>>()?.concat(),
        Form::Servers => match addresses() {
            Some(all) => [&[1][..], &all.concat()].concat(),
            None => [&[0][..], &encode(Form::Domains, text)?].concat(),
        },
        Form::Routes => encode_routes(words())?,
        Form::Rapid => encode_rapid(words())?,
    })
}

/// RFC 1035 3.1: each label after its length, 0 at the end.
pub fn labels(name: &[u8]) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    for label in name.strip_suffix(b".").unwrap_or(name).split(|&byte| byte == b'.') {
        value.push(u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?);
        value.extend_from_slice(label);
    }
    value.push(0);
    (value.len() <= 255).then_some(value)
}

/// RFC 3442, from `NETWORK/BITS ROUTER` and again.
fn encode_routes<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    while let Some(network) = words.next() {
        let (IpAddr::V4(to), bits) = parse_prefix(network).ok()? else { return None };
        value.push(bits);
        value.extend_from_slice(&to.octets()[..usize::from(bits.div_ceil(8))]);
        value.extend_from_slice(&parse_v4(words.next()?).ok()?.octets());
    }
    Some(value)
}

/// RFC 5969 7.1.1: bits of the IPv4 mask, bits of the prefix, the prefix, the border relays.
fn encode_rapid<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut bits = |most| words.next().and_then(parse_decimal).filter(|bits| *bits <= most).map(|bits| bits as u8);
    let mut value = vec![bits(32)?, bits(128)?];
    let IpAddr::V6(prefix) = addr::parse(words.next()?).ok()? else { return None };
    value.extend_from_slice(&prefix.octets());
    for word in words {
        value.extend_from_slice(&parse_v4(word).ok()?.octets());
    }
    Some(value)
}

pub fn hex(text: &[u8]) -> Option<Vec<u8>> {
    text.chunks(2)
        .map(|pair| if pair.len() == 2 { parse_radix(pair, 16).map(|value| value as u8) } else { None })
        .collect()
}

/// Text from outside, for the environment of a script. Many scripts write such a value into a file that a shell reads, mostly
/// within quotes: what ends a quoted string or acts within one becomes an underscore, and so do control characters, since a
/// newline begins a line of its own in resolv.conf. Everything else stays: a URL may have `?`, `&` and `;`.
pub fn clean(text: &[u8]) -> Vec<u8> {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    let acts = |byte: u8| byte < b' ' || byte == 0x7f || b"\"'`$\\".contains(&byte);
    text.iter().map(|&byte| if acts(byte) { b'_' } else { byte }).collect()
}

/// The digits of a value that has no name.
pub fn hexadecimal(value: &[u8]) -> Vec<u8> {
    addr::hardware_text(value).into_iter().filter(|&byte| byte != b':').collect()
}

/// The value of a known option as text; `None` when its length does not fit its form.
pub fn show(code: u8, value: &[u8]) -> Option<Vec<u8>> {
    show_as(form_of(code), value)
}

fn show_as(form: Form, value: &[u8]) -> Option<Vec<u8>> {
    let address = |bytes: &[u8]| text!(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]));
    let list = |words: Vec<Vec<u8>>| Some(words.join(&b' '));
    match form {
        Form::Text => Some(clean(value)),
        Form::Number(width) if !value.is_empty() && value.len().is_multiple_of(width) => {
            let number = |bytes: &[u8]| bytes.iter().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
            list(value.chunks(width).map(|bytes| text!(number(bytes))).collect())
        }
        Form::Signed => Some(text!(i64::from(i32::from_be_bytes(value.try_into().ok()?)))),
        Form::Addresses if !value.is_empty() && value.len().is_multiple_of(4) => {
            list(value.chunks(4).map(address).collect())
        }
        Form::Pairs if !value.is_empty() && value.len().is_multiple_of(8) => {
            list(value.chunks(8).map(|pair| text!(address(pair), "/", address(&pair[4..]))).collect())
        }
        Form::Domains => domains(value),
        Form::Servers => match value.split_first()? {
            (0, names) => domains(names),
            (1, addresses) => show_as(Form::Addresses, addresses),
            _ => None,
        },
        Form::Routes => routes(value),
        Form::Rapid => {
            let (fixed, relays) = value.split_at_checked(18)?;
            let prefix = addr::from_octets(&fixed[2..])?;
            Some(text!(fixed[0], " ", fixed[1], " ", prefix, " ", show_as(Form::Addresses, relays)?))
        }
        Form::Addresses | Form::Pairs | Form::Number(_) => None,
    }
}

/// RFC 3442: width, as many bytes of the destination as count, router.
fn routes(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut words = Vec::new();
    while let Some((&width, after)) = rest.split_first() {
        let bytes = usize::from(width.div_ceil(8));
        if width > 32 || after.len() < bytes + 4 {
            return None;
        }
        let mut to = [0; 4];
        to[..bytes].copy_from_slice(&after[..bytes]);
        let router = <[u8; 4]>::try_from(&after[bytes..bytes + 4]).ok()?;
        words.push(text!(Ipv4Addr::from(to), "/", width, " ", Ipv4Addr::from(router)));
        rest = &after[bytes + 4..];
    }
    Some(words.join(&b' '))
}

/// RFC 3397: names of labels with the pointers of RFC 1035 4.1.4, which may only lead backwards.
pub fn domains(value: &[u8]) -> Option<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut start = 0;
    while start < value.len() {
        let mut labels: Vec<Vec<u8>> = Vec::new();
        let (mut at, mut end, mut limit) = (start, None, start + 1);
        loop {
            match *value.get(at)? {
                0 => break,
                length @ 1..=63 => {
                    labels.push(clean(value.get(at + 1..at + 1 + usize::from(length))?));
                    at += 1 + usize::from(length);
                }
                high @ 192.. => {
                    let target = usize::from(high & 63) << 8 | usize::from(*value.get(at + 1)?);
                    end.get_or_insert(at + 2);
                    if target >= limit {
                        return None;
                    }
                    (at, limit) = (target, target);
                }
                _ => return None,
            }
            if labels.len() > 127 {
                return None;
            }
        }
        start = end.unwrap_or(at + 1);
        names.push(labels.join(&b'.'));
    }
    Some(names.join(&b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_by_their_form() {
        assert_eq!(show_as(Form::Addresses, &[10, 0, 2, 2, 10, 0, 2, 3]), Some(b"10.0.2.2 10.0.2.3".to_vec()));
        assert_eq!(show_as(Form::Addresses, &[10, 0, 2]), None);
        assert_eq!(show_as(Form::Number(4), &[0, 1, 0x51, 0x80]), Some(b"86400".to_vec()));
        assert_eq!(show_as(Form::Text, b"a$(reboot)`x`"), Some(b"a_(reboot)_x_".to_vec()));
        assert_eq!(show_as(Form::Routes, &[24, 10, 1, 2, 10, 0, 2, 2]), Some(b"10.1.2.0/24 10.0.2.2".to_vec()));
        assert_eq!(show_as(Form::Routes, &[33, 10, 1, 2, 10, 0, 2, 2]), None);
    }

    #[test]
    fn domains_follow_pointers_backwards_only() {
        assert_eq!(
            domains(b"\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04"),
            Some(b"eng.apple.com marketing.apple.com".to_vec())
        );
        assert_eq!(domains(b"\xc0\x00"), None);
        assert_eq!(domains(b"\x01a\xc0\x00"), None);
        assert_eq!(domains(b"\x05ab"), None);
    }

    #[test]
    fn options_of_the_command_line() {
        assert_eq!(parse_option(b"hostname:box").ok(), Some(b"\x0c\x03box".to_vec()));
        assert_eq!(parse_option(b"0x3d:01ff").ok(), Some(vec![61, 2, 1, 255]));
        assert_eq!(parse_option(b"lease:3600").ok(), Some(vec![51, 4, 0, 0, 14, 16]));
        assert_eq!(parse_option(b"mtu:1500").ok(), Some(vec![26, 2, 5, 220]));
        assert_eq!(parse_option(b"14:\"dump\"").ok(), Some(b"\x0e\x04dump".to_vec()));
        assert!(parse_option(b"mtu:70000").is_err() && parse_option(b"lease:x").is_err());
        assert!(parse_option(b"0x3d:0").is_err());
        assert!(parse_option(b"nothing").is_err());
        assert_eq!(option_code(b"router"), Some(3));
        assert_eq!(parse_option(b"timezone:-60").ok(), Some(vec![2, 4, 255, 255, 255, 196]));
        assert_eq!(parse_option(b"search:a.b,c").ok(), Some(b"\x77\x08\x01a\x01b\x00\x01c\x00".to_vec()));
        assert!(parse_option(b"search:a..b").is_err());
        let routes = parse_option(b"staticroutes:10.9.0.0/16 10.0.0.7, 0.0.0.0/0 10.0.0.8").ok();
        assert_eq!(routes, Some(vec![121, 12, 16, 10, 9, 10, 0, 0, 7, 0, 10, 0, 0, 8]));
        assert_eq!(parse_option(b"sipsrv:10.0.0.1").ok(), Some(vec![120, 5, 1, 10, 0, 0, 1]));
        assert_eq!(parse_option(b"sipsrv:a").ok(), Some(vec![120, 4, 0, 1, b'a', 0]));
    }

    #[test]
    fn rapid_deployment_is_read_and_written() {
        let (code, value) = parse_value(b"ip6rd", b"8 32 2001:db8:: 10.0.0.1 10.0.0.2").expect("an option");
        assert_eq!(show(code, &value), Some(b"8 32 2001:db8:: 10.0.0.1 10.0.0.2".to_vec()));
        assert_eq!(show(code, &value[..17]), None);
    }
}
