//! `test` and `[` (XCU test).

use crate::state::Shell;
use crate::state::builtin::Done;
use crate::state::stream::write_error;
use rbox_core::condition::{self, IsSet, Judged};

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
            write_error(&[&shell.invocation.name[..], b": ", &message, b"\n"].concat());
            Ok(2)
        }
    }
}
