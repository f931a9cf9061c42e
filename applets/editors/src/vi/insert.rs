//! Typing: insert and replace mode.

use rbox_core::term::keys::Key;

use super::buffer::characters;
use super::motion::Class;
use super::settings::{AUTO_INDENT, EXPAND_TAB, SHOW_MATCH};
use super::{Editor, Mode};

impl Editor<'_> {
    /// Inserts what is typed at the cursor until escape, `times` in all.
    pub(super) fn insert(&mut self, times: usize) {
        self.mode = Mode::Insert;
        let mut start = self.cursor;
        let mut moved = false;
        loop {
            match self.key() {
                Key::Char('\x1b' | '\x03') | Key::Hangup => break,
                key @ (Key::Up
                | Key::Down
                | Key::Left
                | Key::Right
                | Key::Home
                | Key::End
                | Key::PageUp
                | Key::PageDown
                | Key::WordLeft
                | Key::WordRight) => {
                    self.move_while_typing(key);
                    (start, moved) = (self.cursor, true);
                }
                Key::Insert => {
                    self.replace_mode(1);
                    self.mode = Mode::Insert;
                }
                key => start = start.min(self.type_key(key, start)),
            }
        }
        if !moved && times > 1 && self.cursor > start {
            let typed = self.text().copy(start, self.cursor);
            if let Some(all) = self.repeated(&typed, times - 1) {
                self.edit(self.cursor, 0, &all);
                self.cursor += all.len();
            }
        }
        self.end_typing();
    }

    fn end_typing(&mut self) {
        self.mode = Mode::Command;
        self.strip_indent();
        if self.cursor > self.text().line_start(self.cursor) {
            self.cursor = self.text().previous(self.cursor);
        }
        self.want = None;
    }

    fn move_while_typing(&mut self, key: Key) {
        let at = self.cursor;
        match key {
            Key::Right if self.text().byte(at) != b'\n' => self.cursor = self.text().next(at),
            Key::End => self.cursor = self.text().line_end(at),
            Key::PageUp => self.page(1, false),
            Key::PageDown => self.page(1, true),
            Key::Right => {}
            key => {
                if let Some(motion) = self.motion(key, None, None) {
                    self.cursor = motion.to;
                }
            }
        }
    }

    /// Obeys a key in insert mode. Returns the earliest offset that it changed.
    fn type_key(&mut self, key: Key, start: usize) -> usize {
        let at = self.cursor;
        match key {
            Key::Char('\x08' | '\x7f') => self.erase_to(self.text().previous(at)),
            Key::Delete if self.text().byte(at) != b'\n' => self.edit(at, self.text().next(at) - at, b""),
            Key::Char('\x17') => {
                let line = self.text().line_start(at);
                let word_end = self.class_start(at, line, Class::Blank, false);
                let class = self.class(self.text().previous(word_end), false);
                self.erase_to(self.class_start(word_end, line, class, false));
            }
            Key::Char('\x15') => {
                let line = self.text().line_start(at);
                self.erase_to(if start > line && start < at { start } else { line });
            }
            Key::Char('\x14') => self.shift_typed(true),
            Key::Char('\x04') => self.shift_typed(false),
            Key::Char('\r' | '\n') => self.type_newline(),
            Key::Char('\t') if self.options.flags[EXPAND_TAB] => {
                let (column, tab) = (self.column_of(at), self.options.tab_stop);
                let blanks = vec![b' '; tab - column % tab];
                self.type_bytes(&blanks);
            }
            Key::Char('\x16' | '\x11') => {
                let key = self.key();
                self.type_character(key);
            }
            Key::Char('\x12') => {
                if let Key::Char(name) = self.key()
                    && let Some(register) = self.registers.get(Some(name))
                {
                    let text = register.text.clone();
                    self.type_bytes(&text);
                }
            }
            key => {
                self.type_character(key);
                if self.options.flags[SHOW_MATCH] && matches!(key, Key::Char(')' | ']' | '}')) {
                    self.show_match();
                }
            }
        }
        self.cursor.min(at)
    }

    fn erase_to(&mut self, to: usize) {
        if to == self.cursor {
            return self.bell();
        }
        self.edit(to, self.cursor - to, b"");
        self.cursor = to;
    }

    pub(super) fn type_bytes(&mut self, bytes: &[u8]) {
        self.edit(self.cursor, 0, bytes);
        self.cursor += bytes.len();
    }

    fn type_character(&mut self, key: Key) {
        match key {
            Key::Char(one) => self.type_bytes(one.encode_utf8(&mut [0; 4]).as_bytes()),
            Key::Byte(byte) => self.type_bytes(&[byte]),
            _ => {}
        }
    }

    /// The blanks at the beginning of the line at an offset, before that offset.
    pub(super) fn indent_of(&self, at: usize, before: usize) -> Vec<u8> {
        let start = self.text().line_start(at);
        self.text().copy(start, self.text().skip_blanks(start).min(before))
    }

    fn type_newline(&mut self) {
        let at = self.cursor;
        let indent = if self.options.flags[AUTO_INDENT] { self.indent_of(at, at) } else { Vec::new() };
        self.strip_indent();
        self.type_bytes(b"\n");
        if !indent.is_empty() {
            self.type_bytes(&indent);
            self.is_indent_only = true;
        }
    }

    /// A line with nothing but the indent that came by itself loses it.
    fn strip_indent(&mut self) {
        if !core::mem::take(&mut self.is_indent_only) {
            return;
        }
        let (start, end) = (self.text().line_start(self.cursor), self.text().line_end(self.cursor));
        if self.cursor == end && self.text().skip_blanks(start) == end {
            self.edit(start, end - start, b"");
            self.cursor = start;
        }
    }

    fn shift_typed(&mut self, is_right: bool) {
        let (line, at) = (self.text().line_start(self.cursor), self.cursor);
        let before = self.text().line_end(line) - line;
        let end = self.text().line_end(line) + 1;
        self.shift_line(line, end, is_right);
        let after = self.text().line_end(line) - line;
        self.cursor = (at + after).saturating_sub(before).max(line);
    }

    fn shift_line(&mut self, line: usize, end: usize, is_right: bool) {
        let blanks = self.indent_of(line, end);
        let (width, step) = (self.indent_width(&blanks), self.options.shift_width);
        let width = if is_right { (width / step + 1) * step } else { width.div_ceil(step).max(1) * step - step };
        let indent = self.indent(width);
        self.edit(line, blanks.len(), &indent);
    }

    /// Shows the bracket that belongs to the one just typed, for half a second or until a key is pressed.
    fn show_match(&mut self) {
        let at = self.cursor;
        let Some(found) = self.bracket_of(at - 1).filter(|found| *found >= self.top && self.queue.is_empty()) else {
            return;
        };
        self.cursor = found;
        self.draw();
        self.screen.keys.timeout = Some(500);
        let key = self.screen.key();
        self.screen.keys.timeout = None;
        if !matches!(key, rbox_core::term::keys::Key::TimedOut | rbox_core::term::keys::Key::Signal) {
            self.screen.keys.replay(&[key]);
        }
        self.cursor = at;
    }

    /// Types over what is there until escape, `times` in all.
    pub(super) fn replace_mode(&mut self, times: usize) {
        self.mode = Mode::Replace;
        let start = self.cursor;
        // What was typed over, to be restored: bytes that were there, and bytes that are there now.
        let mut over: Vec<(Vec<u8>, usize)> = Vec::new();
        loop {
            let key = self.key();
            let at = self.cursor;
            match key {
                Key::Char('\x1b' | '\x03') | Key::Hangup => break,
                Key::Insert => return,
                Key::Char('\x08' | '\x7f') => match over.pop() {
                    Some((old, length)) => {
                        self.cursor -= length;
                        self.edit(self.cursor, length, &old);
                    }
                    None if at > self.text().line_start(at) => self.cursor = self.text().previous(at),
                    None => self.bell(),
                },
                Key::Up | Key::Down | Key::Left | Key::Right | Key::Home | Key::End => {
                    over.clear();
                    self.move_while_typing(key);
                }
                key => {
                    let key = if matches!(key, Key::Char('\x16')) { self.key() } else { key };
                    let is_newline = matches!(key, Key::Char('\r' | '\n'));
                    let is_end = self.text().byte(at) == b'\n' || is_newline;
                    let end = if is_end { at } else { self.text().next(at) };
                    let old = self.text().copy(at, end);
                    self.edit(at, end - at, b"");
                    if is_newline {
                        self.type_bytes(b"\n")
                    } else {
                        self.type_character(key)
                    }
                    over.push((old, self.cursor - at));
                }
            }
        }
        if times > 1 && self.cursor > start {
            let typed = self.text().copy(start, self.cursor);
            for _ in 1..times.min(10_000) {
                let (at, mut end) = (self.cursor, self.cursor);
                for _ in 0..characters(&typed) {
                    end = if self.text().byte(end) == b'\n' { end } else { self.text().next(end) };
                }
                self.edit(at, end - at, &typed);
                self.cursor = at + typed.len();
            }
        }
        self.end_typing();
    }
}
