//! Commands of vi that change the line: operators, `p`, `r`, `~` and what they share.

use super::Editor;
use super::motion::Target;
use super::text::{Class, Text};
use super::vi::MOST;
use crate::term::keys::Key;

impl Editor {
    /// Cuts a part out and keeps it; `insert`: something is to be typed instead.
    pub(super) fn change(&mut self, start: usize, end: usize, insert: bool) {
        if insert {
            self.insert_at(start, 1);
        } else if start >= end {
            return self.beep();
        } else {
            self.save();
        }
        self.killed = self.text.cut(start, end);
        if !insert {
            self.keep_change();
        }
    }

    /// `c`, `d` and `y` with the movement after them; the character twice means the whole line.
    pub(super) fn operate(&mut self, letter: char, count: Option<usize>) {
        let first = self.operand();
        let (second, key) = self.count(first);
        let at = self.text.at;
        if key == Key::Char(letter) {
            return self.apply(letter, 0, self.text.end());
        }
        let count = match (count, second) {
            (None, None) => None,
            (first, second) => Some((first.unwrap_or(1) * second.unwrap_or(1)).min(MOST)),
        };
        // `cw` on a word changes the word, not the blanks after it.
        if let ('c', Key::Char('w' | 'W')) = (letter, key)
            && self.text.class(at, false) != Class::Blank
        {
            let end = self.words_end(count.unwrap_or(1), key == Key::Char('W'));
            return self.apply(letter, at, end);
        }
        let Some(Target { at: target, inclusive }) = self.motion(key, count, true) else { return self.beep() };
        let (start, end) = (at.min(target), at.max(target));
        let end = if inclusive { self.text.next(end) } else { end };
        self.apply(letter, start, end);
    }

    /// The end of so many words, that at the cursor included.
    fn words_end(&self, count: usize, big: bool) -> usize {
        let text = &self.text;
        let mut at = text.at;
        for _ in 0..count {
            at = text.skip(at, &|at| text.class(at, big) == Class::Blank);
            let class = text.class(at, big);
            at = text.skip(at, &|at| text.class(at, big) == class);
        }
        at
    }

    fn apply(&mut self, letter: char, start: usize, end: usize) {
        match letter {
            'y' => {
                self.killed = self.text.bytes[start..end].to_vec();
                self.text.at = start;
            }
            _ => self.change(start, end, letter == 'c'),
        }
    }

    /// Puts what was cut last at a position; the cursor ends on its last character.
    pub(super) fn put(&mut self, at: usize, times: usize) {
        if self.killed.is_empty() {
            return self.beep();
        }
        self.save();
        self.text.at = at;
        for _ in 0..times.min(MOST / self.killed.len() + 1) {
            self.text.insert(&self.killed);
        }
        self.text.at = self.text.previous(self.text.at);
        self.keep_change();
    }

    pub(super) fn replace(&mut self, times: usize) {
        let key = self.operand();
        let (at, end) = (self.text.at, self.forward(times));
        if !matches!(key, Key::Char(' '..='~' | '\u{80}'..) | Key::Byte(_)) || at == end {
            return self.beep();
        }
        self.save();
        let mut left = self.text.cut(at, end);
        while !left.is_empty() {
            let length = Text { bytes: left.clone(), at: 0 }.next(0);
            left.drain(..length);
            self.type_key(key);
        }
        self.text.at = self.text.previous(self.text.at);
        self.keep_change();
    }

    pub(super) fn exchange_case(&mut self, times: usize) {
        let (at, end) = (self.text.at, self.forward(times));
        if at == end {
            return self.beep();
        }
        self.save();
        for byte in &mut self.text.bytes[at..end] {
            if byte.is_ascii_alphabetic() {
                *byte ^= 0x20;
            }
        }
        self.text.at = end;
        self.keep_change();
    }
}
