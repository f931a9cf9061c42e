//! Searching the history: as one types (Ctrl-R), and by vi's `/` and `?`.

use super::{Editor, Line};
use crate::bytes;
use crate::pattern::glob;
use crate::term::keys::Key;

impl Editor {
    /// Ctrl-R: searches backwards as the user types. A line when it was accepted.
    pub(super) fn search_as_typed(&mut self) -> Option<Line> {
        let (before, entry) = (self.text.clone(), self.entry);
        let mut wanted = Vec::new();
        let mut failed = false;
        loop {
            let label: &[u8] = if failed { b"(failed reverse-i-search)'" } else { b"(reverse-i-search)'" };
            let prompt = [label, &super::screen::visible(&wanted), b"': "].concat();
            self.screen.show(&prompt, &self.text.bytes, self.text.at);
            match self.key() {
                Key::Char('\x12') => {
                    if wanted.is_empty() {
                        wanted = self.pattern.clone();
                    }
                    failed = !self.find(&wanted, self.entry, false);
                }
                Key::Char('\x13') => failed = !self.find(&wanted, self.entry, true),
                Key::Char('\x08' | '\x7f') => {
                    wanted.pop();
                    while wanted.last().is_some_and(|byte| byte & 0xc0 == 0x80) {
                        wanted.pop();
                    }
                    // The shorter text is looked for from the newest line on.
                    self.recall(self.history.lines().len());
                    failed = !wanted.is_empty() && !self.find(&wanted, self.entry, false);
                }
                Key::Char('\x07' | '\x03') => {
                    self.recall(entry);
                    self.text = before;
                    return None;
                }
                Key::Char(one) if one >= ' ' => {
                    wanted.extend_from_slice(one.encode_utf8(&mut [0; 4]).as_bytes());
                    failed = !self.find(&wanted, self.entry + 1, false);
                }
                Key::Byte(byte) => {
                    wanted.push(byte);
                    failed = !self.find(&wanted, self.entry + 1, false);
                }
                key => {
                    // Any other key ends the search and means what it means; a lone escape only ends it.
                    self.pattern = wanted;
                    if key != Key::Char('\x1b') {
                        self.keys.replay(&[key]);
                    }
                    return None;
                }
            }
        }
    }

    /// Goes to the nearest entry before `from`, or after it, that holds the text, and to its position there.
    fn find(&mut self, wanted: &[u8], from: usize, newer: bool) -> bool {
        let lines = self.history.lines();
        let matches = |entry: &usize| bytes::find(&lines[*entry], wanted).is_some();
        let found =
            if newer { (from + 1..lines.len()).find(matches) } else { (0..from.min(lines.len())).rfind(matches) };
        let Some(entry) = found else { return false };
        self.recall(entry);
        self.text.at = bytes::find(&self.text.bytes, wanted).unwrap_or(0);
        true
    }

    /// vi's `/` and `?`: asks for a pattern and goes to an older, or newer, entry that it matches.
    pub(super) fn ask_pattern(&mut self, newer: bool) {
        let prompt: &[u8] = if newer { b"?" } else { b"/" };
        let line = core::mem::take(&mut self.text);
        loop {
            self.screen.show(prompt, &self.text.bytes, self.text.at);
            match self.key() {
                Key::Char('\r' | '\n') => break,
                Key::Char('\x08' | '\x7f') if self.text.at > 0 => {
                    let start = self.text.previous(self.text.at);
                    self.text.cut(start, self.text.at);
                }
                Key::Char(one) if one >= ' ' && one != '\x7f' => self.type_key(Key::Char(one)),
                Key::Byte(byte) => self.type_key(Key::Byte(byte)),
                _ => {
                    self.text = line;
                    return;
                }
            }
        }
        let pattern = core::mem::replace(&mut self.text, line).bytes;
        // XCU sh: an empty pattern is the last one again.
        if !pattern.is_empty() {
            self.pattern = pattern;
        }
        self.mode.newer = newer;
        self.find_pattern(newer);
    }

    /// Goes to the next entry that the last pattern matches (XCU 2.14); `^` binds it to the beginning of the line.
    pub(super) fn find_pattern(&mut self, newer: bool) {
        let pattern = match self.pattern.strip_prefix(b"^") {
            Some(rest) => [rest, b"*"].concat(),
            None => [b"*", &self.pattern[..], b"*"].concat(),
        };
        let lines = self.history.lines();
        let matches = |entry: &usize| glob::matches(&pattern, &lines[*entry], glob::Flags::UTF8);
        let found = if newer { (self.entry + 1..lines.len()).find(matches) } else { (0..self.entry).rfind(matches) };
        match found {
            Some(entry) => {
                self.recall(entry);
                self.text.at = 0;
            }
            None => self.beep(),
        }
    }
}
