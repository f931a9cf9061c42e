//! The source as tokens (POSIX XCU bc, "Lexical Conventions").

use std::collections::VecDeque;

use rbox_core::bytes::find_byte;
use rbox_core::io::Input;
use rbox_core::prelude::*;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// Digits, with at most one point.
    Number(Vec<u8>),
    /// A name of lower-case characters, digits and underscores, or a keyword.
    Name(Vec<u8>),
    /// What is between two quotes.
    Text(Vec<u8>),
    /// An operator: one byte, or two or three in one number (`two`).
    Sign(u16),
    Newline,
    End,
}

/// The number of an operator of two characters.
pub const fn two(one: u8, two: u8) -> u16 {
    (one as u16) << 8 | two as u16
}

/// The inputs, one after the other.
pub struct Source {
    waiting: VecDeque<Vec<u8>>,
    /// What is read now; standard input at the end.
    pub input: Option<Input>,
    line: Vec<u8>,
    at: usize,
}

impl Source {
    /// The files of those names, and then standard input if it is given.
    pub fn new(files: &[&[u8]], first: &[u8]) -> Self {
        let waiting = files.iter().map(|file| file.to_vec()).collect();
        Self { waiting, input: None, line: first.to_vec(), at: 0 }
    }

    /// What is left of the line, for messages.
    pub fn rest(&self) -> &[u8] {
        let rest = &self.line[self.at.min(self.line.len())..];
        &rest[..find_byte(b'\n', rest).unwrap_or(rest.len())]
    }

    /// Drops the rest of the line.
    pub fn skip_line(&mut self) {
        self.at = self.line.len();
    }

    /// Whether the line is used up, so that the next token needs another one.
    pub fn needs_line(&self) -> bool {
        self.at >= self.line.len()
    }

    /// Reads another line. False at the end of all inputs.
    fn next_line(&mut self, stdin: &mut Input) -> Result<bool> {
        loop {
            if self.input.is_none()
                && let Some(path) = self.waiting.pop_front()
            {
                self.input = Some(Input::open(&path)?);
            }
            let from_file = self.input.is_some();
            let input = self.input.as_mut().unwrap_or(stdin);
            if let Some(line) = input.record(b'\n')? {
                (self.line, self.at) = (line.to_vec(), 0);
                return Ok(true);
            }
            if !from_file {
                return Ok(false);
            }
            self.input = None;
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.line.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// The next token.
    pub fn token(&mut self, stdin: &mut Input) -> Result<Token> {
        loop {
            if self.at >= self.line.len() && !self.next_line(stdin)? {
                return Ok(Token::End);
            }
            match (self.peek(0), self.peek(1)) {
                (b' ' | b'\t' | b'\r' | 0x0b | 0x0c, _) => self.at += 1,
                (b'\\', b'\n') => self.at += 2,
                (b'#', _) => self.at += self.rest().len(),
                (b'/', b'*') => self.skip_comment(stdin)?,
                (b'\n', _) => {
                    self.at += 1;
                    return Ok(Token::Newline);
                }
                (b'"', _) => return self.text(stdin),
                (b'0'..=b'9' | b'A'..=b'Z', _) | (b'.', b'0'..=b'9' | b'A'..=b'Z') => return self.number(stdin),
                (b'a'..=b'z', _) => return Ok(self.name()),
                _ => return self.sign(),
            }
        }
    }

    fn skip_comment(&mut self, stdin: &mut Input) -> Result<()> {
        self.at += 2;
        loop {
            if let Some(end) = rbox_core::bytes::find(&self.line[self.at..], b"*/") {
                self.at += end + 2;
                return Ok(());
            }
            if !self.next_line(stdin)? {
                return Err(Error::new("unterminated comment"));
            }
        }
    }

    fn text(&mut self, stdin: &mut Input) -> Result<Token> {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            let rest = &self.line[self.at..];
            if let Some(end) = find_byte(b'"', rest) {
                text.extend_from_slice(&rest[..end]);
                self.at += end + 1;
                return Ok(Token::Text(text));
            }
            rbox_core::bytes::append(&mut text, rest)?;
            if !self.next_line(stdin)? {
                return Err(Error::new("unterminated string"));
            }
        }
    }

    fn number(&mut self, stdin: &mut Input) -> Result<Token> {
        let (mut digits, mut point) = (Vec::new(), false);
        loop {
            match self.peek(0) {
                digit @ (b'0'..=b'9' | b'A'..=b'Z') => digits.push(digit),
                b'.' if !point => {
                    point = true;
                    digits.push(b'.');
                }
                b'\\' if self.peek(1) == b'\n' => {
                    self.at = self.line.len();
                    if !self.next_line(stdin)? {
                        return Ok(Token::Number(digits));
                    }
                    continue;
                }
                _ => return Ok(Token::Number(digits)),
            }
            self.at += 1;
        }
    }

    fn name(&mut self) -> Token {
        let rest = &self.line[self.at..];
        let is_name = |byte: &&u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let length = rest.iter().take_while(is_name).count();
        self.at += length;
        Token::Name(rest[..length].to_vec())
    }

    fn sign(&mut self) -> Result<Token> {
        let (one, next) = (self.peek(0), self.peek(1));
        let sign = match (one, next) {
            (b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'=' | b'<' | b'>' | b'!', b'=') => two(one, next),
            (b'+', b'+') | (b'-', b'-') | (b'&', b'&') | (b'|', b'|') => two(one, next),
            (b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'=' | b'<' | b'>' | b'!', _) => one.into(),
            (b'(' | b')' | b'[' | b']' | b'{' | b'}' | b',' | b';' | b'.', _) => one.into(),
            _ => return Err(Error::parts(&[b"bad character '", &[one], b"'"])),
        };
        self.at += if sign > 0xff { 2 } else { 1 };
        Ok(Token::Sign(sign))
    }
}
