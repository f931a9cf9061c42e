//! `reset`: bring a terminal back to order, its screen and its modes.

use rbox_core::prelude::*;
use rbox_core::sys::fd;
use rbox_core::tty::make_sane;

options!("\n\nReset the screen and the terminal modes.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, _args: &Args<'_>) -> Outcome {
    // reset(1) of other systems takes a terminal's name as an operand, which changes nothing here.
    if !env.stdout.is_terminal() {
        return Ok(ExitStatus::SUCCESS);
    }
    // console_codes(4): reset, select ISO 8859-1 for G0, attributes off, clear, cursor visible.
    env.stdout.write(b"\x1bc\x1b(B\x1b[m\x1b[J\x1b[?25h")?;
    env.stdout.flush()?;
    make_sane(fd::borrow(1));
    Ok(ExitStatus::SUCCESS)
}
