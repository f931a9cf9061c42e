//! Classifiers: `u32`, `fw` and `matchall`, words to the kernel's structures and back (linux/pkt_cls.h).

use rbox_core::net::addr::{octets, parse_prefix};
use rbox_core::net::netlink::{find, nested, word};
use rbox_core::number::{parse_c, parse_radix};
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::text::{Hex, Right};

use super::kind::{Words, unknown};
use super::units::illegal;
use super::{parse_handle, push_handle};

/// The handle and the value of TCA_OPTIONS of a new filter.
pub fn options(kind: &[u8], handle: Option<&[u8]>, words: &[&[u8]]) -> Result<(u32, Vec<u8>)> {
    let mut words = Words::new(words);
    match kind {
        b"u32" => Ok((handle.map_or(Ok(0), parse_u32_handle)?, u32_options(&mut words)?)),
        b"fw" | b"matchall" => {
            let number = |word: &[u8]| parse_c(word).and_then(|number| u32::try_from(number).ok());
            let handle = handle.map(|word| number(word).ok_or_else(|| illegal(b"handle", word))).transpose()?;
            let mut options = Vec::new();
            while let Some(word) = words.next() {
                match word {
                    // TCA_FW_CLASSID and TCA_MATCHALL_CLASSID.
                    b"classid" | b"flowid" => {
                        let class = parse_handle(words.value()?)?;
                        options.extend_from_slice(&nested(1, &class.to_ne_bytes()));
                    }
                    word => return Err(unknown(kind, word)),
                }
            }
            Ok((handle.unwrap_or(0), options))
        }
        kind => Err(Error::parts(&[b"unknown filter \"", kind, b"\""])),
    }
}

/// `HASHTABLE:[BUCKET]:NODE` in hexadecimal: 12, 8 and 12 bits.
pub fn parse_u32_handle(word: &[u8]) -> Result<u32> {
    let parse = || {
        let mut parts = word.split(|&byte| byte == b':');
        let mut part = |most: u64| match parts.next().unwrap_or_default() {
            b"" => Some(0),
            digits => parse_radix(digits, 16).filter(|number| *number <= most).map(|number| number as u32),
        };
        let (table, bucket, node) = (part(0xfff)?, part(0xff)?, part(0xfff)?);
        parts.next().is_none().then_some(table << 20 | bucket << 12 | node)
    };
    parse().ok_or_else(|| illegal(b"handle", word))
}

/// What struct tc_u32_key compares: value and mask of the 32 bits at an offset, which 4 divides.
struct Key {
    value: u32,
    mask: u32,
    offset: i32,
}

fn u32_options(words: &mut Words<'_>) -> Result<Vec<u8>> {
    let (mut keys, mut options, mut is_terminal, mut has_selector) = (Vec::new(), Vec::new(), false, false);
    while let Some(word) = words.next() {
        match word {
            b"match" => {
                has_selector = true;
                match words.value()? {
                    b"mark" => {
                        let (value, mask) = (words.number(b"mark")?, words.number(b"mark")?);
                        // struct tc_u32_mark: value, mask, hits.
                        options.extend_from_slice(&nested(10, &[value, mask, 0].map(u32::to_ne_bytes).concat()));
                    }
                    name => take_match(&mut keys, name, words)?,
                }
            }
            b"flowid" | b"classid" => {
                options.extend_from_slice(&nested(1, &parse_handle(words.value()?)?.to_ne_bytes()));
                is_terminal = true;
            }
            b"divisor" => options.extend_from_slice(&nested(4, &words.number(word)?.to_ne_bytes())),
            b"ht" => options.extend_from_slice(&nested(2, &parse_u32_handle(words.value()?)?.to_ne_bytes())),
            b"link" => options.extend_from_slice(&nested(3, &parse_u32_handle(words.value()?)?.to_ne_bytes())),
            word => return Err(unknown(b"u32", word)),
        }
    }
    if has_selector {
        // struct tc_u32_sel: flags (TC_U32_TERMINAL), two of what is not used here, the number of keys, and no offsets.
        let mut selector = vec![u8::from(is_terminal), 0, keys.len() as u8];
        selector.resize(16, 0);
        for key in keys {
            selector.extend_from_slice(&key.mask.to_be_bytes());
            selector.extend_from_slice(&(key.value & key.mask).to_be_bytes());
            selector.extend_from_slice(&key.offset.to_ne_bytes());
            selector.extend_from_slice(&[0; 4]);
        }
        options.extend_from_slice(&nested(5, &selector));
    }
    Ok(options)
}

fn take_match(keys: &mut Vec<Key>, name: &[u8], words: &mut Words<'_>) -> Result<()> {
    match name {
        b"ip" | b"ip6" => take_field(keys, name == b"ip6", words),
        b"u8" | b"u16" | b"u32" => {
            let bits = if name == b"u8" {
                8
            } else if name == b"u16" {
                16
            } else {
                32
            };
            let (value, mask) = (hexadecimal(words.value()?)?, hexadecimal(words.value()?)?);
            if words.value()? != b"at" {
                return Err(Error::new("u32: \"at\" is required"));
            }
            let offset = words.number(b"at")?;
            push_key(keys, (value, mask), bits, offset)
        }
        name => Err(unknown(b"u32", name)),
    }
}

/// A field of the header of IPv4 (RFC 791) or IPv6 (RFC 8200), or of what follows it when it has no options.
fn take_field(keys: &mut Vec<Key>, is_v6: bool, words: &mut Words<'_>) -> Result<()> {
    let name = words.value()?;
    let (bits, offset) = match (name, is_v6) {
        (b"src", false) => return take_address(keys, words.value()?, false, 12),
        (b"dst", false) => return take_address(keys, words.value()?, false, 16),
        (b"src", true) => return take_address(keys, words.value()?, true, 8),
        (b"dst", true) => return take_address(keys, words.value()?, true, 24),
        (b"tos" | b"dsfield" | b"precedence", false) => (8, 1),
        (b"ihl", false) => (8, 0),
        (b"protocol", false) => (8, 9),
        (b"protocol", true) => (8, 6),
        (b"sport", false) => (16, 20),
        (b"dport", false) => (16, 22),
        (b"sport", true) => (16, 40),
        (b"dport", true) => (16, 42),
        (b"icmp_type", false) => (8, 20),
        (b"icmp_code", false) => (8, 21),
        (b"icmp_type", true) => (8, 40),
        (b"icmp_code", true) => (8, 41),
        (b"flowlabel", true) => (32, 0),
        (name, _) => return Err(unknown(b"u32", name)),
    };
    let (value, mask) = (words.number(name)?, words.number(name)?);
    push_key(keys, (value, mask), bits, offset)
}

fn hexadecimal(word: &[u8]) -> Result<u32> {
    let digits = word.strip_prefix(b"0x").unwrap_or(word);
    parse_radix(digits, 16).and_then(|number| u32::try_from(number).ok()).ok_or_else(|| illegal(b"match", word))
}

fn take_address(keys: &mut Vec<Key>, word: &[u8], is_v6: bool, offset: u32) -> Result<()> {
    if matches!(word, b"any" | b"default" | b"all") {
        // Every address: a key that compares nothing.
        return push_key(keys, (0, 0), 32, offset);
    }
    let (address, bits) = parse_prefix(word)?;
    if address.is_ipv6() != is_v6 {
        return Err(illegal(if is_v6 { b"ip6" } else { b"ip" }, word));
    }
    let all = octets(address);
    for (at, part) in all.chunks(4).enumerate() {
        let bits = u32::from(bits).saturating_sub(32 * at as u32).min(32);
        if bits > 0 || at == 0 {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            let value = part.iter().fold(0, |value, &byte| value << 8 | u32::from(byte));
            push_key(keys, (value, mask), 32, offset + 4 * at as u32)?;
        }
    }
    Ok(())
}

/// Adds what is compared to the key of its 32 bits, where there is one.
fn push_key(keys: &mut Vec<Key>, (value, mask): (u32, u32), bits: u32, offset: u32) -> Result<()> {
    let width = bits / 8;
    let fits = bits == 32 || value >> bits == 0 && mask >> bits == 0;
    if !offset.is_multiple_of(width) || !fits || offset > 0xffff {
        return Err(Error::new("u32: a value does not fit its field"));
    }
    let shift = 32 - bits - 8 * (offset % 4);
    let (value, mask, offset) = (value << shift, mask << shift, (offset & !3) as i32);
    if let Some(key) = keys.iter_mut().find(|key| key.offset == offset) {
        if key.mask & mask & (key.value ^ value) != 0 {
            return Err(Error::new("u32: two values for one field"));
        }
        (key.value, key.mask) = (key.value | value & mask, key.mask | mask);
        return Ok(());
    }
    if keys.len() >= 128 {
        return Err(Error::new("u32: too many keys"));
    }
    keys.push(Key { value: value & mask, mask, offset });
    Ok(())
}

/// Prints handle and options, after `filter ... KIND chain N`.
pub fn show(out: &mut Vec<u8>, kind: &[u8], handle: u32, options: &[u8]) {
    let class = match kind {
        b"u32" | b"fw" | b"matchall" => find(options, 1).map(word),
        _ => None,
    };
    if kind != b"u32" {
        if handle != 0 {
            push!(*out, "handle 0x", Hex(handle.into()), " ");
        }
        if let Some(class) = class {
            push!(*out, "classid ");
            push_handle(out, class);
            out.push(b' ');
        }
        return;
    }
    if handle != 0 {
        push!(*out, "fh ", Hex(u64::from(handle >> 20)), ":");
        let (bucket, node) = (handle >> 12 & 0xff, handle & 0xfff);
        if bucket != 0 {
            push!(*out, Hex(bucket.into()));
        }
        if handle & 0xf_ffff != 0 {
            push!(*out, ":");
        }
        if node != 0 {
            push!(*out, Hex(node.into()));
        }
        out.push(b' ');
        if node != 0 {
            push!(*out, "order ", node, " ");
        }
    }
    show_selector(out, options, class);
}

fn show_selector(out: &mut Vec<u8>, options: &[u8], class: Option<u32>) {
    let selector = find(options, 5);
    if let Some(divisor) = find(options, 4) {
        push!(*out, "ht divisor ", word(divisor), " ");
    } else if let Some(table) = find(options, 2).map(word) {
        push!(*out, "key ht ", Hex(u64::from(table >> 20)), " bkt ", Hex(u64::from(table >> 12 & 0xff)), " ");
    }
    if let Some(class) = class {
        // TC_U32_TERMINAL.
        let is_terminal = selector.and_then(|selector| selector.first()).is_some_and(|flags| flags & 1 != 0);
        push!(*out, if is_terminal { "*flowid " } else { "flowid " });
        push_handle(out, class);
        out.push(b' ');
    }
    if let Some(link) = find(options, 3).map(word) {
        push!(*out, "link ", Hex(u64::from(link >> 20)), ": ");
    }
    // TCA_CLS_FLAGS_NOT_IN_HW.
    if find(options, 11).map(word).is_some_and(|flags| flags & 8 != 0) {
        push!(*out, "not_in_hw ");
    }
    if let Some(mark) = find(options, 10).filter(|mark| mark.len() >= 8) {
        push!(*out, "\n  mark 0x", Right(hex(word(mark)), 4, b'0'), " 0x", Right(hex(word(&mark[4..])), 4, b'0'), " ");
    }
    let Some(selector) = selector else { return };
    for key in selector.get(16..).unwrap_or_default().chunks_exact(16) {
        let number = |at: usize| u32::from_be_bytes([key[at], key[at + 1], key[at + 2], key[at + 3]]);
        let offset = i64::from(word(&key[8..]) as i32);
        push!(*out, "\n  match ", Right(hex(number(4)), 8, b'0'), "/", Right(hex(number(0)), 8, b'0'), " at ");
        push!(*out, if word(&key[12..]) == 0 { "" } else { "nexthdr+" }, offset);
    }
}

fn hex(number: u32) -> Vec<u8> {
    rbox_core::text!(Hex(number.into()))
}

/// The Ethernet protocols of filters, in host order.
pub fn protocol(word: &[u8]) -> Result<u16> {
    let named = super::PROTOCOLS.number_of(word).map(|number| number as u16);
    let number = || parse_c(word).and_then(|number| u16::try_from(number).ok());
    named.or_else(number).ok_or_else(|| illegal(b"protocol", word))
}

/// What a protocol is called.
pub fn protocol_name(number: u16) -> Vec<u8> {
    super::PROTOCOLS.name_of(number.into()).map_or_else(|| rbox_core::text!("[", number, "]"), |name| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(words: &str) -> String {
        let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        match options(b"u32", None, &words) {
            Err(error) => String::from_utf8_lossy(error.message()).into_owned(),
            Ok((_, options)) => {
                let mut out = Vec::new();
                show(&mut out, b"u32", 0x8000_0801, &options);
                String::from_utf8(out).expect("ASCII")
            }
        }
    }

    #[test]
    fn matches_are_packed_into_words_of_32_bits() {
        let head = "fh 800::801 order 2049 *flowid 1:10 ";
        for (words, expected) in [
            ("match ip sport 22 0xffff match ip dport 80 0xffff flowid 1:10", "\n  match 00160050/ffffffff at 20"),
            (
                "match ip6 dst 2001:db8::/48 flowid 1:10",
                "\n  match 20010db8/ffffffff at 24\n  match 00000000/ffff0000 at 28",
            ),
            (
                "match u8 0x5 0xff at 9 match ip tos 0x10 0xf0 flowid 1:10",
                "\n  match 00050000/00ff0000 at 8\n  match 00100000/00f00000 at 0",
            ),
            (
                "match mark 5 0xff match ip src any flowid 1:10",
                "\n  mark 0x0005 0x00ff \n  match 00000000/00000000 at 12",
            ),
        ] {
            assert_eq!(made(words), [head, expected].concat(), "{words}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (words, expected) in [
            ("match ip dport 65536 0xffff", "u32: a value does not fit its field"),
            ("match u16 1 1 at 3", "u32: a value does not fit its field"),
            ("match ip src 2001:db8::1", "illegal value for \"ip\": \"2001:db8::1\""),
            ("match ip tos 1 0xff match ip tos 2 0xff", "u32: two values for one field"),
            ("match ip nosuch 1 1", "u32: unknown argument \"nosuch\""),
            ("match u8 1 1 on", "u32: \"at\" is required"),
            ("foo", "u32: unknown argument \"foo\""),
        ] {
            assert_eq!(made(words), expected, "{words}");
        }
        assert!(parse_u32_handle(b"800::1").is_ok_and(|handle| handle == 0x8000_0001));
        assert!(parse_u32_handle(b"1000:").is_err() && parse_u32_handle(b"1:2:3:4").is_err());
    }
}
