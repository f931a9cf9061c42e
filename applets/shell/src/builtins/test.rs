//! `test` and `[` (XCU test).

use super::Done;
use crate::shell::Shell;
use rbox_core::condition::{self, IsSet, Judged};

/// `[ EXPRESSION ]`
pub fn bracket(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let judged = condition::bracket(words, &mut IsSet::new(&mut |name| shell.get(name).is_some()));
    conclude(shell, judged)
}

/// `test EXPRESSION`
pub fn test(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let judged = condition::test(words, &mut IsSet::new(&mut |name| shell.get(name).is_some()));
    conclude(shell, judged)
}

fn conclude(shell: &Shell, judged: Judged) -> Done {
    match judged {
        Ok(result) => Ok(u8::from(!result)),
        Err(message) => {
            // There is no one left to tell that standard error is dead.
            let _ = crate::shell::write_all(2, &[&shell.called[..], b": ", &message, b"\n"].concat());
            Ok(2)
        }
    }
}
