//! The grammar (POSIX XCU awk, Grammar) with BusyBox's and gawk's additions: rules, functions and statements.
//!
//! Expressions are in `expression`.

use rbox_core::error::{Error, Result};

use awk_machine::script::Script;

use super::lexer::{Lexer, Token};
use super::resolve::{Names, Place};
use super::tree::{Expr, Node, Pattern, Rule, Statement, To};

/// How deep expressions and statements may nest, the operators of a chain counted.
const MOST_DEPTH: usize = 1000;
/// How many parameters a function may have.
const MOST_PARAMETERS: usize = 250;

/// A program as it was read.
pub struct Program {
    pub rules: Vec<Rule>,
    pub names: Names,
}

/// The state of reading.
pub struct Parser<'a> {
    pub(super) lexer: Lexer<'a>,
    pub(super) names: Names,
    /// `>` begins a redirection: in the list of `print` that is in no parentheses.
    pub(super) no_greater: bool,
    /// How deep expressions and statements are nested here.
    pub(super) depth: usize,
    loops: usize,
    switches: usize,
    in_function: bool,
    /// The rule, if it has no record or file whose end it could ask for.
    rule: Option<Token>,
}

/// Reads a program.
pub fn parse(script: &Script) -> Result<Program> {
    let lexer = Lexer::new(script)?;
    let names = Names::new();
    let mut parser =
        Parser { lexer, names, no_greater: false, depth: 0, loops: 0, switches: 0, in_function: false, rule: None };
    let mut rules = Vec::new();
    parser.skip_terminators()?;
    while parser.lexer.token != Token::End {
        if let Some(rule) = parser.item()? {
            rules.push(rule);
        }
        parser.skip_terminators()?;
    }
    parser.names.check(script)?;
    Ok(Program { rules, names: parser.names })
}

impl Parser<'_> {
    pub(super) fn unexpected(&self) -> Error {
        self.lexer.error("Unexpected token")
    }

    pub(super) fn is(&self, token: Token) -> bool {
        self.lexer.token == token
    }

    /// Takes the token if it is next.
    pub(super) fn accept(&mut self, token: Token) -> Result<bool> {
        let is = self.is(token);
        if is {
            self.lexer.advance()?;
        }
        Ok(is)
    }

    pub(super) fn expect(&mut self, token: Token) -> Result<()> {
        if self.accept(token)? { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn skip_newlines(&mut self) -> Result<()> {
        while self.accept(Token::Newline)? {}
        Ok(())
    }

    fn skip_terminators(&mut self) -> Result<()> {
        while self.is(Token::Newline) || self.is(Token::Semicolon) {
            self.lexer.advance()?;
        }
        Ok(())
    }

    /// One level deeper; the caller takes it back.
    pub(super) fn deepen(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MOST_DEPTH { Err(self.lexer.error("Nested too deep")) } else { Ok(()) }
    }

    fn item(&mut self) -> Result<Option<Rule>> {
        let at = self.lexer.start;
        if self.accept(Token::Function)? {
            self.function()?;
            return Ok(None);
        }
        let pattern = match self.lexer.token {
            Token::LeftBrace => Pattern::Always,
            Token::Begin => Pattern::Begin,
            Token::EndRule => Pattern::End,
            Token::BeginFile => Pattern::BeginFile,
            Token::EndFile => Pattern::EndFile,
            _ => {
                let first = self.expression()?;
                if self.accept(Token::Comma)? {
                    self.skip_newlines()?;
                    Pattern::Range(first, self.expression()?)
                } else {
                    Pattern::When(first)
                }
            }
        };
        self.rule = None;
        match pattern {
            Pattern::Begin | Pattern::End | Pattern::BeginFile | Pattern::EndFile => {
                self.rule = Some(self.lexer.token);
                self.lexer.advance()?;
                self.skip_newlines_before_brace()?;
            }
            _ => {}
        }
        let needs_action = !matches!(pattern, Pattern::When(_) | Pattern::Range(..));
        let action = if needs_action || self.is(Token::LeftBrace) { Some(self.action()?) } else { None };
        if action.is_none() && !matches!(self.lexer.token, Token::Newline | Token::Semicolon | Token::End) {
            return Err(self.unexpected());
        }
        Ok(Some(Rule { at, pattern, action }))
    }

    /// POSIX has the brace on the line of `BEGIN`; the others accept newlines before it.
    fn skip_newlines_before_brace(&mut self) -> Result<()> {
        let mut ahead = self.lexer.clone();
        while ahead.token == Token::Newline {
            ahead.advance()?;
        }
        if ahead.token == Token::LeftBrace {
            self.lexer = ahead;
        }
        Ok(())
    }

    /// `{ ... }`.
    fn action(&mut self) -> Result<Vec<Node>> {
        self.expect(Token::LeftBrace)?;
        let mut nodes = Vec::new();
        self.skip_terminators()?;
        while !self.is(Token::RightBrace) {
            let at = self.lexer.start;
            nodes.push(Node { at, statement: self.statement()? });
            self.skip_terminators()?;
        }
        self.lexer.advance()?;
        Ok(nodes)
    }

    fn function(&mut self) -> Result<()> {
        if !matches!(self.lexer.token, Token::Name | Token::FunctionName) {
            return Err(self.unexpected());
        }
        self.rule = None;
        let at = self.lexer.start;
        let index = self.names.function(&self.lexer.bytes, at) as usize;
        if self.names.functions[index].body.is_some() {
            return Err(self.lexer.error("Redefined function"));
        }
        self.lexer.advance()?;
        self.expect(Token::LeftParen)?;
        let mut parameters: Vec<Vec<u8>> = Vec::new();
        self.skip_newlines()?;
        while !self.accept(Token::RightParen)? {
            if !parameters.is_empty() {
                self.expect(Token::Comma)?;
                self.skip_newlines()?;
            }
            let name = self.lexer.bytes.clone();
            if !self.is(Token::Name) || parameters.contains(&name) || parameters.len() == MOST_PARAMETERS {
                return Err(self.unexpected());
            }
            parameters.push(name);
            self.lexer.advance()?;
            self.skip_newlines()?;
        }
        self.skip_newlines()?;
        self.names.functions[index].parameters = parameters.len();
        // So that `f (x)` in it is a call.
        self.names.functions[index].body = Some(Vec::new());
        self.names.set_locals(parameters);
        self.in_function = true;
        let body = self.action()?;
        self.in_function = false;
        self.names.set_locals(Vec::new());
        self.names.functions[index].body = Some(body);
        Ok(())
    }

    fn statement(&mut self) -> Result<Statement> {
        self.deepen()?;
        let statement = self.statement_inside();
        self.depth -= 1;
        statement
    }

    fn statement_inside(&mut self) -> Result<Statement> {
        match self.lexer.token {
            Token::LeftBrace => Ok(Statement::Block(self.action()?)),
            Token::Semicolon => {
                self.lexer.advance()?;
                Ok(Statement::Block(Vec::new()))
            }
            Token::If => self.conditional(),
            Token::While => {
                self.lexer.advance()?;
                let condition = self.condition()?;
                // `while (x);` has no body.
                let body = self.body()?;
                Ok(Statement::While(condition, Box::new(body)))
            }
            Token::Do => self.do_loop(),
            Token::For => self.for_loop(),
            Token::Switch => self.switch(),
            _ => {
                let statement = self.simple()?;
                self.end_of_simple()?;
                Ok(statement)
            }
        }
    }

    fn end_of_simple(&mut self) -> Result<()> {
        match self.lexer.token {
            Token::Newline | Token::Semicolon => self.lexer.advance(),
            Token::RightBrace | Token::End => Ok(()),
            _ => Err(self.unexpected()),
        }
    }

    /// `(expression)`
    fn condition(&mut self) -> Result<Expr> {
        self.expect(Token::LeftParen)?;
        let condition = self.expression()?;
        self.expect(Token::RightParen)?;
        Ok(condition)
    }

    /// The statement that a loop repeats or a condition guards.
    fn body(&mut self) -> Result<Statement> {
        self.skip_newlines()?;
        self.loops += 1;
        let body = self.statement();
        self.loops -= 1;
        body
    }

    fn conditional(&mut self) -> Result<Statement> {
        self.lexer.advance()?;
        let condition = self.condition()?;
        self.skip_newlines()?;
        let then = self.statement()?;
        // A semicolon and newlines may be before `else`.
        let mut ahead = self.lexer.clone();
        while ahead.token == Token::Newline || ahead.token == Token::Semicolon {
            ahead.advance()?;
        }
        if ahead.token != Token::Else {
            return Ok(Statement::If(condition, Box::new(then), None));
        }
        self.lexer = ahead;
        self.lexer.advance()?;
        self.skip_newlines()?;
        let other = self.statement()?;
        Ok(Statement::If(condition, Box::new(then), Some(Box::new(other))))
    }

    fn do_loop(&mut self) -> Result<Statement> {
        self.lexer.advance()?;
        let body = self.body()?;
        self.skip_terminators()?;
        self.expect(Token::While)?;
        let condition = self.condition()?;
        self.end_of_simple()?;
        Ok(Statement::Do(Box::new(body), condition))
    }

    fn for_loop(&mut self) -> Result<Statement> {
        self.lexer.advance()?;
        self.expect(Token::LeftParen)?;
        if let Some((variable, array)) = self.for_in()? {
            let body = self.body()?;
            return Ok(Statement::ForIn(Expr::Variable(variable), array, Box::new(body)));
        }
        let first = if self.is(Token::Semicolon) { None } else { Some(Box::new(self.simple()?)) };
        self.expect(Token::Semicolon)?;
        self.skip_newlines()?;
        let condition = if self.is(Token::Semicolon) { None } else { Some(self.expression()?) };
        self.expect(Token::Semicolon)?;
        self.skip_newlines()?;
        let last = if self.is(Token::RightParen) { None } else { Some(Box::new(self.simple()?)) };
        self.expect(Token::RightParen)?;
        let body = self.body()?;
        Ok(Statement::For(first, condition, last, Box::new(body)))
    }

    /// `NAME in NAME)`, if that is next.
    fn for_in(&mut self) -> Result<Option<(Place, Place)>> {
        let mut ahead = self.lexer.clone();
        let mut names = [Vec::new(), Vec::new()];
        for (token, name) in [(Token::Name, 0), (Token::In, 2), (Token::Name, 1)] {
            if ahead.token != token {
                return Ok(None);
            }
            if let Some(name) = names.get_mut(name) {
                name.clone_from(&ahead.bytes);
            }
            ahead.advance()?;
        }
        if ahead.token != Token::RightParen {
            return Ok(None);
        }
        ahead.advance()?;
        self.lexer = ahead;
        Ok(Some((self.names.variable(&names[0]), self.names.variable(&names[1]))))
    }

    fn switch(&mut self) -> Result<Statement> {
        self.lexer.advance()?;
        let value = self.condition()?;
        self.skip_newlines()?;
        self.expect(Token::LeftBrace)?;
        let mut cases: Vec<(Option<Expr>, Vec<Node>)> = Vec::new();
        self.switches += 1;
        loop {
            self.skip_terminators()?;
            let at = self.lexer.start;
            if self.accept(Token::RightBrace)? {
                break;
            }
            if self.accept(Token::Case)? {
                let value = self.case_value()?;
                self.expect(Token::Colon)?;
                cases.push((Some(value), Vec::new()));
            } else if self.accept(Token::Default)? {
                self.expect(Token::Colon)?;
                if cases.iter().any(|(value, _)| value.is_none()) {
                    return Err(self.unexpected());
                }
                cases.push((None, Vec::new()));
            } else {
                let statement = self.statement()?;
                let Some((_, nodes)) = cases.last_mut() else { return Err(self.unexpected()) };
                nodes.push(Node { at, statement });
            }
        }
        self.switches -= 1;
        Ok(Statement::Switch(value, cases))
    }

    /// gawk: a number, a string or a regular expression.
    fn case_value(&mut self) -> Result<Expr> {
        let minus = self.accept(Token::Minus)?;
        if matches!(self.lexer.token, Token::Divide | Token::DivideAssign) {
            self.lexer.regex()?;
        }
        let value = match self.lexer.token {
            Token::Number => Expr::Number(if minus { -self.lexer.number } else { self.lexer.number }),
            Token::String if !minus => Expr::String(self.lexer.bytes.clone()),
            Token::Regex if !minus => Expr::Regex(self.lexer.bytes.clone()),
            _ => return Err(self.unexpected()),
        };
        self.lexer.advance()?;
        Ok(value)
    }

    /// A statement that a semicolon or a newline ends.
    fn simple(&mut self) -> Result<Statement> {
        let token = self.lexer.token;
        match token {
            Token::Print | Token::Printf => self.print(token),
            Token::Delete => self.delete(),
            Token::Exit | Token::Return => {
                if token == Token::Return && !self.in_function {
                    return Err(self.lexer.error("'return' not in a function"));
                }
                self.lexer.advance()?;
                let value = if self.is_end() { None } else { Some(self.expression()?) };
                Ok(if token == Token::Exit { Statement::Exit(value) } else { Statement::Return(value) })
            }
            // gawk, mawk: a mistake. BEGINFILE may leave out its file.
            Token::Next | Token::NextFile
                if self.rule.is_some_and(|rule| token == Token::Next || rule != Token::BeginFile) =>
            {
                Err(self.lexer.error("'next' in BEGIN or END"))
            }
            Token::Next => self.word(Statement::Next),
            Token::NextFile => self.word(Statement::NextFile),
            Token::Break if self.loops + self.switches == 0 => Err(self.lexer.error("'break' not in a loop")),
            Token::Continue if self.loops == 0 => Err(self.lexer.error("'continue' not in a loop")),
            Token::Break => self.word(Statement::Break),
            Token::Continue => self.word(Statement::Continue),
            _ => Ok(Statement::Expr(self.expression()?)),
        }
    }

    fn word(&mut self, statement: Statement) -> Result<Statement> {
        self.lexer.advance()?;
        Ok(statement)
    }

    fn is_end(&self) -> bool {
        matches!(self.lexer.token, Token::Newline | Token::Semicolon | Token::RightBrace | Token::End)
    }

    fn print(&mut self, token: Token) -> Result<Statement> {
        self.lexer.advance()?;
        let mut list = Vec::new();
        self.no_greater = true;
        while !self.is_end() && !matches!(self.lexer.token, Token::Greater | Token::Append | Token::Pipe) {
            list.push(self.expression()?);
            if !self.accept(Token::Comma)? {
                break;
            }
            self.skip_newlines()?;
            if self.is_end() {
                return Err(self.unexpected());
            }
        }
        self.no_greater = false;
        if let [Expr::Group(group)] = &mut list[..] {
            list = core::mem::take(group);
        }
        if token == Token::Printf && list.is_empty() {
            return Err(self.lexer.error("Too few arguments"));
        }
        let to = match self.lexer.token {
            Token::Greater => Some(To::File),
            Token::Append => Some(To::Append),
            Token::Pipe => Some(To::Command),
            _ => None,
        };
        let to = match to {
            Some(to) => {
                self.lexer.advance()?;
                self.no_greater = true;
                let target = self.concatenation()?;
                self.no_greater = false;
                Some((to, target))
            }
            None => None,
        };
        Ok(if token == Token::Print { Statement::Print(list, to) } else { Statement::Printf(list, to) })
    }

    fn delete(&mut self) -> Result<Statement> {
        self.lexer.advance()?;
        if !self.is(Token::Name) {
            return Err(self.unexpected());
        }
        let array = self.names.variable(&self.lexer.bytes);
        self.lexer.advance()?;
        let subscripts = if self.accept(Token::LeftBracket)? { Some(self.list(Token::RightBracket)?) } else { None };
        Ok(Statement::Delete(array, subscripts))
    }
}
