//! The parser's view of its input: bytes, the token that was looked at, and errors.

use super::token::{Mode, Token};
use crate::syntax::ast::HereDoc;
use crate::syntax::copied::Copied;
use crate::syntax::input::Input;
use crate::syntax::symbols::Symbols;
use std::rc::Rc;

/// How deep commands, words and substitutions may nest in each other, as far as the stack has space.
const MAX_DEPTH: u32 = 4000;

/// What the parser needs from the shell that runs it.
pub trait Host {
    /// The table of names.
    fn symbols(&mut self) -> &mut Symbols;
    /// The value of an alias.
    fn alias(&self, name: &[u8]) -> Option<Rc<[u8]>>;
    /// Appends more text to the input; false at its end. `continued`: inside a command.
    fn read_more(&mut self, input: &mut Input, continued: bool) -> bool;
    /// Whether a name is that of a special builtin.
    fn is_special(&self, name: &[u8]) -> bool;
    /// Whether the stack has space for more nesting.
    fn has_space(&self) -> bool;
    /// Whether bash's arrays and brace expansion are on.
    fn extended(&self) -> bool;
    /// Whether words may hold groups of patterns: `shopt -s extglob`.
    fn groups(&self) -> bool;
    /// Whether braces are expanded.
    fn braces(&self) -> bool;
}

/// Why a text is not a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The line of the error, from 1.
    pub line: u32,
    /// What follows `syntax error: `.
    pub message: Vec<u8>,
}

/// The error is one pointer, so that every result that carries it on is small.
pub type Parsed<T> = Result<T, Box<SyntaxError>>;

/// A parser at some offset of an input.
pub struct Parser<'a, H> {
    pub(super) host: &'a mut H,
    pub(super) input: &'a mut Input,
    pub(super) token: Option<Token>,
    pub(super) pending: Vec<Rc<HereDoc>>,
    pub(super) depth: u32,
    /// A command has begun: more text is asked for after PS2.
    pub(super) continued: bool,
    /// `@(a|b)` and the like are part of a word.
    pub(super) groups: bool,
}

impl<'a, H: Host> Parser<'a, H> {
    pub(super) fn new(host: &'a mut H, input: &'a mut Input, depth: u32) -> Parser<'a, H> {
        let groups = host.groups();
        Parser { host, input, token: None, pending: Vec::new(), depth, continued: false, groups }
    }

    pub(super) fn error<T>(&self, message: &[u8]) -> Parsed<T> {
        Err(Box::new(SyntaxError { line: self.input.line, message: message.copied() }))
    }

    pub(super) fn unexpected<T>(&mut self, expecting: Option<&[u8]>) -> Parsed<T> {
        let mut message = b"unexpected ".copied();
        let line = self.input.line;
        match &self.token {
            Some(Token::Newline) => message.extend_from_slice(b"newline"),
            Some(Token::Word(..) | Token::Assign(_)) => message.extend_from_slice(b"word"),
            Some(Token::Redirect(..)) => message.extend_from_slice(b"redirection"),
            Some(Token::Operator(operator)) => quote(&mut message, operator.text()),
            Some(Token::Keyword(keyword)) => quote(&mut message, keyword.text()),
            Some(Token::ArithCommand(_)) => quote(&mut message, b"("),
            Some(Token::End) | None => message.extend_from_slice(b"end of file"),
        }
        if let Some(expecting) = expecting {
            message.extend_from_slice(b" (expecting ");
            match expecting {
                b"word" => message.extend_from_slice(expecting),
                text => quote(&mut message, text),
            }
            message.push(b')');
        }
        Err(Box::new(SyntaxError { line, message }))
    }

    /// Counts one level of nesting; the caller leaves it by `leave`.
    pub(super) fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH || !self.host.has_space() {
            return self.error(b"nested too deeply");
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Looks at the next token; `mode` says how its word would be read.
    #[inline]
    pub(super) fn peek(&mut self, mode: Mode) -> Parsed<&Token> {
        if self.token.is_none() {
            self.look(mode)?;
        }
        Ok(self.token.as_ref().unwrap_or(&Token::End))
    }

    /// Reads the token that `peek` shows; a function of its own, as `peek` is inlined fifty times.
    #[inline(never)]
    pub(super) fn look(&mut self, mode: Mode) -> Parsed<()> {
        self.token = Some(self.read_token(mode)?);
        Ok(())
    }

    pub(super) fn next(&mut self, mode: Mode) -> Parsed<Token> {
        match self.token.take() {
            Some(token) => Ok(token),
            None => self.read_token(mode),
        }
    }

    /// Drops the token that was looked at.
    #[inline(never)]
    pub(super) fn skip(&mut self) {
        self.token = None;
    }

    /// The next byte, with line continuations; `None` at the end of the input.
    #[inline(always)]
    pub(super) fn byte(&mut self) -> Option<u8> {
        match self.input.buffer.get(self.input.at) {
            Some(&byte) => Some(byte),
            None => self.read_byte(),
        }
    }

    #[cold]
    pub(super) fn read_byte(&mut self) -> Option<u8> {
        loop {
            if self.input.ended || !self.refill() {
                return None;
            }
            if let Some(&byte) = self.input.buffer.get(self.input.at) {
                return Some(byte);
            }
        }
    }

    pub(super) fn refill(&mut self) -> bool {
        let before = self.input.buffer.len();
        let more = self.host.read_more(self.input, self.continued);
        self.input.grown(self.input.buffer.len().saturating_sub(before));
        self.input.ended |= !more;
        more
    }

    /// The byte `ahead` bytes on.
    pub(super) fn byte_at(&mut self, ahead: usize) -> Option<u8> {
        while self.input.at + ahead >= self.input.buffer.len() {
            if self.input.ended || !self.refill() {
                return None;
            }
        }
        Some(self.input.buffer[self.input.at + ahead])
    }

    /// The next byte outside single quotes: a backslash before a newline is no text (XCU 2.2.1).
    #[inline]
    pub(super) fn joined_byte(&mut self) -> Option<u8> {
        match self.byte() {
            Some(b'\\') => self.join_lines(),
            byte => byte,
        }
    }

    pub(super) fn join_lines(&mut self) -> Option<u8> {
        loop {
            let byte = self.byte()?;
            if byte != b'\\' || self.byte_at(1) != Some(b'\n') {
                return Some(byte);
            }
            self.input.at += 2;
            self.input.line += 1;
            self.continued = true;
        }
    }

    /// The byte `ahead` bytes on, where line continuations on the way there are taken out of the text (XCU 2.2.1).
    pub(super) fn joined_at(&mut self, ahead: usize) -> Option<u8> {
        loop {
            let byte = self.byte_at(ahead)?;
            if byte != b'\\' || self.byte_at(ahead + 1) != Some(b'\n') {
                return Some(byte);
            }
            let at = self.input.at + ahead;
            self.input.buffer.drain(at..at + 2);
            self.input.line += 1;
            self.continued = true;
        }
    }

    /// Steps over the byte that was looked at.
    #[inline(always)]
    pub(super) fn advance(&mut self) {
        if self.input.buffer[self.input.at] == b'\n' {
            self.input.line += 1;
        }
        self.input.at += 1;
    }

    /// Takes the next byte if it is this one.
    pub(super) fn accept(&mut self, byte: u8) -> bool {
        let found = self.joined_byte() == Some(byte);
        if found {
            self.advance();
        }
        found
    }
}

fn quote(message: &mut Vec<u8>, text: &[u8]) {
    message.push(b'"');
    message.extend_from_slice(text);
    message.push(b'"');
}
