//! `mesg`: let others write to one's terminal, or not (POSIX XCU mesg).

use rbox_core::prelude::*;
use rbox_core::sys::fs::Mode;
use rbox_core::sys::{fd, fs, termios};

options!(
    "[y|n]

Allow (y) or deny (n) messages from others to this terminal; without an operand,
print which: status 0 for y, 1 for n."
);

/// The applet. POSIX: 2 and more are errors.
pub const APPLET: Applet = Applet::new(USAGE, run).failure(2).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let word = args.operands_between(0, 1)?.first().copied();
    let terminal = [0, 1, 2].into_iter().map(fd::borrow).find(|file| termios::isatty(*file));
    let terminal = terminal.ok_or_else(|| Error::new("not a tty"))?;
    let mode = fs::fstat(terminal)?.st_mode & 0o7777;
    let Some(word) = word else {
        // The group may write: on a terminal that is tty's, whose programs write and wall are.
        let open = mode & 0o020 != 0;
        env.stdout.write(if open { b"is y\n" } else { b"is n\n" })?;
        return Ok(ExitStatus::from_ok(open));
    };
    let new = match word {
        b"y" | b"yes" => mode | 0o020,
        b"n" | b"no" => mode & !0o022,
        _ => return Err(Error::usage()),
    };
    fs::fchmod(terminal, Mode::from_raw_mode(new)).map_err(|errno| Error::on("can't change mode", errno))?;
    Ok(ExitStatus::from_ok(word[0] == b'y'))
}
