//! `[[ expression ]]`.

use super::reader::{Host, Parsed, Parser};
use super::token::{Mode, Operator, Token};
use super::word::Context;
use crate::syntax::ast::{Condition, Node, RedirectKind, Word};

impl<H: Host> Parser<'_, H> {
    /// The command after its `[[`.
    pub fn condition_command(&mut self, line: u32) -> Parsed<Node> {
        self.skip();
        // As in bash, groups count here whatever `shopt extglob` says.
        let groups = self.groups;
        self.groups |= self.host.extended();
        let condition = self.condition_or();
        self.groups = groups;
        let condition = condition?;
        match self.condition_token()? {
            Token::Word(Word::Literal(text), true) if *text == *b"]]" => {}
            other => {
                self.token = Some(other);
                return self.unexpected(Some(b"]]"));
            }
        }
        Ok(Node::Condition(Box::new(condition), line))
    }

    fn condition_token(&mut self) -> Parsed<Token> {
        loop {
            match self.next(Mode::Operand)? {
                Token::Newline => {}
                token => return Ok(token),
            }
        }
    }

    fn accept_operator(&mut self, operator: Operator) -> Parsed<bool> {
        while matches!(self.peek(Mode::Operand)?, Token::Newline) {
            self.skip();
        }
        let found = matches!(self.peek(Mode::Operand)?, Token::Operator(found) if *found == operator);
        if found {
            self.skip();
        }
        Ok(found)
    }

    fn condition_or(&mut self) -> Parsed<Condition> {
        let mut left = self.condition_and()?;
        while self.accept_operator(Operator::OrIf)? {
            left = Condition::Or(Box::new(left), Box::new(self.condition_and()?));
        }
        Ok(left)
    }

    fn condition_and(&mut self) -> Parsed<Condition> {
        let mut left = self.condition_term()?;
        while self.accept_operator(Operator::AndIf)? {
            left = Condition::And(Box::new(left), Box::new(self.condition_term()?));
        }
        Ok(left)
    }

    fn condition_term(&mut self) -> Parsed<Condition> {
        self.enter()?;
        let found = self.condition_term_inner();
        self.leave();
        found
    }

    fn condition_term_inner(&mut self) -> Parsed<Condition> {
        let word = match self.condition_token()? {
            Token::Operator(Operator::Open) => {
                let inner = self.condition_or()?;
                if !self.accept_operator(Operator::Close)? {
                    self.peek(Mode::Operand)?;
                    return self.unexpected(Some(b")"));
                }
                return Ok(inner);
            }
            Token::Word(Word::Literal(text), true) if *text == *b"!" => {
                return Ok(Condition::Not(Box::new(self.condition_term()?)));
            }
            Token::Word(Word::Literal(text), true) if *text == *b"]]" => {
                self.token = Some(Token::Word(Word::Literal(text), true));
                return self.unexpected(None);
            }
            Token::Word(word, plain) => {
                if let Word::Literal(text) = &word
                    && plain
                    && text.len() == 2
                    && text[0] == b'-'
                    && text[1].is_ascii_alphabetic()
                    && matches!(self.peek(Mode::Operand)?, Token::Word(..))
                    && let Token::Word(operand, operand_plain) = self.next(Mode::Operand)?
                {
                    if operand_plain && matches!(&operand, Word::Literal(end) if **end == *b"]]") {
                        self.token = Some(Token::Word(operand, true));
                        return Ok(Condition::Word(word));
                    }
                    return Ok(Condition::Unary(text.clone(), operand));
                }
                word
            }
            other => {
                self.token = Some(other);
                return self.unexpected(None);
            }
        };
        self.condition_binary(word)
    }

    fn condition_binary(&mut self, left: Word) -> Parsed<Condition> {
        let operator: Box<[u8]> = match self.peek(Mode::Operand)? {
            Token::Redirect(_, RedirectKind::Read) => Box::from(&b"<"[..]),
            Token::Redirect(_, RedirectKind::Write) => Box::from(&b">"[..]),
            Token::Word(Word::Literal(text), true) if **text != *b"]]" => text.clone(),
            _ => return Ok(Condition::Word(left)),
        };
        self.skip();
        if *operator == *b"=~" {
            while matches!(self.joined_byte(), Some(b' ' | b'\t')) {
                self.advance();
            }
            return Ok(Condition::Regex(left, self.read_context(Context::Regex)?));
        }
        let right = match self.condition_token()? {
            Token::Word(word, _) => word,
            other => {
                self.token = Some(other);
                return self.unexpected(None);
            }
        };
        Ok(match &operator[..] {
            b"=" | b"==" => Condition::Match(left, right.into_pattern(), false),
            b"!=" => Condition::Match(left, right.into_pattern(), true),
            _ => Condition::Binary(left, operator, right),
        })
    }
}
