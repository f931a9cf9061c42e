//! The text that is edited, and the position of the cursor. Positions are bytes and are between characters.

use crate::term::character;
use crate::unicode::character_width;

/// A line and its cursor.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// The line.
    pub bytes: Vec<u8>,
    /// The cursor, at most the length of the line.
    pub at: usize,
}

/// What a character is to the movements over words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Space and tab.
    Blank,
    /// Letters, digits, the underscore, and all that is not ASCII.
    Word,
    /// All else.
    Sign,
}

impl Text {
    /// A line with the cursor after it.
    pub fn new(bytes: &[u8]) -> Text {
        Text { bytes: bytes.to_vec(), at: bytes.len() }
    }

    /// How long the line is, in bytes.
    pub fn end(&self) -> usize {
        self.bytes.len()
    }

    /// The position after the character at `at` and the marks that combine with it.
    pub fn next(&self, at: usize) -> usize {
        if at >= self.end() {
            return self.end();
        }
        let mut at = at + character(&self.bytes[at..]).1;
        while at < self.end() {
            match character(&self.bytes[at..]) {
                (Some(mark), length) if character_width(mark) == 0 => at += length,
                _ => break,
            }
        }
        at
    }

    /// The position of the character before `at`, marks that combine with it included.
    pub fn previous(&self, mut at: usize) -> usize {
        while at > 0 {
            let one = |length: usize| character(&self.bytes[at - length..at]);
            let is_whole = |length: &usize| matches!(one(*length), (Some(_), found) if found == *length);
            let length = (1..=at.min(4)).find(is_whole).unwrap_or(1);
            let mark = one(length).0.is_some_and(|mark| character_width(mark) == 0);
            at -= length;
            if !mark {
                break;
            }
        }
        at
    }

    /// Inserts at the cursor, which moves after it.
    pub fn insert(&mut self, bytes: &[u8]) {
        self.bytes.splice(self.at..self.at, bytes.iter().copied());
        self.at += bytes.len();
    }

    /// Takes a part out; the cursor is where it was.
    pub fn cut(&mut self, start: usize, end: usize) -> Vec<u8> {
        self.at = start;
        self.bytes.drain(start..end).collect()
    }

    /// What the character at `at` is; `big`: all that is not blank is a word. The end of the line is blank.
    pub fn class(&self, at: usize, big: bool) -> Class {
        match self.bytes.get(at) {
            None | Some(b' ' | b'\t') => Class::Blank,
            Some(_) if big => Class::Word,
            Some(&byte) if byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 128 => Class::Word,
            Some(_) => Class::Sign,
        }
    }

    /// From `at` forward over characters that `wanted` is true of.
    pub fn skip(&self, mut at: usize, wanted: &dyn Fn(usize) -> bool) -> usize {
        while at < self.end() && wanted(at) {
            at = self.next(at);
        }
        at
    }

    /// From `at` back over characters that `wanted` is true of.
    pub fn skip_back(&self, mut at: usize, wanted: &dyn Fn(usize) -> bool) -> usize {
        while at > 0 && wanted(self.previous(at)) {
            at = self.previous(at);
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_over_whole_characters() {
        let text = Text::new("aé漢e\u{301}\u{301}b".as_bytes());
        let mut places = vec![0];
        while *places.last().expect("a place") < text.end() {
            places.push(text.next(*places.last().expect("a place")));
        }
        assert_eq!(places, [0, 1, 3, 6, 11, 12]);
        let mut back = vec![text.end()];
        while *back.last().expect("a place") > 0 {
            back.push(text.previous(*back.last().expect("a place")));
        }
        back.reverse();
        assert_eq!(back, places);
    }

    #[test]
    fn bytes_that_are_no_text_are_steps_of_one() {
        let text = Text::new(b"\xff\x80\x80a");
        assert_eq!((text.next(0), text.next(1), text.previous(4), text.previous(3)), (1, 2, 3, 2));
        assert_eq!((text.previous(2), text.previous(1), text.previous(0)), (1, 0, 0));
    }
}
