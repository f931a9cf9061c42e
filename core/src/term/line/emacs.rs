//! Keys as in emacs, which vi's insert mode has too.

use super::screen::print;
use super::text::Class;
use super::{Editor, Host, Line};
use crate::term::keys::Key;

impl Editor {
    pub(super) fn emacs_key(&mut self, key: Key, host: &mut dyn Host) -> Option<Line> {
        let (at, end) = (self.text.at, self.text.end());
        match key {
            Key::Char(control) if control < ' ' || control == '\x7f' => return self.control(control, host),
            Key::Char(_) | Key::Byte(_) => self.type_key(key),
            Key::Meta(letter) => return self.meta(letter),
            Key::Home => self.text.at = 0,
            Key::End => self.text.at = end,
            Key::Left => self.text.at = self.text.previous(at),
            Key::Right => self.text.at = self.text.next(at),
            Key::Up => self.step_history(false),
            Key::Down => self.step_history(true),
            Key::WordLeft => self.text.at = self.word_start(false),
            Key::WordRight => self.text.at = self.word_end(),
            Key::Delete => self.delete_here(),
            _ => {}
        }
        None
    }

    fn control(&mut self, control: char, host: &mut dyn Host) -> Option<Line> {
        let (at, end) = (self.text.at, self.text.end());
        match control {
            '\x01' => self.text.at = 0,
            '\x02' => self.text.at = self.text.previous(at),
            '\x04' => self.delete_here(),
            '\x05' => self.text.at = end,
            '\x06' => self.text.at = self.text.next(at),
            '\x08' | '\x7f' => {
                let start = self.text.previous(at);
                self.text.cut(start, at);
            }
            '\t' => self.complete(host),
            '\x0b' => self.kill(at, end),
            '\x0c' => self.clear(),
            '\x0e' => self.step_history(true),
            '\x10' => self.step_history(false),
            '\x12' => return self.search_as_typed(),
            '\x14' => self.transpose(),
            '\x15' => self.kill(0, at),
            '\x16' => {
                let key = self.key();
                self.type_key(key);
            }
            '\x17' => self.kill(self.word_start(true), at),
            '\x19' => {
                self.save();
                let killed = core::mem::take(&mut self.killed);
                self.text.insert(&killed);
                self.killed = killed;
            }
            '\x1f' => self.undo(),
            _ => {}
        }
        None
    }

    fn meta(&mut self, letter: char) -> Option<Line> {
        let at = self.text.at;
        match letter {
            'b' => self.text.at = self.word_start(false),
            'f' => self.text.at = self.word_end(),
            'd' => self.kill(at, self.word_end()),
            '\x08' | '\x7f' => self.kill(self.word_start(false), at),
            '<' => {
                self.recall(0);
            }
            '>' => {
                self.recall(self.history.lines().len());
            }
            '.' | '_' => self.insert_last_word(0),
            _ => self.beep(),
        }
        None
    }

    fn delete_here(&mut self) {
        let at = self.text.at;
        let next = self.text.next(at);
        self.text.cut(at, next);
    }

    /// An empty screen with the line at its top.
    pub(super) fn clear(&mut self) {
        print(b"\x1b[H\x1b[J");
        self.screen.forget();
    }

    fn step_history(&mut self, newer: bool) {
        let entry = if newer { self.entry + 1 } else { self.entry.wrapping_sub(1) };
        if !self.recall(entry) {
            self.beep();
        }
    }

    /// The beginning of the word before the cursor; `blanks`: words are what is between blanks.
    fn word_start(&self, blanks: bool) -> usize {
        let text = &self.text;
        let is_word = |at| text.class(at, blanks) == Class::Word;
        let start = text.skip_back(text.at, &|at| !is_word(at));
        text.skip_back(start, &is_word)
    }

    /// The end of the word after the cursor.
    fn word_end(&self) -> usize {
        let text = &self.text;
        let is_word = |at| text.class(at, false) == Class::Word;
        let start = text.skip(text.at, &|at| !is_word(at));
        text.skip(start, &is_word)
    }

    /// Exchanges the characters around the cursor, or the last two.
    fn transpose(&mut self) {
        let text = &mut self.text;
        let middle = if text.at == text.end() { text.previous(text.at) } else { text.at };
        let (start, end) = (text.previous(middle), text.next(middle));
        if start < middle && middle < end {
            text.bytes[start..end].rotate_left(middle - start);
            text.at = end;
        }
    }

    /// Inserts a word of the line before: the last, or that of a number from 1 (vi's `_`).
    pub(super) fn insert_last_word(&mut self, number: usize) {
        let Some(line) = self.history.lines().last() else { return self.beep() };
        let mut words = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
        let word = if number == 0 { words.next_back() } else { words.nth(number - 1) };
        match word.map(<[u8]>::to_vec) {
            Some(word) => self.text.insert(&word),
            None => self.beep(),
        }
    }
}
