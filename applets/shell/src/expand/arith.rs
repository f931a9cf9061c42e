//! Arithmetic expansion (XCU 2.6.4): C's operators over 64-bit integers, wrapping on overflow.

use crate::state::{Fail, Shell};
use crate::syntax::copied::Copied;
use crate::syntax::expression::{Expr, Op, SYNTAX, parse, small_number};
use crate::syntax::symbols::Sym;
use rbox_core::text;

/// How deep variables may name expressions that name variables.
const MAX_NAMES: u32 = 200;

impl Shell {
    /// The value of an expression.
    pub fn evaluate(&mut self, expr: &Expr, depth: u32) -> Result<i64, Fail> {
        match expr {
            Expr::Number(number) => Ok(*number),
            Expr::Variable(name) => self.variable_number(*name, depth),
            Expr::Unary(operator, inner) => {
                let value = self.evaluate(inner, depth)?;
                Ok(match operator {
                    b'-' => value.wrapping_neg(),
                    b'!' => i64::from(value == 0),
                    b'~' => !value,
                    _ => value,
                })
            }
            Expr::Binary(Op::AndThen, left, right) => {
                Ok(i64::from(self.evaluate(left, depth)? != 0 && self.evaluate(right, depth)? != 0))
            }
            Expr::Binary(Op::OrElse, left, right) => {
                Ok(i64::from(self.evaluate(left, depth)? != 0 || self.evaluate(right, depth)? != 0))
            }
            Expr::Binary(op, left, right) => {
                let left = self.evaluate(left, depth)?;
                let right = self.evaluate(right, depth)?;
                self.apply(*op, left, right)
            }
            Expr::Assign(name, op, value) => {
                let value = match op {
                    None => self.evaluate(value, depth)?,
                    Some(op) => {
                        let old = self.variable_number(*name, depth)?;
                        let value = self.evaluate(value, depth)?;
                        self.apply(*op, old, value)?
                    }
                };
                self.set_number(*name, value)?;
                Ok(value)
            }
            Expr::Step(name, step, before) => {
                let old = self.variable_number(*name, depth)?;
                let new = old.wrapping_add(*step);
                self.set_number(*name, new)?;
                Ok(if *before { old } else { new })
            }
            Expr::Element(name, key) => {
                let key = self.arith_key(*name, key)?;
                self.element_number(*name, &key, depth)
            }
            Expr::AssignElement(name, key, op, value) => {
                let key = self.arith_key(*name, key)?;
                let value = match op {
                    None => self.evaluate(value, depth)?,
                    Some(op) => {
                        let old = self.element_number(*name, &key, depth)?;
                        let value = self.evaluate(value, depth)?;
                        self.apply(*op, old, value)?
                    }
                };
                self.set_element(*name, &key, &text!(value), false)?;
                Ok(value)
            }
            Expr::StepElement(name, key, step, before) => {
                let key = self.arith_key(*name, key)?;
                let old = self.element_number(*name, &key, depth)?;
                let new = old.wrapping_add(*step);
                self.set_element(*name, &key, &text!(new), false)?;
                Ok(if *before { old } else { new })
            }
            Expr::Choice(test, yes, no) => {
                let branch = if self.evaluate(test, depth)? != 0 { yes } else { no };
                self.evaluate(branch, depth)
            }
        }
    }

    fn apply(&mut self, op: Op, left: i64, right: i64) -> Result<i64, Fail> {
        Ok(match op {
            Op::Comma | Op::AndThen | Op::OrElse => right,
            Op::Or => left | right,
            Op::Xor => left ^ right,
            Op::And => left & right,
            Op::Equal => i64::from(left == right),
            Op::Unequal => i64::from(left != right),
            Op::Less => i64::from(left < right),
            Op::Greater => i64::from(left > right),
            Op::LessEqual => i64::from(left <= right),
            Op::GreaterEqual => i64::from(left >= right),
            Op::Left => left.wrapping_shl(right as u32),
            Op::Right => left.wrapping_shr(right as u32),
            Op::Add => left.wrapping_add(right),
            Op::Subtract => left.wrapping_sub(right),
            Op::Multiply => left.wrapping_mul(right),
            Op::Divide | Op::Remainder if right == 0 => return Err(self.plain_error(b"divide by zero")),
            Op::Divide => left.wrapping_div(right),
            Op::Remainder => left.wrapping_rem(right),
            Op::Power if right < 0 => return Err(self.plain_error(b"exponent less than 0")),
            Op::Power => power(left, right),
        })
    }

    /// The number in a variable. A value that is no number is itself an expression; an unset one is 0.
    fn variable_number(&mut self, name: Sym, depth: u32) -> Result<i64, Fail> {
        let Some(value) = self.value(name) else {
            if self.options.nounset {
                let name = self.symbols.name(name).clone();
                return Err(self.fatal(&[&name, b": parameter not set"]));
            }
            return Ok(0);
        };
        if let Some(number) = small_number(value) {
            return Ok(number);
        }
        let text = value.copied();
        if depth > MAX_NAMES || !self.stack_has_space() {
            return Err(self.plain_error(b"expression recursion loop detected"));
        }
        self.evaluate_text(&text, depth + 1)
    }

    fn arith_key(&mut self, name: Sym, text: &[u8]) -> Result<Vec<u8>, Fail> {
        if !self.options.bash {
            return Err(self.plain_error(SYNTAX));
        }
        self.text_key(name, text)
    }

    fn element_number(&mut self, name: Sym, key: &[u8], depth: u32) -> Result<i64, Fail> {
        let value = self.element(name, key).unwrap_or_default();
        match small_number(&value) {
            Some(number) => Ok(number),
            None if depth > MAX_NAMES => Err(self.plain_error(b"expression recursion loop detected")),
            None => self.evaluate_text(&value, depth + 1),
        }
    }

    /// The value of an expression in a text.
    pub fn evaluate_text(&mut self, text: &[u8], depth: u32) -> Result<i64, Fail> {
        match parse(text, &mut self.symbols) {
            Ok(expr) => {
                self.variables.resize_with(self.symbols.len(), Default::default);
                self.evaluate(&expr, depth)
            }
            Err(message) => Err(self.plain_error(message)),
        }
    }
}

fn power(base: i64, exponent: i64) -> i64 {
    let (mut result, mut base, mut left) = (1i64, base, exponent);
    while left > 0 {
        if left & 1 == 1 {
            result = result.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        left >>= 1;
    }
    result
}
