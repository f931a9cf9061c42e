//! Operators: what is done with the part of the text between the cursor and where a movement ends.

use rbox_core::pattern::regex::{Exec, Regex};
use rbox_core::pattern::template::Template;
use rbox_core::pattern::template::Which;
use rbox_core::push;
use rbox_core::term::keys::Key;
use rbox_core::text;

use super::Editor;
use super::buffer::{characters, newlines};
use super::motion::{Class, Kind};
use super::object::Object;
use super::register::Name;
use super::settings::{AUTO_INDENT, EXPAND_TAB};

/// An operator, by its key; `~`, `u` and `U` are those after `g`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator(pub char);

impl Editor<'_> {
    /// Reads the movement after an operator, and obeys both.
    pub(super) fn operate(&mut self, operator: Operator, first: Option<usize>, name: Name) {
        let (second, key) = self.count();
        let count = match (first, second) {
            (None, None) => None,
            (first, second) => Some(first.unwrap_or(1).saturating_mul(second.unwrap_or(1)).min(super::MOST)),
        };
        let times = count.unwrap_or(1);
        if key == Key::Char(operator.0) {
            return self.apply_to_lines(operator, times, name);
        }
        if let Key::Char(around @ ('i' | 'a')) = key {
            let Key::Char(letter) = self.key() else { return self.bell() };
            return match self.object(letter, around == 'a', times) {
                Some(object) => self.apply(operator, object, name),
                None => self.bell(),
            };
        }
        // `cw` on a word changes the word, not the blanks after it.
        let is_word_key = matches!(key, Key::Char('w' | 'W'));
        let is_on_word = self.class(self.cursor, false) != Class::Blank || self.text().byte(self.cursor) == b'\n';
        if operator.0 == 'c' && is_word_key && is_on_word {
            let to = self.change_word_end(key == Key::Char('W'), times);
            return self.apply(operator, Object { from: self.cursor, to, is_lines: false }, name);
        }
        let before = self.cursor;
        let Some(motion) = self.motion(key, count, Some(operator.0)) else { return self.bell() };
        let (mut from, mut to) = (before.min(motion.to), before.max(motion.to));
        let mut is_lines = motion.kind == Kind::Lines;
        match motion.kind {
            Kind::Inclusive if self.text().byte(to) != b'\n' => to = self.text().next(to),
            Kind::Exclusive if is_word_key && to > from => {
                // The last word ends with its line.
                let line_end = self.text().line_end(from);
                let start = self.text().first_nonblank(to);
                if to > line_end && (to <= start || self.text().byte(to) == b'\n') {
                    to = self.end_before(from, to);
                }
            }
            Kind::Exclusive if matches!(key, Key::Char('}' | '{' | '(' | ')' | '[' | ']')) => {
                // What ends at a line's beginning ends with the line before, and is whole lines where it begins as one.
                let line = self.text().line_start(to);
                if to == line && to > from && self.text().line_end(from) < to {
                    to -= 1;
                    let start = self.text().line_start(from);
                    if self.text().skip_blanks(start) >= from {
                        (from, is_lines) = (start, true);
                    }
                }
            }
            _ => {}
        }
        if is_lines {
            (from, to) = (self.text().line_start(from), self.text().line_end(to) + 1);
        }
        self.apply(operator, Object { from, to, is_lines }, name);
    }

    /// The end of the last line before `to` that has text: where `dw` on a line's last word stops.
    fn end_before(&self, from: usize, to: usize) -> usize {
        let mut end = to;
        while end > from && self.class(end - 1, true) == Class::Blank {
            end -= 1;
            if self.text().byte(end) == b'\n' && self.text().line_start(end) <= self.text().on_line(end) {
                return self.text().line_end(self.text().line_start(end));
            }
        }
        to
    }

    fn change_word_end(&self, is_big: bool, times: usize) -> usize {
        let mut at = self.cursor;
        let class = self.class(at, is_big);
        // The word at the cursor may be one character, which `e` would leave.
        if class != Class::Blank {
            at = self.class_end(at, self.text().len() - 1, class, is_big);
        }
        for _ in 1..times {
            // From an empty line, which is a word of its own, the next one.
            let before = if self.text().byte(at) == b'\n' { at } else { self.text().previous(at) };
            at = self.text().next(self.word_end(before, is_big)).min(self.text().len() - 1);
        }
        at.min(self.text().len() - 1)
    }

    pub(super) fn apply_to_lines(&mut self, operator: Operator, times: usize, name: Name) {
        let text = self.text();
        let first = text.line_number(self.cursor);
        let last = text.line_offset(first.saturating_add(times - 1).min(text.lines() - 1));
        let (from, to) = (text.line_start(self.cursor), text.line_end(last) + 1);
        self.apply(operator, Object { from, to, is_lines: true }, name);
    }

    /// Applies an operator to a part of the text.
    pub(super) fn apply(&mut self, operator: Operator, object: Object, name: Name) {
        let Object { from, to, is_lines } = object;
        match operator.0 {
            'd' => self.delete(object, name),
            'y' => self.yank(object, name),
            'c' => self.change(object, name),
            '>' | '<' => self.shift(from, to, operator.0 == '>', 1),
            '!' => {
                let text = self.text();
                let (first, last) = (text.line_number(from), text.line_number(to.max(from + 1) - 1));
                self.cursor = from;
                let range = super::command::lines_from_here(last.saturating_sub(first));
                self.command_line(&text!(range, "!"));
            }
            _ => {
                let to = if is_lines { to - 1 } else { to };
                self.change_case(from, to, operator.0);
                self.cursor = self.text().on_line(from);
            }
        }
    }

    fn report(&mut self, verb: &str, text: &[u8], name: Name) {
        let name = [name.unwrap_or('D') as u8];
        self.say(text!(verb, " ", newlines(text), " lines (", characters(text), " chars) from [", &name, "]"));
    }

    pub(super) fn yank(&mut self, object: Object, name: Name) {
        let text = self.text().copy(object.from, object.to);
        self.report("Yank", &text, name);
        self.registers.set(name, text, object.is_lines, false);
        self.document.marks[super::undo::CHANGED] = Some(object.from);
        // POSIX XCU vi: after a yank of lines the cursor stays in its column when it was in the first of them.
        let is_above = self.text().line_start(self.cursor) <= object.from;
        if !(object.is_lines && is_above) {
            self.cursor = if object.is_lines { self.text().first_nonblank(object.from) } else { object.from };
        }
    }

    pub(super) fn delete(&mut self, object: Object, name: Name) {
        let Object { from, is_lines, .. } = object;
        let to = if is_lines { object.to } else { object.to.min(self.text().len() - 1) };
        if from >= to {
            return self.bell();
        }
        let text = self.text().copy(from, to);
        self.report("Delete", &text, name);
        self.registers.set(name, text, is_lines, true);
        self.remove(from, to);
        self.cursor = match is_lines {
            true => self.text().first_nonblank(from.min(self.text().len() - 1)),
            false => self.text().on_line(from),
        };
    }

    /// Takes a part out of the text, in which at least an empty line is left.
    pub(super) fn remove(&mut self, from: usize, to: usize) {
        let is_all = from == 0 && to == self.text().len();
        self.edit(from, to - from, if is_all { b"\n" } else { b"" });
        self.is_void = is_all;
    }

    fn change(&mut self, object: Object, name: Name) {
        let Object { mut from, mut to, is_lines } = object;
        let text = self.text().copy(from, to);
        self.registers.set(name, text, is_lines, true);
        if is_lines {
            to -= 1;
            if self.options.flags[AUTO_INDENT] {
                from = self.text().skip_blanks(from).min(to);
            }
        }
        self.edit(from, to.min(self.text().len() - 1).saturating_sub(from), b"");
        self.cursor = from;
        self.insert(1);
    }

    /// Shifts lines by a number of shift widths. Empty lines stay so.
    pub(super) fn shift(&mut self, from: usize, to: usize, is_right: bool, times: usize) {
        let width = self.options.shift_width.saturating_mul(times).min(10_000);
        let old = self.text().copy(from, to);
        let mut new = Vec::with_capacity(old.len() + 64);
        for line in old.split_inclusive(|byte| *byte == b'\n') {
            let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            let indent = self.indent_width(&line[..blanks]);
            match &line[blanks..] {
                b"\n" => new.extend_from_slice(line),
                rest => {
                    let indent = if is_right { indent + width } else { indent.saturating_sub(width) };
                    push!(new, self.indent(indent), rest);
                }
            }
        }
        if new != old {
            self.edit(from, to - from, &new);
        }
        self.cursor = self.text().first_nonblank(from);
    }

    /// The columns of blanks at a line's beginning.
    pub(super) fn indent_width(&self, blanks: &[u8]) -> usize {
        let tab = self.options.tab_stop;
        blanks.iter().fold(0, |column, byte| if *byte == b'\t' { (column / tab + 1) * tab } else { column + 1 })
    }

    /// Blanks of so many columns.
    pub(super) fn indent(&self, columns: usize) -> Vec<u8> {
        let tabs = if self.options.flags[EXPAND_TAB] { 0 } else { columns / self.options.tab_stop };
        let mut blanks = vec![b'\t'; tabs];
        blanks.resize(tabs + columns - tabs * self.options.tab_stop, b' ');
        blanks
    }

    /// Changes the case of a part: `U` to upper, `u` to lower, `~` to the other one.
    pub(super) fn change_case(&mut self, from: usize, to: usize, how: char) {
        let to = to.min(self.text().len() - 1);
        let old = self.text().copy(from, to);
        let mut new = Vec::with_capacity(old.len());
        for chunk in old.utf8_chunks() {
            for one in chunk.valid().chars() {
                let other = rbox_core::unicode::other_case(one.into()).and_then(char::from_u32);
                let changes = match how {
                    'U' => one.is_lowercase(),
                    'u' => one.is_uppercase(),
                    _ => true,
                };
                let one = other.filter(|_| changes).unwrap_or(one);
                super::push_character(&mut new, one);
            }
            new.extend_from_slice(chunk.invalid());
        }
        if new != old {
            self.edit(from, to - from, &new);
        }
    }

    /// Joins so many lines with the one at an offset; `plain`: nothing is put between them.
    pub(super) fn join(&mut self, at: usize, times: usize, plain: bool) {
        for _ in 0..times {
            let end = self.text().line_end(at);
            if end + 1 >= self.text().len() {
                return self.bell();
            }
            let next = if plain { end + 1 } else { self.text().skip_blanks(end + 1) };
            let last = if end > self.text().line_start(at) { self.text().byte(end - 1) } else { b' ' };
            // No blank before a closing bracket, after a blank, or for an empty line.
            let has_blank = !plain && !matches!(last, b' ' | b'\t') && !matches!(self.text().byte(next), b')' | b'\n');
            self.edit(end, next - end, if has_blank { b" " } else { b"" });
            self.cursor = self.text().on_line(end);
            self.cursor = self.cursor.max(self.text().line_start(at));
        }
    }

    /// Puts a register before or after the cursor.
    pub(super) fn put(&mut self, name: Name, times: usize, after: bool) {
        let Some(register) = self.registers.get(name).cloned() else {
            return self.fail(b"Nothing in register");
        };
        let mut text = register.text;
        if register.is_lines && text.last() != Some(&b'\n') {
            text.push(b'\n');
        }
        self.report("Put", &text, name);
        let Some(text) = self.repeated(&text, times) else { return };
        let line_start = self.text().line_start(self.cursor);
        if register.is_lines {
            let at = if after { self.text().line_end(self.cursor) + 1 } else { line_start };
            self.edit(at, 0, &text);
            self.cursor = self.text().first_nonblank(at);
            return;
        }
        let at = if after { self.right_by(1, true) } else { self.cursor };
        self.edit(at, 0, &text);
        let has_lines = newlines(&text) > 0;
        self.cursor = if has_lines { self.text().on_line(at) } else { self.text().previous(at + text.len()) };
    }

    /// A text so many times, as far as memory allows.
    pub(super) fn repeated(&mut self, text: &[u8], times: usize) -> Option<Vec<u8>> {
        let mut all = Vec::new();
        let reserved = match text.len().checked_mul(times) {
            Some(size) if size < isize::MAX as usize => rbox_core::bytes::reserve(&mut all, size).is_ok(),
            _ => false,
        };
        if !reserved {
            self.fail(b"out of memory");
            return None;
        }
        (0..times).for_each(|_| all.extend_from_slice(text));
        Some(all)
    }

    /// Replaces the matches in a line: how many. `None` after a failure, which is reported.
    pub(super) fn substitute_in(
        &mut self,
        line: usize,
        regex: &Regex,
        template: &Template,
        which: Which,
    ) -> Option<u64> {
        let end = self.text().line_end(line);
        let (old, mut new) = (self.text().copy(line, end), Vec::new());
        match template.substitute(regex, &old, Exec::default(), which, &mut Vec::new(), &mut new) {
            Ok(0) => Some(0),
            Ok(count) => {
                self.edit(line, old.len(), &new);
                Some(count)
            }
            Err(error) => {
                self.fail_for(error);
                None
            }
        }
    }
}
