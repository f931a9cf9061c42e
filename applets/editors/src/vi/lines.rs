//! Ex commands that change lines: `:s`, `:g`, `:v`, `:d`, `:y`, `:pu`, `:j`, `:m`, `:t`, `:>`, `:<`, `:k`.

use rbox_core::pattern::regex::{Exec, Regex};
use rbox_core::pattern::template::{Template, Which};
use rbox_core::term::keys::Key;
use rbox_core::text;

use super::Editor;
use super::ex::Command;
use super::object::Object;
use super::range::{Range, skip_blanks};
use super::search::{delimited, line_forward, up_to};

/// A substitution, which `:s` without an expression and `&` repeat.
#[derive(Default)]
pub(super) struct Substitution {
    expression: Vec<u8>,
    replacement: Vec<u8>,
    is_global: bool,
    ignore_case: bool,
}

impl Editor<'_> {
    /// Where the lines of a range begin and end.
    pub(super) fn offsets(&self, range: Range) -> (usize, usize) {
        (self.line_at(range.first), self.text().line_end(self.line_at(range.last)) + 1)
    }

    /// `:d`, `:y`, `:j`, `:pu`, with a register and a count after them.
    pub(super) fn line_command(&mut self, range: Range, command: Command, rest: &[u8], forced: bool) {
        let mut rest = rest;
        let name = match rest {
            [letter, ..] if letter.is_ascii_alphabetic() && command != Command::Join => {
                rest = &rest[1..];
                Some((*letter).into())
            }
            _ => None,
        };
        skip_blanks(&mut rest);
        let mut range = range;
        if matches!(rest.first(), Some(b'0'..=b'9')) {
            let Some(count) = self.number(&mut rest).filter(|count| *count > 0) else { return };
            // A count begins at the last line of the range.
            range.first = range.last;
            range.last = (range.last.saturating_add(count - 1)).min(self.text().lines());
            if command == Command::Join {
                range.last = range.last.max(range.first + 1);
            }
        }
        if !rest.is_empty() {
            return self.fail(b"Extra characters at the end of the command");
        }
        let (from, to) = self.offsets(range);
        let object = Object { from, to, is_lines: true };
        match command {
            Command::Delete => self.delete(object, name),
            Command::Yank => {
                let before = self.cursor;
                self.yank(object, name);
                self.cursor = before;
            }
            Command::Join => {
                let count = range.last - range.first;
                self.join(from, count.max(1), forced);
            }
            _ => {
                self.cursor = self.line_at(range.last);
                if let Some(text) = self.registers.get(name).map(|register| register.text.clone()) {
                    let at = if forced { self.cursor } else { self.after_line(range.last) };
                    self.insert_lines(at, text);
                } else {
                    self.fail(b"Nothing in register");
                }
            }
        }
    }

    /// Where a line begins, by its number from 1; 0 is the first one too.
    #[inline(never)]
    pub(super) fn line_at(&self, number: usize) -> usize {
        self.text().line_offset(number.saturating_sub(1))
    }

    /// Where what is put after a line goes: 0 is before the first one.
    #[inline(never)]
    pub(super) fn after_line(&self, number: usize) -> usize {
        if number == 0 { 0 } else { self.text().line_end(self.line_at(number)) + 1 }
    }

    /// Moves the cursor to a line, by its number from 1.
    #[inline(never)]
    pub(super) fn go_to_line(&mut self, number: usize) {
        self.cursor = self.text().first_nonblank(self.line_at(number));
    }

    pub(super) fn set_mark_at(&mut self, range: Range, rest: &[u8]) {
        match rest {
            [name @ b'a'..=b'z'] => {
                let at = self.line_at(range.last);
                self.document.marks[usize::from(name - b'a')] = Some(at);
            }
            _ => self.fail(b"A mark is a letter from a to z"),
        }
    }

    pub(super) fn shift_lines(&mut self, range: Range, operator: u8, rest: &[u8]) {
        let times = 1 + rest.iter().take_while(|byte| **byte == operator).count();
        let (from, to) = self.offsets(range);
        self.shift(from, to, operator == b'>', times);
        self.go_to_line(range.last);
    }

    /// `:t`, `:co` and `:m`.
    pub(super) fn copy_lines(&mut self, range: Range, rest: &[u8], moves: bool) {
        let mut rest = rest;
        let Some(Some(target)) = self.address(&mut rest) else {
            return if self.is_failure {
            } else {
                self.fail(b"Bad address")
            };
        };
        if target > self.text().lines() || moves && (range.first..range.last).contains(&target) {
            return self.fail(b"Bad address");
        }
        let (from, to) = self.offsets(range);
        let lines = self.text().copy(from, to);
        let at = self.after_line(target);
        self.edit(at, 0, &lines);
        let mut last = target + range.last - range.first.max(1) + 1;
        if moves {
            let from = if at <= from { from + lines.len() } else { from };
            self.edit(from, lines.len(), b"");
            if target >= range.last {
                last -= range.last - range.first.max(1) + 1;
            }
        }
        self.go_to_line(last);
    }

    /// `:g` and `:v`: marks the lines that match, then obeys the command at each of them.
    pub(super) fn global(&mut self, range: Range, rest: &[u8], inverted: bool) {
        let Some((&delimiter, rest)) = rest.split_first().filter(|(byte, _)| !byte.is_ascii_alphanumeric()) else {
            return self.fail(b"Missing regular expression");
        };
        if self.is_global {
            return self.fail(b"A global command cannot contain another one");
        }
        let (expression, command) = delimited(rest, delimiter);
        let Some(regex) = self.regex(&expression) else { return };
        let (from, to) = if range.count == 0 { (0, self.text().len()) } else { self.offsets(range) };
        let (mut found, mut at) = (Vec::new(), from);
        let text = &self.document.text;
        while at < to {
            let next = line_forward(text, &regex, at, to);
            if inverted {
                while at < next.unwrap_or(to) {
                    found.push(at);
                    at = text.line_end(at) + 1;
                }
            }
            let Some(next) = next else { break };
            if !inverted {
                found.push(next);
            }
            at = text.line_end(next) + 1;
        }
        if found.is_empty() {
            return self.fail(b"No match");
        }
        self.message.clear();
        let command = if command.is_empty() { b"nu" } else { command };
        self.document.set_pending(found);
        self.is_global = true;
        while let Some(next) = self.document.next_pending() {
            // A line that was deleted since is none any more.
            if next < self.text().len() {
                self.cursor = next;
                self.ex(command);
            }
        }
        self.is_global = false;
    }

    /// `:s`; `first` is `None` for `:&`, which repeats the one before.
    pub(super) fn substitute(&mut self, range: Range, first: Option<u8>, rest: &[u8]) {
        let mut rest = rest;
        skip_blanks(&mut rest);
        let is_new = first.is_some() && rest.first().is_some_and(|byte| !byte.is_ascii_alphanumeric() && *byte != b'&');
        if is_new {
            let delimiter = rest[0];
            let (expression, after) = delimited(&rest[1..], delimiter);
            let (replacement, flags) = up_to(after, delimiter, false);
            if expression.is_empty() && self.pattern.is_empty() {
                return self.fail(b"No previous regular expression");
            }
            let expression = if expression.is_empty() { self.pattern.clone() } else { expression };
            let replacement = with_previous(&replacement, &self.substitution.replacement);
            self.substitution = Substitution { expression, replacement, ..Substitution::default() };
            rest = flags;
        } else if self.substitution.expression.is_empty() {
            return self.fail(b"No previous substitution");
        }
        let (mut range, mut asks, mut flags) = (range, false, rest);
        self.substitution.is_global &= rest.first() == Some(&b'&');
        while let Some((flag, after)) = flags.split_first() {
            match flag {
                b'g' => self.substitution.is_global = true,
                b'i' | b'I' => self.substitution.ignore_case = true,
                b'c' => asks = true,
                b'&' | b'r' | b' ' | b'p' => {}
                b'0'..=b'9' => {
                    let Some(count) = self.number(&mut flags).filter(|count| *count > 0) else { return };
                    range.first = range.last;
                    range.last = (range.last + count - 1).min(self.text().lines());
                    continue;
                }
                b'|' => {
                    self.substitute_lines(range, asks);
                    return if self.is_failure {
                    } else {
                        self.ex(after)
                    };
                }
                _ => return self.fail(b"Extra characters at the end of the command"),
            }
            flags = after;
        }
        self.substitute_lines(range, asks);
    }

    fn substitute_lines(&mut self, range: Range, asks: bool) {
        self.pattern.clone_from(&self.substitution.expression);
        let Some(regex) = self.compiled(self.substitution.ignore_case) else { return };
        let template = Template::parse(&self.substitution.replacement);
        let is_global = self.substitution.is_global;
        let (mut at, end) = self.offsets(range);
        // What is after the range does not change.
        let tail = self.text().len() - end;
        let (mut count, mut lines, mut last) = (0, 0, None);
        while at < self.text().len() - tail {
            let Some(line) = line_forward(&self.document.text, &regex, at, self.text().len() - tail) else { break };
            let before = self.text().len() - self.text().line_end(line);
            let replaced = match asks {
                true => self.substitute_asking(line, &regex, &template, is_global),
                false => self.substitute_in(line, &regex, &template, Which { first: 1, all: is_global }),
            };
            let Some(replaced) = replaced else { return };
            at = self.text().len() - before + 1;
            if replaced > 0 {
                (count, lines, last) = (count + replaced, lines + 1u64, Some(at - 1));
            }
            if self.has_stopped {
                break;
            }
        }
        self.has_stopped = false;
        match last {
            Some(last) => {
                let start = self.text().line_start(last.min(self.text().len() - 1));
                self.cursor = self.text().first_nonblank(start);
                self.say(text!(count, " substitutions on ", lines, " lines"));
            }
            None if !self.is_global && !asks => self.fail(b"No match"),
            None => {}
        }
    }

    /// Asks at each match in a line; how many were replaced.
    fn substitute_asking(&mut self, line: usize, regex: &Regex, template: &Template, all: bool) -> Option<u64> {
        let (mut from, mut count) = (0, 0);
        let mut everything = false;
        loop {
            let content = self.text().copy(line, self.text().line_end(line));
            let mut spans = vec![None; template.highest_group().max(regex.groups()) + 1];
            if from > content.len() || !regex.captures_at(&content, from, Exec::default(), &mut spans) {
                return Some(count);
            }
            let Some((start, end)) = spans[0] else { return Some(count) };
            self.cursor = self.text().on_line(line + start);
            self.visual = Some((self.cursor, false));
            self.cursor = self.text().previous((line + end).max(line + start + 1));
            self.tell(b"replace? (y/n/a/q/l)");
            let answer = if everything { Key::Char('y') } else { self.key() };
            self.visual = None;
            let mut length = end - start;
            match answer {
                Key::Char('y' | 'a' | 'l') => {
                    everything |= answer == Key::Char('a');
                    let mut new = Vec::new();
                    template.append(&mut new, &content, &spans, true).ok()?;
                    self.edit(line + start, end - start, &new);
                    (count, length) = (count + 1, new.len());
                    self.has_stopped |= answer == Key::Char('l');
                }
                Key::Char('n') => {}
                _ => self.has_stopped = true,
            }
            if !all || self.has_stopped {
                return Some(count);
            }
            from = start + length + usize::from(start == end);
        }
    }
}

/// A replacement in which `~` is the one before, and a carriage return, also as `\r`, is a newline.
fn with_previous(replacement: &[u8], previous: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < replacement.len() {
        let (length, new): (usize, &[u8]) = match replacement[at..] {
            [b'\\', b'~', ..] => (2, b"~"),
            [b'\\', b'r', ..] => (2, b"\\n"),
            [b'\\', _, ..] => (2, &replacement[at..at + 2]),
            [b'~', ..] => (1, previous),
            [b'\r', ..] => (1, b"\\n"),
            _ => (1, &replacement[at..=at]),
        };
        out.extend_from_slice(new);
        at += length;
    }
    out
}
