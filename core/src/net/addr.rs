//! Addresses as text: IPv4 (inet_pton(3)), IPv6 (RFC 5952), hardware addresses, prefixes.

use core::net::{IpAddr, Ipv4Addr};

use crate::bytes;
use crate::error::{Error, Result};
use crate::number::{parse_c, parse_decimal};

/// The address that `word` means. The error is `bad address 'WORD'`, in BusyBox's words.
pub fn parse(word: &[u8]) -> Result<IpAddr> {
    let text = str::from_utf8(word).unwrap_or("");
    text.parse().map_err(|_| Error::parts(&[b"bad address '", word, b"'"]))
}

/// An IPv4 address in any form of inet(3): one to four numbers as C writes them, the last of which fills what is left,
/// as in `127.1`. The error is that of `parse`.
pub fn parse_v4(word: &[u8]) -> Result<Ipv4Addr> {
    classic(word).ok_or_else(|| Error::parts(&[b"bad address '", word, b"'"]))
}

fn classic(word: &[u8]) -> Option<Ipv4Addr> {
    let (mut bits, mut left) = (0, 32);
    let mut parts = word.split(|&byte| byte == b'.').peekable();
    while let Some(part) = parts.next() {
        let number = parse_c(part).filter(|_| part.first().is_some_and(u8::is_ascii_digit))?;
        // All but the last are one byte.
        let width = if parts.peek().is_some() { 8 } else { left };
        left = u32::checked_sub(left, width)?;
        if width == 0 || u64::try_from(number).ok()? >> width != 0 {
            return None;
        }
        bits |= number << left;
    }
    Some(Ipv4Addr::from_bits(bits as u32))
}

/// `ADDRESS[/PREFIX]`, the prefix in bits, or for IPv4 a netmask; without one all bits count. `default` is 0/0.
pub fn parse_prefix(word: &[u8]) -> Result<(IpAddr, u8)> {
    let (address, prefix) = match bytes::split_once(word, b'/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (word, None),
    };
    let address = parse(address)?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let invalid = || Error::parts(&[b"bad prefix in '", word, b"'"]);
    let bits = match prefix {
        None => most,
        Some(word) => match parse_decimal(word) {
            Some(bits) => u8::try_from(bits).ok().filter(|bits| *bits <= most).ok_or_else(invalid)?,
            None => mask_bits(parse_v4(word)?).ok_or_else(invalid)?,
        },
    };
    Ok((address, bits))
}

/// The number of leading ones of a netmask; `None` when ones follow a zero.
pub fn mask_bits(mask: Ipv4Addr) -> Option<u8> {
    let bits = mask.to_bits();
    (bits.leading_ones() + bits.trailing_zeros() >= 32).then(|| bits.leading_ones() as u8)
}

/// The netmask of a prefix of 0-32 bits.
pub fn mask(bits: u8) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0))
}

/// The text of an address.
pub fn text(address: IpAddr) -> Vec<u8> {
    crate::text!(address)
}

/// The bytes of an address, 4 or 16, in network order.
pub fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The address of 4 or 16 bytes in network order.
pub fn from_octets(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => Some(IpAddr::from(<[u8; 4]>::try_from(octets).ok()?)),
        16 => Some(IpAddr::from(<[u8; 16]>::try_from(octets).ok()?)),
        _ => None,
    }
}

/// A hardware address as `52:54:00:12:34:56`.
pub fn hardware_text(address: &[u8]) -> Vec<u8> {
    let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
    let pairs: Vec<[u8; 2]> = address.iter().map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    pairs.join(&b':')
}

/// The bytes of an Ethernet address, which has six pairs of digits.
pub fn parse_hardware(word: &[u8]) -> Result<[u8; 6]> {
    parse_pairs(word)
}

/// The bytes of a hardware address of `LENGTH` pairs of hexadecimal digits between colons.
pub fn parse_pairs<const LENGTH: usize>(word: &[u8]) -> Result<[u8; LENGTH]> {
    let pairs: Option<Vec<u8>> = word
        .split(|&byte| byte == b':')
        .map(|pair| crate::number::parse_radix(pair, 16).and_then(|value| u8::try_from(value).ok()))
        .collect();
    let pairs = pairs.and_then(|pairs| <[u8; LENGTH]>::try_from(pairs).ok());
    pairs.ok_or_else(|| Error::parts(&[b"invalid hardware address '", word, b"'"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_bits_or_masks() {
        let parse = |word: &str| parse_prefix(word.as_bytes()).ok().map(|(address, bits)| (address.to_string(), bits));
        assert_eq!(parse("10.0.2.15/24"), Some(("10.0.2.15".to_string(), 24)));
        assert_eq!(parse("10.0.0.0/255.0.0.0"), Some(("10.0.0.0".to_string(), 8)));
        assert_eq!(parse("::1"), Some(("::1".to_string(), 128)));
        for word in ["10.0.0.1/33", "10.0.0.0/255.0.255.0", "x", "1.2.3", "::1/129"] {
            assert_eq!(parse(word), None, "{word}");
        }
        assert_eq!(mask(20), Ipv4Addr::new(255, 255, 240, 0));
        assert_eq!(mask(0), Ipv4Addr::new(0, 0, 0, 0));
    }

    #[test]
    fn addresses_of_fewer_parts() {
        let parse = |word: &str| parse_v4(word.as_bytes()).ok().map(|address| address.to_string());
        for (word, address) in [
            ("10.0.2.15", "10.0.2.15"),
            ("127.1", "127.0.0.1"),
            ("1.2.0x304", "1.2.3.4"),
            ("0x7f000001", "127.0.0.1"),
            ("0", "0.0.0.0"),
            ("010.1", "8.0.0.1"),
        ] {
            assert_eq!(parse(word).as_deref(), Some(address), "{word}");
        }
        for word in ["", "1.", ".1", "256.1", "1.2.3.4.5", "4294967296", "-1", "1.-1", "1.2.3.256", " 1", "x"] {
            assert_eq!(parse(word), None, "{word}");
        }
    }

    #[test]
    fn hardware_addresses_have_six_pairs() {
        assert_eq!(parse_hardware(b"52:54:0:12:34:ff").ok(), Some([0x52, 0x54, 0, 0x12, 0x34, 0xff]));
        assert!(parse_hardware(b"52:54:00").is_err());
        assert_eq!(hardware_text(&[0x52, 0, 0xff]), b"52:00:ff");
    }
}
