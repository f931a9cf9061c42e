//! Addresses and expressions of a command line (POSIX XCU ed, "Addresses in ed").

use std::rc::Rc;

use rbox_core::number::parse_decimal;
use rbox_core::pattern::regex::{Flags, Regex};
use rbox_core::prelude::*;

use super::Editor;

/// A command line and the position in it.
pub struct Cursor<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(line: &'a [u8]) -> Self {
        Self { line, at: 0 }
    }

    pub fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    pub fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Takes the byte if it is next.
    pub fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    pub fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    pub fn rest(&mut self) -> &'a [u8] {
        let rest = &self.line[self.at.min(self.line.len())..];
        self.at = self.line.len();
        rest
    }

    pub fn number(&mut self) -> Option<u64> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        parse_decimal(&self.line[start..self.at])
    }

    /// What is up to the delimiter, which the end of the line may replace; whether it was there. A backslash keeps the
    /// delimiter as a character, and so does a bracket expression.
    pub fn delimited(&mut self, delimiter: u8, has_brackets: bool) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        while let Some(byte) = self.next() {
            match byte {
                _ if byte == delimiter => return (out, true),
                b'\\' if self.take(delimiter) => {
                    // The character stays literal: `\.` in `s.\..x.`, but `/` in `s/\//x/`.
                    if b".[*^$&".contains(&delimiter) {
                        out.push(b'\\');
                    }
                    out.push(delimiter);
                }
                b'\\' => {
                    out.push(byte);
                    out.extend(self.next());
                }
                b'[' if has_brackets => self.bracket(&mut out),
                _ => out.push(byte),
            }
        }
        (out, false)
    }

    fn bracket(&mut self, out: &mut Vec<u8>) {
        let rest = &self.line[self.at..];
        let skip = usize::from(rest.first() == Some(&b'^'));
        let skip = skip + usize::from(rest.get(skip) == Some(&b']'));
        let end = rest.iter().skip(skip).position(|&byte| byte == b']').map_or(0, |length| skip + length + 1);
        out.push(b'[');
        out.extend_from_slice(&rest[..end]);
        self.at += end;
    }
}

/// The addresses of a command.
#[derive(Clone, Copy, Default)]
pub struct Addresses {
    pub first: Option<usize>,
    pub last: Option<usize>,
}

impl Addresses {
    /// The range, or the one that the command has by itself.
    pub fn or(self, first: usize, last: usize) -> (usize, usize) {
        match (self.first, self.last) {
            (first, Some(last)) => (first.unwrap_or(last), last),
            _ => (first, last),
        }
    }
}

fn invalid() -> Error {
    Error::new("Invalid address")
}

impl Editor {
    /// Reads the addresses before a command.
    pub fn addresses(&mut self, cursor: &mut Cursor<'_>) -> Result<Addresses> {
        let mut all = Addresses::default();
        cursor.skip_blanks();
        if cursor.take(b'%') {
            return Ok(Addresses { first: Some(1.min(self.buffer.len())), last: Some(self.buffer.len()) });
        }
        all.last = self.address(cursor)?;
        loop {
            cursor.skip_blanks();
            let is_semicolon = match cursor.peek() {
                Some(b',') => false,
                Some(b';') => true,
                _ => break,
            };
            cursor.next();
            let is_omitted = all.last.is_none();
            let left = all.last.unwrap_or(if is_semicolon { self.buffer.current() } else { 1.min(self.buffer.len()) });
            if is_semicolon {
                self.buffer.set_current(left);
            }
            let right = self.address(cursor)?;
            all = Addresses {
                first: Some(left),
                last: Some(right.unwrap_or(if is_omitted { self.buffer.len() } else { left })),
            };
        }
        Ok(all)
    }

    /// One address, or `None`.
    pub fn address(&mut self, cursor: &mut Cursor<'_>) -> Result<Option<usize>> {
        cursor.skip_blanks();
        let mut number = match cursor.peek() {
            Some(b'0'..=b'9') => {
                Some(cursor.number().and_then(|number| i64::try_from(number).ok()).ok_or_else(invalid)?)
            }
            Some(b'.') => {
                cursor.next();
                Some(self.buffer.current() as i64)
            }
            Some(b'$') => {
                cursor.next();
                Some(self.buffer.len() as i64)
            }
            Some(b'\'') => {
                cursor.next();
                let name =
                    cursor.next().filter(u8::is_ascii_lowercase).ok_or_else(|| Error::new("Invalid mark character"))?;
                Some(self.buffer.marked(name).ok_or_else(invalid)? as i64)
            }
            Some(delimiter @ (b'/' | b'?')) => {
                cursor.next();
                let regex = self.pattern(cursor, delimiter)?.0;
                Some(self.search(&regex, delimiter == b'/')? as i64)
            }
            _ => None,
        };
        loop {
            cursor.skip_blanks();
            let offset = match cursor.peek() {
                Some(sign @ (b'+' | b'-' | b'^')) => {
                    cursor.next();
                    let count = match cursor.peek() {
                        Some(b'0'..=b'9') => {
                            cursor.number().and_then(|count| i64::try_from(count).ok()).ok_or_else(invalid)?
                        }
                        _ => 1,
                    };
                    if sign == b'+' { count } else { -count }
                }
                Some(b'0'..=b'9') if number.is_some() => {
                    cursor.number().and_then(|count| i64::try_from(count).ok()).ok_or_else(invalid)?
                }
                _ => break,
            };
            let base = number.unwrap_or(self.buffer.current() as i64);
            number = Some(base.checked_add(offset).ok_or_else(invalid)?);
        }
        let Some(number) = number else { return Ok(None) };
        let number = usize::try_from(number).map_err(|_| invalid())?;
        if number > self.buffer.len() { Err(invalid()) } else { Ok(Some(number)) }
    }

    /// The expression up to the delimiter, or the last one if it is empty; whether the delimiter was there.
    pub fn pattern(&mut self, cursor: &mut Cursor<'_>, delimiter: u8) -> Result<(Rc<Regex>, bool)> {
        let (pattern, is_closed) = cursor.delimited(delimiter, true);
        if !pattern.is_empty() {
            let flags = if self.utf8 { Flags::UTF8 } else { Flags::NONE };
            let regex = Regex::new(&pattern, flags).map_err(|error| Error::new(error.message()))?;
            self.last_regex = Some(Rc::new(regex));
        }
        let regex = self.last_regex.clone().ok_or_else(|| Error::new("No previous pattern"))?;
        Ok((regex, is_closed))
    }

    /// The next line that matches, after the current one and around the end of the buffer, or before it.
    fn search(&self, regex: &Regex, forward: bool) -> Result<usize> {
        let (length, current) = (self.buffer.len(), self.buffer.current());
        for step in 1..=length {
            // Numbers count from 1; the current one is met last.
            let number = if forward { current + step } else { current + length - step };
            let number = (number + length - 1) % length + 1;
            if self.matches(regex, number)? {
                return Ok(number);
            }
        }
        Err(Error::new("No match"))
    }

    /// Whether the line matches.
    pub fn matches(&self, regex: &Regex, number: usize) -> Result<bool> {
        let is_match = regex.is_match(self.buffer.line(number));
        regex.check().map(|()| is_match)
    }
}
