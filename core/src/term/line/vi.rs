//! Vi keys: XCU sh, "Command Line Editing (vi-mode)". A line begins in insert mode, which has the emacs keys too.

use super::motion::Find;
use super::text::Class;
use super::{Editor, Host, Line};
use crate::number::Decimal;
use crate::term::keys::Key;

/// A change that `.` can do again: its keys, the insertion's included.
#[derive(Debug, Default)]
struct Change {
    count: Option<usize>,
    keys: Vec<Key>,
}

/// Where the user is.
#[derive(Debug, Default)]
pub(super) struct Mode {
    /// Keys are commands.
    command: bool,
    /// What is typed replaces what is there (`R`).
    overwrite: bool,
    /// How often what is inserted is wanted, and where it begins.
    insert: (usize, usize),
    /// What is typed belongs to a command.
    recording: bool,
    /// The last search went to newer lines.
    pub newer: bool,
    /// The last `f`, `F`, `t` or `T`.
    pub find: Option<Find>,
    /// The keys of the command that is being given.
    record: Change,
    /// The last command that changed the line.
    change: Change,
}

impl Mode {
    /// A new line: insert mode.
    pub fn begin(&mut self) {
        self.command = false;
        self.overwrite = false;
        self.insert = (1, 0);
        self.recording = false;
    }
}

/// The largest count: more is a slip of the fingers.
pub(super) const MOST: usize = 9999;

impl Editor {
    pub(super) fn vi_key(&mut self, key: Key, host: &mut dyn Host) -> Option<Line> {
        if self.mode.command {
            return self.vi_command(key, host);
        }
        if self.mode.recording {
            self.mode.record.keys.push(key);
        }
        if key == Key::Char('\x1b') {
            self.end_insertion();
            return None;
        }
        let overwrites = matches!(key, Key::Char(' '..='~' | '\u{80}'..) | Key::Byte(_));
        if self.mode.overwrite && overwrites && self.text.at < self.text.end() {
            let (at, next) = (self.text.at, self.text.next(self.text.at));
            self.text.cut(at, next);
        }
        self.emacs_key(key, host)
    }

    fn end_insertion(&mut self) {
        let (count, start) = core::mem::replace(&mut self.mode.insert, (1, 0));
        if count > 1 && start <= self.text.at {
            let typed = self.text.bytes[start..self.text.at].to_vec();
            for _ in 1..count.min(MOST / typed.len().max(1)) {
                self.text.insert(&typed);
            }
        }
        self.mode.command = true;
        self.mode.overwrite = false;
        self.text.at = self.text.previous(self.text.at);
        // What was typed before the first command is no command's.
        if core::mem::take(&mut self.mode.recording) {
            self.keep_change();
        }
    }

    pub(super) fn keep_change(&mut self) {
        self.mode.change = core::mem::take(&mut self.mode.record);
    }

    fn vi_command(&mut self, first: Key, host: &mut dyn Host) -> Option<Line> {
        let (count, key) = self.count(first);
        self.mode.record = Change { count, keys: vec![key] };
        let line = self.obey(key, count, host);
        if self.mode.command && self.text.at == self.text.end() {
            // The cursor of command mode is on a character.
            self.text.at = self.text.previous(self.text.end());
        }
        line
    }

    /// The number that begins with a key, and the key after it.
    pub(super) fn count(&mut self, mut key: Key) -> (Option<usize>, Key) {
        let mut count = None;
        while let Key::Char(digit @ '0'..='9') = key
            && (digit != '0' || count.is_some())
        {
            count = Some((count.unwrap_or(0) * 10 + (digit as usize - '0' as usize)).min(MOST));
            key = self.operand();
        }
        (count, key)
    }

    /// The next key of the command, kept for `.`.
    pub(super) fn operand(&mut self) -> Key {
        let key = self.key();
        self.mode.record.keys.push(key);
        key
    }

    fn obey(&mut self, key: Key, count: Option<usize>, host: &mut dyn Host) -> Option<Line> {
        let times = count.unwrap_or(1);
        let (at, end) = (self.text.at, self.text.end());
        let Key::Char(letter) = key else {
            match key {
                Key::Up => self.go(self.entry.checked_sub(times)),
                Key::Down => self.go(Some(self.entry + times)),
                Key::Delete => self.change(at, self.forward(times), false),
                _ => self.go_to(key, count),
            }
            return None;
        };
        match letter {
            'i' => self.insert_at(at, times),
            'a' => self.insert_at(self.text.next(at), times),
            'I' => self.insert_at(0, times),
            'A' => self.insert_at(end, times),
            'R' => {
                self.insert_at(at, 1);
                self.mode.overwrite = true;
            }
            'c' | 'd' | 'y' => self.operate(letter, count),
            'C' => self.change(at, end, true),
            'D' => self.change(at, end, false),
            'S' => self.change(0, end, true),
            'Y' => self.killed = self.text.bytes[at..].to_vec(),
            'x' => self.change(at, self.forward(times), false),
            'X' => {
                let mut start = at;
                for _ in 0..times {
                    start = self.text.previous(start);
                }
                self.change(start, at, false);
            }
            'p' => self.put(self.text.next(at), times),
            'P' => self.put(at, times),
            'r' => self.replace(times),
            '~' => self.exchange_case(times),
            'u' => self.undo(),
            'U' => self.undo_all(),
            '.' => self.repeat(count),
            '_' => {
                self.insert_at(self.text.next(at), 1);
                self.text.insert(b" ");
                self.insert_last_word(count.unwrap_or(0));
            }
            'k' | '-' | '\x10' => self.go(self.entry.checked_sub(times)),
            'j' | '+' | '\x0e' => self.go(Some(self.entry + times)),
            'G' => self.go(count.unwrap_or(self.history.first()).checked_sub(self.history.first())),
            '/' => self.ask_pattern(false),
            '?' => self.ask_pattern(true),
            _ => return self.obey_rest(letter, count, host),
        }
        None
    }

    /// Commands that ask the host or end the line, and the movements.
    fn obey_rest(&mut self, letter: char, count: Option<usize>, host: &mut dyn Host) -> Option<Line> {
        match letter {
            'n' => self.find_pattern(self.mode.newer),
            'N' => self.find_pattern(!self.mode.newer),
            '\x0c' => self.clear(),
            '#' => {
                // A comment: kept in the history, not run.
                self.text.at = 0;
                self.text.insert(b"#");
                return Some(self.accept());
            }
            'v' => {
                let text = match count {
                    Some(number) => {
                        number.checked_sub(self.history.first()).and_then(|at| self.history.lines().get(at))
                    }
                    None => Some(&self.text.bytes),
                };
                let Some(text) = text.cloned() else {
                    self.beep();
                    return None;
                };
                self.text.at = self.text.end();
                self.draw();
                return Some(Line::Edit(text));
            }
            '@' => {
                if let Key::Char(letter) = self.key()
                    && let Some(text) = host.macro_text(letter)
                {
                    let keys: Vec<Key> = text
                        .iter()
                        .map(|&byte| if byte < 128 { Key::Char(byte.into()) } else { Key::Byte(byte) })
                        .collect();
                    self.keys.replay(&keys);
                }
            }
            '=' => {
                self.text.at = self.text.next(self.text.at);
                self.list_all(host);
            }
            '\\' | '*' => {
                self.insert_at(self.bigword_end(), 1);
                if letter == '*' { self.insert_all(host) } else { self.complete(host) }
            }
            _ => self.go_to(Key::Char(letter), count),
        }
        None
    }

    fn bigword_end(&self) -> usize {
        let text = &self.text;
        text.skip(text.at, &|at| text.class(at, true) == Class::Word)
    }

    fn go_to(&mut self, key: Key, count: Option<usize>) {
        match self.motion(key, count, false) {
            Some(target) => self.text.at = target.at.min(self.text.end()),
            None => self.beep(),
        }
    }

    /// Goes to an entry of the history, the cursor to its beginning.
    fn go(&mut self, entry: Option<usize>) {
        if entry.is_some_and(|entry| self.recall(entry)) {
            self.text.at = 0;
        } else {
            self.beep();
        }
    }

    /// So many characters on.
    pub(super) fn forward(&self, times: usize) -> usize {
        let mut at = self.text.at;
        for _ in 0..times {
            at = self.text.next(at);
        }
        at
    }

    pub(super) fn insert_at(&mut self, at: usize, times: usize) {
        self.save();
        self.text.at = at;
        self.mode.command = false;
        self.mode.recording = true;
        self.mode.insert = (times, at);
    }

    fn undo_all(&mut self) {
        if self.undo.is_empty() {
            return self.beep();
        }
        self.text = self.undo.swap_remove(0);
        self.undo.clear();
    }

    /// `.`: the last change again; a count replaces the one it had.
    fn repeat(&mut self, count: Option<usize>) {
        if self.mode.change.keys.is_empty() {
            return self.beep();
        }
        let mut keys: Vec<Key> = Vec::new();
        if let Some(count) = count.or(self.mode.change.count) {
            keys.extend(Decimal::new(count as u64).as_bytes().iter().map(|&digit| Key::Char(digit.into())));
        }
        keys.extend_from_slice(&self.mode.change.keys);
        self.keys.replay(&keys);
    }
}
