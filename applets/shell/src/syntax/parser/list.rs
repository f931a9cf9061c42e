//! Lists, and-or lists and pipelines (XCU 2.9.2 and 2.9.3).

use super::reader::{Host, Parsed, Parser};
use super::token::{Keyword, Mode, Operator, Token};
use crate::syntax::ast::{Node, Pipeline, RedirectFd, RedirectKind, Redirection, Word};
use crate::syntax::input::Input;
use std::rc::Rc;

/// Parses the next complete command; `None` at the end of the input.
///
/// An empty line gives an empty sequence, so that the caller can handle jobs and prompts.
pub fn next_command(input: &mut Input, host: &mut impl Host) -> Parsed<Option<Node>> {
    input.compact();
    let mut parser = Parser::new(host, input, 0);
    parser.complete_command()
}

impl<H: Host> Parser<'_, H> {
    /// One complete command with its newline; `None` at the end of the input.
    pub fn complete_command(&mut self) -> Parsed<Option<Node>> {
        match self.peek(Mode::Command)? {
            Token::End => return Ok(None),
            Token::Newline => return Ok(Some(Node::Sequence(Box::default()))),
            _ => {}
        }
        let mut items = Vec::new();
        loop {
            let separated = self.list_item(&mut items)?;
            match self.peek(Mode::Command)? {
                Token::Newline | Token::End => return Ok(Some(sequence(items))),
                _ if separated => {}
                _ => return self.unexpected(None),
            }
        }
    }

    /// An and-or list with the `;` or `&` after it; whether there was one.
    fn list_item(&mut self, items: &mut Vec<Node>) -> Parsed<bool> {
        let node = self.and_or()?;
        let (node, separated) = match self.peek(Mode::Keyword)? {
            Token::Operator(Operator::And) => (Node::Background(Rc::new(node)), true),
            Token::Operator(Operator::Semicolon) => (node, true),
            _ => (node, false),
        };
        if separated {
            self.skip();
        }
        items.push(node);
        Ok(separated)
    }

    /// A list that may hold newlines, up to a token that cannot begin a command. `None` when it is empty.
    pub fn compound_list(&mut self) -> Parsed<Option<Node>> {
        self.enter()?;
        let mut items = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.at_list_end()? {
                break;
            }
            if !self.list_item(&mut items)? && !matches!(self.peek(Mode::Keyword)?, Token::Newline) {
                break;
            }
        }
        self.leave();
        Ok(if items.is_empty() { None } else { Some(sequence(items)) })
    }

    /// A list with at least one command.
    pub fn required_list(&mut self) -> Parsed<Node> {
        match self.compound_list()? {
            Some(node) => Ok(node),
            // At the end of the input it is what would have had to follow that is missing.
            None if matches!(self.token, Some(Token::End)) => Ok(Node::Sequence(Box::default())),
            None => self.unexpected(None),
        }
    }

    /// Skips newlines before a command.
    pub fn skip_newlines(&mut self) -> Parsed<()> {
        while matches!(self.peek(Mode::Command)?, Token::Newline) {
            self.skip();
        }
        Ok(())
    }

    fn at_list_end(&mut self) -> Parsed<bool> {
        Ok(match self.peek(Mode::Command)? {
            Token::End => true,
            Token::Operator(operator) => {
                matches!(operator, Operator::Close | Operator::CaseBreak | Operator::CaseFall | Operator::CaseNext)
            }
            Token::Keyword(keyword) => matches!(
                keyword,
                Keyword::CloseBrace
                    | Keyword::Do
                    | Keyword::Done
                    | Keyword::Elif
                    | Keyword::Else
                    | Keyword::Esac
                    | Keyword::Fi
                    | Keyword::Then
            ),
            _ => false,
        })
    }

    fn and_or(&mut self) -> Parsed<Node> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            let and = match self.peek(Mode::Keyword)? {
                Token::Operator(Operator::AndIf) => true,
                Token::Operator(Operator::OrIf) => false,
                _ => break,
            };
            self.skip();
            self.skip_newlines()?;
            rest.push((and, self.pipeline()?));
        }
        Ok(if rest.is_empty() { first } else { Node::AndOr(Box::new(first), rest.into()) })
    }

    fn pipeline(&mut self) -> Parsed<Node> {
        self.peek(Mode::Command)?;
        match self.token {
            Some(Token::Keyword(Keyword::Bang)) => {
                self.skip();
                if matches!(self.peek(Mode::Command)?, Token::Keyword(Keyword::Bang)) && !self.host.extended() {
                    // XCU 2.10.2: a pipeline is negated once; bash does it as often as one likes.
                    return self.unexpected(None);
                }
                self.enter()?;
                let node = self.pipeline()?;
                self.leave();
                return Ok(Node::Not(Box::new(node)));
            }
            Some(Token::Keyword(Keyword::Time)) => {
                self.skip();
                self.enter()?;
                let portable = self.accept_time_option()?;
                let node = if self.at_time_end()? { None } else { Some(Box::new(self.pipeline()?)) };
                self.leave();
                return Ok(Node::Time(node, portable));
            }
            _ => {}
        }
        let mut node = self.command()?;
        let mut commands = Vec::new();
        loop {
            match self.peek(Mode::Keyword)? {
                Token::Operator(Operator::Pipe) => {}
                Token::Operator(Operator::PipeBoth) => node = with_errors(node),
                _ => break,
            }
            self.skip();
            self.skip_newlines()?;
            commands.push(Rc::new(node));
            node = self.command()?;
        }
        if commands.is_empty() {
            return Ok(node);
        }
        commands.push(Rc::new(node));
        Ok(Node::Pipeline(Box::new(Pipeline { commands: commands.into() })))
    }

    /// `-p` after `time`.
    fn accept_time_option(&mut self) -> Parsed<bool> {
        let found = matches!(self.peek(Mode::Command)?, Token::Word(Word::Literal(text), true) if **text == *b"-p");
        if found {
            self.skip();
        }
        Ok(found)
    }

    fn at_time_end(&mut self) -> Parsed<bool> {
        Ok(matches!(
            self.peek(Mode::Command)?,
            Token::Newline | Token::End | Token::Operator(Operator::Semicolon | Operator::Close)
        ))
    }
}

/// `a |& b` is `a 2>&1 | b`.
fn with_errors(node: Node) -> Node {
    let both = Redirection {
        fd: RedirectFd::Number(2),
        kind: RedirectKind::DupOut,
        word: Word::Literal(Box::from(&b"1"[..])),
        here: None,
        line: 0,
    };
    Node::Redirected(Box::new(node), Box::new([both]))
}

fn sequence(mut items: Vec<Node>) -> Node {
    if items.len() == 1
        && let Some(node) = items.pop()
    {
        return node;
    }
    Node::Sequence(items.into())
}
