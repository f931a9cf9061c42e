//! Here-documents (XCU 2.7.4).

use super::reader::{Host, Parsed, Parser};
use super::word::{Builder, Context};
use crate::syntax::ast::{HereDoc, Word};
use crate::syntax::input::Input;

impl<H: Host> Parser<'_, H> {
    /// The delimiter with its quotes removed, and whether it had any. Nothing in it is expanded.
    pub fn read_delimiter(&mut self) -> Parsed<Option<(Vec<u8>, bool)>> {
        let mut delimiter = Vec::new();
        let mut quoted = false;
        // A number sign where a word could begin begins a comment.
        if self.joined_byte() == Some(b'#') {
            return Ok(None);
        }
        let start = self.input.at;
        while let Some(byte) = self.joined_byte() {
            match byte {
                b'\'' | b'"' => {
                    quoted = true;
                    self.advance();
                    loop {
                        let Some(mut inner) = self.byte() else { return self.error(b"unterminated quoted string") };
                        self.advance();
                        if inner == byte {
                            break;
                        }
                        if inner == b'\\' && byte == b'"' && self.byte() == Some(b'\n') {
                            self.advance();
                            continue;
                        }
                        if inner == b'\\'
                            && byte == b'"'
                            && let Some(next @ (b'\\' | b'"' | b'$' | b'`')) = self.byte()
                        {
                            inner = next;
                            self.advance();
                        }
                        delimiter.push(inner);
                    }
                }
                b'\\' => {
                    quoted = true;
                    self.advance();
                    if let Some(next) = self.byte() {
                        delimiter.push(next);
                        self.advance();
                    }
                }
                _ if super::word::class(byte) == super::word::Class::Break => break,
                _ => {
                    delimiter.push(byte);
                    self.advance();
                }
            }
        }
        Ok(if self.input.at == start { None } else { Some((delimiter, quoted)) })
    }

    /// Reads the documents that the line just ended asks for.
    pub fn read_heredocs(&mut self) -> Parsed<()> {
        for here in std::mem::take(&mut self.pending) {
            let line = self.input.line;
            let mut body = Vec::new();
            let mut ended = self.read_body(&here, &mut body);
            let word = loop {
                if here.quoted {
                    break Word::Literal(body.into());
                }
                let mut input = Input::text(&body, line);
                let mut parser = Parser::new(self.host, &mut input, self.depth);
                let mut builder = Builder::default();
                match parser.read_into(Context::Here, &mut builder) {
                    Ok(()) => break builder.finish(false),
                    // Commands to substitute are read to their end, past a line that is the delimiter, as in BusyBox.
                    Err(error) if ended && input.at >= input.buffer.len() && !error.message.ends_with(b"'}'") => {
                        body.extend_from_slice(&here.delimiter);
                        body.push(b'\n');
                        ended = self.read_body(&here, &mut body);
                    }
                    Err(error) => return Err(error),
                }
            };
            // A document is read once: its operator was met once.
            let _ = here.body.set(word);
        }
        Ok(())
    }

    /// Appends the lines up to the delimiter; false when the input ends without it.
    fn read_body(&mut self, here: &HereDoc, body: &mut Vec<u8>) -> bool {
        // XCU 2.7.4: a backslash joins lines before the delimiter is looked for, unless the delimiter was quoted.
        let mut joined = false;
        let mut line_start = 0;
        loop {
            let start = body.len();
            let Some(ended) = self.read_line(body) else { return false };
            if !joined {
                line_start = start;
            }
            // After joined lines too, as long as there was nothing on them.
            if here.strip_tabs && start == line_start {
                let tabs = body[start..].iter().take_while(|&&byte| byte == b'\t').count();
                body.drain(start..start + tabs);
            }
            if body[line_start..] == here.delimiter[..] {
                body.truncate(line_start);
                return true;
            }
            let backslashes = body[start..].iter().rev().take_while(|&&byte| byte == b'\\').count();
            joined = ended && !here.quoted && backslashes % 2 == 1;
            if joined {
                // The parser of the body counts lines no more, so the pair can go at once.
                body.pop();
            } else if ended {
                body.push(b'\n');
            }
        }
    }

    /// Appends one line without its newline; whether it had one. `None` at the end of the input.
    fn read_line(&mut self, into: &mut Vec<u8>) -> Option<bool> {
        self.byte()?;
        loop {
            let rest = &self.input.buffer[self.input.at..];
            let found = rest.iter().position(|&byte| byte == b'\n');
            let run = &rest[..found.unwrap_or(rest.len())];
            into.extend_from_slice(run);
            self.input.at += run.len();
            if found.is_some() {
                self.input.at += 1;
                self.input.line += 1;
                return Some(true);
            }
            if self.byte().is_none() {
                return Some(false);
            }
        }
    }
}

/// Parses a text as a here-document's body: for prompts.
pub fn parse_document(text: &[u8], host: &mut impl Host) -> Parsed<Word> {
    let mut input = Input::text(text, 1);
    let mut parser = Parser::new(host, &mut input, 0);
    let mut builder = Builder::default();
    parser.read_into(Context::Here, &mut builder)?;
    Ok(builder.finish(false))
}
