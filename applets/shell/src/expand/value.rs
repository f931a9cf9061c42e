//! What an expansion makes of a parameter's value: trimmed, sliced, replaced, in another case.

use super::pattern::{self, Flags};
use crate::syntax::copied::Copied;
use rbox_core::unicode;

/// How many characters a text has.
pub fn characters(text: &[u8], utf8: bool) -> usize {
    if !utf8 {
        return text.len();
    }
    let (mut at, mut count) = (0, 0);
    while at < text.len() {
        at += pattern::width(&text[at..], utf8);
        count += 1;
    }
    count
}

/// The byte offset of the character with that number.
fn offset_of(text: &[u8], number: usize, utf8: bool) -> usize {
    let mut at = 0;
    for _ in 0..number {
        if at >= text.len() {
            break;
        }
        at += pattern::width(&text[at..], utf8);
    }
    at
}

/// `${x#pattern}`, `##`, `%` and `%%`: the value without the prefix or suffix that matches.
pub fn trim(mut value: Vec<u8>, wanted: &[u8], suffix: bool, longest: bool, flags: Flags) -> Vec<u8> {
    if suffix {
        if let Some(start) = pattern::suffix(wanted, &value, longest, flags) {
            value.truncate(start);
        }
    } else if let Some(end) = pattern::prefix(wanted, &value, longest, flags) {
        value.drain(..end);
    }
    value
}

/// `${x:offset:length}`, in characters; what is negative counts from the end.
pub fn slice(value: &[u8], offset: i64, length: Option<i64>, utf8: bool) -> Vec<u8> {
    let count = characters(value, utf8) as i64;
    let start = if offset < 0 { count + offset } else { offset };
    if start < 0 || start > count {
        return Vec::new();
    }
    let end = match length {
        None => count,
        Some(length) if length < 0 => count + length,
        Some(length) => start.saturating_add(length).min(count),
    };
    if end <= start {
        return Vec::new();
    }
    value[offset_of(value, start as usize, utf8)..offset_of(value, end as usize, utf8)].copied()
}

/// `how`: the anchor, and whether all are replaced.
pub fn replace(value: &[u8], wanted: &[u8], text: &[u8], how: (u8, bool), flags: Flags) -> Vec<u8> {
    match how.0 {
        b'#' => match pattern::prefix(wanted, value, true, flags) {
            Some(end) => [text, &value[end..]].concat(),
            None => value.to_vec(),
        },
        b'%' => match pattern::suffix(wanted, value, true, flags) {
            Some(start) => [&value[..start], text].concat(),
            None => value.to_vec(),
        },
        _ => replace_inside(value, wanted, text, how.1, flags),
    }
}

fn replace_inside(value: &[u8], wanted: &[u8], text: &[u8], all: bool, flags: Flags) -> Vec<u8> {
    if value.is_empty() && !wanted.is_empty() && pattern::matches(wanted, value, flags) {
        return text.copied();
    }
    let mut out = Vec::new();
    let mut at = 0;
    while at < value.len() && !wanted.is_empty() {
        match pattern::prefix(wanted, &value[at..], true, flags) {
            Some(length) if length > 0 => {
                out.extend_from_slice(text);
                at += length;
                if !all {
                    break;
                }
            }
            _ => {
                let width = pattern::width(&value[at..], flags.has(Flags::UTF8));
                out.extend_from_slice(&value[at..at + width]);
                at += width;
            }
        }
    }
    out.extend_from_slice(&value[at..]);
    out
}

/// `${x^}`, `${x,}` and `${x~}`: the characters that match, or only the first, in the other case.
pub fn change_case(value: &[u8], kind: u8, all: bool, wanted: &[u8], flags: Flags) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut at = 0;
    while at < value.len() {
        let width = pattern::width(&value[at..], flags.has(Flags::UTF8));
        let character = &value[at..at + width];
        let is_wanted = (all || at == 0) && pattern::matches(wanted, character, flags);
        match is_wanted.then(|| swapped(character, kind, flags)).flatten() {
            Some(swapped) => out.extend_from_slice(swapped.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.extend_from_slice(character),
        }
        at += width;
    }
    out
}

/// The other case of a character, unless it has the wanted one already.
fn swapped(character: &[u8], kind: u8, flags: Flags) -> Option<char> {
    let old = pattern::decode(character).filter(|old| *old < 128 || flags.has(Flags::UTF8))?;
    let new = match kind {
        b'^' => unicode::to_upper(old),
        b',' => unicode::to_lower(old),
        _ => unicode::other_case(old),
    };
    char::from_u32(new?)
}
