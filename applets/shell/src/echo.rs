//! `echo`: print words (POSIX XCU echo); the shell's own, as a program.

use rbox_core::prelude::*;

use crate::builtins::print;
use crate::sh::new_shell;

options!("[-neE] [WORD]...\n\nPrint the words, with blanks between and a newline at the end. -n leaves the newline\nout, -e takes \\n, \\t, \\0NNN and other escapes, -E (default) leaves them as they are.");

/// The applet. Every word may be one to print, so none is an option for certain.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut shell = new_shell(env, b"echo");
    // The status says whether standard output took it.
    let _ = print::echo(&mut shell, args.operands());
    Ok(ExitStatus(shell.status))
}
