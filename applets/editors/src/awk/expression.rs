//! The grammar of expressions, from the operators that bind least to the operands.

use rbox_core::error::Result;

use super::lexer::Token;
use super::parser::Parser;
use super::tree::{Arithmetic, Comparison, Expr, From};
use awk_machine::program::builtin;

/// How tight binary operators bind.
mod level {
    pub const OR: u8 = 1;
    pub const AND: u8 = 2;
    pub const IN: u8 = 3;
    pub const MATCH: u8 = 4;
    pub const COMPARE: u8 = 5;
    pub const CONCAT: u8 = 6;
    pub const ADD: u8 = 7;
    pub const MULTIPLY: u8 = 8;
}

impl Parser<'_> {
    /// A whole expression.
    pub(super) fn expression(&mut self) -> Result<Expr> {
        self.deepen()?;
        let depth = self.depth;
        let condition = self.binary(level::OR);
        let result = match condition {
            Ok(condition) if self.is(Token::Question) => self.choice(condition),
            result => result,
        };
        self.depth = depth - 1;
        result
    }

    fn choice(&mut self, condition: Expr) -> Result<Expr> {
        self.lexer.advance()?;
        self.skip_newlines()?;
        let first = self.expression()?;
        self.skip_newlines()?;
        self.expect(Token::Colon)?;
        self.skip_newlines()?;
        let second = self.expression()?;
        Ok(Expr::Choose(Box::new(condition), Box::new(first), Box::new(second)))
    }

    /// What names the file or the command of a redirection: no comparison.
    pub(super) fn concatenation(&mut self) -> Result<Expr> {
        self.binary(level::CONCAT)
    }

    /// Operators of at least that level. Each one in a chain counts as a level of depth.
    fn binary(&mut self, least: u8) -> Result<Expr> {
        let depth = self.depth;
        let mut left = self.unary()?;
        while let Some((level, token)) = self.operator() {
            if level < least {
                break;
            }
            self.deepen()?;
            if level == level::CONCAT && token != Token::Pipe {
                left = self.concat(left)?;
                continue;
            }
            self.lexer.advance()?;
            left = self.operation(left, token, level)?;
        }
        self.depth = depth;
        Ok(left)
    }

    /// The operator that is next, and how tight it binds.
    fn operator(&self) -> Option<(u8, Token)> {
        let token = self.lexer.token;
        let level = match token {
            Token::Or => level::OR,
            Token::And => level::AND,
            Token::In => level::IN,
            Token::Match | Token::NoMatch => level::MATCH,
            Token::Greater if self.no_greater => return None,
            Token::Less | Token::LessEqual | Token::Equal | Token::NotEqual | Token::Greater | Token::GreaterEqual => {
                level::COMPARE
            }
            // `command | getline`.
            Token::Pipe => {
                let mut ahead = self.lexer.clone();
                ahead.advance().ok()?;
                if ahead.token != Token::Getline {
                    return None;
                }
                level::CONCAT
            }
            Token::Plus | Token::Minus => level::ADD,
            Token::Times | Token::Divide | Token::Modulo => level::MULTIPLY,
            token if starts_operand(token) => level::CONCAT,
            _ => return None,
        };
        Some((level, token))
    }

    fn concat(&mut self, left: Expr) -> Result<Expr> {
        let right = self.binary(level::ADD)?;
        Ok(match left {
            Expr::Concat(mut parts) => {
                self.depth -= 1;
                parts.push(right);
                Expr::Concat(parts)
            }
            left => Expr::Concat(vec![left, right]),
        })
    }

    fn operation(&mut self, left: Expr, token: Token, level: u8) -> Result<Expr> {
        if matches!(token, Token::And | Token::Or) {
            self.skip_newlines()?;
        }
        if token == Token::In {
            if !self.is(Token::Name) {
                return Err(self.unexpected());
            }
            let array = self.names.variable(&self.lexer.bytes);
            self.lexer.advance()?;
            return Ok(match left {
                Expr::Group(list) => Expr::In(list, array),
                left => Expr::In(vec![left], array),
            });
        }
        if token == Token::Pipe {
            self.lexer.advance()?;
            let target = self.getline_target()?;
            return Ok(Expr::Getline(From::Command, target, Some(Box::new(left))));
        }
        let left = Box::new(left);
        let right = Box::new(self.binary(level + 1)?);
        Ok(match token {
            Token::Or => Expr::Or(left, right),
            Token::And => Expr::And(left, right),
            Token::Match | Token::NoMatch => Expr::Match(left, right, token == Token::NoMatch),
            Token::Plus => Expr::Arithmetic(Arithmetic::Add, left, right),
            Token::Minus => Expr::Arithmetic(Arithmetic::Subtract, left, right),
            Token::Times => Expr::Arithmetic(Arithmetic::Multiply, left, right),
            Token::Divide => Expr::Arithmetic(Arithmetic::Divide, left, right),
            Token::Modulo => Expr::Arithmetic(Arithmetic::Modulo, left, right),
            Token::Less => Expr::Compare(Comparison::Less, left, right),
            Token::LessEqual => Expr::Compare(Comparison::LessEqual, left, right),
            Token::Equal => Expr::Compare(Comparison::Equal, left, right),
            Token::NotEqual => Expr::Compare(Comparison::NotEqual, left, right),
            Token::Greater => Expr::Compare(Comparison::Greater, left, right),
            _ => Expr::Compare(Comparison::GreaterEqual, left, right),
        })
    }

    /// `!`, `-` and `+`, which bind less than `^`: `-2^2` is -4.
    fn unary(&mut self) -> Result<Expr> {
        let token = self.lexer.token;
        if !matches!(token, Token::Not | Token::Minus | Token::Plus) {
            return self.power();
        }
        self.deepen()?;
        self.lexer.advance()?;
        let operand = Box::new(self.unary()?);
        self.depth -= 1;
        Ok(match token {
            Token::Not => Expr::Not(operand),
            Token::Minus => Expr::Negate(operand),
            _ => Expr::Plus(operand),
        })
    }

    fn power(&mut self) -> Result<Expr> {
        let base = self.postfix()?;
        if !self.is(Token::Power) {
            return Ok(base);
        }
        self.deepen()?;
        self.lexer.advance()?;
        let exponent = self.unary()?;
        self.depth -= 1;
        Ok(Expr::Arithmetic(Arithmetic::Power, Box::new(base), Box::new(exponent)))
    }

    /// An operand; one that can be assigned to also with `++`, `--` or an assignment after it.
    fn postfix(&mut self) -> Result<Expr> {
        let operand = self.primary()?;
        if !operand.is_target() {
            return Ok(operand);
        }
        let token = self.lexer.token;
        let arithmetic = match token {
            Token::Increment | Token::Decrement => {
                self.lexer.advance()?;
                let minus = token == Token::Decrement;
                return Ok(Expr::Step { before: false, minus, target: Box::new(operand) });
            }
            Token::Assign => {
                self.lexer.advance()?;
                self.skip_newlines()?;
                let value = self.expression()?;
                return Ok(Expr::Assign(Box::new(operand), Box::new(value)));
            }
            Token::AddAssign => Arithmetic::Add,
            Token::SubtractAssign => Arithmetic::Subtract,
            Token::MultiplyAssign => Arithmetic::Multiply,
            Token::DivideAssign => Arithmetic::Divide,
            Token::ModuloAssign => Arithmetic::Modulo,
            Token::PowerAssign => Arithmetic::Power,
            _ => return Ok(operand),
        };
        self.lexer.advance()?;
        self.skip_newlines()?;
        let value = self.expression()?;
        Ok(Expr::Compound(arithmetic, Box::new(operand), Box::new(value)))
    }

    fn primary(&mut self) -> Result<Expr> {
        self.deepen()?;
        let operand = self.operand();
        self.depth -= 1;
        operand
    }

    fn operand(&mut self) -> Result<Expr> {
        if matches!(self.lexer.token, Token::Divide | Token::DivideAssign) {
            self.lexer.regex()?;
        }
        let token = self.lexer.token;
        let at = self.lexer.start;
        match token {
            Token::Number => {
                let number = self.lexer.number;
                self.lexer.advance()?;
                Ok(Expr::Number(number))
            }
            Token::String | Token::Regex => {
                let bytes = core::mem::take(&mut self.lexer.bytes);
                self.lexer.advance()?;
                Ok(if token == Token::String { Expr::String(bytes) } else { Expr::Regex(bytes) })
            }
            Token::Dollar => {
                self.lexer.advance()?;
                Ok(Expr::Field(Box::new(self.field_number()?)))
            }
            Token::Increment | Token::Decrement => self.step(token),
            Token::LeftParen => {
                self.lexer.advance()?;
                let list = self.list(Token::RightParen)?;
                if list.len() > 1 && !self.no_greater && !self.is(Token::In) {
                    return Err(self.unexpected());
                }
                Ok(Expr::Group(list))
            }
            Token::Getline => self.getline(),
            Token::Builtin => self.builtin(at),
            Token::FunctionName => {
                let function = self.names.function(&self.lexer.bytes, at);
                self.lexer.advance()?;
                self.call(function, at)
            }
            Token::Name => self.name(at),
            _ => Err(self.unexpected()),
        }
    }

    /// What follows `$`: an operand, also with `++` before it, or a sign.
    fn field_number(&mut self) -> Result<Expr> {
        match self.lexer.token {
            Token::Minus | Token::Plus | Token::Not => self.unary(),
            _ => self.primary(),
        }
    }

    fn step(&mut self, token: Token) -> Result<Expr> {
        self.lexer.advance()?;
        let target = self.primary()?;
        if !target.is_target() {
            return Err(self.unexpected());
        }
        Ok(Expr::Step { before: true, minus: token == Token::Decrement, target: Box::new(target) })
    }

    fn name(&mut self, at: usize) -> Result<Expr> {
        let name = core::mem::take(&mut self.lexer.bytes);
        self.lexer.advance()?;
        if self.is(Token::LeftParen)
            && let Some(function) = self.names.defined(&name)
        {
            return self.call(function, at);
        }
        let place = self.names.variable(&name);
        if self.accept(Token::LeftBracket)? {
            return Ok(Expr::Element(place, self.list(Token::RightBracket)?));
        }
        Ok(Expr::Variable(place))
    }

    fn call(&mut self, function: u32, at: usize) -> Result<Expr> {
        self.expect(Token::LeftParen)?;
        let arguments = self.arguments()?;
        Ok(Expr::Call(function, arguments, at))
    }

    fn builtin(&mut self, at: usize) -> Result<Expr> {
        let function = self.lexer.number as u8;
        self.lexer.advance()?;
        if !self.is(Token::LeftParen) {
            // POSIX: `length` alone is that of the record.
            return if function == builtin::LENGTH {
                Ok(Expr::Builtin(function, Vec::new(), at))
            } else {
                Err(self.unexpected())
            };
        }
        self.lexer.advance()?;
        let arguments = self.arguments()?;
        Ok(Expr::Builtin(function, arguments, at))
    }

    /// Arguments up to the parenthesis; there may be none.
    fn arguments(&mut self) -> Result<Vec<Expr>> {
        self.skip_newlines()?;
        if self.accept(Token::RightParen)? { Ok(Vec::new()) } else { self.list(Token::RightParen) }
    }

    /// Expressions with commas between them, and the token that ends them.
    pub(super) fn list(&mut self, end: Token) -> Result<Vec<Expr>> {
        let no_greater = core::mem::replace(&mut self.no_greater, false);
        let mut list = Vec::new();
        loop {
            self.skip_newlines()?;
            list.push(self.expression()?);
            self.skip_newlines()?;
            if !self.accept(Token::Comma)? {
                break;
            }
        }
        self.no_greater = no_greater;
        self.expect(end)?;
        Ok(list)
    }

    /// `getline [target] [< file]`. The name of the file is one operand: `getline <"a" "b"` reads a.
    fn getline(&mut self) -> Result<Expr> {
        self.lexer.advance()?;
        let target = self.getline_target()?;
        if !self.accept(Token::Less)? {
            return Ok(Expr::Getline(From::Main, target, None));
        }
        let file = self.primary()?;
        Ok(Expr::Getline(From::File, target, Some(Box::new(file))))
    }

    fn getline_target(&mut self) -> Result<Option<Box<Expr>>> {
        if !matches!(self.lexer.token, Token::Dollar | Token::Name) {
            return Ok(None);
        }
        Ok(Some(Box::new(self.primary()?)))
    }
}

/// Whether an operand begins with the token, so that two operands side by side are concatenated. A sign is an operator.
fn starts_operand(token: Token) -> bool {
    matches!(
        token,
        Token::Number
            | Token::String
            | Token::Name
            | Token::FunctionName
            | Token::Builtin
            | Token::Dollar
            | Token::Not
            | Token::LeftParen
            | Token::Increment
            | Token::Decrement
    )
}
