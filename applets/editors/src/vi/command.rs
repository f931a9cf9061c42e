//! Command mode: one key after the other (POSIX XCU vi, "Command Descriptions"), and the visual mode of vim.

use rbox_core::term::keys::Key;
use rbox_core::text;

use super::buffer::characters;
use super::object::Object;
use super::operator::Operator;
use super::register::Name;
use super::settings::AUTO_INDENT;
use super::undo::{VISUAL_END, VISUAL_START};
use super::{Editor, MOST};

/// The range of the line of the cursor and so many after it.
#[inline(never)]
pub(super) fn lines_from_here(after: usize) -> Vec<u8> {
    if after > 0 { text!(".,.+", after) } else { b".".to_vec() }
}

impl Editor<'_> {
    /// Reads a number and the key after it.
    pub(super) fn count(&mut self) -> (Option<usize>, Key) {
        let mut number: Option<usize> = None;
        loop {
            match self.key() {
                Key::Char(digit @ '0'..='9') if digit != '0' || number.is_some() => {
                    number = Some((number.unwrap_or(0) * 10 + digit as usize - '0' as usize).min(MOST));
                }
                key => return (number, key),
            }
        }
    }

    /// Obeys one command.
    pub(super) fn command(&mut self) {
        self.typed.clear();
        self.document.begin(self.cursor);
        let changes = self.document.changes;
        self.keep_line();
        let (mut count, mut key) = self.count();
        let mut name: Name = None;
        while key == Key::Char('"') {
            let Key::Char(letter) = self.key() else { return self.bell() };
            name = Some(letter);
            let (second, next) = self.count();
            (count, key) = (second.or(count), next);
        }
        self.is_repeatable = true;
        self.keeps_column = false;
        let is_repeating = self.is_repeating;
        self.obey(key, count, name);
        if !self.keeps_column {
            self.want = None;
        }
        self.cursor = self.cursor.min(self.text().len() - 1);
        if self.visual.is_none() {
            self.cursor = self.text().on_line(self.cursor);
        }
        self.settle();
        if self.document.changes != changes && self.is_repeatable && !is_repeating {
            self.repeat = core::mem::take(&mut self.typed);
        }
        // The keys that `.` pressed are one command.
        self.is_repeating &= !is_repeating;
    }

    fn obey(&mut self, key: Key, count: Option<usize>, name: Name) {
        let times = count.unwrap_or(1);
        match key {
            Key::PageDown => self.page(times, true),
            Key::PageUp => self.page(times, false),
            Key::Delete => self.delete_characters(times, true, name),
            Key::Insert => self.insert(times),
            Key::Hangup => self.hang_up(),
            Key::Char(one) if self.visual.is_some() && self.visual_key(one, count, name) => {}
            Key::Char(one) => self.character(one, count, name),
            key => self.go(key, count),
        }
    }

    /// Moves the cursor.
    fn go(&mut self, key: Key, count: Option<usize>) {
        match self.motion(key, count, None) {
            Some(motion) => {
                let to = motion.to.min(self.text().len() - 1);
                self.cursor = if self.visual.is_some() { to } else { self.text().on_line(to) };
            }
            None => self.bell(),
        }
    }

    fn character(&mut self, one: char, count: Option<usize>, name: Name) {
        let times = count.unwrap_or(1);
        match one {
            'i' | 'I' | 'a' | 'A' | 'o' | 'O' | 'R' => self.start_typing(one, times),
            'd' | 'c' | 'y' | '>' | '<' | '!' => self.operate(Operator(one), count, name),
            'D' | 'C' | 's' | 'S' | 'Y' | 'x' | 'X' => self.short_form(one, times, name),
            'p' | 'P' => self.put(name, times, one == 'p'),
            'r' => self.replace_characters(times),
            '~' => {
                let end = self.right_by(times, true);
                self.change_case(self.cursor, end, '~');
                self.cursor = self.text().on_line(end);
            }
            'J' => self.join(self.cursor, times.max(2) - 1, false),
            'u' | '\x12' | 'U' => self.undo(one, times),
            '.' => self.repeat_last(count),
            '&' => self.ex(b"&"),
            'm' => self.set_mark(),
            'q' => self.record(),
            '@' => self.run_register(times),
            'v' | 'V' => self.visual = Some((self.cursor, one == 'V')),
            ':' => {
                self.is_repeatable = false;
                let range = count.map_or(Vec::new(), |count| lines_from_here(count.max(1) - 1));
                self.command_line(&range);
            }
            'Z' => match self.key() {
                Key::Char('Z') => self.ex(b"x"),
                Key::Char('Q') => self.ex(b"q!"),
                _ => self.bell(),
            },
            'z' => self.scroll_to(count),
            'g' => self.after_g(count, name),
            '\x06' => self.page(times, true),
            '\x02' => self.page(times, false),
            '\x04' | '\x15' => self.half_page(one == '\x04', count),
            '\x05' => self.scroll(times, true),
            '\x19' => self.scroll(times, false),
            '\x07' => self.show_file(),
            '\x0c' => self.screen.forget(),
            '\x1a' => self.suspend(),
            '\x1d' => self.bell(),
            '\x1e' => self.ex(b"e #"),
            // POSIX XCU vi: an escape without a command to end rings the bell.
            '\x1b' | '\x03' if self.visual.take().is_none() => self.bell(),
            '\x1b' | '\x03' => self.cursor = self.text().on_line(self.cursor),
            _ => self.go(Key::Char(one), count),
        }
    }

    fn start_typing(&mut self, one: char, times: usize) {
        let (start, end) = (self.text().line_start(self.cursor), self.text().line_end(self.cursor));
        match one {
            'I' => {
                self.cursor = self.text().skip_blanks(start);
            }
            'a' if self.cursor < end => self.cursor = self.text().next(self.cursor),
            'A' => self.cursor = end,
            'o' | 'O' => {
                let indent = if self.options.flags[AUTO_INDENT] { self.indent_of(start, end) } else { Vec::new() };
                self.is_indent_only = !indent.is_empty();
                let at = if one == 'o' { end } else { start };
                let (before, after) = if one == 'o' { ("\n", "") } else { ("", "\n") };
                self.edit(at, 0, &text!(before, &indent, after));
                self.cursor = at + indent.len() + usize::from(one == 'o');
            }
            'R' => return self.replace_mode(times),
            _ => {}
        }
        self.insert(times);
    }

    fn short_form(&mut self, one: char, times: usize, name: Name) {
        match one {
            'x' | 'X' => self.delete_characters(times, one == 'x', name),
            'Y' => self.apply_to_lines(Operator('y'), times, name),
            'S' => self.apply_to_lines(Operator('c'), times, name),
            's' => {
                let to = self.right_by(times, true);
                self.apply(Operator('c'), Object { from: self.cursor, to, is_lines: false }, name);
            }
            _ => {
                let operator = Operator(one.to_ascii_lowercase());
                let Some(motion) = self.motion(Key::Char('$'), Some(times), Some(operator.0)) else {
                    return self.bell();
                };
                self.apply(operator, Object { from: self.cursor, to: motion.to, is_lines: false }, name);
            }
        }
    }

    fn delete_characters(&mut self, times: usize, is_forward: bool, name: Name) {
        let (mut from, mut to) = (self.cursor, self.cursor);
        if is_forward {
            to = self.right_by(times, true);
        } else {
            let start = self.text().line_start(from);
            for _ in 0..times {
                from = if from > start { self.text().previous(from) } else { from };
            }
        }
        self.delete(Object { from, to, is_lines: false }, name);
        self.message.clear();
    }

    fn replace_characters(&mut self, times: usize) {
        let key = self.key();
        let at = self.cursor;
        let end = self.right_by(times, true);
        let there = characters(&self.text().copy(at, end));
        let new = match key {
            Key::Char('\x1b' | '\x03') => return,
            Key::Char('\r' | '\n') => b"\n".to_vec(),
            Key::Char(one) => one.encode_utf8(&mut [0; 4]).as_bytes().to_vec(),
            Key::Byte(byte) => vec![byte],
            _ => return self.bell(),
        };
        if there < times {
            return self.bell();
        }
        // A newline takes the place of all characters.
        let times = if new == b"\n" { 1 } else { times };
        let Some(text) = self.repeated(&new, times) else { return };
        self.edit(at, end - at, &text);
        self.cursor =
            if text == b"\n" { self.text().first_nonblank(at + 1) } else { self.text().previous(at + text.len()) };
    }

    fn undo(&mut self, one: char, times: usize) {
        self.is_repeatable = false;
        if one == 'U' {
            return self.restore_line();
        }
        for _ in 0..times {
            match self.document.undo(one != 'u') {
                Ok(Some(at)) => {
                    let at = self.text().on_line(at);
                    self.cursor = at;
                    self.is_void = false;
                }
                Ok(None) => {
                    let message: &[u8] =
                        if one == 'u' { b"Already at oldest change" } else { b"Already at newest change" };
                    return self.fail(message);
                }
                Err(error) => return self.fail_for(error),
            }
        }
    }

    /// Remembers the line of the cursor when it is another one than before: `U` restores it.
    fn keep_line(&mut self) {
        let start = self.text().line_start(self.cursor);
        let number = self.text().line_number(start);
        if self.kept_line.as_ref().is_none_or(|(kept, _)| *kept != number) {
            let end = self.text().line_end(start);
            // A line of a megabyte is not copied for each movement.
            self.kept_line = (end - start < 1 << 20).then(|| (number, self.text().copy(start, end)));
        }
    }

    fn restore_line(&mut self) {
        let number = self.text().line_number(self.cursor);
        let Some((_, line)) = self.kept_line.take().filter(|(kept, _)| *kept == number) else { return self.bell() };
        let (start, end) = (self.text().line_start(self.cursor), self.text().line_end(self.cursor));
        let now = self.text().copy(start, end);
        self.edit(start, end - start, &line);
        self.kept_line = Some((number, now));
        self.cursor = start;
    }

    fn repeat_last(&mut self, count: Option<usize>) {
        self.is_repeatable = false;
        if self.repeat.is_empty() {
            return self.bell();
        }
        if let Some(count) = count {
            // The new number takes the place of the one that was typed.
            let digits = self.repeat.iter().take_while(|key| matches!(key, Key::Char('0'..='9'))).count();
            let mut counted = Vec::new();
            for digit in &text!(count) {
                counted.push(Key::Char((*digit).into()));
            }
            counted.extend_from_slice(&self.repeat[digits..]);
            self.repeat = counted;
        }
        self.is_repeating = true;
        self.queue.extend(self.repeat.iter().rev());
    }

    fn set_mark(&mut self) {
        match self.key() {
            Key::Char(name @ 'a'..='z') => self.document.marks[name as usize - 'a' as usize] = Some(self.cursor),
            Key::Char('\'' | '`') => self.document.marks[super::undo::CONTEXT] = Some(self.cursor),
            _ => self.bell(),
        }
    }

    /// The offset of a mark.
    pub(super) fn mark(&self, name: char) -> Option<usize> {
        let slot = match name {
            'a'..='z' => name as usize - 'a' as usize,
            '\'' | '`' => super::undo::CONTEXT,
            '<' => VISUAL_START,
            '>' => VISUAL_END,
            '.' | '[' => super::undo::CHANGED,
            _ => return None,
        };
        self.document.marks[slot].map(|at| at.min(self.text().len() - 1))
    }

    fn record(&mut self) {
        self.is_repeatable = false;
        if let Some((name, mut keys)) = self.recording.take() {
            // The `q` that ends it.
            keys.truncate(keys.iter().rposition(|byte| *byte == b'q').unwrap_or(0));
            self.message.clear();
            return self.registers.set(Some(name), keys, false, false);
        }
        match self.key() {
            Key::Char(name @ ('a'..='z' | 'A'..='Z')) => {
                self.recording = Some((name, Vec::new()));
                self.say(text!("recording @", &[name as u8]));
            }
            _ => self.bell(),
        }
    }

    fn run_register(&mut self, times: usize) {
        self.is_repeatable = false;
        let Key::Char(name) = self.key() else { return self.bell() };
        let name = if name == '@' { self.last_macro } else { Some(name) };
        let Some(register) = self.registers.get(name).filter(|_| name.is_some()) else { return self.bell() };
        let mut keys = Vec::new();
        for one in String::from_utf8_lossy(&register.text).chars() {
            keys.push(Key::Char(one));
        }
        self.last_macro = name;
        // A register that runs itself ends when a command in it fails, or here.
        self.runs += times;
        if self.runs > MOST || keys.len().saturating_mul(times) > MOST {
            return self.fail(b"Too many commands");
        }
        for _ in 0..times {
            self.press(&keys);
        }
    }

    fn after_g(&mut self, count: Option<usize>, name: Name) {
        let key = self.key();
        match key {
            Key::Char(case @ ('u' | 'U' | '~')) if self.visual.is_none() => self.operate(Operator(case), count, name),
            Key::Char('J') => self.join(self.cursor, count.unwrap_or(1).max(2) - 1, true),
            Key::Char('v') => {
                let (start, end) = (self.document.marks[VISUAL_START], self.document.marks[VISUAL_END]);
                match start.zip(end) {
                    Some((start, end)) => {
                        self.visual = Some((start, false));
                        self.cursor = end.min(self.text().len() - 1);
                    }
                    None => self.bell(),
                }
            }
            key => {
                self.put_back(key);
                self.go(Key::Char('g'), count);
            }
        }
    }

    /// The part that is selected.
    pub(super) fn selected(&self) -> Object {
        let (anchor, is_lines) = self.visual.unwrap_or((self.cursor, false));
        let anchor = anchor.min(self.text().len() - 1);
        let (from, to) = (anchor.min(self.cursor), anchor.max(self.cursor));
        match is_lines {
            true => Object { from: self.text().line_start(from), to: self.text().line_end(to) + 1, is_lines },
            false => Object { from, to: self.text().next(to).min(self.text().len()), is_lines },
        }
    }

    /// Ends the visual mode, and remembers its part.
    pub(super) fn leave_visual(&mut self) -> Object {
        let object = self.selected();
        self.document.marks[VISUAL_START] = Some(object.from);
        self.document.marks[VISUAL_END] = Some(self.text().previous(object.to.max(1)));
        self.visual = None;
        object
    }

    /// Replaces each selected character by the one that is typed; newlines stay.
    fn replace_selected(&mut self) {
        let object = self.leave_visual();
        self.cursor = object.from;
        let Key::Char(one) = self.key() else { return self.bell() };
        let old = self.text().copy(object.from, object.to);
        let text = String::from_utf8_lossy(&old);
        let mut new = Vec::new();
        for old in text.chars() {
            super::push_character(&mut new, if old == '\n' { old } else { one });
        }
        self.edit(object.from, old.len(), &new);
    }

    /// Puts a register in the place of what is selected, which is in the unnamed register then.
    fn put_over(&mut self, name: Name) {
        let object = self.leave_visual();
        let Some(register) = self.registers.get(name).cloned() else { return self.bell() };
        self.delete(object, None);
        let mut text = register.text;
        if object.is_lines != register.is_lines {
            let (before, after) = if object.is_lines { ("", "\n") } else { ("\n", "") };
            text = text!(before, text, after);
        }
        self.edit(object.from.min(self.text().len()), 0, &text);
        self.cursor = self.text().on_line(object.from);
    }

    /// A key in the visual mode. False when it means the same as elsewhere.
    fn visual_key(&mut self, one: char, count: Option<usize>, name: Name) -> bool {
        self.is_repeatable = false;
        let times = count.unwrap_or(1);
        match one {
            'd' | 'x' | 'c' | 's' | 'y' | 'u' | 'U' | '~' | '!' | 'D' | 'X' | 'C' | 'S' | 'R' | 'Y' | '>' | '<'
            | 'J' => {
                let mut object = self.leave_visual();
                if matches!(one, 'D' | 'X' | 'C' | 'S' | 'R' | 'Y' | '>' | '<') {
                    let text = self.text();
                    let to = text.line_end(object.to.max(1) - 1) + 1;
                    object = Object { from: text.line_start(object.from), to, is_lines: true };
                }
                let operator = match one {
                    'x' | 'D' | 'X' => 'd',
                    's' | 'C' | 'S' | 'R' => 'c',
                    'Y' => 'y',
                    '>' | '<' => {
                        self.shift(object.from, object.to, one == '>', times);
                        return true;
                    }
                    'J' => {
                        let text = self.text();
                        let count = text.line_number(object.to.max(1) - 1) - text.line_number(object.from);
                        self.join(object.from, count.max(1), false);
                        return true;
                    }
                    one => one,
                };
                self.apply(Operator(operator), object, name);
            }
            'r' => self.replace_selected(),
            'p' | 'P' => self.put_over(name),
            'o' => {
                let (anchor, is_lines) = self.visual.unwrap_or((self.cursor, false));
                self.visual = Some((self.cursor, is_lines));
                self.cursor = anchor;
            }
            'v' | 'V' => {
                let (anchor, is_lines) = self.visual.unwrap_or((self.cursor, false));
                self.visual = (is_lines != (one == 'V')).then_some((anchor, one == 'V'));
            }
            'i' | 'a' => {
                let Key::Char(letter) = self.key() else { return true };
                match self.object(letter, one == 'a', times) {
                    Some(object) if object.from < object.to => {
                        self.visual = Some((object.from, object.is_lines));
                        self.cursor = self.text().previous(object.to);
                    }
                    _ => self.bell(),
                }
            }
            ':' => {
                self.leave_visual();
                self.command_line(b"'<,'>");
            }
            _ => return false,
        }
        true
    }
}
