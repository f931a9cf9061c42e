//! Sort keys: which part of a line is compared, and by what rules.

use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;

/// As what a key is compared.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Kind {
    #[default]
    Text,
    Number,
    Float,
    Human,
    Month,
    Version,
}

/// How a key is compared.
#[derive(Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools)]
pub struct Rules {
    pub kind: Kind,
    pub reverse: bool,
    pub dictionary: bool,
    pub printable: bool,
    pub fold: bool,
    blanks_before_start: bool,
    blanks_before_end: bool,
}

impl Rules {
    /// Adds an option character; false if there is no such one. `b` is about the key's start or its end.
    pub fn add(&mut self, letter: u8, is_start: bool) -> bool {
        match letter {
            b'n' => self.kind = Kind::Number,
            b'g' => self.kind = Kind::Float,
            b'h' => self.kind = Kind::Human,
            b'M' => self.kind = Kind::Month,
            b'V' => self.kind = Kind::Version,
            b'r' => self.reverse = true,
            b'd' => self.dictionary = true,
            b'i' => self.printable = true,
            b'f' => self.fold = true,
            b'b' if is_start => self.blanks_before_start = true,
            b'b' => self.blanks_before_end = true,
            _ => return false,
        }
        true
    }

    /// Whether bytes are compared as they are.
    pub fn is_plain(&self) -> bool {
        !(self.dictionary || self.printable || self.fold)
    }
}

/// A part of a line. Fields and characters are counted from 0.
pub struct Key {
    start_field: usize,
    start_character: usize,
    /// The last field, and how many characters of it: 0 means all.
    end: Option<(usize, usize)>,
    pub rules: Rules,
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n')
}

impl Key {
    pub fn whole_line(mut rules: Rules) -> Key {
        rules.blanks_before_end = false;
        Key { start_field: 0, start_character: 0, end: None, rules }
    }

    /// Reads `FIELD[.CHARACTER][OPTIONS][,FIELD[.CHARACTER][OPTIONS]]`; `rules` apply where there are no options.
    pub fn parse(word: &[u8], rules: Rules) -> Result<Key> {
        let bad = || Error::parts(&[b"bad field specification '", word, b"'"]);
        let (start, end) = match rbox_core::bytes::split_once(word, b',') {
            Some((start, end)) => (start, Some(end)),
            None => (word, None),
        };
        let mut own = Rules::default();
        let (field, character, mut has_own) = position(start, &mut own, true).ok_or_else(bad)?;
        let start_field = field.checked_sub(1).ok_or_else(bad)?;
        let start_character = character.unwrap_or(1).checked_sub(1).ok_or_else(bad)?;
        let mut last = None;
        if let Some(end) = end {
            let (field, character, more) = position(end, &mut own, false).ok_or_else(bad)?;
            has_own |= more;
            last = Some((field.checked_sub(1).ok_or_else(bad)?, character.unwrap_or(0)));
        }
        // XCU sort, -k: options of the key replace those for all keys.
        let mut rules = rules;
        rules.blanks_before_end |= rules.blanks_before_start;
        Ok(Key { start_field, start_character, end: last, rules: if has_own { own } else { rules } })
    }

    /// The bytes of the line that the key compares.
    pub fn part<'a>(&self, line: &'a [u8], separator: Option<u8>) -> &'a [u8] {
        if self.start_field == 0 && self.start_character == 0 && self.end.is_none() && !self.rules.blanks_before_start {
            return line;
        }
        let mut start = field_start(line, self.start_field, separator);
        if self.rules.blanks_before_start {
            start += line[start..].iter().take_while(|&&byte| is_blank(byte)).count();
        }
        start = start.saturating_add(self.start_character).min(line.len());
        let end = match self.end {
            None => line.len(),
            Some((field, 0)) => field_end(line, field, separator),
            Some((field, characters)) => {
                let mut end = field_start(line, field, separator);
                if self.rules.blanks_before_end {
                    end += line[end..].iter().take_while(|&&byte| is_blank(byte)).count();
                }
                end.saturating_add(characters).min(line.len())
            }
        };
        &line[start..end.max(start)]
    }
}

/// Reads one end of a key: field, character, whether it has options of its own.
fn position(word: &[u8], rules: &mut Rules, is_start: bool) -> Option<(usize, Option<usize>, bool)> {
    let digits = |word: &[u8]| word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    // A field or character that no line has needs no larger number.
    let number = |word: &[u8]| parse_decimal(word).map_or(usize::MAX, |number| number as usize);
    let length = digits(word);
    let field = (length > 0).then(|| number(&word[..length]))?;
    let mut rest = &word[length..];
    let mut character = None;
    if let Some(after) = rest.strip_prefix(b".") {
        let length = digits(after);
        character = Some((length > 0).then(|| number(&after[..length]))?);
        rest = &after[length..];
    }
    rest.iter().all(|&letter| rules.add(letter, is_start)).then_some((field, character, !rest.is_empty()))
}

/// Where the field begins; the end of the line if there are not so many. Blanks before a field belong to it.
fn field_start(line: &[u8], field: usize, separator: Option<u8>) -> usize {
    let mut at = 0;
    for _ in 0..field {
        if at >= line.len() {
            break;
        }
        match separator {
            Some(separator) => match rbox_core::bytes::find_byte(separator, &line[at..]) {
                Some(length) => at += length + 1,
                None => return line.len(),
            },
            None => at = blank_field_end(line, at),
        }
    }
    at
}

fn field_end(line: &[u8], field: usize, separator: Option<u8>) -> usize {
    let start = field_start(line, field, separator);
    match separator {
        Some(separator) => rbox_core::bytes::find_byte(separator, &line[start..]).map_or(line.len(), |at| start + at),
        None => blank_field_end(line, start),
    }
}

fn blank_field_end(line: &[u8], at: usize) -> usize {
    let blanks = line[at..].iter().take_while(|&&byte| is_blank(byte)).count();
    let word = line[at + blanks..].iter().take_while(|&&byte| !is_blank(byte)).count();
    at + blanks + word
}
