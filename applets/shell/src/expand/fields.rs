//! Fields: where expansions put their text, splitting it by IFS as it comes (XCU 2.6.5).

use super::pattern::width;
use crate::syntax::parser::escape;

/// What becomes of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Fields, split and with pathname expansion.
    Split,
    /// One field, as on the right of an assignment.
    One,
    /// One field that is a pattern: quoted characters are escaped.
    Pattern,
}

/// What was seen since the last field ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// Nothing, or text of a field.
    None,
    /// IFS white space.
    White,
    /// Another IFS character, perhaps with white space.
    Separator,
}

/// Whether a text has the character.
fn has_character(text: &[u8], character: &[u8], utf8: bool) -> bool {
    if !utf8 {
        return text.contains(&character[0]);
    }
    let mut rest = text;
    while !rest.is_empty() {
        let (first, after) = rest.split_at(width(rest, true));
        if first == character {
            return true;
        }
        rest = after;
    }
    false
}

/// The fields of a word as they grow.
pub struct Fields {
    /// What the text is expanded for.
    pub mode: Mode,
    /// The finished fields.
    pub done: Vec<Vec<u8>>,
    /// Patterns for pathname expansion, by the number of their field.
    pub globs: Vec<(usize, Vec<u8>)>,
    current: Vec<u8>,
    begun: bool,
    gap: Gap,
    /// An unquoted `*`, `?` or `[` is in the current field.
    active: bool,
    /// Ranges of the current field that were quoted.
    quoted: Vec<(usize, usize)>,
}

impl Fields {
    /// No field yet.
    pub fn new(mode: Mode) -> Fields {
        Fields {
            mode,
            done: Vec::new(),
            globs: Vec::new(),
            current: Vec::new(),
            begun: false,
            gap: Gap::None,
            active: false,
            quoted: Vec::new(),
        }
    }

    /// Unquoted text that is not split.
    pub fn literal(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        self.begun = true;
        self.gap = Gap::None;
        self.active |= text.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'('));
        self.current.extend_from_slice(text);
    }

    /// Quoted text.
    pub fn quoted(&mut self, text: &[u8]) {
        self.begun = true;
        self.gap = Gap::None;
        match self.mode {
            Mode::Pattern => escape(text, &mut self.current),
            Mode::One => self.current.extend_from_slice(text),
            Mode::Split => {
                let start = self.current.len();
                self.current.extend_from_slice(text);
                if text.iter().any(|byte| !byte.is_ascii_alphanumeric()) {
                    self.quoted.push((start, self.current.len()));
                }
            }
        }
    }

    /// The result of an unquoted expansion, split at the characters of IFS.
    pub fn split(&mut self, text: &[u8], ifs: &[u8], utf8: bool) {
        if self.mode != Mode::Split {
            // A backslash that an expansion gives quotes in a pattern (XCU 2.14.1).
            self.current.extend_from_slice(text);
            self.begun |= !text.is_empty();
            return;
        }
        if !text.iter().any(|byte| ifs.contains(byte)) {
            self.literal(text);
            return;
        }
        let utf8 = utf8 && !ifs.is_ascii();
        let mut rest = text;
        while !rest.is_empty() {
            let character;
            (character, rest) = rest.split_at(width(rest, utf8));
            if !has_character(ifs, character, utf8) {
                self.literal(character);
                continue;
            }
            let white = matches!(character, b" " | b"\t" | b"\n");
            if self.begun {
                self.end_field();
                self.gap = if white { Gap::White } else { Gap::Separator };
            } else if !white {
                if self.gap != Gap::White {
                    self.begun = true;
                    self.end_field();
                }
                self.gap = Gap::Separator;
            }
        }
    }

    /// Ends a field between two parameters of `$@`.
    pub fn separate(&mut self) {
        if self.begun {
            self.end_field();
        }
        self.gap = Gap::None;
    }

    fn end_field(&mut self) {
        if self.active {
            self.globs.push((self.done.len(), self.pattern()));
        }
        self.done.push(std::mem::take(&mut self.current));
        self.begun = false;
        self.active = false;
        self.quoted.clear();
    }

    /// The current field with its quoted parts escaped.
    fn pattern(&self) -> Vec<u8> {
        let mut pattern = Vec::new();
        let mut at = 0;
        for &(start, end) in &self.quoted {
            pattern.extend_from_slice(&self.current[at..start]);
            escape(&self.current[start..end], &mut pattern);
            at = end;
        }
        pattern.extend_from_slice(&self.current[at..]);
        pattern
    }

    /// Ends the word.
    pub fn finish(&mut self) {
        if self.begun {
            self.end_field();
        }
        self.gap = Gap::None;
    }

    /// The one field of a word that is not split.
    pub fn into_one(self) -> Vec<u8> {
        self.current
    }
}
