//! Searching: `/`, `?`, `n`, `N`, `*`, `#`, and the lines that ex commands ask for. Expressions are basic ones (POSIX XBD
//! 9.3) on characters of UTF-8, and match within lines.

use rbox_core::bytes::{find_byte, find_byte_back};
use rbox_core::pattern::regex::{Exec, Flags, Regex};
use rbox_core::text;

use super::Editor;
use super::buffer::Buffer;
use super::motion::{Class, Kind, Motion};
use super::settings::{IGNORE_CASE, WRAP_SCAN};

/// Bytes that are searched backwards at once.
const STEP: usize = 1 << 16;

/// The expression up to the delimiter, and what follows that. A delimiter after a backslash is literal.
pub(super) fn delimited(text: &[u8], delimiter: u8) -> (Vec<u8>, &[u8]) {
    up_to(text, delimiter, true)
}

/// As `delimited`; without `brackets`, of a replacement.
#[inline(never)]
pub(super) fn up_to(text: &[u8], delimiter: u8, brackets: bool) -> (Vec<u8>, &[u8]) {
    let (mut expression, mut at, mut in_bracket) = (Vec::new(), 0, false);
    while at < text.len() {
        match text[at] {
            b'\\' if at + 1 < text.len() => {
                if text[at + 1] != delimiter {
                    expression.push(b'\\');
                }
                at += 1;
            }
            // A delimiter in a bracket expression is one of its members, if the expression is closed.
            b'[' => in_bracket = brackets && text[at..].contains(&b']'),
            b']' => in_bracket = false,
            byte if byte == delimiter && !in_bracket => return (expression, &text[at + 1..]),
            _ => {}
        }
        expression.push(text[at]);
        at += 1;
    }
    (expression, b"")
}

/// The first line from `from` on, where one begins, to before `to`, that matches.
pub(super) fn line_forward(text: &Buffer, regex: &Regex, from: usize, to: usize) -> Option<usize> {
    let (first, second) = text.parts(from, to);
    let whole = find_byte_back(b'\n', first).map_or(0, |at| at + 1);
    if let Some(line) = regex.find_line(&first[..whole], 0) {
        return Some(from + line.start);
    }
    let mut at = from + whole;
    if whole < first.len() {
        let end = text.line_end(at);
        if regex.is_match(&text.copy(at, end)) {
            return Some(at);
        }
        at = (end + 1).min(to);
    }
    let rest = &second[at - from - first.len()..];
    regex.find_line(rest, 0).map(|line| at + line.start)
}

/// The last line before `end`, where a line begins, that matches.
pub(super) fn line_back(text: &Buffer, regex: &Regex, mut end: usize) -> Option<usize> {
    while end > 0 {
        let start = text.line_start(end.saturating_sub(STEP).min(end - 1));
        let block = text.copy(start, end);
        let (mut at, mut last) = (0, None);
        while let Some(line) = regex.find_line(&block, at) {
            last = Some(line.start);
            let Some(length) = find_byte(b'\n', &block[line.start..]) else { break };
            at = line.start + length + 1;
        }
        if let Some(last) = last {
            return Some(start + last);
        }
        end = start;
    }
    None
}

/// Where in a line the first match begins at an offset or after it; backwards, the last one before the offset.
fn match_in(text: &Buffer, regex: &Regex, line: usize, limit: usize, is_forward: bool) -> Option<usize> {
    let content = text.copy(line, text.line_end(line));
    let mut last = None;
    for (start, _) in regex.matches(&content, 0, Exec::default()) {
        let is_after = line + start >= limit;
        if is_after && !is_forward {
            break;
        }
        last = Some(line + start);
        if is_after {
            return last;
        }
    }
    if is_forward { None } else { last }
}

impl Editor<'_> {
    /// Compiles an expression, or the one before where it is empty. A failure is reported.
    pub(super) fn regex(&mut self, expression: &[u8]) -> Option<Regex> {
        if !expression.is_empty() {
            self.pattern = expression.to_vec();
        }
        if self.pattern.is_empty() {
            self.fail(b"No previous regular expression");
            return None;
        }
        self.compiled(false)
    }

    /// Compiles the pattern. A failure is reported.
    #[inline(never)]
    pub(super) fn compiled(&mut self, ignore_case: bool) -> Option<Regex> {
        let fold = if ignore_case || self.options.flags[IGNORE_CASE] { Flags::FOLD_CASE } else { Flags::NONE };
        match Regex::new(&self.pattern, Flags::UTF8 | Flags::LINES | fold) {
            Ok(regex) => Some(regex),
            Err(error) => {
                let error = error.about(&self.pattern);
                self.fail_for(error);
                None
            }
        }
    }

    /// The next match after an offset, or the one before.
    fn find(&mut self, regex: &Regex, from: usize, is_forward: bool) -> Option<usize> {
        let text = &self.document.text;
        let line = text.line_start(from);
        let near = match_in(text, regex, line, if is_forward { from + 1 } else { from }, is_forward);
        if near.is_some() {
            return near;
        }
        let next = text.line_end(from) + 1;
        let far = match is_forward {
            true => line_forward(text, regex, next, text.len()),
            false => line_back(text, regex, line),
        };
        let limit = if is_forward { 0 } else { text.len() };
        if let Some(found) = far {
            return match_in(text, regex, found, limit, is_forward);
        }
        if !self.options.flags[WRAP_SCAN] {
            return None;
        }
        let around = match is_forward {
            true => line_forward(text, regex, 0, next),
            false => line_back(text, regex, text.len()).filter(|found| *found >= line),
        };
        let found = match_in(text, regex, around?, limit, is_forward);
        self.tell(match is_forward {
            true => b"search hit BOTTOM, continuing at TOP",
            false => b"search hit TOP, continuing at BOTTOM",
        });
        found
    }

    /// Searches for the current pattern so many times.
    fn search(&mut self, is_forward: bool, times: usize) -> Option<Motion> {
        let regex = self.regex(b"")?;
        let mut at = self.cursor;
        for _ in 0..times {
            match self.find(&regex, at, is_forward) {
                Some(found) => at = found,
                None => {
                    self.fail(b"Pattern not found");
                    return None;
                }
            }
        }
        self.jumped(Motion { to: self.text().on_line(at), kind: Kind::Exclusive })
    }

    pub(super) fn ask_search(&mut self, one: char, times: usize) -> Option<Motion> {
        let typed = self.ask(&[one as u8], &[])?;
        let (expression, rest) = delimited(&typed, one as u8);
        self.searches_forward = one == '/';
        self.regex(&expression)?;
        let motion = self.search(self.searches_forward, times)?;
        if rest.is_empty() {
            return Some(motion);
        }
        // POSIX XCU vi: after the delimiter a number of lines may follow.
        let (sign, digits) = match rest {
            [b'-', digits @ ..] => (false, digits),
            [b'+', digits @ ..] => (true, digits),
            digits => (true, digits),
        };
        let lines = if digits.is_empty() { 1 } else { rbox_core::number::parse_decimal(digits)? as usize };
        let number = self.text().line_number(motion.to);
        let number = if sign { number.saturating_add(lines) } else { number.checked_sub(lines)? };
        let to = self.text().first_nonblank(self.text().line_offset(number));
        Some(Motion { to, kind: Kind::Lines })
    }

    pub(super) fn search_again(&mut self, is_reversed: bool, times: usize) -> Option<Motion> {
        self.search(self.searches_forward != is_reversed, times)
    }

    /// Searches for the word at the cursor or after it (`*`, `#`).
    pub(super) fn search_word(&mut self, is_forward: bool, times: usize) -> Option<Motion> {
        let (mut start, line_end) = (self.cursor, self.text().line_end(self.cursor));
        while start < line_end && self.class(start, false) != Class::Word {
            start = self.text().next(start);
        }
        let line = self.text().line_start(start);
        start = self.class_start(start, line, Class::Word, false);
        let end = self.class_end(start, line_end, Class::Word, false);
        if start == end {
            return None;
        }
        self.pattern = text!("\\<", self.text().copy(start, end), "\\>");
        self.searches_forward = is_forward;
        self.search(is_forward, times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_ends_at_its_delimiter() {
        assert_eq!(delimited(b"a\\/b/c", b'/'), (b"a/b".to_vec(), &b"c"[..]));
        assert_eq!(delimited(b"[/]\\d/", b'/'), (b"[/]\\d".to_vec(), &b""[..]));
        assert_eq!(delimited(b"ab", b'/'), (b"ab".to_vec(), &b""[..]));
    }

    #[test]
    fn lines_are_found_on_both_sides_of_the_gap() {
        let content = b"one\ntwo\nthree\nfour\n";
        let regex = Regex::new(b"o", Flags::LINES).expect("an expression");
        for gap in 0..content.len() {
            let mut text = Buffer::new(content.to_vec(), content.len());
            text.replace(gap, 0, b"x").expect("memory");
            text.replace(gap, 1, b"").expect("memory");
            assert_eq!(line_forward(&text, &regex, 0, 19), Some(0));
            assert_eq!(line_forward(&text, &regex, 4, 19), Some(4));
            assert_eq!(line_forward(&text, &regex, 8, 19), Some(14));
            assert_eq!(line_forward(&text, &regex, 8, 14), None);
            assert_eq!([19, 14, 4, 0].map(|end| line_back(&text, &regex, end)), [Some(14), Some(4), Some(0), None]);
        }
    }
}
