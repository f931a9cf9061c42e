//! What a server gave, as a script reads it: variables of its environment, named as udhcpc's users know them.

use core::net::Ipv4Addr;

use rbox_core::bytes;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{self, mask_bits, parse_v4};
use rbox_core::number::{parse_decimal, parse_radix};
use rbox_core::prelude::*;
use rbox_core::text;

use super::packet::{Message, SERVER, push_option};

/// How the value of an option is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Addresses,
    Pairs,
    Text,
    Number,
    Domains,
    Routes,
}

/// RFC 2132 and later: the names of the options in the environment, and their codes.
const OPTIONS: Names = names! {
    "subnet" = 1, "timezone" = 2, "router" = 3, "timesrv" = 4, "namesrv" = 5, "dns" = 6, "logsrv" = 7, "lprsrv" = 9, "hostname" = 12, "bootsize" = 13, "domain" = 15, "swapsrv" = 16, "rootpath" = 17, "ipttl" = 23, "mtu" = 26, "broadcast" = 28, "routes" = 33, "nisdomain" = 40, "nissrv" = 41, "ntpsrv" = 42, "wins" = 44, "lease" = 51, "serverid" = 54, "message" = 56, "tftp" = 66, "bootfile" = 67, "search" = 119, "staticroutes" = 121, "msstaticroutes" = 249, "wpad" = 252,
};

/// How the value of a known option is written.
fn form_of(code: u8) -> Form {
    match code {
        33 => Form::Pairs,
        2 | 13 | 23 | 26 | 51 => Form::Number,
        119 => Form::Domains,
        121 | 249 => Form::Routes,
        12 | 15 | 17 | 40 | 56 | 66 | 67 | 252 => Form::Text,
        _ => Form::Addresses,
    }
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
    let bad = || Error::parts(&[b"bad option '", word, b"'"]);
    let (name, text) = bytes::split_once(word, b':').ok_or_else(bad)?;
    let code = option_code(name).ok_or_else(bad)?;
    let form = OPTIONS.number_of(name).map(|code| form_of(code as u8));
    let quoted = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    let value = match (form, quoted) {
        (Some(Form::Text) | None, Some(text)) => text.to_vec(),
        (Some(Form::Text), None) => text.to_vec(),
        (Some(Form::Addresses), _) => {
            let addresses: Result<Vec<[u8; 4]>> = bytes::words(text).map(|word| Ok(parse_v4(word)?.octets())).collect();
            addresses?.concat()
        }
        (Some(Form::Number), _) => {
            let number = parse_decimal(text).and_then(|number| u32::try_from(number).ok()).ok_or_else(bad)?;
            let width = number_width(code);
            let bytes = number.to_be_bytes();
            if bytes[..4 - width].iter().any(|&byte| byte != 0) {
                return Err(bad());
            }
            bytes[4 - width..].to_vec()
        }
        (Some(_), _) => return Err(bad()),
        (None, None) => hex(text).ok_or_else(bad)?,
    };
    let mut option = Vec::new();
    push_option(&mut option, code, &value);
    Ok(option)
}

/// RFC 2132: how many bytes the number of an option has.
fn number_width(code: u8) -> usize {
    match code {
        23 => 1,
        13 | 26 => 2,
        _ => 4,
    }
}

fn hex(text: &[u8]) -> Option<Vec<u8>> {
    text.chunks(2)
        .map(|pair| if pair.len() == 2 { parse_radix(pair, 16).map(|value| value as u8) } else { None })
        .collect()
}

/// A server's acknowledgement.
#[derive(Debug)]
pub struct Lease(Message);

impl Lease {
    pub fn new(acknowledgement: Message) -> Self {
        Self(acknowledgement)
    }

    /// The address that was given.
    pub fn address(&self) -> Ipv4Addr {
        self.0.your
    }

    pub fn server(&self) -> Option<Ipv4Addr> {
        <[u8; 4]>::try_from(self.0.option(SERVER)?).ok().map(Ipv4Addr::from)
    }

    /// How long it may be held; an hour where the server names no time. Less than four seconds would be a storm.
    pub fn seconds(&self) -> u32 {
        let value = self.0.option(51).and_then(|value| <[u8; 4]>::try_from(value).ok());
        value.map_or(3600, u32::from_be_bytes).clamp(4, 0x7fff_ffff)
    }

    /// The variables of the script's environment, `NAME=value`.
    pub fn vars(&self) -> Vec<Vec<u8>> {
        let mut vars = vec![[b"ip=", &addr::text(self.0.your.into())[..]].concat()];
        let mut add = |name: &str, value: &[u8]| vars.push([name.as_bytes(), b"=", value].concat());
        if !self.0.next_server.is_unspecified() {
            add("siaddr", &text!(self.0.next_server));
        }
        if !self.0.boot_file.is_empty() {
            add("boot_file", &clean(&self.0.boot_file));
        }
        if !self.0.server_name.is_empty() {
            add("sname", &clean(&self.0.server_name));
        }
        for (code, value) in super::packet::options(&self.0.options) {
            let Some(name) = OPTIONS.name_of(code.into()) else { continue };
            if let Some(text) = show(form_of(code), value) {
                add(name, &text);
                if code == 1
                    && let Ok(mask) = <[u8; 4]>::try_from(value)
                    && let Some(bits) = mask_bits(Ipv4Addr::from(mask))
                {
                    add("mask", &text!(bits));
                }
            }
        }
        vars
    }
}

/// Text from outside: what could act on a shell or a terminal that is careless with it becomes an underscore.
fn clean(text: &[u8]) -> Vec<u8> {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:@+ ,=%~".contains(&byte) || byte >= 0x80;
    text.iter().map(|&byte| if safe(byte) { byte } else { b'_' }).collect()
}

/// The value as text; `None` when its length does not fit its form.
fn show(form: Form, value: &[u8]) -> Option<Vec<u8>> {
    let address = |bytes: &[u8]| text!(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]));
    let list = |words: Vec<Vec<u8>>| Some(words.join(&b' '));
    match form {
        Form::Text => Some(clean(value)),
        Form::Number => {
            let number = value.iter().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
            (1..=4).contains(&value.len()).then(|| text!(number))
        }
        Form::Addresses if !value.is_empty() && value.len().is_multiple_of(4) => {
            list(value.chunks(4).map(address).collect())
        }
        Form::Pairs if !value.is_empty() && value.len().is_multiple_of(8) => {
            list(value.chunks(8).map(|pair| text!(address(pair), "/", address(&pair[4..]))).collect())
        }
        Form::Domains => domains(value),
        Form::Routes => routes(value),
        Form::Addresses | Form::Pairs => None,
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
fn domains(value: &[u8]) -> Option<Vec<u8>> {
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
        assert_eq!(show(Form::Addresses, &[10, 0, 2, 2, 10, 0, 2, 3]), Some(b"10.0.2.2 10.0.2.3".to_vec()));
        assert_eq!(show(Form::Addresses, &[10, 0, 2]), None);
        assert_eq!(show(Form::Number, &[0, 1, 0x51, 0x80]), Some(b"86400".to_vec()));
        assert_eq!(show(Form::Text, b"a$(reboot)`x`"), Some(b"a__reboot__x_".to_vec()));
        assert_eq!(show(Form::Routes, &[24, 10, 1, 2, 10, 0, 2, 2]), Some(b"10.1.2.0/24 10.0.2.2".to_vec()));
        assert_eq!(show(Form::Routes, &[33, 10, 1, 2, 10, 0, 2, 2]), None);
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
    }
}
