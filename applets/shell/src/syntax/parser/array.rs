//! Arrays: `name[subscript]`, `name=(...)`, as in bash.

use super::reader::{Host, Parsed, Parser};
use super::token::{Mode, Operator, Token};
use super::word::Context;
use crate::syntax::ast::{Arith, Assign, Element, Part, Word};

impl<H: Host> Parser<'_, H> {
    /// What follows the `=` of an assignment: a word, or the elements of an array.
    pub fn read_value(&mut self) -> Parsed<Word> {
        if self.host.extended() && self.joined_byte() == Some(b'(') {
            self.advance();
            let list = self.read_elements()?;
            return Ok(Word::Parts(Box::new([Part::List(list)])));
        }
        self.read_context(Context::Assign)
    }

    /// `name[subscript]=value`, where the name has that length; nothing is taken when it is a word after all.
    pub fn read_element_assign(&mut self, length: usize) -> Parsed<Option<Assign>> {
        let (start, line) = (self.input.at, self.input.line);
        self.input.at += length;
        let Some((subscript, append)) = self.read_subscript_assign() else {
            self.input.at = start;
            self.input.line = line;
            return Ok(None);
        };
        let name = self.host.symbols().intern(&self.input.buffer[start..start + length]);
        let value = self.read_value()?;
        Ok(Some(Assign { name, append, subscript: Some(Box::new(subscript)), value }))
    }

    /// `[subscript]=` or `[subscript]+=`.
    fn read_subscript_assign(&mut self) -> Option<(Arith, bool)> {
        let subscript = self.read_subscript().ok()?;
        let append = self.accept(b'+');
        self.accept(b'=').then_some((subscript, append))
    }

    /// `[subscript]` with its brackets.
    pub fn read_subscript(&mut self) -> Parsed<Arith> {
        self.advance();
        let text = self.read_context(Context::Subscript)?;
        if !self.accept(b']') {
            return self.error(b"missing ']'");
        }
        Ok(Arith::new(text))
    }

    fn read_elements(&mut self) -> Parsed<Box<[Element]>> {
        let outer = self.token.take();
        let mut elements = Vec::new();
        loop {
            while matches!(self.joined_byte(), Some(b' ' | b'\t')) {
                self.advance();
            }
            if self.byte() == Some(b'[') {
                let (at, line) = (self.input.at, self.input.line);
                if let Some((subscript, _)) = self.read_subscript_assign() {
                    let word = self.read_context(Context::Assign)?;
                    elements.push(Element { subscript: Some(subscript), word });
                    continue;
                }
                self.input.at = at;
                self.input.line = line;
            }
            match self.next(Mode::Argument)? {
                Token::Newline => {}
                Token::Operator(Operator::Close) => break,
                Token::Word(word, _) => elements.push(Element { subscript: None, word }),
                other => {
                    self.token = Some(other);
                    return self.unexpected(Some(b")"));
                }
            }
        }
        self.token = outer;
        Ok(elements.into())
    }
}
