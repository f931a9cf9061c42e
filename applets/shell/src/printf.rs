//! `printf`: print words in a format (POSIX XCU printf); the shell's own, as a program.

use rbox_core::prelude::*;

use crate::builtins::print;
use crate::sh::new_shell;

options!("FORMAT [WORD]...\n\nPrint the words as FORMAT says, again while there are words: %s %b %q %c %d %i %o %u %x %X\n%e %f %g %%, with flags, width and precision; escapes as in C.");

/// The applet. A word that starts with a dash may be a number.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if args.operands() == [b"--help"] {
        env.stdout.write(&APPLET.help(b"printf"))?;
        return Ok(ExitStatus::SUCCESS);
    }
    if args.operands().is_empty() {
        return Err(Error::usage());
    }
    let mut shell = new_shell(env, b"printf");
    // The status tells of words that are no numbers.
    let _ = print::printf(&mut shell, args.operands());
    Ok(ExitStatus(shell.status))
}
