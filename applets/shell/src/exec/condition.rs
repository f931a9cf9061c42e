//! `[[ ... ]]`.

use crate::builtins::test;
use crate::shell::{Fail, Shell};
use crate::syntax::ast::Condition;

impl Shell {
    pub(super) fn condition(&mut self, condition: &Condition) -> Result<bool, Fail> {
        Ok(match condition {
            Condition::Not(inner) => !self.condition(inner)?,
            Condition::And(left, right) => self.condition(left)? && self.condition(right)?,
            Condition::Or(left, right) => self.condition(left)? || self.condition(right)?,
            Condition::Word(word) => !self.expand_one(word)?.is_empty(),
            Condition::Match(word, pattern, negated) => {
                let text = self.expand_one(word)?;
                self.pattern_matches(pattern, &text)? != *negated
            }
            Condition::Unary(operator, word) => {
                let operand = self.expand_one(word)?;
                match test::unary(self, operator, &operand) {
                    Some(result) => result,
                    None => return Err(self.error(&[operator, b": unknown operand"])),
                }
            }
            Condition::Binary(left, operator, right) => {
                let left = self.expand_one(left)?;
                let right = self.expand_one(right)?;
                match test::binary(&left, operator, &right) {
                    Ok(Some(result)) => result,
                    Ok(None) => return Err(self.error(&[operator, b": unknown operand"])),
                    Err(number) => return Err(self.error(&[&number, b": bad number"])),
                }
            }
            Condition::Regex(word, pattern) => {
                // The regular expression engine is not here yet: an error is better than a wrong answer.
                let (_, pattern) = (self.expand_one(word)?, self.expand_one(pattern)?);
                return Err(self.error(&[b"=~: ", &pattern, b": regular expressions are not supported"]));
            }
        })
    }
}
