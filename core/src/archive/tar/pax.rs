//! Records of pax's extended headers, `LENGTH KEY=VALUE` and a newline each (POSIX.1-2024 XCU pax), with those of GNU,
//! star (`SCHILY.`) and libarchive.

use super::super::{Entry, Sparse};
use crate::bytes::{find_byte, split_once};
use crate::codec::base::{Base, Decoder};
use crate::escape::percent_decoded;
use crate::number::{Decimal, parse_decimal};
use crate::time::Moment;

/// The key and the value of a record.
type Record<'a> = (&'a [u8], &'a [u8]);

/// The next record of `rest`, which moves on: its key and value. `None` at the end, an error where there is none.
pub fn next<'a>(rest: &mut &'a [u8]) -> Result<Option<Record<'a>>, ()> {
    if rest.is_empty() {
        return Ok(None);
    }
    let blank = find_byte(b' ', &rest[..rest.len().min(20)]).ok_or(())?;
    let length = parse_decimal(&rest[..blank]).and_then(|length| usize::try_from(length).ok()).ok_or(())?;
    let record = rest.get(blank + 1..length).and_then(|record| record.strip_suffix(b"\n")).ok_or(())?;
    *rest = &rest[length..];
    split_once(record, b'=').map(Some).ok_or(())
}

/// Appends a record; its length counts its own digits.
pub fn push(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + Decimal::new(length as u64).as_bytes().len() != length {
        length = rest + Decimal::new(length as u64).as_bytes().len();
    }
    crate::push!(*out, length, " ", key, "=", value, "\n");
}

/// What the records of one file say about holes, gathered in their order.
#[derive(Default)]
pub struct Holes {
    /// The parts with data, which come in three forms.
    pub parts: Vec<(u64, u64)>,
    /// The length of the file.
    pub size: Option<u64>,
    /// The map is at the start of the data: version 1.0.
    pub is_in_data: bool,
    /// There was one of the records.
    pub any: bool,
}

/// Applies all records to an entry. False where they are damaged; those before are applied.
pub fn apply(mut records: &[u8], entry: &mut Entry, holes: &mut Holes) -> bool {
    loop {
        match next(&mut records) {
            Ok(Some((key, value))) => {
                if !apply_one(key, value, entry, holes) {
                    return false;
                }
            }
            Ok(None) => return true,
            Err(()) => return false,
        }
    }
}

fn apply_one(key: &[u8], value: &[u8], entry: &mut Entry, holes: &mut Holes) -> bool {
    if let Some(key) = key.strip_prefix(b"GNU.sparse.") {
        return apply_sparse(key, value, entry, holes);
    }
    let id = |into: &mut u32| parse_decimal(value).map(|id| *into = u32::try_from(id).unwrap_or(u32::MAX)).is_some();
    let time = || moment(value);
    match key {
        // An empty value takes what an earlier header said away (POSIX XCU pax).
        _ if value.is_empty() && !key.starts_with(b"SCHILY.xattr.") => {}
        b"path" if !holes.any => entry.name = value.to_vec(),
        b"linkpath" => entry.target = value.to_vec(),
        b"uname" => entry.user = value.to_vec(),
        b"gname" => entry.group = value.to_vec(),
        b"uid" => return id(&mut entry.uid),
        b"gid" => return id(&mut entry.gid),
        b"size" => return parse_decimal(value).map(|size| entry.size = size).is_some(),
        b"SCHILY.realsize" => return parse_decimal(value).map(|size| holes.size = Some(size)).is_some(),
        b"mtime" => return time().map(|time| entry.modified = time).is_some(),
        b"atime" => return time().map(|time| entry.accessed = Some(time)).is_some(),
        b"ctime" => return time().map(|time| entry.changed = Some(time)).is_some(),
        b"RHT.security.selinux" => entry.xattrs.push((b"security.selinux".to_vec(), value.to_vec())),
        _ => {
            if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                set(&mut entry.xattrs, name.to_vec(), value.to_vec());
            } else if let Some(name) = key.strip_prefix(b"LIBARCHIVE.xattr.") {
                let mut content = Vec::new();
                if Decoder::new(Base::Base64, true).decode(value, &mut content).is_err() {
                    return false;
                }
                set(&mut entry.xattrs, percent_decoded(name), content);
            }
        }
    }
    true
}

/// libarchive writes each attribute under both keys.
fn set(xattrs: &mut Vec<(Vec<u8>, Vec<u8>)>, name: Vec<u8>, value: Vec<u8>) {
    xattrs.retain(|(known, _)| *known != name);
    xattrs.push((name, value));
}

/// GNU tar's manual, "Storing Sparse Files": versions 0.0, 0.1 and 1.0.
fn apply_sparse(key: &[u8], value: &[u8], entry: &mut Entry, holes: &mut Holes) -> bool {
    holes.any = true;
    match key {
        b"name" => entry.name = value.to_vec(),
        b"major" => holes.is_in_data = value == b"1",
        b"map" => {
            holes.parts.clear();
            let mut numbers = value.split(|&byte| byte == b',').map(parse_decimal);
            while let Some(offset) = numbers.next() {
                let (Some(offset), Some(Some(length))) = (offset, numbers.next()) else { return false };
                holes.parts.push((offset, length));
            }
        }
        _ => {
            let Some(number) = parse_decimal(value) else { return false };
            match key {
                b"size" | b"realsize" => holes.size = Some(number),
                b"offset" => holes.parts.push((number, 0)),
                b"numbytes" => match holes.parts.last_mut() {
                    Some(part) => part.1 = number,
                    None => return false,
                },
                // The number of parts, which are counted as they come, and the minor version.
                _ => {}
            }
        }
    }
    true
}

impl Holes {
    /// The map, if the records have one.
    pub fn into_sparse(self, size: u64) -> Option<Sparse> {
        let is_sparse = self.any && !self.is_in_data;
        is_sparse.then(|| Sparse { parts: self.parts, size: self.size.unwrap_or(size) })
    }
}

/// Seconds with a sign and a fraction, of which nanoseconds are taken.
pub fn moment(text: &[u8]) -> Option<Moment> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let (whole, fraction) = split_once(digits, b'.').unwrap_or((digits, b""));
    let seconds = i64::try_from(parse_decimal(whole)?).ok()?;
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let nanos = (0..9).fold(0, |nanos, at| nanos * 10 + fraction.get(at).map_or(0, |digit| u32::from(digit - b'0')));
    Some(match (negative, nanos) {
        (false, _) => Moment { seconds, nanos },
        (true, 0) => Moment { seconds: -seconds, nanos },
        // Nanoseconds count upwards from the second before.
        (true, _) => Moment { seconds: -seconds - 1, nanos: 1_000_000_000 - nanos },
    })
}

/// The text of a time: no more digits of its fraction than it needs.
pub fn time_text(time: Moment) -> Vec<u8> {
    let (mut seconds, mut nanos) = (time.seconds, time.nanos);
    let mut text = Vec::new();
    if seconds < 0 && nanos > 0 {
        (seconds, nanos) = (seconds + 1, 1_000_000_000 - nanos);
        if seconds == 0 {
            text.push(b'-');
        }
    }
    crate::push!(text, seconds);
    if nanos > 0 {
        crate::push!(text, ".", crate::text::Right(nanos, 9, b'0'));
        while text.ends_with(b"0") {
            text.pop();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_its_own_digits() {
        let mut out = Vec::new();
        push(&mut out, b"path", b"ab");
        push(&mut out, b"path", &[b'x'; 91]);
        assert_eq!(&out[..11], b"11 path=ab\n");
        assert_eq!(&out[11..15], b"101 ");
        let mut rest = &out[..];
        assert_eq!(next(&mut rest), Ok(Some((&b"path"[..], &b"ab"[..]))));
        assert_eq!(next(&mut rest), Ok(Some((&b"path"[..], &[b'x'; 91][..]))));
        assert_eq!(next(&mut rest), Ok(None));
    }

    #[test]
    fn damaged_records_are_refused() {
        for text in [&b"x"[..], b"5 a=", b"99 a=b\n", b"2 a=b\n", b"6 ab\n\n", b"0 a=b\n"] {
            let mut rest = text;
            assert_eq!(next(&mut rest), Err(()), "{text:?}");
        }
    }

    #[test]
    fn times_keep_their_sign_and_fraction() {
        for text in [&b"1.5"[..], b"0", b"-1", b"-1.5", b"-0.25", b"1796044099.259665723"] {
            assert_eq!(moment(text).map(time_text).as_deref(), Some(text));
        }
        assert_eq!(moment(b"-0.25"), Some(Moment { seconds: -1, nanos: 750_000_000 }));
        assert_eq!(moment(b"1.x"), None);
    }
}
