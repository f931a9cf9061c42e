//! What begins with a dollar sign or a backquote (XCU 2.6).

use super::reader::{Host, Parsed, Parser};
use super::token::{Mode, Operator, Token};
use super::word::{Builder, Context};
use crate::syntax::ast::{Arith, CommandSub, Node, Param, ParamName, ParamOp, Part, Word};
use crate::syntax::input::Input;
use crate::syntax::symbols::{is_name_byte, is_name_start};
use std::rc::Rc;

/// The error of a `${` with a syntax that neither POSIX nor bash has.
pub const BAD_SUBSTITUTION: &[u8] = b"bad substitution";

impl<H: Host> Parser<'_, H> {
    /// An expansion, or a dollar sign that is only itself.
    pub fn read_dollar(&mut self, quoted: bool, builder: &mut Builder) -> Parsed<()> {
        self.advance();
        let plain = |name| Part::Param(Box::new(Param { name, quoted, op: ParamOp::Plain }));
        builder.any_quoted = true;
        match self.joined_byte() {
            Some(byte) if is_name_start(byte) => {
                let name = self.read_name();
                builder.part(plain(ParamName::Var(self.host.symbols().intern(&name))));
            }
            Some(byte @ b'0'..=b'9') => {
                self.advance();
                builder.part(plain(ParamName::Positional(u32::from(byte - b'0'))));
            }
            Some(byte @ (b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!')) => {
                self.advance();
                builder.part(plain(ParamName::Special(byte)));
            }
            Some(b'{') => {
                self.advance();
                self.enter()?;
                let param = self.read_braces(quoted)?;
                self.leave();
                builder.part(Part::Param(Box::new(param)));
            }
            Some(b'(') => {
                self.advance();
                builder.part(self.read_parenthesis(quoted)?);
            }
            // bash's old form of `$((...))`.
            Some(b'[') if self.host.extended() => {
                self.advance();
                let arith = Arith::new(self.read_context(Context::OldArith)?);
                if !self.accept(b']') {
                    return self.error(b"missing ']'");
                }
                builder.part(Part::Arith(Box::new(arith), quoted));
            }
            Some(b'\'') if !quoted => {
                self.advance();
                let before = builder.open_quotes();
                self.read_ansi(builder)?;
                builder.close_quotes(before);
            }
            // bash's `$"..."`: a string to translate; there are no translations.
            Some(b'"') if !quoted && self.host.extended() => {}
            _ => builder.text(b"$", quoted),
        }
        Ok(())
    }

    fn read_name(&mut self) -> Vec<u8> {
        let mut name = Vec::new();
        while let Some(byte) = self.joined_byte() {
            if !is_name_byte(byte) {
                break;
            }
            name.push(byte);
            self.input.at += 1;
        }
        name
    }

    /// `$((` or `$(`, after the first parenthesis.
    fn read_parenthesis(&mut self, quoted: bool) -> Parsed<Part> {
        if self.joined_byte() == Some(b'(') {
            let (at, line, pending, depth) = (self.input.at, self.input.line, self.pending.len(), self.depth);
            self.advance();
            if let Ok(Some(arith)) = self.read_arith() {
                return Ok(Part::Arith(Box::new(arith), quoted));
            }
            if self.input.at >= self.input.buffer.len() && self.input.ended {
                return self.error(b"missing '))'");
            }
            self.input.at = at;
            self.input.line = line;
            self.depth = depth;
            self.pending.truncate(pending);
            let body = self.substitution_body();
            // At the end of the input it may have been either.
            if body.is_err() && self.input.at >= self.input.buffer.len() && self.input.ended {
                return self.error(b"missing '))'");
            }
            return Ok(Part::Command(Box::new(CommandSub { body: body?, quoted })));
        }
        let body = self.substitution_body()?;
        Ok(Part::Command(Box::new(CommandSub { body, quoted })))
    }

    /// The commands of a substitution up to its parenthesis.
    pub fn substitution_body(&mut self) -> Parsed<Option<Rc<Node>>> {
        let outer = self.token.take();
        // The documents that the commands in here ask for begin after their own next newline (XCU 2.7.4); those of the
        // line around begin after the line's.
        let pending = std::mem::take(&mut self.pending);
        let body = self.commands_to_close();
        let own = std::mem::replace(&mut self.pending, pending);
        self.pending.extend(own);
        self.token = outer;
        body
    }

    fn commands_to_close(&mut self) -> Parsed<Option<Rc<Node>>> {
        let body = self.compound_list()?;
        if !matches!(self.peek(Mode::Command)?, Token::Operator(Operator::Close)) {
            return self.unexpected(Some(b")"));
        }
        Ok(body.map(Rc::new))
    }

    /// An arithmetic expression with its `))`; `None` when it does not end so.
    pub fn read_arith(&mut self) -> Parsed<Option<Arith>> {
        let text = self.read_context(Context::Arith)?;
        if !self.accept(b')') || !self.accept(b')') {
            return Ok(None);
        }
        Ok(Some(Arith::new(text)))
    }

    /// `` `...` ``: its text with one level of backslashes removed is a program (XCU 2.6.3).
    pub fn read_backquote(&mut self, quoted: bool, builder: &mut Builder) -> Parsed<()> {
        let line = self.input.line;
        self.advance();
        let mut text = Vec::new();
        loop {
            let Some(byte) = self.byte() else { return self.error(b"EOF in backquote substitution") };
            self.advance();
            match byte {
                b'`' => break,
                b'\\' => match self.byte() {
                    Some(next) if matches!(next, b'`' | b'$' | b'\\') || (quoted && next == b'"') => {
                        text.push(next);
                        self.advance();
                    }
                    // XCU 2.2.1: lines are joined before the text is a program, so in its quotes too.
                    Some(b'\n') => self.advance(),
                    _ => text.push(b'\\'),
                },
                _ => text.push(byte),
            }
        }
        let mut input = Input::text(&text, line);
        let mut parser = Parser::new(self.host, &mut input, self.depth);
        let body = parser.compound_list()?;
        if !matches!(parser.peek(Mode::Command)?, Token::End) {
            return parser.unexpected(None);
        }
        builder.any_quoted = true;
        builder.part(Part::Command(Box::new(CommandSub { body: body.map(Rc::new), quoted })));
        Ok(())
    }

    /// `${...}` after its brace. A fault in it is an error when it is expanded.
    fn read_braces(&mut self, quoted: bool) -> Parsed<Param> {
        let (at, line, depth) = (self.input.at, self.input.line, self.depth);
        match self.read_braces_inner(quoted) {
            Err(error) if error.message == BAD_SUBSTITUTION => {
                // The newline at which BusyBox gives up is not counted there.
                let newline = self.input.buffer[at..].iter().take(self.input.at + 1 - at).any(|&byte| byte == b'\n');
                (self.input.at, self.input.line, self.depth) = (at, line - u32::from(newline && line > 0), depth);
                self.read_context(if quoted { Context::BraceDouble } else { Context::Brace })?;
                let text = Box::from(&self.input.buffer[at..self.input.at]);
                self.close_brace()?;
                Ok(Param { name: ParamName::Special(b'?'), quoted, op: ParamOp::Bad(text) })
            }
            read => read,
        }
    }

    fn read_braces_inner(&mut self, quoted: bool) -> Parsed<Param> {
        let first = self.joined_byte();
        if first == Some(b'#') {
            self.advance();
            // `${#}` and `${#-word}` read the count; `${#x}`, `${#-}` and `${##}` a length.
            let next = self.joined_byte();
            let after = self.byte_at(1);
            let length = match next {
                Some(b'}') | None => false,
                Some(byte) if is_name_byte(byte) || matches!(byte, b'@' | b'*' | b'!' | b'$') => true,
                Some(b'#' | b'?' | b'-') => after == Some(b'}'),
                _ => false,
            };
            if length {
                let name = self.read_parameter()?;
                self.close_brace()?;
                return Ok(Param { name, quoted, op: ParamOp::Length });
            }
            let op = self.read_operation(quoted)?;
            self.close_brace()?;
            return Ok(Param { name: ParamName::Special(b'#'), quoted, op });
        }
        let count = self.byte_at(1) == Some(b'#') && self.byte_at(2) == Some(b'}') && self.host.extended();
        let list =
            matches!(self.byte_at(1), Some(b'@' | b'*')) && self.byte_at(2) == Some(b'}') && self.host.extended();
        if first == Some(b'!') && (count || list || self.byte_at(1).is_some_and(is_name_byte)) {
            self.advance();
            let name = self.read_parameter()?;
            if matches!(name, ParamName::All(..)) && self.joined_byte() == Some(b'}') {
                self.close_brace()?;
                return Ok(Param { name, quoted, op: ParamOp::Keys });
            }
            if let Some(operator @ (b'@' | b'*')) = self.joined_byte()
                && self.byte_at(1) == Some(b'}')
            {
                self.advance();
                self.close_brace()?;
                return Ok(Param { name, quoted, op: ParamOp::Names(operator) });
            }
            let op = ParamOp::Indirect(Box::new(self.read_operation(quoted)?));
            self.close_brace()?;
            return Ok(Param { name, quoted, op });
        }
        let name = self.read_parameter()?;
        let op = self.read_operation(quoted)?;
        self.close_brace()?;
        Ok(Param { name, quoted, op })
    }

    fn close_brace(&mut self) -> Parsed<()> {
        match self.joined_byte() {
            Some(b'}') => {
                self.advance();
                Ok(())
            }
            None => self.error(b"missing '}'"),
            _ => self.error(BAD_SUBSTITUTION),
        }
    }

    fn read_parameter(&mut self) -> Parsed<ParamName> {
        match self.joined_byte() {
            Some(byte) if is_name_start(byte) => {
                let name = self.read_name();
                let name = self.host.symbols().intern(&name);
                if self.joined_byte() != Some(b'[') || !self.host.extended() {
                    return Ok(ParamName::Var(name));
                }
                if let Some(operator @ (b'@' | b'*')) = self.byte_at(1)
                    && self.byte_at(2) == Some(b']')
                {
                    self.input.at += 3;
                    return Ok(ParamName::All(name, operator));
                }
                Ok(ParamName::Element(name, self.read_subscript()?))
            }
            Some(b'0'..=b'9') => {
                let mut number = 0u32;
                while let Some(digit @ b'0'..=b'9') = self.joined_byte() {
                    number = number.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
                    self.advance();
                }
                Ok(ParamName::Positional(number))
            }
            Some(byte @ (b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!')) => {
                self.advance();
                Ok(ParamName::Special(byte))
            }
            None => self.error(b"missing '}'"),
            _ => self.error(BAD_SUBSTITUTION),
        }
    }

    fn read_operation(&mut self, quoted: bool) -> Parsed<ParamOp> {
        let word = if quoted { Context::BraceDouble } else { Context::Brace };
        let Some(byte) = self.joined_byte() else { return self.error(b"missing '}'") };
        if byte == b'}' {
            return Ok(ParamOp::Plain);
        }
        self.advance();
        match byte {
            b':' => match self.joined_byte() {
                Some(operator @ (b'-' | b'=' | b'?' | b'+')) => {
                    self.advance();
                    Ok(ParamOp::Default(operator, true, self.read_context(word)?))
                }
                // An offset may be empty where a length follows.
                Some(b'}') => self.error(BAD_SUBSTITUTION),
                _ => self.read_slice(),
            },
            b'-' | b'=' | b'?' | b'+' => Ok(ParamOp::Default(byte, false, self.read_context(word)?)),
            b'#' | b'%' => {
                let longest = self.accept(byte);
                let pattern = self.read_context(Context::BracePattern)?.into_pattern();
                Ok(ParamOp::Trim(byte == b'%', longest, pattern))
            }
            b'/' => self.read_replace(),
            b'^' | b',' | b'~' => {
                let all = self.accept(byte);
                let pattern = match self.joined_byte() {
                    Some(b'}') => None,
                    _ => Some(self.read_context(Context::BracePattern)?.into_pattern()),
                };
                Ok(ParamOp::Case(byte, all, pattern))
            }
            b'@' => match self.joined_byte() {
                Some(letter @ (b'Q' | b'U' | b'L' | b'u' | b'E' | b'P' | b'A' | b'a' | b'K' | b'k')) => {
                    self.advance();
                    Ok(ParamOp::Transform(letter))
                }
                _ => self.error(BAD_SUBSTITUTION),
            },
            _ => self.error(BAD_SUBSTITUTION),
        }
    }

    fn read_slice(&mut self) -> Parsed<ParamOp> {
        let offset = Box::new(Arith::new(self.read_context(Context::Slice)?));
        let mut length = None;
        if self.accept(b':') {
            length = Some(Box::new(Arith::new(self.read_context(Context::Slice)?)));
        }
        Ok(ParamOp::Slice(offset, length))
    }

    fn read_replace(&mut self) -> Parsed<ParamOp> {
        let all = self.accept(b'/');
        let anchor = match self.joined_byte() {
            Some(byte @ (b'#' | b'%')) if !all => {
                self.advance();
                byte
            }
            _ => 0,
        };
        let mut pattern = Builder::default();
        // A slash that begins the pattern does not end it: `${x////-}`.
        if all && self.accept(b'/') {
            pattern.text(b"/", false);
        }
        self.read_into(Context::BraceReplace, &mut pattern)?;
        let pattern = pattern.finish(false).into_pattern();
        let mut text = Word::Literal(Box::default());
        if self.accept(b'/') {
            text = self.read_context(Context::BracePattern)?;
        }
        Ok(ParamOp::Replace(anchor, all, pattern, text))
    }

    /// `$'...'` after its quote.
    fn read_ansi(&mut self, builder: &mut Builder) -> Parsed<()> {
        let mut raw = Vec::new();
        loop {
            let Some(byte) = self.byte() else { return self.error(b"unterminated quoted string") };
            self.advance();
            match byte {
                b'\'' => break,
                b'\\' => {
                    raw.push(b'\\');
                    if let Some(next) = self.byte() {
                        raw.push(next);
                        self.advance();
                    }
                }
                _ => raw.push(byte),
            }
        }
        builder.text(&rbox_core::escape::dollar_single(&raw), true);
        Ok(())
    }
}
