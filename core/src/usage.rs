//! The usage texts as the program holds them: without the blanks that align their columns, and with one byte for each of
//! their most frequent parts of words.
//!
//! Names of options are not packed: the parser reads them where they are, so that a start unpacks nothing.

use crate::bytes;
use crate::options::{CONTINUED, continues, option_line};

/// What the texts hold as one byte, a slash between two: 128 and the part's index. They are sorted by their first byte, a longer one
/// before a shorter one. No part has a newline or begins with a blank, so that lines begin as they did.
///
/// These are the pairs of byte pair encoding (P. Gage, 1994) on all texts; 128 of them save 53 of 131 KB.
const PARTS: &str = ", or /, /.../: /; /DE/E /FILE/ID/N /OR/Print the /Print /RE/Se/ST/SE/[-/].../] [-/] [/] /are /and /\
    ame /at /as /and/an /at/ar/an/al/ag/ad/ac/ab/a /byt/by /con/com/ch /ct/ch/defaul/di/de/d /es of /\
    each /es /er /ed /ex/et/es/er/en/em/e /for /fil/fi/g /it /is /in /it/in/ic/k /loc/lin/lo/le/l /mo/\
    m /not /no /nam/no/ne/or /on /of /or/on/ol/o /put/pro/p /rint /rit/res/ro/ri/re/standard /s of /st /\
    se /s, /st/si/se/s /that /the /to /tim/ter/th/t /ut /ut/un/um/ver/ve /with /with/wh/w /y /| ";

const PART_BYTES: &[u8] = PARTS.as_bytes();
const COUNT: usize = 128;
/// The byte of the first part; smaller ones are characters.
const CODE: u8 = 128;

/// Where each part starts in `PARTS`, and where one after the last would.
const STARTS: [usize; COUNT + 1] = {
    let mut starts = [PARTS.len() + 1; COUNT + 1];
    let (mut at, mut index) = (1, 1);
    starts[0] = 0;
    while at < PARTS.len() {
        if PART_BYTES[at - 1] == b'/' {
            starts[index] = at;
            index += 1;
        }
        at += 1;
    }
    assert!(index == COUNT);
    starts
};

/// The first part that begins with each character; where none does, the number of parts.
const FIRST: [usize; CODE as usize] = {
    let mut first = [COUNT; CODE as usize];
    let mut index = COUNT;
    while index > 0 {
        index -= 1;
        first[PART_BYTES[STARTS[index]] as usize] = index;
    }
    first
};

/// The byte that holds what `text` has at `at`, and the length of that: the longest part, or else one character.
///
/// It runs when the program is built, for 100,000 bytes, and the compiler limits the loops and calls of that.
const fn packed_at(text: &[u8], at: usize) -> (u8, usize) {
    let end = text.len();
    let mut index = FIRST[text[at] as usize];
    while index < COUNT && PART_BYTES[STARTS[index]] == text[at] {
        let length = STARTS[index + 1] - 1 - STARTS[index];
        let mut same = 1;
        while same < length && at + same < end && text[at + same] == PART_BYTES[STARTS[index] + same] {
            same += 1;
        }
        if same == length {
            return (CODE + index as u8, length);
        }
        index += 1;
    }
    (text[at], 1)
}

/// Writes `usage` packed to `out` from `at` on, and returns the offset after it. An empty `out` gives the length alone. A text
/// that is not ASCII stops the build.
pub const fn pack(usage: &str, out: &mut [u8], mut at: usize) -> usize {
    let text = usage.as_bytes();
    let (mut from, mut line_start, mut in_names, mut after_option) = (0, true, false, false);
    while from < text.len() {
        let mut blanks = 0;
        if line_start {
            if let Some(dash) = option_line(text, from) {
                (from, blanks, in_names, after_option) = (dash, 1, true, true);
            } else {
                in_names = false;
                after_option = after_option && continues(text, from);
                blanks = if after_option { CONTINUED } else { 0 };
            }
        } else if in_names && text[from] == b' ' && from + 1 < text.len() && text[from + 1] == b' ' {
            (blanks, in_names) = (2, false);
        }
        while blanks > 0 && from < text.len() && text[from] == b' ' {
            from += 1;
        }
        while blanks > 0 {
            if !out.is_empty() {
                out[at] = b' ';
            }
            (at, blanks) = (at + 1, blanks - 1);
        }
        line_start = text[from] == b'\n';
        let (byte, length) = if in_names { (text[from], 1) } else { packed_at(text, from) };
        if !out.is_empty() {
            out[at] = byte;
        }
        (at, from) = (at + 1, from + length);
    }
    at
}

/// The whole words of a packed text. One that is not packed stays the same.
pub fn unpack(usage: &[u8]) -> String {
    let mut text = String::new();
    for &byte in usage {
        match byte.checked_sub(CODE) {
            Some(index) => text.extend(PARTS.split('/').nth(index.into())),
            None => text.push(byte.into()),
        }
    }
    text
}

/// The usage text with the descriptions of its options in one column, as the user reads it.
pub fn aligned(usage: &str) -> Vec<u8> {
    let names_and_help = |line: &'_ [u8]| {
        let dash = option_line(line, 0)?;
        let end = bytes::find(&line[dash..], b"  ").map_or(line.len(), |gap| dash + gap);
        // A line without a one-character name begins where the long names of the others do.
        let indent = if line[dash..].starts_with(b"--") { 6 } else { 2 };
        Some((indent, dash, end))
    };
    let lines = || usage.as_bytes().split(|&byte| byte == b'\n');
    let width =
        lines().filter_map(names_and_help).map(|(indent, dash, end)| indent + end - dash + 2).max().unwrap_or(0);
    let (mut out, mut after_option) = (Vec::new(), false);
    for line in lines() {
        let start = out.len();
        let mut rest = line;
        if let Some((indent, dash, end)) = names_and_help(line) {
            out.resize(start + indent, b' ');
            out.extend_from_slice(&line[dash..end]);
            (rest, after_option) = (line[end..].trim_ascii_start(), true);
        } else if after_option && continues(line, 0) {
            rest = line.trim_ascii_start();
        } else {
            after_option = false;
        }
        if after_option && !rest.is_empty() {
            out.resize(start + width, b' ');
        }
        out.extend_from_slice(rest);
        out.push(b'\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_packed_and_aligned_again() {
        let usage = "[-a]\n       [-b]\n\nPrint.\n\n  -a FILE   All of\n            it\n      --b  Both  parts\n\n      No option";
        let mut packed = [0; 78];
        assert_eq!(pack(usage, &mut [], 1), 78);
        assert_eq!(pack(usage, &mut packed, 1), 78);
        assert!(packed.windows(11).any(|bytes| bytes == b"\n -a FILE  "));
        let plain = "[-a]\n       [-b]\n\nPrint.\n\n -a FILE  All of\n      it\n --b  Both  parts\n\n      No option";
        assert_eq!(unpack(&packed[1..]), plain);
        assert_eq!(unpack(plain.as_bytes()), plain);
        let shown = b"[-a]\n       [-b]\n\nPrint.\n\n  -a FILE  All of\n           it\n      --b  Both  parts\n\n      No option\n";
        assert_eq!(aligned(plain), shown);
        assert_eq!(aligned(usage), shown);
    }

    #[test]
    fn each_part_has_its_byte() {
        let parts: Vec<&str> = PARTS.split('/').collect();
        assert_eq!(parts.len(), 128);
        for (index, part) in parts.iter().enumerate() {
            assert_eq!(packed_at(part.as_bytes(), 0), (128 + index as u8, part.len()), "{part}");
            assert_eq!(unpack(&[128 + index as u8]), *part);
            assert!(!part.starts_with(' ') && !part.contains('\n'), "{part}");
        }
    }
}
