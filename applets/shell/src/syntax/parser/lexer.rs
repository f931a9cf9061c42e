//! Reading tokens (XCU 2.3): operators, words, reserved words, and where aliases count.

use super::reader::{Host, Parsed, Parser};
use super::token::{Keyword, Mode, Operator, Token};
use super::word::{Class, class};
use crate::syntax::ast::{Assign, RedirectFd, RedirectKind, Word};
use crate::syntax::copied::Copied;
use crate::syntax::symbols::{is_name_byte, is_name_start};

impl<H: Host> Parser<'_, H> {
    /// Reads one token. A newline also reads the here-documents that wait for it.
    pub fn read_token(&mut self, mode: Mode) -> Parsed<Token> {
        let mut looked_up = false;
        loop {
            self.skip_blanks();
            // XCU 2.3.1: after an alias that ends in a blank it is the next token that is looked up, if it is a word.
            looked_up |= std::mem::take(&mut self.input.alias_next);
            let Some(byte) = self.byte() else {
                if !self.pending.is_empty() {
                    self.read_heredocs()?;
                }
                return Ok(Token::End);
            };
            if byte == b'\n' {
                self.advance();
                if !self.pending.is_empty() {
                    self.read_heredocs()?;
                }
                return Ok(Token::Newline);
            }
            self.continued = true;
            if class(byte) == Class::Break {
                return self.read_operator(byte, mode);
            }
            if let Some(token) = self.read_word_token(byte, mode, &mut looked_up)? {
                return Ok(token);
            }
        }
    }

    /// Skips blanks, comments and line continuations.
    fn skip_blanks(&mut self) {
        while let Some(byte) = self.joined_byte() {
            match byte {
                b' ' | b'\t' => self.input.at += 1,
                b'#' => self.skip_comment(),
                _ => break,
            }
        }
        self.input.expire_aliases();
    }

    fn skip_comment(&mut self) {
        loop {
            let rest = &self.input.buffer[self.input.at..];
            match rest.iter().position(|&byte| byte == b'\n') {
                Some(found) => {
                    self.input.at += found;
                    return;
                }
                None => self.input.at = self.input.buffer.len(),
            }
            if self.byte().is_none() {
                return;
            }
        }
    }

    fn read_operator(&mut self, byte: u8, mode: Mode) -> Parsed<Token> {
        if byte == b'<' || byte == b'>' {
            if self.byte_at(1) == Some(b'(') {
                return self.read_word(mode).map(|(word, plain)| Token::Word(word, plain));
            }
            return self.read_redirect(RedirectFd::Default);
        }
        self.advance();
        let next = self.joined_byte();
        let double = |parser: &mut Self, operator| {
            parser.advance();
            Ok(Token::Operator(operator))
        };
        match (byte, next) {
            (b'&', Some(b'&')) => double(self, Operator::AndIf),
            (b'&', Some(b'>')) => {
                self.advance();
                let append = self.accept(b'>');
                let kind = if append { RedirectKind::BothAppend } else { RedirectKind::Both };
                Ok(Token::Redirect(RedirectFd::Default, kind))
            }
            (b'&', _) => Ok(Token::Operator(Operator::And)),
            (b'|', Some(b'|')) => double(self, Operator::OrIf),
            (b'|', Some(b'&')) => double(self, Operator::PipeBoth),
            (b'|', _) => Ok(Token::Operator(Operator::Pipe)),
            (b';', Some(b'&')) => double(self, Operator::CaseFall),
            (b';', Some(b';')) => {
                self.advance();
                let next = self.accept(b'&');
                Ok(Token::Operator(if next { Operator::CaseNext } else { Operator::CaseBreak }))
            }
            (b';', _) => Ok(Token::Operator(Operator::Semicolon)),
            (b'(', Some(b'(')) if matches!(mode, Mode::Command) => self.read_arith_command(),
            (b'(', _) => Ok(Token::Operator(Operator::Open)),
            _ => Ok(Token::Operator(Operator::Close)),
        }
    }

    /// `((`: arithmetic if it ends in `))`, else two subshells.
    fn read_arith_command(&mut self) -> Parsed<Token> {
        let (at, line, pending) = (self.input.at, self.input.line, self.pending.len());
        self.advance();
        if let Ok(Some(arith)) = self.read_arith() {
            return Ok(Token::ArithCommand(Box::new(arith)));
        }
        self.input.at = at;
        self.input.line = line;
        self.pending.truncate(pending);
        Ok(Token::Operator(Operator::Open))
    }

    /// Reads the operator of a redirection.
    fn read_redirect(&mut self, fd: RedirectFd) -> Parsed<Token> {
        let first = self.byte();
        self.advance();
        let next = self.joined_byte();
        let kind = match (first, next) {
            (Some(b'<'), Some(b'<')) => {
                self.advance();
                if self.joined_byte() == Some(b'<') {
                    self.advance();
                    return Ok(Token::Redirect(fd, RedirectKind::HereString));
                }
                return Ok(Token::Redirect(fd, RedirectKind::Here));
            }
            (Some(b'<'), Some(b'&')) => RedirectKind::DupIn,
            (Some(b'<'), Some(b'>')) => RedirectKind::ReadWrite,
            (Some(b'<'), _) => return Ok(Token::Redirect(fd, RedirectKind::Read)),
            (_, Some(b'>')) => RedirectKind::Append,
            (_, Some(b'&')) => RedirectKind::DupOut,
            (_, Some(b'|')) => RedirectKind::Clobber,
            _ => return Ok(Token::Redirect(fd, RedirectKind::Write)),
        };
        self.advance();
        Ok(Token::Redirect(fd, kind))
    }

    /// A token that begins with a byte of a word; `None` when an alias replaced it. `looked_up`: the word may be an
    /// alias wherever it is.
    fn read_word_token(&mut self, first: u8, mode: Mode, looked_up: &mut bool) -> Parsed<Option<Token>> {
        let assigns = matches!(mode, Mode::Command | Mode::Prefix | Mode::Declaration);
        if assigns
            && is_name_start(first)
            && let Some(assign) = self.read_assign()?
        {
            return Ok(Some(Token::Assign(Box::new(assign))));
        }
        if (first.is_ascii_digit() || first == b'{')
            && let Some(fd) = self.redirect_fd()
        {
            return self.read_redirect(fd).map(Some);
        }
        let start = self.input.at;
        let (word, plain) = self.read_word(mode)?;
        if first != b'='
            && matches!(mode, Mode::Argument | Mode::Command | Mode::Prefix)
            && self.host.braces()
            && self.expand_braces(start)
        {
            return Ok(None);
        }
        let Word::Literal(text) = &word else {
            return Ok(Some(Token::Word(word, plain)));
        };
        if plain {
            if matches!(mode, Mode::Command | Mode::Keyword | Mode::Pattern)
                && let Some(keyword) = Keyword::find(text, self.host.extended())
            {
                return Ok(Some(Token::Keyword(keyword)));
            }
            let candidate = *looked_up || matches!(mode, Mode::Command | Mode::Prefix | Mode::Keyword);
            if candidate && self.replace_alias(text, start) {
                // XCU 2.3.1: the value's first word is looked up as the word was.
                *looked_up = true;
                return Ok(None);
            }
        }
        Ok(Some(Token::Word(word, plain)))
    }

    /// Replaces the word that began at `start` by its alias's value; false when it is no alias, or one that is being read.
    pub fn replace_alias(&mut self, text: &[u8], start: usize) -> bool {
        let Some(value) = self.host.alias(text).filter(|_| !self.input.inside_alias(text, start)) else { return false };
        let name: std::rc::Rc<[u8]> = std::rc::Rc::from(text);
        self.input.splice_alias(&name, start, &value);
        true
    }

    /// Digits or `{name}` directly before `<` or `>`.
    fn redirect_fd(&mut self) -> Option<RedirectFd> {
        let mut ahead = 0;
        if self.byte() == Some(b'{') {
            ahead = 1;
            if !is_name_start(self.byte_at(1)?) {
                return None;
            }
            while is_name_byte(self.joined_at(ahead)?) {
                ahead += 1;
            }
            if self.joined_at(ahead)? != b'}' || !matches!(self.byte_at(ahead + 1)?, b'<' | b'>') {
                return None;
            }
            let at = self.input.at;
            let name = self.input.buffer[at + 1..at + ahead].copied();
            self.input.at += ahead + 1;
            return Some(RedirectFd::Variable(self.host.symbols().intern(&name)));
        }
        let mut number: i32 = 0;
        while let Some(digit @ b'0'..=b'9') = self.joined_at(ahead) {
            number = number.checked_mul(10)?.checked_add(i32::from(digit - b'0'))?;
            ahead += 1;
        }
        // `2<(...)` is a word that begins with 2.
        if !matches!(self.joined_at(ahead)?, b'<' | b'>') || self.byte_at(ahead + 1) == Some(b'(') {
            return None;
        }
        self.input.at += ahead;
        Some(RedirectFd::Number(number))
    }

    /// An assignment, if one begins here; else nothing is taken.
    fn read_assign(&mut self) -> Parsed<Option<Assign>> {
        let start = self.input.at;
        let mut ahead = 1;
        while self.joined_at(ahead).is_some_and(is_name_byte) {
            ahead += 1;
        }
        let append = match self.joined_at(ahead) {
            Some(b'=') => false,
            Some(b'+') if self.joined_at(ahead + 1) == Some(b'=') => true,
            Some(b'[') if self.host.extended() => return self.read_element_assign(ahead),
            _ => return Ok(None),
        };
        let name = self.host.symbols().intern(&self.input.buffer[start..start + ahead]);
        self.input.at += ahead + 1 + usize::from(append);
        let value = self.read_value()?;
        Ok(Some(Assign { name, append, subscript: None, value }))
    }
}
