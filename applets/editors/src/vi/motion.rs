//! Movements: from the cursor to where a command goes, for operators too (POSIX XCU vi, "Commands in Visual Mode").

use rbox_core::term::keys::Key;

use super::Editor;
use super::undo::CONTEXT;

/// What an operator takes between the cursor and where a movement ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Without the character at the end.
    Exclusive,
    /// With it.
    Inclusive,
    /// Whole lines.
    Lines,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Motion {
    pub to: usize,
    pub kind: Kind,
}

/// What a character is to the commands that move by words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Blank,
    Word,
    Other,
}

impl Editor<'_> {
    /// Where a key leads. `None` when it is no movement, or leads nowhere.
    pub(super) fn motion(&mut self, key: Key, count: Option<usize>, operator: Option<char>) -> Option<Motion> {
        let times = count.unwrap_or(1);
        let key = match key {
            Key::Left => Key::Char('h'),
            Key::Right => Key::Char('l'),
            Key::Up => Key::Char('k'),
            Key::Down => Key::Char('j'),
            Key::Home => Key::Char('0'),
            Key::End => Key::Char('$'),
            Key::WordLeft => Key::Char('b'),
            Key::WordRight => Key::Char('w'),
            key => key,
        };
        let Key::Char(one) = key else { return None };
        let exclusive = |to| Some(Motion { to, kind: Kind::Exclusive });
        match one {
            'h' | '\x08' | '\x7f' => {
                let to = self.left_by(times);
                (to < self.cursor).then_some(Motion { to, kind: Kind::Exclusive })
            }
            'l' | ' ' => {
                let to = self.right_by(times, operator.is_some());
                (to > self.cursor).then_some(Motion { to, kind: Kind::Exclusive })
            }
            'j' | '\n' | '\x0e' => self.vertical(times, true),
            'k' | '\x10' => self.vertical(times, false),
            '+' | '\r' => self.lines_by(times, true),
            '-' => self.lines_by(times, false),
            '_' => self.lines_by(times - 1, true),
            '0' => exclusive(self.text().line_start(self.cursor)),
            '^' => exclusive(self.text().first_nonblank(self.cursor)),
            '$' => self.line_end(times, operator.is_some()),
            '|' => exclusive(self.at_column(self.text().line_start(self.cursor), times - 1)),
            'w' | 'W' => exclusive(self.repeat(one, times)),
            'b' | 'B' => exclusive(self.repeat(one, times)),
            'e' | 'E' => {
                let to = self.repeat(one, times);
                Some(Motion { to, kind: Kind::Inclusive })
            }
            'f' | 'F' | 't' | 'T' => {
                let Key::Char(character) = self.key() else { return None };
                self.last_find = Some((one, character));
                self.find_character(one, character, times, false)
            }
            ';' | ',' => {
                let (find, character) = self.last_find?;
                let find = if one == ';' { find } else { swap_case(find) };
                self.find_character(find, character, times, true)
            }
            'H' | 'M' | 'L' => {
                let to = self.on_screen(one, times);
                self.jumped(Motion { to, kind: Kind::Lines })
            }
            'G' => {
                let number = count.unwrap_or(self.text().lines());
                let to = self.text().first_nonblank(self.text().line_offset(number.saturating_sub(1)));
                self.jumped(Motion { to, kind: Kind::Lines })
            }
            'g' => self.motion_after_g(count),
            '%' => {
                let to = self.matching_bracket()?;
                self.jumped(Motion { to, kind: Kind::Inclusive })
            }
            '{' | '}' => {
                let to = self.repeat(one, times);
                self.jumped(Motion { to, kind: Kind::Exclusive })
            }
            '(' | ')' => {
                let to = self.repeat(one, times);
                self.jumped(Motion { to, kind: Kind::Exclusive })
            }
            '[' | ']' => {
                let Key::Char(second) = self.key() else { return None };
                let wanted = if second == one { b'{' } else { b'}' };
                let to =
                    (0..times.min(self.text().lines())).fold(self.cursor, |at, _| self.section(at, one == ']', wanted));
                self.jumped(Motion { to, kind: Kind::Exclusive })
            }
            '\'' | '`' => self.go_to_mark(one),
            '/' | '?' => self.ask_search(one, times),
            'n' | 'N' => self.search_again(one == 'N', times),
            '*' | '#' => self.search_word(one == '*', times),
            _ => None,
        }
    }

    /// A movement so many times, or as often as it leads on; `g` and `G` are `ge` and `gE`.
    fn repeat(&self, one: char, times: usize) -> usize {
        let mut at = self.cursor;
        for _ in 0..times {
            let next = match one {
                'w' | 'W' => self.word_forward(at, one == 'W'),
                'b' | 'B' => self.word_back(at, one == 'B'),
                'e' | 'E' => self.word_end(at, one == 'E'),
                'g' | 'G' => self.word_end_back(at, one == 'G'),
                '{' | '}' => self.paragraph(at, one == '}'),
                _ => self.sentence(at, one == ')'),
            };
            if next == at {
                break;
            }
            at = next;
        }
        at
    }

    /// A jump, from which `''` returns.
    pub(super) fn jumped(&mut self, motion: Motion) -> Option<Motion> {
        self.document.marks[CONTEXT] = Some(self.cursor);
        Some(motion)
    }

    fn left_by(&self, times: usize) -> usize {
        let start = self.text().line_start(self.cursor);
        let mut at = self.cursor;
        for _ in 0..times {
            if at == start {
                break;
            }
            at = self.text().previous(at);
        }
        at
    }

    /// To the right; onto the newline only for an operator.
    pub(super) fn right_by(&self, times: usize, onto_newline: bool) -> usize {
        let mut at = self.cursor;
        for _ in 0..times {
            let next = self.text().next(at);
            let is_end = self.text().byte(at) == b'\n' || !onto_newline && self.text().byte(next) == b'\n';
            if is_end {
                break;
            }
            at = next;
        }
        at
    }

    /// The line that is so many lines away; `None` when there are none in that direction.
    fn line_away(&self, times: usize, is_down: bool) -> Option<usize> {
        let number = self.text().line_number(self.cursor);
        let wanted = match is_down {
            true => number.saturating_add(times).min(self.text().lines() - 1),
            false => number.saturating_sub(times),
        };
        (wanted != number || times == 0).then(|| self.text().line_offset(wanted))
    }

    fn vertical(&mut self, times: usize, is_down: bool) -> Option<Motion> {
        let column = self.want.unwrap_or_else(|| self.column_of(self.cursor));
        let line = self.line_away(times, is_down)?;
        (self.want, self.keeps_column) = (Some(column), true);
        Some(Motion { to: self.at_column(line, column), kind: Kind::Lines })
    }

    fn lines_by(&self, times: usize, is_down: bool) -> Option<Motion> {
        let line = self.line_away(times, is_down)?;
        Some(Motion { to: self.text().first_nonblank(line), kind: Kind::Lines })
    }

    fn line_end(&mut self, times: usize, is_operator: bool) -> Option<Motion> {
        let line = if times > 1 { self.line_away(times - 1, true)? } else { self.cursor };
        let end = self.text().line_end(line);
        if is_operator {
            return Some(Motion { to: end, kind: Kind::Exclusive });
        }
        (self.want, self.keeps_column) = (Some(usize::MAX), true);
        Some(Motion { to: self.text().on_line(end), kind: Kind::Inclusive })
    }

    pub(super) fn class(&self, at: usize, is_big: bool) -> Class {
        match self.text().byte(at) {
            b' ' | b'\t' | b'\n' => Class::Blank,
            _ if is_big => Class::Word,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | 128.. => Class::Word,
            _ => Class::Other,
        }
    }

    /// Where characters of a class end, or the offset `end` before that.
    #[inline(never)]
    pub(super) fn class_end(&self, mut at: usize, end: usize, class: Class, is_big: bool) -> usize {
        while at < end && self.class(at, is_big) == class {
            at = self.text().next(at);
        }
        at
    }

    /// Where the characters of a class before an offset begin, or the offset `start` after that.
    #[inline(never)]
    pub(super) fn class_start(&self, mut at: usize, start: usize, class: Class, is_big: bool) -> usize {
        while at > start {
            let before = self.text().previous(at);
            if self.class(before, is_big) != class {
                break;
            }
            at = before;
        }
        at
    }

    fn is_empty_line(&self, at: usize) -> bool {
        self.text().byte(at) == b'\n' && (at == 0 || self.text().byte(at - 1) == b'\n')
    }

    fn last(&self) -> usize {
        self.text().len() - 1
    }

    /// The beginning of the next word. An empty line is a word.
    fn word_forward(&self, from: usize, is_big: bool) -> usize {
        let (mut at, last, class) = (from, self.last(), self.class(from, is_big));
        if class != Class::Blank {
            at = self.class_end(at, last, class, is_big);
        }
        while at < last && self.class(at, is_big) == Class::Blank && !(at > from && self.is_empty_line(at)) {
            at += 1;
        }
        at
    }

    /// The last character of the word, or of the next one at a word's end.
    pub(super) fn word_end(&self, from: usize, is_big: bool) -> usize {
        let last = self.last();
        let mut at = self.text().next(from).min(last);
        at = self.class_end(at, last, Class::Blank, is_big);
        let class = self.class(at, is_big);
        loop {
            let next = self.text().next(at);
            if next >= last || self.class(next, is_big) != class {
                return at;
            }
            at = next;
        }
    }

    fn word_back(&self, from: usize, is_big: bool) -> usize {
        let mut at = self.text().previous(from);
        while at > 0 && self.class(at, is_big) == Class::Blank && !self.is_empty_line(at) {
            at = self.text().previous(at);
        }
        let class = self.class(at, is_big);
        if class == Class::Blank { at } else { self.class_start(at, 0, class, is_big) }
    }

    /// The end of the word before (`ge`).
    fn word_end_back(&self, from: usize, is_big: bool) -> usize {
        let (mut at, class) = (from, self.class(from, is_big));
        while class != Class::Blank && at > 0 && self.class(at, is_big) == class {
            at = self.text().previous(at);
        }
        while at > 0 && self.class(at, is_big) == Class::Blank && !(at < from && self.is_empty_line(at)) {
            at = self.text().previous(at);
        }
        at
    }

    fn motion_after_g(&mut self, count: Option<usize>) -> Option<Motion> {
        let Key::Char(one) = self.key() else { return None };
        match one {
            'g' => {
                let line = self.text().line_offset(count.unwrap_or(1).saturating_sub(1));
                let to = self.text().first_nonblank(line);
                self.jumped(Motion { to, kind: Kind::Lines })
            }
            'e' | 'E' => {
                let to = self.repeat(if one == 'e' { 'g' } else { 'G' }, count.unwrap_or(1));
                Some(Motion { to, kind: Kind::Inclusive })
            }
            '_' => {
                let mut to = self.text().on_line(self.text().line_end(self.cursor));
                while matches!(self.text().byte(to), b' ' | b'\t') && to > self.text().line_start(self.cursor) {
                    to = self.text().previous(to);
                }
                Some(Motion { to, kind: Kind::Inclusive })
            }
            _ => None,
        }
    }

    /// `f`, `F`, `t`, `T`: the character in the line. `again`: `t` does not stop before the character it is before.
    fn find_character(&self, find: char, wanted: char, times: usize, again: bool) -> Option<Motion> {
        let text = self.text();
        let (start, end) = (text.line_start(self.cursor), text.line_end(self.cursor));
        let is_forward = find.is_ascii_lowercase();
        let mut at = self.cursor;
        let step = |at: usize| match is_forward {
            true => Some(text.next(at)).filter(|next| *next < end),
            false => (at > start).then(|| text.previous(at)),
        };
        let is_till = find.eq_ignore_ascii_case(&'t');
        if is_till && again && times == 1 {
            // A further `;` would find the same one.
            let next = step(at)?;
            if text.character(next).0 == Some(wanted) {
                at = next;
            }
        }
        for _ in 0..times {
            loop {
                at = step(at)?;
                if text.character(at).0 == Some(wanted) {
                    break;
                }
            }
        }
        let to = match (is_till, is_forward) {
            (false, _) => at,
            (true, true) => text.previous(at),
            (true, false) => text.next(at),
        };
        Some(Motion { to, kind: if is_forward { Kind::Inclusive } else { Kind::Exclusive } })
    }

    fn on_screen(&self, one: char, times: usize) -> usize {
        let text = self.text();
        let top = text.line_number(self.top);
        let bottom = (top + self.rows() - 1).min(text.lines() - 1);
        let line = match one {
            'H' => (top + times - 1).min(bottom),
            'L' => bottom.saturating_sub(times - 1).max(top),
            _ => (top + bottom) / 2,
        };
        text.first_nonblank(text.line_offset(line))
    }

    /// The bracket that belongs to the first one at the cursor or after it in the line.
    fn matching_bracket(&self) -> Option<usize> {
        let (mut at, end) = (self.cursor, self.text().line_end(self.cursor));
        while at < end && !b"()[]{}".contains(&self.text().byte(at)) {
            at += 1;
        }
        if at == end { None } else { self.bracket_of(at) }
    }

    pub(super) fn bracket_of(&self, at: usize) -> Option<usize> {
        let open = self.text().byte(at);
        let place = b"()[]{}".iter().position(|byte| *byte == open)?;
        let close = b")(][}{"[place];
        let is_forward = place % 2 == 0;
        let (mut at, mut depth) = (at, 0);
        loop {
            let byte = self.text().byte(at);
            depth = if byte == open { depth + 1 } else { depth - usize::from(byte == close) };
            if depth == 0 {
                return Some(at);
            }
            at = if is_forward { at + 1 } else { at.checked_sub(1)? };
            if at == self.text().len() {
                return None;
            }
        }
    }

    /// The next empty line after text, or the one before.
    pub(super) fn paragraph(&self, from: usize, is_forward: bool) -> usize {
        let mut line = self.text().line_start(from);
        let mut seen = !self.is_empty_line(line);
        loop {
            let next = if is_forward { self.text().next_line(line) } else { self.text().previous_line(line) };
            let Some(next) = next else { return if is_forward { self.last() } else { 0 } };
            line = next;
            let is_empty = self.is_empty_line(line);
            if is_empty && seen {
                return line;
            }
            seen |= !is_empty;
        }
    }

    /// Whether a sentence begins here: after a full stop and blanks, or at a paragraph's boundary.
    pub(super) fn is_sentence(&self, at: usize) -> bool {
        let text = self.text();
        if at == 0 {
            return true;
        }
        if self.is_empty_line(at) {
            return !self.is_empty_line(at - 1);
        }
        if self.class(at, true) == Class::Blank || self.class(at - 1, true) != Class::Blank {
            return false;
        }
        let mut before = at - 1;
        while before > 0 && self.class(before, true) == Class::Blank {
            if self.is_empty_line(before) {
                return true;
            }
            before -= 1;
        }
        while before > 0 && b")]\"'".contains(&text.byte(before)) {
            before -= 1;
        }
        b".!?".contains(&text.byte(before))
    }

    pub(super) fn sentence(&self, from: usize, is_forward: bool) -> usize {
        let (mut at, last) = (from, self.last());
        loop {
            if if is_forward { at >= last } else { at == 0 } {
                return at;
            }
            at = if is_forward { at + 1 } else { at - 1 };
            if self.is_sentence(at) {
                return at;
            }
        }
    }

    fn section(&self, from: usize, is_forward: bool, wanted: u8) -> usize {
        let mut line = self.text().line_start(from);
        loop {
            let next = if is_forward { self.text().next_line(line) } else { self.text().previous_line(line) };
            let Some(next) = next else { return if is_forward { self.last() } else { 0 } };
            line = next;
            if self.text().byte(line) == wanted {
                return line;
            }
        }
    }

    fn go_to_mark(&mut self, one: char) -> Option<Motion> {
        let Key::Char(name) = self.key() else { return None };
        let Some(at) = self.mark(name) else {
            self.fail(b"Mark not set");
            return None;
        };
        match one {
            '\'' => self.jumped(Motion { to: self.text().first_nonblank(at), kind: Kind::Lines }),
            _ => self.jumped(Motion { to: self.text().on_line(at), kind: Kind::Exclusive }),
        }
    }
}

fn swap_case(one: char) -> char {
    if one.is_ascii_lowercase() { one.to_ascii_uppercase() } else { one.to_ascii_lowercase() }
}
