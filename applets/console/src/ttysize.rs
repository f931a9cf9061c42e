//! `ttysize`: print the size of the terminal.

use rbox_core::prelude::*;
use rbox_core::sys::termios;
use rbox_core::text;

options! {
    "[w] [h]

Print the columns (w), the rows (h) or both of the terminal that standard input is; 80 and 24 where it is none."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let size = env.stdin.fd().and_then(|file| termios::tcgetwinsize(file).ok());
    let known = |number: u16, default| if number > 0 { number } else { default };
    let columns = known(size.map_or(0, |size| size.ws_col), 80);
    let rows = known(size.map_or(0, |size| size.ws_row), 24);
    let mut out = Vec::new();
    for operand in args.operands_or(b"wh") {
        for which in operand {
            let number = match which {
                b'w' => columns,
                b'h' => rows,
                _ => return Err(Error::usage()),
            };
            out.extend(text!(if out.is_empty() { "" } else { " " }, number));
        }
    }
    out.push(b'\n');
    env.stdout.write(&out)?;
    Ok(ExitStatus::SUCCESS)
}
