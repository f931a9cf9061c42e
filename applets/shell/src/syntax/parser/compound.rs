//! Compound commands (XCU 2.9.4).

use super::reader::{Host, Parsed, Parser};
use super::token::{Keyword, Mode, Operator, Token};
use crate::syntax::ast::{Arith, ArithFor, Arm, ArmEnd, Case, For, Node, Pattern, Word};
use crate::syntax::symbols::{Sym, is_name};
use std::rc::Rc;

impl<H: Host> Parser<'_, H> {
    /// A compound command; any other token is an error.
    pub fn compound(&mut self) -> Parsed<Node> {
        let line = self.input.line;
        let keyword = match self.peek(Mode::Command)? {
            Token::Keyword(keyword) => *keyword,
            Token::Operator(Operator::Open) => {
                self.skip();
                let body = self.required_list()?;
                self.expect_close()?;
                return Ok(Node::Subshell(Rc::new(body)));
            }
            Token::ArithCommand(_) => {
                return match self.next(Mode::Command)? {
                    Token::ArithCommand(arith) => Ok(Node::Arith(arith, line)),
                    _ => self.unexpected(None),
                };
            }
            _ => return self.unexpected(None),
        };
        match keyword {
            Keyword::OpenBrace => {
                self.skip();
                let body = self.required_list()?;
                self.expect(Keyword::CloseBrace)?;
                Ok(Node::Group(Box::new(body)))
            }
            Keyword::If => self.if_command(),
            Keyword::While | Keyword::Until => {
                self.skip();
                let test = self.required_list()?;
                let body = self.do_group()?;
                Ok(Node::While(Box::new(test), Box::new(body), keyword == Keyword::Until))
            }
            Keyword::For => self.for_command(line),
            Keyword::Select => {
                self.skip();
                let name = self.loop_variable()?;
                self.for_words(name, line).map(|found| Node::Select(Box::new(found)))
            }
            Keyword::Case => self.case_command(line),
            Keyword::OpenCondition => self.condition_command(line),
            _ => self.unexpected(None),
        }
    }

    fn expect(&mut self, keyword: Keyword) -> Parsed<()> {
        match self.peek(Mode::Command)? {
            Token::Keyword(found) if *found == keyword => {
                self.skip();
                Ok(())
            }
            _ => self.unexpected(Some(keyword.text())),
        }
    }

    fn expect_close(&mut self) -> Parsed<()> {
        match self.peek(Mode::Command)? {
            Token::Operator(Operator::Close) => {
                self.skip();
                Ok(())
            }
            _ => self.unexpected(Some(b")")),
        }
    }

    fn do_group(&mut self) -> Parsed<Node> {
        self.expect(Keyword::Do)?;
        let body = self.required_list()?;
        self.expect(Keyword::Done)?;
        Ok(body)
    }

    fn if_command(&mut self) -> Parsed<Node> {
        let mut arms = Vec::new();
        loop {
            self.skip();
            let test = self.required_list()?;
            self.expect(Keyword::Then)?;
            arms.push((test, self.required_list()?));
            match self.peek(Mode::Command)? {
                Token::Keyword(Keyword::Elif) => {}
                Token::Keyword(Keyword::Else) => {
                    self.skip();
                    let otherwise = self.required_list()?;
                    self.expect(Keyword::Fi)?;
                    return Ok(Node::If(arms.into(), Some(Box::new(otherwise))));
                }
                _ => {
                    self.expect(Keyword::Fi)?;
                    return Ok(Node::If(arms.into(), None));
                }
            }
        }
    }

    fn loop_variable(&mut self) -> Parsed<Sym> {
        match self.next(Mode::Operand)? {
            Token::Word(Word::Literal(name), true) if is_name(&name) => Ok(self.host.symbols().intern(&name)),
            _ => self.error(b"bad for loop variable"),
        }
    }

    fn for_command(&mut self, line: u32) -> Parsed<Node> {
        self.skip();
        // `((` must be seen before a word is: where a command begins.
        if self.for_arith_follows() {
            return self.arith_for(line);
        }
        let name = self.loop_variable()?;
        self.for_words(name, line).map(|found| Node::For(Box::new(found)))
    }

    fn for_arith_follows(&mut self) -> bool {
        while matches!(self.joined_byte(), Some(b' ' | b'\t')) {
            self.advance();
        }
        let found = self.joined_byte() == Some(b'(') && self.byte_at(1) == Some(b'(');
        if found {
            self.advance();
            self.advance();
        }
        found
    }

    fn for_words(&mut self, name: Sym, line: u32) -> Parsed<For> {
        let mut newline = false;
        while matches!(self.peek(Mode::Keyword)?, Token::Newline) {
            self.skip();
            newline = true;
        }
        let mut words = None;
        match self.peek(Mode::Keyword)? {
            Token::Keyword(Keyword::In) => {
                self.skip();
                words = Some(self.for_list()?);
            }
            Token::Operator(Operator::Semicolon) if !newline => self.skip(),
            _ => {}
        }
        self.skip_newlines()?;
        let body = if matches!(self.peek(Mode::Command)?, Token::Keyword(Keyword::OpenBrace)) {
            self.compound()?
        } else {
            self.do_group()?
        };
        Ok(For { name, words, body, line })
    }

    fn for_list(&mut self) -> Parsed<Box<[Word]>> {
        let mut words = Vec::new();
        loop {
            match self.next(Mode::Argument)? {
                Token::Word(word, _) => words.push(word),
                Token::Newline | Token::Operator(Operator::Semicolon) => return Ok(words.into()),
                other => {
                    self.token = Some(other);
                    return self.unexpected(None);
                }
            }
        }
    }

    fn arith_for(&mut self, line: u32) -> Parsed<Node> {
        let init = self.read_for_arith(b';')?;
        let test = self.read_for_arith(b';')?;
        let step = self.read_for_arith(b')')?;
        if !self.accept(b')') {
            return self.error(b"missing '))'");
        }
        if matches!(self.peek(Mode::Keyword)?, Token::Operator(Operator::Semicolon)) {
            self.skip();
        }
        self.skip_newlines()?;
        let body = if matches!(self.peek(Mode::Command)?, Token::Keyword(Keyword::OpenBrace)) {
            self.compound()?
        } else {
            self.do_group()?
        };
        Ok(Node::ArithFor(Box::new(ArithFor { init, test, step, body, line })))
    }

    fn read_for_arith(&mut self, end: u8) -> Parsed<Arith> {
        let text = self.read_context(super::word::Context::ForArith)?;
        if !self.accept(end) {
            return self.error(b"bad for loop variable");
        }
        Ok(Arith::new(text))
    }

    fn case_command(&mut self, line: u32) -> Parsed<Node> {
        self.skip();
        let word = match self.next(Mode::Operand)? {
            Token::Word(word, _) => word,
            other => {
                self.token = Some(other);
                return self.unexpected(Some(b"word"));
            }
        };
        self.skip_newlines_plain(Mode::Keyword)?;
        match self.next(Mode::Keyword)? {
            Token::Keyword(Keyword::In) => {}
            other => {
                self.token = Some(other);
                return self.unexpected(Some(b"in"));
            }
        }
        let mut arms = Vec::new();
        loop {
            self.skip_newlines_plain(Mode::Pattern)?;
            if matches!(self.peek(Mode::Pattern)?, Token::Keyword(Keyword::Esac)) {
                break;
            }
            let (arm, last) = self.case_arm()?;
            arms.push(arm);
            if last {
                break;
            }
        }
        self.expect(Keyword::Esac)?;
        Ok(Node::Case(Box::new(Case { word, arms: arms.into(), line })))
    }

    fn skip_newlines_plain(&mut self, mode: Mode) -> Parsed<()> {
        while matches!(self.peek(mode)?, Token::Newline) {
            self.skip();
        }
        Ok(())
    }

    /// One arm, and whether it ended without `;;`, which only the last one may.
    fn case_arm(&mut self) -> Parsed<(Arm, bool)> {
        if matches!(self.peek(Mode::Pattern)?, Token::Operator(Operator::Open)) {
            self.skip();
        }
        let mut patterns = vec![self.case_pattern()?];
        loop {
            match self.next(Mode::Operand)? {
                Token::Operator(Operator::Pipe) => patterns.push(self.case_pattern()?),
                Token::Operator(Operator::Close) => break,
                other => {
                    self.token = Some(other);
                    return self.unexpected(Some(b")"));
                }
            }
        }
        let body = self.compound_list()?;
        let end = match self.peek(Mode::Command)? {
            Token::Operator(Operator::CaseBreak) => ArmEnd::Break,
            Token::Operator(Operator::CaseFall) => ArmEnd::FallThrough,
            Token::Operator(Operator::CaseNext) => ArmEnd::TestNext,
            Token::Keyword(Keyword::Esac) => {
                return Ok((Arm { patterns: patterns.into(), body, end: ArmEnd::Break }, true));
            }
            _ => return self.unexpected(Some(b";;")),
        };
        self.skip();
        Ok((Arm { patterns: patterns.into(), body, end }, false))
    }

    fn case_pattern(&mut self) -> Parsed<Pattern> {
        match self.next(Mode::Operand)? {
            Token::Word(word, _) => Ok(word.into_pattern()),
            Token::Keyword(keyword) => Ok(Pattern::Exact(keyword.text().into())),
            other => {
                // BusyBox takes any token for a pattern and misses what must follow.
                let next = self.next(Mode::Operand)?;
                let follows = matches!(next, Token::Operator(Operator::Close | Operator::Pipe));
                self.token = Some(if follows { other } else { next });
                self.unexpected(if follows { None } else { Some(b")") })
            }
        }
    }
}
