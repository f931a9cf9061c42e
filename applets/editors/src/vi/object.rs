//! Text objects: `iw aw iW aW i" a" i' i( a( i[ i{ i< it ip ap` and kin, after an operator or in the visual mode (vim).

use super::Editor;
use super::motion::Class;

/// A part of the text, its end excluded, and whether it is whole lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub from: usize,
    pub to: usize,
    pub is_lines: bool,
}

impl Editor<'_> {
    /// The object that a letter after `i` or `a` means; `around`: with what surrounds it.
    pub(super) fn object(&self, letter: char, around: bool, count: usize) -> Option<Object> {
        let part = |(from, to)| Object { from, to, is_lines: false };
        match letter {
            'w' | 'W' => Some(part(self.word_object(letter == 'W', around, count))),
            '"' | '\'' | '`' => self.quoted(letter as u8, around).map(part),
            '(' | ')' | 'b' => self.bracketed(b'(', around, count).map(part),
            '[' | ']' => self.bracketed(b'[', around, count).map(part),
            '{' | '}' | 'B' => self.bracketed(b'{', around, count).map(part),
            '<' | '>' => self.angled(around).map(part),
            't' => self.tag(around).map(part),
            'p' => Some(self.paragraph_object(around, count)),
            's' => Some(part(self.sentence_object(around))),
            _ => None,
        }
    }

    fn word_object(&self, is_big: bool, around: bool, count: usize) -> (usize, usize) {
        let text = self.text();
        let (start, end) = (text.line_start(self.cursor), text.line_end(self.cursor));
        let mut from = self.cursor;
        if from == end {
            return (from, from);
        }
        let class = self.class(from, is_big);
        from = self.class_start(from, start, class, is_big);
        // At the end, which is a newline, nothing is skipped.
        let skip = |at: usize| self.class_end(at, end, self.class(at, is_big), is_big);
        let mut to = from;
        for _ in 0..count {
            to = skip(to);
            if around {
                // Blanks belong to the word before them, or to the one after them when they come first.
                let is_word = class != Class::Blank;
                let is_blank = to < end && self.class(to, is_big) == Class::Blank;
                if is_word == is_blank {
                    to = skip(to);
                }
            }
        }
        if around && class != Class::Blank && (to == from || self.class(text.previous(to), is_big) != Class::Blank) {
            from = self.class_start(from, start, Class::Blank, is_big);
        }
        (from, to)
    }

    /// The string in quotes that has the cursor, or the next one in the line.
    fn quoted(&self, quote: u8, around: bool) -> Option<(usize, usize)> {
        let text = self.text();
        let (start, end) = (text.line_start(self.cursor), text.line_end(self.cursor));
        let mut at = start;
        loop {
            let find = |mut at: usize| {
                while at < end && text.byte(at) != quote {
                    at += if text.byte(at) == b'\\' { 2 } else { 1 };
                }
                (at < end).then_some(at)
            };
            let open = find(at)?;
            let close = find(open + 1)?;
            if close >= self.cursor {
                return Some(if around { (open, text.skip_blanks(close + 1)) } else { (open + 1, close) });
            }
            at = close + 1;
        }
    }

    fn bracketed(&self, open: u8, around: bool, count: usize) -> Option<(usize, usize)> {
        let text = self.text();
        let close = if open == b'(' { b')' } else { open + 2 };
        // On the closing bracket one is inside.
        let mut before = self.cursor + usize::from(text.byte(self.cursor) != close);
        let mut depth = count;
        while depth > 0 && before > 0 {
            before -= 1;
            let byte = text.byte(before);
            depth = if byte == open { depth - 1 } else { depth + usize::from(byte == close) };
        }
        // Outside of all, the next one is meant.
        let at = match depth {
            0 => before,
            _ => (self.cursor..text.len()).find(|at| text.byte(*at) == open)?,
        };
        let end = self.bracket_of(at)?;
        if around {
            return Some((at, end + 1));
        }
        // The lines between two brackets at the end and at the beginning of lines are whole.
        let from = if text.byte(at + 1) == b'\n' && at + 1 < end { at + 2 } else { at + 1 };
        let line = text.line_start(end);
        let is_first = text.skip_blanks(line) >= end;
        Some((from, if from > at + 1 && is_first { line.max(from) } else { end }))
    }

    fn angled(&self, around: bool) -> Option<(usize, usize)> {
        let text = self.text();
        let mut from = self.cursor;
        while text.byte(from) != b'<' {
            from = from.checked_sub(1)?;
        }
        let mut to = from;
        while text.byte(to) != b'>' {
            to += 1;
            if to == text.len() {
                return None;
            }
        }
        if to < self.cursor {
            return None;
        }
        Some(if around { (from, to + 1) } else { (from + 1, to) })
    }

    /// The innermost element `<name ...>...</name>` around the cursor.
    fn tag(&self, around: bool) -> Option<(usize, usize)> {
        let text = self.text();
        // The tags that are open before the cursor: the innermost that ends after it is the one.
        let content = text.copy(0, text.len());
        let mut open: Vec<(usize, usize, &[u8])> = Vec::new();
        let mut at = 0;
        while let Some(start) = rbox_core::bytes::find_byte(b'<', &content[at..]).map(|length| at + length) {
            let end = start + rbox_core::bytes::find_byte(b'>', &content[start..])? + 1;
            let inner = &content[start + 1..end - 1];
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':');
            let closing = inner.strip_prefix(b"/");
            let name = closing.unwrap_or(inner);
            let name = &name[..name.iter().take_while(|byte| is_name(byte)).count()];
            if closing.is_some() {
                let matching = open.iter().rposition(|(_, _, opened)| *opened == name);
                if let Some((tag, content_start, _)) = matching.map(|index| open[index]) {
                    open.truncate(matching.unwrap_or(0));
                    if tag <= self.cursor && self.cursor < end {
                        return Some(if around { (tag, end) } else { (content_start, start) });
                    }
                }
            } else if !name.is_empty() && !inner.ends_with(b"/") {
                open.push((start, end, name));
            }
            at = end;
        }
        None
    }

    fn paragraph_object(&self, around: bool, count: usize) -> Object {
        let text = self.text();
        let is_blank = |line: usize| text.byte(text.skip_blanks(line)) == b'\n';
        let mut from = text.line_start(self.cursor);
        let first = is_blank(from);
        while let Some(before) = text.previous_line(from).filter(|line| is_blank(*line) == first) {
            from = before;
        }
        let skip = |mut line: usize| {
            let kind = line < text.len() && is_blank(line);
            while line < text.len() && is_blank(line) == kind {
                line = text.line_end(line) + 1;
            }
            line
        };
        let mut to = from;
        for _ in 0..count {
            to = skip(to);
            if around {
                to = skip(to);
            }
        }
        Object { from, to: to.min(text.len()), is_lines: true }
    }

    fn sentence_object(&self, around: bool) -> (usize, usize) {
        let text = self.text();
        let from = if self.is_sentence(self.cursor) { self.cursor } else { self.sentence(self.cursor, false) };
        let mut to = self.sentence(self.cursor, true);
        while !around && to > from + 1 && self.class(to - 1, true) == Class::Blank {
            to -= 1;
        }
        (from, to.min(text.len() - 1))
    }
}
