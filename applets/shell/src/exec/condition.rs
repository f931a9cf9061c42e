//! `[[ ... ]]`.

use crate::expand::pattern::Flags;
use crate::state::slot::Special;
use crate::state::{Fail, Shell};
use crate::syntax::ast::Condition;
use crate::syntax::copied::Copied;
use rbox_core::condition::{IsSet, binary, unary};
use rbox_core::pattern::regex::{self, Exec, Regex};
use rbox_core::sys::fs;

impl Shell {
    /// bash's `-a FILE`, `-N FILE`, `-o OPTION` and `-R NAME`; `None` for another operator, and when the mode is off.
    pub fn bash_condition(&mut self, operator: &[u8], operand: &[u8]) -> Option<bool> {
        match operator {
            b"-a" if self.options.bash => Some(fs::stat(operand).is_ok()),
            b"-N" if self.options.bash => {
                let read = |stat: fs::Stat| (stat.st_mtime, stat.st_mtime_nsec) > (stat.st_atime, stat.st_atime_nsec);
                Some(fs::stat(operand).is_ok_and(read))
            }
            b"-o" if self.options.bash => Some(crate::state::options::is_on(&mut self.options, operand) == Some(true)),
            b"-R" if self.options.bash => {
                let name = self.intern(operand);
                Some(self.slot(name).special == Special::Reference)
            }
            _ => None,
        }
    }

    pub(super) fn condition(&mut self, condition: &Condition) -> Result<bool, Fail> {
        Ok(match condition {
            Condition::Not(inner) => !self.condition(inner)?,
            Condition::And(left, right) => self.condition(left)? && self.condition(right)?,
            Condition::Or(left, right) => self.condition(left)? || self.condition(right)?,
            Condition::Word(word) => !self.expand_one(word)?.is_empty(),
            Condition::Match(word, pattern, negated) => {
                let text = self.expand_one(word)?;
                // As in bash, groups count here whatever `shopt extglob` says.
                let groups = if self.options.bash { Flags::EXTENDED } else { Flags::NONE };
                self.pattern_matches(pattern, &text, self.pattern_flags() | groups)? != *negated
            }
            Condition::Unary(operator, word) => {
                let operand = self.expand_one(word)?;
                if let Some(result) = self.bash_condition(operator, &operand) {
                    return Ok(result);
                }
                match unary(operator, &operand, &mut IsSet::new(&mut |name| self.is_set(name))) {
                    Some(result) => result,
                    None => return Err(self.error(&[operator, b": unknown operand"])),
                }
            }
            Condition::Binary(left, operator, right) => {
                let left = self.expand_one(left)?;
                let right = self.expand_one(right)?;
                if self.options.bash
                    && let Some(result) = self.compare_numbers(&left, operator, &right)?
                {
                    return Ok(result);
                }
                match binary(&left, operator, &right) {
                    Ok(Some(result)) => result,
                    Ok(None) => return Err(self.error(&[operator, b": unknown operand"])),
                    Err(message) => return Err(self.plain_error(&message)),
                }
            }
            Condition::Regex(word, pattern) => {
                let text = self.expand_one(word)?;
                let pattern = self.expand_regex(pattern)?;
                let folds = if self.options.nocasematch { regex::Flags::FOLD_CASE } else { regex::Flags::NONE };
                let characters = if self.computed.utf8 { regex::Flags::UTF8 } else { regex::Flags::NONE };
                let flags = regex::Flags::EXTENDED | folds | characters;
                match Regex::new(&pattern, flags) {
                    Ok(regex) => {
                        let found = self.match_regex(&regex, &text)?;
                        if regex.gave_up() {
                            return Err(self.error(&[&pattern, b": regular expression too complex"]));
                        }
                        found
                    }
                    Err(error) => return Err(self.error(&[&pattern, b": ", error.message().as_bytes()])),
                }
            }
        })
    }

    /// bash's `-eq`, `-ne`, `-lt`, `-le`, `-gt` and `-ge` take expressions; `None` for another operator.
    fn compare_numbers(&mut self, left: &[u8], operator: &[u8], right: &[u8]) -> Result<Option<bool>, Fail> {
        if !matches!(operator, b"-eq" | b"-ne" | b"-lt" | b"-le" | b"-gt" | b"-ge") {
            return Ok(None);
        }
        let (left, right) = (self.evaluate_text(left, 0)?, self.evaluate_text(right, 0)?);
        Ok(Some(match operator {
            b"-eq" => left == right,
            b"-ne" => left != right,
            b"-lt" => left < right,
            b"-le" => left <= right,
            b"-gt" => left > right,
            _ => left >= right,
        }))
    }

    /// Searches the text; in bash mode BASH_REMATCH has what the groups matched.
    fn match_regex(&mut self, regex: &Regex, text: &[u8]) -> Result<bool, Fail> {
        if !self.options.bash {
            return Ok(regex.is_match(text));
        }
        let mut spans = vec![None; regex.groups() + 1];
        let found = regex.captures_at(text, 0, Exec::default(), &mut spans);
        let mut array = Box::new(crate::state::array::Array::default());
        if found {
            for span in &spans {
                array.push(span.map_or(Vec::new(), |(start, end)| text[start..end].copied()));
            }
        }
        let name = self.intern(b"BASH_REMATCH");
        self.put_array(name, array);
        Ok(found)
    }
}
