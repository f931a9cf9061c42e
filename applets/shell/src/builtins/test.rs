//! `test` and `[` (XCU test).

use super::Done;
use crate::state::{Shell, Special};
use rbox_core::condition::{self, IsSet, Judged};
use rbox_core::sys::fs;

/// `[ EXPRESSION ]`
pub fn bracket(shell: &mut Shell, words: &[&[u8]]) -> Done {
    if let [operator, operand, b"]"] = words
        && let Some(result) = shell.bash_condition(operator, operand)
    {
        return Ok(u8::from(!result));
    }
    let judged = condition::bracket(words, &mut IsSet::new(&mut |name| shell.is_set(name)));
    conclude(shell, judged)
}

/// `test EXPRESSION`
pub fn test(shell: &mut Shell, words: &[&[u8]]) -> Done {
    if let [operator, operand] = words
        && let Some(result) = shell.bash_condition(operator, operand)
    {
        return Ok(u8::from(!result));
    }
    let judged = condition::test(words, &mut IsSet::new(&mut |name| shell.is_set(name)));
    conclude(shell, judged)
}

fn conclude(shell: &Shell, judged: Judged) -> Done {
    match judged {
        Ok(result) => Ok(u8::from(!result)),
        Err(message) => {
            // There is no one left to tell that standard error is dead.
            let _ = crate::state::write_all(2, &[&shell.called[..], b": ", &message, b"\n"].concat());
            Ok(2)
        }
    }
}

impl Shell {
    /// bash's `-a FILE`, `-N FILE`, `-o OPTION` and `-R NAME`; none when it is another operator or the mode is off.
    pub fn bash_condition(&mut self, operator: &[u8], operand: &[u8]) -> Option<bool> {
        match operator {
            b"-a" if self.options.bash => Some(fs::stat(operand).is_ok()),
            b"-N" if self.options.bash => {
                let read = |stat: fs::Stat| (stat.st_mtime, stat.st_mtime_nsec) > (stat.st_atime, stat.st_atime_nsec);
                Some(fs::stat(operand).is_ok_and(read))
            }
            b"-o" if self.options.bash => Some(super::option_by_name(self, operand) == Some(true)),
            b"-R" if self.options.bash => {
                let name = self.intern(operand);
                Some(self.slot(name).special == Special::Reference)
            }
            _ => None,
        }
    }
}
