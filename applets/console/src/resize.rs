//! `resize`: ask the terminal for its size, set it in the kernel, and print it for a shell.

use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fd;
use rbox_core::sys::termios::{Winsize, tcsetwinsize};
use rbox_core::term::raw::Raw;
use rbox_core::text;

options!("\n\nSet the window size to that of the terminal; print COLUMNS and LINES for a shell.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Milliseconds that a terminal has for its answer.
const PATIENCE: u64 = 3000;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    // Standard output goes to a shell, so the terminal is asked through standard error.
    let raw = Raw::enter(2).ok_or_else(|| Error::new("standard error is no terminal"))?;
    // console_codes(4): save the cursor, go to the last corner, ask where that is, go back.
    fd::write(fd::borrow(2), b"\x1b7\x1b[r\x1b[999;999H\x1b[6n\x1b8").map_err(|errno| Error::on("terminal", errno))?;
    let mut answer = Vec::new();
    let size = loop {
        if !rbox_core::tty::wait_readable(fd::borrow(2), Some(PATIENCE)) || answer.len() > 64 {
            break None;
        }
        let mut byte = [0];
        match rbox_core::io::read(fd::borrow(2), &mut byte) {
            Ok(1) => answer.push(byte[0]),
            _ => break None,
        }
        if byte[0] == b'R' {
            break parse(&answer);
        }
    };
    drop(raw);
    let mut status = ExitStatus::SUCCESS;
    let (rows, columns) = match size {
        Some(size) => {
            let size = Winsize { ws_row: size.0, ws_col: size.1, ws_xpixel: 0, ws_ypixel: 0 };
            tcsetwinsize(fd::borrow(2), size).map_err(|errno| Error::on("TIOCSWINSZ", errno))?;
            (size.ws_row, size.ws_col)
        }
        // A terminal that does not answer.
        None => {
            status = ExitStatus::FAILURE;
            (24, 80)
        }
    };
    env.stdout.write(&text!("COLUMNS=", columns, ";LINES=", rows, ";export COLUMNS LINES;\n"))?;
    Ok(status)
}

/// Rows and columns of `ESC [ ROWS ; COLUMNS R`, the last such report.
fn parse(answer: &[u8]) -> Option<(u16, u16)> {
    let start = answer.iter().rposition(|&byte| byte == b'[')? + 1;
    let (rows, columns) = rbox_core::bytes::split_once(answer[start..].strip_suffix(b"R")?, b';')?;
    let number = |word: &[u8]| u16::try_from(parse_decimal(word)?).ok().filter(|number| *number > 0);
    Some((number(rows)?, number(columns)?))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_report_has_rows_and_columns() {
        assert_eq!(parse(b"\x1b[24;80R"), Some((24, 80)));
        assert_eq!(parse(b"x\x1b[1;2H\x1b[50;132R"), Some((50, 132)));
        assert!(["", "R", "[R", "[0;1R", "[1R", "[99999;1R"].iter().all(|text| parse(text.as_bytes()).is_none()));
    }
}
