//! Arithmetic expressions (XCU 2.6.4): the tree, and the parser that makes it from text.

use crate::syntax::symbols::{Sym, Symbols, is_name_byte, is_name_start};

/// How deep parentheses and operators may nest.
const MAX_DEPTH: u32 = 1000;

/// An expression.
#[derive(Debug, Clone)]
pub enum Expr {
    /// A constant.
    Number(i64),
    /// `x`
    Variable(Sym),
    /// `x[k]`: the variable and the text of the subscript, here and in the next two.
    Element(Sym, Box<[u8]>),
    /// `x[k] = e`, `x[k] += e`: the operator if there is one, and the value.
    AssignElement(Sym, Box<[u8]>, Option<Op>, Box<Expr>),
    /// `++x[k]`, `x[k]--`: what is added, and whether the result is the value before.
    StepElement(Sym, Box<[u8]>, i64, bool),
    /// `-e`, `!e`, `~e`, `+e`: the operator and the operand.
    Unary(u8, Box<Expr>),
    /// `a + b`
    Binary(Op, Box<Expr>, Box<Expr>),
    /// `x = e`, `x += e`: the operator if there is one.
    Assign(Sym, Option<Op>, Box<Expr>),
    /// `++x`, `x--`: what is added, and whether the result is the value before.
    Step(Sym, i64, bool),
    /// `a ? b : c`
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Comma,
    OrElse,
    AndThen,
    Or,
    Xor,
    And,
    Equal,
    Unequal,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
    Left,
    Right,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

/// The binary operator that `text` begins with: its length, itself and its precedence.
fn operator_at(text: &[u8]) -> Option<(usize, Op, u8)> {
    Some(match text {
        [b'*', b'*', ..] => (2, Op::Power, 12),
        [b'|', b'|', ..] => (2, Op::OrElse, 2),
        [b'&', b'&', ..] => (2, Op::AndThen, 3),
        [b'=', b'=', ..] => (2, Op::Equal, 7),
        [b'!', b'=', ..] => (2, Op::Unequal, 7),
        [b'<', b'<', ..] => (2, Op::Left, 9),
        [b'>', b'>', ..] => (2, Op::Right, 9),
        [b'<', b'=', ..] => (2, Op::LessEqual, 8),
        [b'>', b'=', ..] => (2, Op::GreaterEqual, 8),
        [b'|', ..] => (1, Op::Or, 4),
        [b'^', ..] => (1, Op::Xor, 5),
        [b'&', ..] => (1, Op::And, 6),
        [b'<', ..] => (1, Op::Less, 8),
        [b'>', ..] => (1, Op::Greater, 8),
        [b'+', ..] => (1, Op::Add, 10),
        [b'-', ..] => (1, Op::Subtract, 10),
        [b'*', ..] => (1, Op::Multiply, 11),
        [b'/', ..] => (1, Op::Divide, 11),
        [b'%', ..] => (1, Op::Remainder, 11),
        _ => return None,
    })
}

/// The message of an expression that cannot be parsed.
pub const SYNTAX: &[u8] = b"arithmetic syntax error";

type Parsed = Result<Expr, &'static [u8]>;

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    depth: u32,
    symbols: &'a mut Symbols,
}

/// Parses a whole expression; blank text is 0.
pub fn parse(text: &[u8], symbols: &mut Symbols) -> Parsed {
    let mut reader = Reader { text, at: 0, depth: 0, symbols };
    if reader.peek().is_none() {
        return Ok(Expr::Number(0));
    }
    let expr = reader.comma()?;
    match reader.peek() {
        None => Ok(expr),
        Some(b':') => Err(b"malformed ?: operator"),
        Some(_) => Err(SYNTAX),
    }
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn accept(&mut self, operator: &[u8]) -> bool {
        self.peek();
        let found = self.text[self.at..].starts_with(operator);
        if found {
            self.at += operator.len();
        }
        found
    }

    fn comma(&mut self) -> Parsed {
        let mut left = self.assignment()?;
        while self.accept(b",") {
            left = Expr::Binary(Op::Comma, Box::new(left), Box::new(self.assignment()?));
        }
        Ok(left)
    }

    fn assignment(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(b"expression nested too deeply");
        }
        let left = self.binary(1)?;
        let result = match left {
            Expr::Variable(name) if self.peek() == Some(b'=') && self.text.get(self.at + 1) != Some(&b'=') => {
                self.at += 1;
                Ok(Expr::Assign(name, None, Box::new(self.assignment()?)))
            }
            Expr::Variable(name) => match self.assign_operator() {
                Some(op) => Ok(Expr::Assign(name, Some(op), Box::new(self.assignment()?))),
                None => self.choice(Expr::Variable(name)),
            },
            Expr::Element(name, key) if self.peek() == Some(b'=') && self.text.get(self.at + 1) != Some(&b'=') => {
                self.at += 1;
                Ok(Expr::AssignElement(name, key, None, Box::new(self.assignment()?)))
            }
            Expr::Element(name, key) => match self.assign_operator() {
                Some(op) => Ok(Expr::AssignElement(name, key, Some(op), Box::new(self.assignment()?))),
                None => self.choice(Expr::Element(name, key)),
            },
            other => self.choice(other),
        };
        self.depth -= 1;
        result
    }

    fn assign_operator(&mut self) -> Option<Op> {
        self.peek();
        let rest = &self.text[self.at..];
        let (length, op, precedence) = operator_at(rest)?;
        let assigns = rest.get(length) == Some(&b'=') && !matches!(precedence, 7 | 8 | 2 | 3);
        if assigns {
            self.at += length + 1;
        }
        assigns.then_some(op)
    }

    fn choice(&mut self, test: Expr) -> Parsed {
        if !self.accept(b"?") {
            return Ok(test);
        }
        let yes = self.comma()?;
        if !self.accept(b":") {
            return Err(b"malformed ?: operator");
        }
        // C's grammar: after the colon no assignment is without parentheses.
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(b"expression nested too deeply");
        }
        let no = self.binary(1)?;
        let no = self.choice(no)?;
        self.depth -= 1;
        Ok(Expr::Choice(Box::new(test), Box::new(yes), Box::new(no)))
    }

    fn binary(&mut self, least: u8) -> Parsed {
        let mut left = self.unary()?;
        while let Some((length, op, precedence)) = self.operator(least) {
            self.at += length;
            // `**` is the only binary operator that groups from the right.
            let right = self.binary(if op == Op::Power { precedence } else { precedence + 1 })?;
            left = Expr::Binary(op, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn operator(&mut self, least: u8) -> Option<(usize, Op, u8)> {
        self.peek();
        let rest = &self.text[self.at..];
        let (length, op, precedence) = operator_at(rest)?;
        let assigns = rest.get(length) == Some(&b'=') && !matches!(precedence, 7 | 8 | 2 | 3);
        (!assigns && precedence >= least).then_some((length, op, precedence))
    }

    fn unary(&mut self) -> Parsed {
        let Some(operator) = self.peek() else { return Err(SYNTAX) };
        if !matches!(operator, b'+' | b'-' | b'!' | b'~') {
            return self.postfix();
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(b"expression nested too deeply");
        }
        let start = self.at;
        let step = self.text.get(start + 1) == Some(&operator) && matches!(operator, b'+' | b'-');
        if step {
            self.at += 2;
            if self.peek().is_some_and(is_name_start) {
                self.depth -= 1;
                let name = self.name();
                let step = if operator == b'+' { 1 } else { -1 };
                return Ok(match self.subscript()? {
                    Some(key) => Expr::StepElement(name, key, step, false),
                    None => Expr::Step(name, step, false),
                });
            }
            self.at = start;
        }
        self.at += 1;
        let inner = self.unary()?;
        self.depth -= 1;
        Ok(Expr::Unary(operator, Box::new(inner)))
    }

    fn name(&mut self) -> Sym {
        let start = self.at;
        while self.text.get(self.at).copied().is_some_and(is_name_byte) {
            self.at += 1;
        }
        self.symbols.intern(&self.text[start..self.at])
    }

    fn postfix(&mut self) -> Parsed {
        let first = self.peek().ok_or(SYNTAX)?;
        if first == b'(' {
            self.at += 1;
            let inner = self.comma()?;
            return if self.accept(b")") { Ok(inner) } else { Err(SYNTAX) };
        }
        if first.is_ascii_digit() {
            return self.number();
        }
        if !is_name_start(first) {
            return Err(SYNTAX);
        }
        let name = self.name();
        let key = self.subscript()?;
        for (operator, step) in [(&b"++"[..], 1), (b"--", -1)] {
            let before = self.at;
            if self.accept(operator) {
                // `a --b` and `a++1` are two operators, as in `a - -b`.
                if self.peek().is_some_and(|next| is_name_byte(next) || next == b'(') {
                    self.at = before;
                    break;
                }
                return Ok(match key {
                    Some(key) => Expr::StepElement(name, key, step, true),
                    None => Expr::Step(name, step, true),
                });
            }
        }
        Ok(match key {
            Some(key) => Expr::Element(name, key),
            None => Expr::Variable(name),
        })
    }

    /// The text of `[subscript]` after a name.
    fn subscript(&mut self) -> Result<Option<Box<[u8]>>, &'static [u8]> {
        if self.text.get(self.at) != Some(&b'[') {
            return Ok(None);
        }
        let start = self.at + 1;
        let mut depth = 0;
        loop {
            match self.text.get(self.at).ok_or(SYNTAX)? {
                b'[' => depth += 1,
                b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(Some(Box::from(&self.text[start..self.at - 1])));
            }
        }
    }

    fn number(&mut self) -> Parsed {
        let start = self.at;
        while self.text.get(self.at).is_some_and(|&byte| is_name_byte(byte) || byte == b'#' || byte == b'@') {
            self.at += 1;
        }
        parse_number(&self.text[start..self.at]).map(Expr::Number).ok_or(SYNTAX)
    }
}

/// A C constant or `base#digits` with a base of 2 to 64.
pub fn parse_number(text: &[u8]) -> Option<i64> {
    let (base, digits) = match text.iter().position(|&byte| byte == b'#') {
        Some(at) => (parse_digits(&text[..at], 10)?, &text[at + 1..]),
        None => match text {
            [b'0', b'x' | b'X', rest @ ..] => (16, rest),
            [b'0', rest @ ..] if !rest.is_empty() => (8, rest),
            _ => (10, text),
        },
    };
    if digits.is_empty() || !(2..=64).contains(&base) {
        return None;
    }
    parse_digits(digits, base)
}

fn parse_digits(digits: &[u8], base: i64) -> Option<i64> {
    let mut value = 0i64;
    for &byte in digits {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            b'A'..=b'Z' if base <= 36 => byte - b'A' + 10,
            b'A'..=b'Z' => byte - b'A' + 36,
            b'@' => 62,
            b'_' => 63,
            _ => return None,
        };
        if i64::from(digit) >= base {
            return None;
        }
        value = value.wrapping_mul(base).wrapping_add(i64::from(digit));
    }
    Some(value)
}

/// A plain decimal number of up to 18 digits, the common content of a variable.
pub fn small_number(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 18 || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    let mut value = 0i64;
    for &byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(byte - b'0');
    }
    Some(if negative { -value } else { value })
}
