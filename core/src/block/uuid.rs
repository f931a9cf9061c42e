//! UUIDs (RFC 9562): random ones, and their text.

use super::push_hex;
use crate::error::{Error, Result};
use crate::number::parse_radix;
use crate::sys::rand::{GetRandomFlags, getrandom};

/// The 16 bytes of a UUID as text: `01234567-89ab-...`, in the order in which they are.
pub fn uuid_text(uuid: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(36);
    for (at, byte) in uuid.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push(b'-');
        }
        push_hex(&mut text, *byte, b"0123456789abcdef");
    }
    text
}

/// RFC 9562 5.4: random but for the version, 4, and the variant.
pub fn random_uuid() -> Result<[u8; 16]> {
    let mut uuid = [0; 16];
    getrandom(&mut uuid, GetRandomFlags::empty()).map_err(|errno| Error::on("getrandom", errno))?;
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    Ok(uuid)
}

/// The bytes of a UUID's text. The error is `invalid uuid: 'WORD'`.
pub fn parse_uuid(word: &[u8]) -> Result<[u8; 16]> {
    let parse = || {
        let digits: Vec<u8> = word.iter().copied().filter(|byte| *byte != b'-').collect();
        if word.len() != 36 || digits.len() != 32 || [8, 13, 18, 23].iter().any(|at| word[*at] != b'-') {
            return None;
        }
        let mut uuid = [0; 16];
        for (byte, pair) in uuid.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = parse_radix(pair, 16)? as u8;
        }
        Some(uuid)
    };
    parse().ok_or_else(|| Error::parts(&[b"invalid uuid: '", word, b"'"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_five_groups() {
        let bytes: Vec<u8> = (0..16).collect();
        assert_eq!(uuid_text(&bytes), b"00010203-0405-0607-0809-0a0b0c0d0e0f");
        let uuid = parse_uuid(b"01234567-89ab-cdef-0011-223344556677").ok();
        assert_eq!(uuid, Some(*b"\x01\x23\x45\x67\x89\xab\xcd\xef\0\x11\x22\x33\x44\x55\x66\x77"));
        for word in [&b"0123456789abcdef0011223344556677"[..], b"01234567-89ab-cdef-0011-22334455667x", b""] {
            assert!(parse_uuid(word).is_err());
        }
    }
}
