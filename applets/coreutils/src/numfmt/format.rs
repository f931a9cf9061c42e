//! The format of `--format`, and padding.

use rbox_core::bytes::find_byte;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::text;
use rbox_core::text::{Left, Right};

use super::number::about;

/// The widest padding: one word is made in memory.
const WIDEST: u64 = 1 << 20;

/// What is around a number.
#[derive(Default)]
pub struct Format {
    before: Vec<u8>,
    after: Vec<u8>,
    /// Characters that the word takes at least, and whether the blanks are on its right.
    padding: Option<(usize, bool)>,
    /// Characters that the number and its sign take at least, with zeros.
    zeros: usize,
    /// Whether it asks for groups of digits.
    pub is_grouped: bool,
    /// Digits after the point, if the format says how many.
    pub precision: Option<usize>,
}

impl Format {
    /// Reads a format with one `%f`: `%[0]['][-][N][.[N]]f`.
    pub fn parse(word: Option<&[u8]>) -> Result<Self> {
        let Some(word) = word else { return Ok(Self::default()) };
        let wrong = |reason: &str| Error::parts(&[b"format '", word, b"' ", reason.as_bytes()]);
        let mut format = Self::default();
        let mut rest = push_literal(word, &mut format.before).ok_or_else(|| wrong("has no % directive"))?;
        let (mut is_left, mut has_zeros) = (false, false);
        while let Some((flag @ (b'0' | b'-' | b' ' | b'\''), after)) = rest.split_first() {
            is_left |= *flag == b'-';
            has_zeros |= *flag == b'0';
            format.is_grouped |= *flag == b'\'';
            rest = after;
        }
        let number = |rest: &mut &'_ [u8]| {
            let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let digits = rest.split_off(..count)?;
            parse_decimal(if digits.is_empty() { b"0" } else { digits }).map(|number| number.min(WIDEST) as usize)
        };
        let invalid = || Error::parts(&[b"invalid format '", word, b"', directive must be %[0]['][-][N][.][N]f"]);
        match number(&mut rest).ok_or_else(invalid)? {
            0 => {}
            width if has_zeros && !is_left => format.zeros = width,
            width => format.padding = Some((width, is_left)),
        }
        if let Some(after) = rest.strip_prefix(b".") {
            rest = after;
            if matches!(rest.first(), Some(b'-' | b'+' | b' ')) {
                return Err(Error::parts(&[b"invalid precision in format '", word, b"'"]));
            }
            format.precision = Some(number(&mut rest).ok_or_else(invalid)?);
        }
        if rest.is_empty() {
            return Err(wrong("ends in %"));
        }
        let rest = rest.strip_prefix(b"f").ok_or_else(invalid)?;
        if push_literal(rest, &mut format.after).is_some() {
            return Err(wrong("has too many % directives"));
        }
        Ok(format)
    }

    /// Takes the word of `--padding`. A width of the format goes before it.
    pub fn set_padding(&mut self, word: &[u8]) -> Result<()> {
        let digits = word.strip_prefix(b"-").unwrap_or(word);
        let width = parse_decimal(digits).filter(|width| *width > 0).ok_or_else(|| about("padding value", word))?;
        let (width, is_left) = (width.min(WIDEST) as usize, digits.len() < word.len());
        self.padding.get_or_insert((width, is_left)).1 |= is_left;
        Ok(())
    }

    /// The word for a number with its unit. `aligned`: its width where nothing else says one.
    pub fn apply(&self, number: &[u8], suffix: &[u8], aligned: usize) -> Vec<u8> {
        let sign = usize::from(number.starts_with(b"-"));
        let length = number.iter().take_while(|byte| !byte.is_ascii_alphabetic()).count();
        let zeros = vec![b'0'; self.zeros.saturating_sub(length)];
        let word = text!(&number[..sign], zeros, &number[sign..], suffix);
        match self.padding.unwrap_or((aligned, false)) {
            (width, true) => text!(&self.before, Left(&word, width), &self.after),
            (width, false) => text!(&self.before, Right(&word, width, b' '), &self.after),
        }
    }
}

/// Copies `text` up to a directive, `%%` as `%`, and returns what follows the directive's `%`.
fn push_literal<'a>(mut text: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let Some(at) = find_byte(b'%', text) else {
            out.extend_from_slice(text);
            return None;
        };
        out.extend_from_slice(&text[..at]);
        match text[at + 1..].strip_prefix(b"%") {
            None => return Some(&text[at + 1..]),
            Some(after) => {
                out.push(b'%');
                text = after;
            }
        }
    }
}
