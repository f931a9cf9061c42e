//! Simple commands, redirections and function definitions (XCU 2.9.1, 2.7, 2.9.5).

use super::reader::{Host, Parsed, Parser};
use super::token::{Keyword, Mode, Operator, Token};
use crate::syntax::ast::{Arith, Function, HereDoc, Node, Part, RedirectFd, RedirectKind, Redirection, Simple, Word};
use crate::syntax::copied::Copied;
use crate::syntax::symbols::is_name;
use std::cell::{Cell, OnceCell};
use std::rc::Rc;

impl<H: Host> Parser<'_, H> {
    /// A command of any kind with its redirections.
    pub fn command(&mut self) -> Parsed<Node> {
        self.enter()?;
        let node = self.command_inner();
        self.leave();
        node
    }

    fn command_inner(&mut self) -> Parsed<Node> {
        match self.peek(Mode::Command)? {
            Token::Word(..) | Token::Assign(_) | Token::Redirect(..) => self.simple(),
            Token::Keyword(Keyword::Coprocess) => {
                self.skip();
                self.coprocess()
            }
            Token::Keyword(Keyword::Function) => {
                self.skip();
                self.bash_function()
            }
            _ => {
                let line = self.input.line;
                let node = self.compound()?;
                let mut redirections = self.redirections()?;
                // As in BusyBox, messages name the line on which the command begins.
                redirections.iter_mut().for_each(|one| one.line = line);
                Ok(if redirections.is_empty() { node } else { Node::Redirected(Box::new(node), redirections) })
            }
        }
    }

    fn redirections(&mut self) -> Parsed<Box<[Redirection]>> {
        let mut found = Vec::new();
        // XCU 2.4: a reserved word counts directly after another one, not after a redirection.
        let mut mode = Mode::Keyword;
        while matches!(self.peek(mode)?, Token::Redirect(..)) {
            if let Token::Redirect(fd, kind) = self.next(mode)? {
                found.push(self.redirection(fd, kind)?);
            }
            mode = Mode::Operand;
        }
        Ok(found.into())
    }

    /// What follows a redirection operator.
    fn redirection(&mut self, fd: RedirectFd, kind: RedirectKind) -> Parsed<Redirection> {
        if kind == RedirectKind::Here {
            return self.here_redirection(fd);
        }
        let line = self.input.line;
        match self.next(Mode::Operand)? {
            Token::Word(word, _) => Ok(Redirection { fd, kind, word, here: None, line }),
            other => {
                self.token = Some(other);
                self.unexpected(None)
            }
        }
    }

    fn here_redirection(&mut self, fd: RedirectFd) -> Parsed<Redirection> {
        let strip_tabs = self.accept(b'-');
        let (delimiter, quoted) = loop {
            while matches!(self.joined_byte(), Some(b' ' | b'\t')) {
                self.advance();
            }
            self.input.expire_aliases();
            let looked_up = std::mem::take(&mut self.input.alias_next);
            let start = self.input.at;
            match self.read_delimiter()? {
                None => {
                    self.peek(Mode::Operand)?;
                    return self.unexpected(None);
                }
                // An alias that ends in a blank may be `cat << `.
                Some((word, false)) if looked_up && self.replace_alias(&word, start) => self.input.alias_next = true,
                Some(found) => break found,
            }
        };
        let here = Rc::new(HereDoc { delimiter: delimiter.into(), strip_tabs, quoted, body: OnceCell::new() });
        self.pending.push(Rc::clone(&here));
        let word = Word::Literal(Box::default());
        Ok(Redirection { fd, kind: RedirectKind::Here, word, here: Some(here), line: self.input.line })
    }

    fn simple(&mut self) -> Parsed<Node> {
        let line = self.input.line;
        let mut assigns = Vec::new();
        let mut words: Vec<Word> = Vec::new();
        let mut redirections = Vec::new();
        let mut mode = Mode::Command;
        let mut name_known = false;
        let mut plain = false;
        loop {
            match self.peek(mode)? {
                Token::Word(..) | Token::Assign(_) | Token::Redirect(..) => {}
                Token::Operator(Operator::Open)
                    if words.len() == 1 && assigns.is_empty() && redirections.is_empty() =>
                {
                    return self.function(&words[0], plain);
                }
                _ => break,
            }
            match self.next(mode)? {
                Token::Redirect(fd, kind) => redirections.push(self.redirection(fd, kind)?),
                Token::Assign(assign) if words.is_empty() => assigns.push(*assign),
                Token::Assign(assign) => words.push(self.declaration(*assign)),
                Token::Word(word, unquoted) => {
                    plain = unquoted;
                    if !name_known {
                        (mode, name_known) = operand_mode(&word);
                    }
                    words.push(word);
                    continue;
                }
                _ => break,
            }
            if words.is_empty() {
                mode = Mode::Prefix;
            }
        }
        let name = match words.first() {
            Some(Word::Literal(text)) => Some(self.host.symbols().intern(text)),
            _ => None,
        };
        Ok(Node::Simple(Box::new(Simple {
            assigns: assigns.into(),
            words: words.into(),
            redirections: redirections.into(),
            name,
            line,
        })))
    }

    /// `name=value` as operand of a declaration utility: one word that is not split.
    fn declaration(&mut self, assign: crate::syntax::ast::Assign) -> Word {
        let mut text = self.host.symbols().name(assign.name).copied();
        if let Some(subscript) = assign.subscript {
            return self.element_declaration(text, *subscript, assign.append, assign.value);
        }
        text.extend_from_slice(if assign.append { b"+=" } else { b"=" });
        let mut parts = vec![Part::Quoted(text.into())];
        match assign.value {
            Word::Literal(value) => parts.push(Part::Quoted(value)),
            Word::Parts(value) | Word::Declaration(value) => parts.extend(value),
        }
        Word::Declaration(parts.into())
    }

    /// `name[subscript]=value` as such an operand.
    fn element_declaration(&mut self, name: Vec<u8>, subscript: Arith, append: bool, value: Word) -> Word {
        let mut parts = vec![Part::Quoted([&name[..], b"["].concat().into())];
        for (word, end) in [(subscript.text, if append { &b"]+="[..] } else { b"]=" }), (value, b"")] {
            match word {
                Word::Literal(text) => parts.push(Part::Quoted(text)),
                Word::Parts(more) | Word::Declaration(more) => parts.extend(more),
            }
            parts.push(Part::Quoted(end.into()));
        }
        Word::Declaration(parts.into())
    }

    /// `name ( ) command`, after the name.
    fn function(&mut self, name: &Word, plain: bool) -> Parsed<Node> {
        self.skip();
        if !matches!(self.peek(Mode::Operand)?, Token::Operator(Operator::Close)) {
            return self.unexpected(Some(b")"));
        }
        self.skip();
        let Word::Literal(name) = name else { return self.error(b"bad function name") };
        // XCU 2.9.5: the name is that of no special builtin, which would be found first (2.9.1.1). As in bash and
        // BusyBox's head it may have other characters than a variable's.
        let is_word = self.host.extended() || (plain && !name.contains(&b'='));
        if !is_word || self.host.is_special(name) {
            return self.error(b"bad function name");
        }
        self.function_body(name)
    }

    /// `function name [()] command`.
    fn bash_function(&mut self) -> Parsed<Node> {
        let name = match self.next(Mode::Operand)? {
            Token::Word(Word::Literal(name), plain) if plain || self.host.extended() => name,
            Token::Word(..) => return self.error(b"bad function name"),
            other => {
                self.token = Some(other);
                return self.unexpected(Some(b"word"));
            }
        };
        if matches!(self.peek(Mode::Command)?, Token::Operator(Operator::Open)) {
            self.skip();
            if !matches!(self.next(Mode::Operand)?, Token::Operator(Operator::Close)) {
                return self.error(b"bad function name");
            }
        }
        self.skip_newlines()?;
        if matches!(self.peek(Mode::Command)?, Token::Word(..) | Token::Assign(_) | Token::Redirect(..)) {
            return self.unexpected(None);
        }
        self.function_body(&name)
    }

    /// `coproc [name] command`: a name is before a compound command only.
    fn coprocess(&mut self) -> Parsed<Node> {
        let standard = self.host.symbols().intern(b"COPROC");
        let before = (self.input.at, self.input.line);
        if let Token::Word(Word::Literal(name), true) = self.peek(Mode::Operand)?
            && is_name(name)
            && !super::is_keyword(name)
        {
            let name = name.clone();
            self.skip();
            let compound = matches!(
                self.peek(Mode::Command)?,
                Token::Keyword(_) | Token::Operator(Operator::Open) | Token::ArithCommand(_)
            );
            if compound {
                let name = self.host.symbols().intern(&name);
                return Ok(Node::Coprocess(name, Rc::new(self.command()?)));
            }
        }
        self.skip();
        (self.input.at, self.input.line) = before;
        Ok(Node::Coprocess(standard, Rc::new(self.command()?)))
    }

    fn function_body(&mut self, name: &[u8]) -> Parsed<Node> {
        let name = self.host.symbols().intern(name);
        self.skip_newlines()?;
        let body = self.command()?;
        Ok(Node::Function(name, Rc::new(Function { body, sourced: Cell::new(false), source: OnceCell::new() })))
    }
}

/// How the words after this one are read, and whether that is final: after `command` the next word decides.
fn operand_mode(word: &Word) -> (Mode, bool) {
    match word {
        // XCU 3.100: the operands of a declaration utility may be assignments.
        Word::Literal(text) => match &text[..] {
            b"export" | b"readonly" | b"local" | b"declare" | b"typeset" => (Mode::Declaration, true),
            b"command" => (Mode::Argument, false),
            _ => (Mode::Argument, true),
        },
        _ => (Mode::Argument, true),
    }
}
