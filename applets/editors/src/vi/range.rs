//! Addresses of ex commands (POSIX XCU ex, "Addressing in ex").

use rbox_core::number::parse_decimal;

use super::Editor;
use super::search::{delimited, line_back, line_forward};

/// Lines, from 1; a command that inserts may be given 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub first: usize,
    pub last: usize,
    /// How many addresses were written.
    pub count: usize,
}

impl Editor<'_> {
    /// Takes the addresses off a command line. `None` after a failure, which is reported.
    pub(super) fn range(&mut self, line: &mut &[u8]) -> Option<Range> {
        let before = self.cursor;
        let current = self.text().line_number(before) + 1;
        let mut range = Range { first: current, last: current, count: 0 };
        loop {
            skip_blanks(line);
            if let [b'%', rest @ ..] = line {
                *line = rest;
                range = Range { first: 1, last: self.text().lines(), count: 2 };
            } else {
                let found = self.address(line)?;
                match found {
                    Some(number) => {
                        range.first = if range.count > 0 { range.last } else { number };
                        (range.last, range.count) = (number, range.count + 1);
                    }
                    // An address that is left out is the current line.
                    None if range.count > 0 || matches!(line, [b',' | b';', ..]) => {
                        let current = self.text().line_number(self.cursor) + 1;
                        range.first = if range.count > 0 { range.last } else { current };
                        (range.last, range.count) = (current, range.count + 1);
                    }
                    None => break,
                }
            }
            skip_blanks(line);
            match line {
                [b',', rest @ ..] => *line = rest,
                [b';', rest @ ..] => {
                    *line = rest;
                    self.cursor = self.line_at(range.last);
                }
                _ => break,
            }
        }
        self.cursor = before;
        if range.first > range.last || range.last > self.text().lines() {
            self.fail(b"Bad address");
            return None;
        }
        Some(range)
    }

    /// Takes one address off; `Some(None)` when there is none.
    pub(super) fn address(&mut self, line: &mut &[u8]) -> Option<Option<usize>> {
        let current = self.text().line_number(self.cursor) + 1;
        let mut found = match **line {
            [b'.', ..] => {
                *line = &line[1..];
                Some(current)
            }
            [b'$', ..] => {
                *line = &line[1..];
                Some(self.text().lines())
            }
            [b'0'..=b'9', ..] => Some(self.number(line)?),
            [b'\'', name, ..] => {
                *line = &line[2..];
                let Some(at) = self.mark(name.into()) else {
                    self.fail(b"Mark not set");
                    return None;
                };
                Some(self.text().line_number(at) + 1)
            }
            [delimiter @ (b'/' | b'?'), ..] => {
                let (expression, rest) = delimited(&line[1..], delimiter);
                *line = rest;
                Some(self.line_of(&expression, delimiter == b'/')?)
            }
            _ => None,
        };
        loop {
            skip_blanks(line);
            let sign = match line.first() {
                Some(sign @ (b'+' | b'-')) => *sign,
                _ => return Some(found),
            };
            *line = &line[1..];
            let count = if matches!(line.first(), Some(b'0'..=b'9')) { self.number(line)? } else { 1 };
            let from = found.unwrap_or(current);
            let number = if sign == b'+' { from.checked_add(count) } else { from.checked_sub(count) };
            let Some(number) = number else {
                self.fail(b"Bad address");
                return None;
            };
            found = Some(number);
        }
    }

    /// Takes a number off, which is there.
    pub(super) fn number(&mut self, line: &mut &[u8]) -> Option<usize> {
        let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = parse_decimal(&line[..digits]).and_then(|number| usize::try_from(number).ok());
        *line = &line[digits..];
        if number.is_none() {
            self.fail(b"Bad address");
        }
        number
    }

    /// The next line that matches, or the one before; around the ends of the text where it must be.
    fn line_of(&mut self, expression: &[u8], is_forward: bool) -> Option<usize> {
        let regex = self.regex(expression)?;
        let text = &self.document.text;
        let line = text.line_start(self.cursor);
        let next = text.line_end(line) + 1;
        let found = match is_forward {
            true => line_forward(text, &regex, next, text.len()).or_else(|| line_forward(text, &regex, 0, next)),
            false => line_back(text, &regex, line).or_else(|| line_back(text, &regex, text.len())),
        };
        match found {
            Some(at) => Some(text.line_number(at) + 1),
            None => {
                self.fail(b"Pattern not found");
                None
            }
        }
    }
}

pub(super) fn skip_blanks(line: &mut &[u8]) {
    while let [b' ' | b'\t', rest @ ..] = line {
        *line = rest;
    }
}
