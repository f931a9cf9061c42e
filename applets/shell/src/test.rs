//! `test` and `[`: judge files, words and numbers (POSIX XCU test); the shell's own, as a program.

use rbox_core::prelude::*;

use crate::builtins::test;
use crate::sh::new_shell;

options!("EXPRESSION | [ EXPRESSION ]\n\nReturn 0 when EXPRESSION is true, 1 when it is false, 2 when it is none. Files: -e -f -d -L\n-b -c -p -S -s -r -w -x -u -g -k -O -G -t, -nt -ot -ef; words: -n -z = != < >; numbers: -eq -ne\n-lt -le -gt -ge; and ! -a -o ( ).");

/// The applet. Its words are operators, not options.
pub const APPLET: Applet = Applet::new(USAGE, run).raw().failure(2);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let name = env.name.clone();
    // BusyBox answers this one word with its help, although for POSIX it is a word that is not empty.
    if args.operands() == [&b"--help"[..]] {
        let text = APPLET.help(&name);
        env.stdout.write(&text)?;
        return Ok(ExitStatus::SUCCESS);
    }
    let mut shell = new_shell(env, &name);
    let judged = match (&name[..], args.operands()) {
        (b"test", words) | (b"[[", [words @ .., b"]]"]) => test::test(&mut shell, words),
        (_, words) => test::bracket(&mut shell, words),
    };
    Ok(ExitStatus(judged.unwrap_or(shell.status)))
}
