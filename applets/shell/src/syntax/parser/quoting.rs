//! Reading words: quoting (XCU 2.2), and the literal text between expansions.

use super::reader::{Host, Parsed, Parser};
use super::token::Mode;
use super::word::{Builder, Class, Context, class};
use crate::syntax::ast::{Part, Word};

impl<H: Host> Parser<'_, H> {
    /// A word of a command, and whether nothing in it was quoted.
    pub fn read_word(&mut self, _mode: Mode) -> Parsed<(Word, bool)> {
        // Most words are plain up to a break.
        let start = self.input.at;
        let rest = &self.input.buffer[start..];
        if let Some(length) = rest.iter().position(|&byte| class(byte) != Class::Plain)
            && length > 0
            && class(rest[length]) == Class::Break
            && !(self.groups && rest[length] == b'(')
            && !(matches!(rest[length], b'<' | b'>') && matches!(rest.get(length + 1), None | Some(b'(')))
        {
            let text = Box::from(&rest[..length]);
            self.input.at += length;
            return Ok((Word::Literal(text), true));
        }
        let mut builder = Builder::default();
        self.read_into(Context::Word, &mut builder)?;
        let plain = !builder.any_quoted;
        Ok((builder.finish(false), plain))
    }

    /// The text of a context up to what ends it, which stays unread.
    pub fn read_context(&mut self, context: Context) -> Parsed<Word> {
        let mut builder = Builder::default();
        self.read_into(context, &mut builder)?;
        Ok(builder.finish(matches!(context, Context::Brace | Context::Regex)))
    }

    /// Reads the text of a context into a builder; an error when a quote or an expansion is not closed.
    pub fn read_into(&mut self, context: Context, builder: &mut Builder) -> Parsed<()> {
        self.enter()?;
        let quoting = context.is_quoting();
        let mut depth = 0u32;
        if matches!(context, Context::Word | Context::Assign | Context::Brace | Context::BracePattern) {
            self.read_tilde(context, builder);
        }
        loop {
            // Runs of plain text at once.
            let rest = &self.input.buffer[self.input.at..];
            let plain =
                |&byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b',' | b'=') || byte >= 128;
            let run = rest.iter().position(|byte| !plain(byte)).unwrap_or(rest.len());
            if run > 0 {
                builder.text(&rest[..run], quoting);
                self.input.at += run;
            }
            let Some(byte) = self.joined_byte() else { break };
            if plain(&byte) {
                continue;
            }
            // Within braces the end of a group is not looked for: `${x##*([}` ends at the brace.
            if self.groups && matches!(context, Context::Word | Context::Assign | Context::Group) && self.at_group(byte)
            {
                self.read_group(builder)?;
                continue;
            }
            if self.ends(context, byte, &mut depth) {
                break;
            }
            match byte {
                b'\\' => self.read_backslash(context, builder),
                b'\'' if !quoting => self.read_single(builder)?,
                b'"' if !matches!(context, Context::Here | Context::Double) => {
                    self.advance();
                    if matches!(context, Context::Arith | Context::Slice | Context::ForArith) {
                        continue;
                    }
                    let before = builder.open_quotes();
                    self.read_into(Context::Double, builder)?;
                    builder.close_quotes(before);
                    if self.byte() != Some(b'"') {
                        return self.error(b"unterminated quoted string");
                    }
                    self.advance();
                }
                b'$' => self.read_dollar(quoting, builder)?,
                b'`' => self.read_backquote(quoting, builder)?,
                b'<' | b'>' if matches!(context, Context::Word | Context::Assign) => {
                    self.advance();
                    self.advance();
                    let body = self.substitution_body()?;
                    if let Some(body) = body {
                        builder.part(Part::Process(body, byte == b'>'));
                    }
                }
                b':' if context == Context::Assign => {
                    builder.text(b":", false);
                    self.advance();
                    self.read_tilde(context, builder);
                }
                _ => {
                    builder.text(&[byte], quoting);
                    self.advance();
                }
            }
        }
        self.leave();
        Ok(())
    }

    /// Whether `@(` or the like comes.
    fn at_group(&mut self, byte: u8) -> bool {
        matches!(byte, b'?' | b'*' | b'+' | b'@' | b'!') && self.byte_at(1) == Some(b'(')
    }

    /// A group of alternatives; its unquoted characters are active in a pattern.
    fn read_group(&mut self, builder: &mut Builder) -> Parsed<()> {
        for _ in 0..2 {
            let byte = self.byte().unwrap_or_default();
            builder.text(&[byte], false);
            self.advance();
        }
        self.read_into(Context::Group, builder)?;
        if self.byte() != Some(b')') {
            return self.unexpected(Some(b")"));
        }
        builder.text(b")", false);
        self.advance();
        Ok(())
    }

    /// Whether the byte ends the context; counts parentheses.
    fn ends(&mut self, context: Context, byte: u8, depth: &mut u32) -> bool {
        match context {
            Context::Word | Context::Assign => {
                class(byte) == Class::Break && !(matches!(byte, b'<' | b'>') && self.byte_at(1) == Some(b'('))
            }
            Context::Double => byte == b'"',
            Context::Here => false,
            Context::Group => byte == b')',
            Context::Brace | Context::BraceDouble | Context::BracePattern => byte == b'}',
            Context::BraceReplace => byte == b'}' || byte == b'/',
            Context::Subscript | Context::OldArith => {
                match byte {
                    b'[' => *depth += 1,
                    b']' if *depth == 0 => return true,
                    b']' => *depth -= 1,
                    _ => {}
                }
                false
            }
            Context::Arith | Context::Slice | Context::ForArith | Context::Regex => {
                let end = match context {
                    Context::Slice => byte == b':' || byte == b'}',
                    Context::ForArith => byte == b';',
                    Context::Regex => matches!(byte, b' ' | b'\t' | b'\n'),
                    _ => false,
                };
                match byte {
                    b'(' => *depth += 1,
                    b')' if *depth == 0 => return true,
                    b')' => *depth -= 1,
                    _ => return end && *depth == 0,
                }
                false
            }
        }
    }

    fn read_tilde(&mut self, context: Context, builder: &mut Builder) {
        if self.byte() != Some(b'~') {
            return;
        }
        let mut ahead = 1;
        let braced = matches!(context, Context::Brace | Context::BracePattern);
        let ends = |byte: u8| match byte {
            b'/' => true,
            b':' => context == Context::Assign,
            b'}' => braced,
            _ => !braced && class(byte) == Class::Break,
        };
        // XCU 2.6.1: any quoting in the name makes the tilde literal.
        while let Some(byte) = self.joined_at(ahead) {
            if ends(byte) {
                break;
            }
            // Within braces a blank ends no word, and no user's name has one.
            if class(byte) != Class::Plain {
                return;
            }
            ahead += 1;
        }
        let at = self.input.at;
        let name = Box::from(&self.input.buffer[at + 1..at + ahead]);
        self.input.at += ahead;
        builder.part(Part::Tilde(name));
    }

    fn read_backslash(&mut self, context: Context, builder: &mut Builder) {
        self.input.at += 1;
        let Some(next) = self.byte() else {
            builder.text(b"\\", true);
            return;
        };
        // XCU 2.2.3: within double quotes a backslash quotes only these.
        let quotes = match context {
            Context::Double => matches!(next, b'$' | b'`' | b'"' | b'\\'),
            Context::Here => matches!(next, b'$' | b'`' | b'\\'),
            Context::BraceDouble => matches!(next, b'$' | b'`' | b'"' | b'\\' | b'}'),
            Context::Arith | Context::Slice | Context::ForArith => matches!(next, b'$' | b'`' | b'"' | b'\\'),
            _ => true,
        };
        builder.any_quoted = true;
        if quotes {
            builder.text(&[next], true);
            self.advance();
        } else {
            builder.text(b"\\", true);
        }
    }

    fn read_single(&mut self, builder: &mut Builder) -> Parsed<()> {
        self.input.at += 1;
        let before = builder.open_quotes();
        loop {
            let rest = &self.input.buffer[self.input.at..];
            let found = rest.iter().position(|&byte| byte == b'\'');
            let run = &rest[..found.unwrap_or(rest.len())];
            builder.text(run, true);
            self.input.line += run.iter().filter(|&&byte| byte == b'\n').count() as u32;
            self.input.at += run.len();
            if found.is_some() {
                self.input.at += 1;
                builder.close_quotes(before);
                return Ok(());
            }
            if self.byte().is_none() {
                return self.error(b"unterminated quoted string");
            }
        }
    }
}
