//! `tty`: print the terminal of standard input (POSIX XCU tty).

use rbox_core::prelude::*;
use rbox_core::sys::termios;

options! {
    "[-s]

Print the name of the terminal on standard input.

  -s, --silent, --quiet  Print nothing; return 0 for a terminal, else 1";
    SILENT = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).failure(2).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let input = env.stdin.fd().filter(|input| termios::isatty(input));
    let name = input.and_then(|input| termios::ttyname(input, Vec::new()).ok());
    if !args.has(SILENT) {
        env.stdout.write(name.as_ref().map_or(&b"not a tty"[..], |name| name.as_bytes()))?;
        env.stdout.push(b'\n')?;
    }
    Ok(ExitStatus::from_ok(name.is_some()))
}
