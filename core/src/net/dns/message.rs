//! Messages of the domain name system (RFC 1035 4): questions are written, replies are read.
//!
//! Nothing here trusts a message: a name has at most 255 bytes, a compression pointer leads backwards, and each record
//! uses up bytes of the message, which bounds their number.

use core::net::IpAddr;

use super::super::addr;
use crate::names;
use crate::names::Names;
use crate::push;
use crate::text::Right;

/// Types of records: RFC 1035 3.2.2 and 3.2.3, RFC 3596, RFC 2782, RFC 3403, RFC 6672, RFC 4255, RFC 4034, RFC 5155,
/// RFC 6698, RFC 9460, RFC 8659.
pub const TYPES: Names = names! {
    "A" = A, "NS" = NS, "CNAME" = CNAME, "SOA" = SOA, "PTR" = PTR, "HINFO" = 13, "MX" = MX, "TXT" = TXT,
    "AAAA" = AAAA, "SRV" = SRV, "NAPTR" = 35, "DNAME" = 39, "OPT" = 41, "DS" = 43, "SSHFP" = 44, "RRSIG" = 46,
    "NSEC" = 47, "DNSKEY" = 48, "NSEC3" = 50, "TLSA" = 52, "SVCB" = 64, "HTTPS" = 65, "SPF" = 99, "AXFR" = 252,
    "ANY" = 255, "CAA" = 257,
};
/// An IPv4 address.
pub const A: u16 = 1;
/// A name server of a zone.
pub const NS: u16 = 2;
/// The canonical name of an alias.
pub const CNAME: u16 = 5;
/// The start of a zone.
pub const SOA: u16 = 6;
/// The name of an address.
pub const PTR: u16 = 12;
/// Who takes mail.
pub const MX: u16 = 15;
/// Strings.
pub const TXT: u16 = 16;
/// An IPv6 address.
pub const AAAA: u16 = 28;
/// Where a service is.
pub const SRV: u16 = 33;

/// Answers without a name or record (RFC 1035 4.1.1): the name does not exist.
pub const NAME_ERROR: u8 = 3;

/// Bytes of a header.
pub const HEADER: usize = 12;
/// RFC 1035 2.3.4: the bytes of a name, with the lengths of its labels.
const LONGEST_NAME: usize = 255;

/// A question with the wish for recursion (RFC 1035 4.1). `None` for a name that no server can know.
pub fn query(id: u16, name: &[u8], kind: u16) -> Option<Vec<u8>> {
    let mut query = id.to_be_bytes().to_vec();
    query.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    push_name(&mut query, name)?;
    query.extend_from_slice(&[(kind >> 8) as u8, kind as u8, 0, 1]);
    Some(query)
}

/// Adds a name without compression; the root is `.` or nothing. `None` when a label or the whole is too long or empty.
pub fn push_name(message: &mut Vec<u8>, name: &[u8]) -> Option<()> {
    let start = message.len();
    let name = name.strip_suffix(b".").unwrap_or(name);
    for label in name.split(|&byte| byte == b'.').filter(|_| !name.is_empty()) {
        if label.is_empty() || label.len() > 63 {
            return None;
        }
        message.push(label.len() as u8);
        message.extend_from_slice(label);
    }
    message.push(0);
    (message.len() - start <= LONGEST_NAME).then_some(())
}

/// The number of 16 bits at an offset.
pub fn number(message: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]))
}

/// The name at an offset as text, and the offset after it. The root is empty.
///
/// Each byte that is no printable character of ASCII is `\DDD`, a dot or backslash inside of a label has a backslash
/// before it (RFC 1035 5.1): the text is safe on a terminal.
pub fn read_name(message: &[u8], mut at: usize) -> Option<(Vec<u8>, usize)> {
    let (mut name, mut length, mut end) = (Vec::new(), 1, None);
    // RFC 1035 4.1.4: a pointer leads to a prior name. One that leads forwards could be a loop.
    let mut lowest = at;
    loop {
        match *message.get(at)? {
            0 => return Some((name, end.unwrap_or(at + 1))),
            count @ 1..=63 => {
                let label = message.get(at + 1..at + 1 + usize::from(count))?;
                length += 1 + label.len();
                if length > LONGEST_NAME {
                    return None;
                }
                if !name.is_empty() {
                    name.push(b'.');
                }
                push_escaped(&mut name, label, b".\\");
                at += 1 + label.len();
            }
            192.. => {
                end = end.or(Some(at + 2));
                at = usize::from(number(message, at)? & 0x3fff);
                if at >= lowest {
                    return None;
                }
                lowest = at;
            }
            _ => return None,
        }
    }
}

/// Adds bytes as printable characters: `\DDD` for others, a backslash before those of `special`.
pub fn push_escaped(text: &mut Vec<u8>, bytes: &[u8], special: &[u8]) {
    for &byte in bytes {
        match byte {
            b'!'..=b'~' if special.contains(&byte) => text.extend_from_slice(&[b'\\', byte]),
            b'!'..=b'~' => text.push(byte),
            b' ' if special.contains(&b'"') => text.push(b' '),
            _ => push!(*text, "\\", Right(byte, 3, b'0')),
        }
    }
}

/// True when `reply` is a reply to `query`: same identifier, same question.
pub fn answers(reply: &[u8], query: &[u8]) -> bool {
    let question = &query[HEADER..];
    // QR is set, the operation is that of the query.
    reply.len() >= HEADER
        && reply[..2] == query[..2]
        && reply[2] & 0xf8 == 0x80
        && number(reply, 4) == Some(1)
        && reply[HEADER..].get(..question.len()).is_some_and(|echo| echo.eq_ignore_ascii_case(question))
}

/// A record of a reply.
#[derive(Debug)]
pub struct Record<'a> {
    /// 0 answer, 1 authority, 2 additional.
    pub section: usize,
    /// Whose it is, as `read_name` gives it.
    pub name: Vec<u8>,
    /// Its type.
    pub kind: u16,
    /// Its class: 1 is the internet.
    pub class: u16,
    /// How long it may be kept.
    pub seconds: u32,
    /// The offset of its data in the message.
    pub at: usize,
    /// Its data.
    pub data: &'a [u8],
}

impl Record<'_> {
    /// The address of an A or AAAA record.
    pub fn address(&self) -> Option<IpAddr> {
        let length = if self.kind == A { 4 } else { 16 };
        addr::from_octets(self.data).filter(|_| matches!(self.kind, A | AAAA) && self.data.len() == length)
    }
}

/// The records of a reply, in order. It ends early at a broken one.
#[derive(Debug)]
pub struct Records<'a> {
    message: &'a [u8],
    at: usize,
    section: usize,
    left: u16,
    /// The message ended within a record, or a record was broken.
    pub is_broken: bool,
}

impl<'a> Records<'a> {
    /// Those after the question of a reply that `answers` has accepted.
    pub fn of(message: &'a [u8], query: &[u8]) -> Self {
        Self { message, at: query.len(), section: 0, left: number(message, 6).unwrap_or(0), is_broken: false }
    }

    fn read(&mut self) -> Option<Record<'a>> {
        let (name, at) = read_name(self.message, self.at)?;
        let fixed = self.message.get(at..at + 10)?;
        let word = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let (kind, class, length) = (word(0), word(2), usize::from(word(8)));
        let seconds = u32::from(word(4)) << 16 | u32::from(word(6));
        let data = self.message.get(at + 10..at + 10 + length)?;
        self.at = at + 10 + length;
        Some(Record { section: self.section, name, kind, class, seconds, at: at + 10, data })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        while self.left == 0 {
            if self.section == 2 {
                return None;
            }
            self.section += 1;
            self.left = number(self.message, 6 + 2 * self.section).unwrap_or(0);
        }
        let record = if self.is_broken { None } else { self.read() };
        self.left -= 1;
        self.is_broken |= record.is_none();
        record
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let Some(question) = query(0x1234, b"x.ab", A) else { return };
    let whole = [b"\x12\x34\x81\x80\0\x01\0\x09\0\x01\0\x01", &question[HEADER..], data].concat();
    for message in [&whole[..], data] {
        if answers(message, &question) {
            for record in Records::of(message, &question) {
                // Only a panic counts.
                let _ = (record.address(), read_name(message, record.at));
            }
        }
    }
    let _ = read_name(data, 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    const A_OF_X: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01x\x02ab\0\0\x01\0\x01";

    fn reply(rest: &[u8]) -> Vec<u8> {
        [b"\x12\x34\x81\x80\0\x01\0\x02\0\0\0\0\x01X\x02ab\0\0\x01\0\x01", rest].concat()
    }

    #[test]
    fn a_question_has_labels() {
        assert_eq!(query(0x1234, b"x.ab", A).as_deref(), Some(A_OF_X));
        assert_eq!(query(0x1234, b"x.ab.", A).as_deref(), Some(A_OF_X));
        assert_eq!(query(1, b".", NS).as_deref(), Some(&b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\0\0\x02\0\x01"[..]));
        for name in [&b"a..b"[..], b".a", &[b'x'; 64], &[&[b'x'; 62], &b"."[..]].concat().repeat(5)] {
            assert_eq!(query(1, name, A), None);
        }
    }

    #[test]
    fn names_are_safe_text() {
        assert_eq!(read_name(b"\x03a.b\x02\x1b\\\0", 0), Some((b"a\\.b.\\027\\\\".to_vec(), 8)));
        assert_eq!(read_name(b"\0", 0), Some((Vec::new(), 1)));
        assert_eq!(read_name(b"\x01x\0\x01y\xc0\0z", 3), Some((b"y.x".to_vec(), 7)));
    }

    #[test]
    fn names_that_loop_or_are_too_long_are_refused() {
        for message in
            [&b"\xc0\0"[..], b"\x01a\xc0\0", b"\xc0\x02\xc0\0", b"\xc0\x02\0", b"\x40", b"\x05ab", b"", b"\xc0"]
        {
            assert_eq!(read_name(message, 0), None, "{message:?}");
        }
        assert_eq!(read_name(b"\x01a\xc0\x02", 2), None);
        let long = [&b"\x3f"[..], &[b'x'; 63]].concat().repeat(4);
        assert_eq!(read_name(&[&long, &b"\0"[..]].concat(), 0), None);
    }

    #[test]
    fn records_follow_the_question() {
        let message =
            reply(b"\xc0\x0c\0\x05\0\x01\0\0\0\x09\0\x02\xc0\x0c\xc0\x0c\0\x01\0\x01\0\0\0\x09\0\x04\x0a\0\0\x05");
        assert!(answers(&message, A_OF_X));
        let records: Vec<Record<'_>> = Records::of(&message, A_OF_X).collect();
        assert_eq!((records.len(), records[0].kind, records[0].seconds), (2, CNAME, 9));
        assert_eq!(records[1].address(), Some(IpAddr::from([10, 0, 0, 5])));
        assert_eq!(read_name(&message, records[0].at), Some((b"X.ab".to_vec(), records[0].at + 2)));
    }

    #[test]
    fn a_reply_to_something_else_is_none() {
        assert!(!answers(A_OF_X, A_OF_X));
        let mut other = reply(b"");
        other[0] = 0x13;
        assert!(!answers(&other, A_OF_X));
        assert!(!answers(&reply(b"")[..20], A_OF_X));
        assert!(!answers(&[], A_OF_X));
    }

    #[test]
    fn a_broken_record_ends_the_reading() {
        let message = reply(b"\xc0\x0c\0\x01\0\x01\0\0\0\x09\0\x05\x0a\0\0\x05");
        let mut records = Records::of(&message, A_OF_X);
        assert!(records.next().is_none() && records.is_broken);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        let mut random = Random::new(21);
        for _ in 0..20_000 {
            let message = reply(&random.bytes(60));
            for record in Records::of(&message, A_OF_X) {
                read_name(&message, record.at);
            }
        }
    }
}
