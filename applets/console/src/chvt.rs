//! `chvt`: show another virtual terminal.

use crate::keymap::open_console;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::{AsFd, virtual_terminal};

options!("N\n\nSwitch to virtual terminal N, 1 to 63.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let number = parse_in_range(args.operands_between(1, 1)?[0], 1, 63)?;
    let console = open_console()?;
    let shown = virtual_terminal::show(console.as_fd(), number as i32);
    shown.map_err(|errno| Error::on("VT_ACTIVATE", errno))?;
    Ok(ExitStatus::SUCCESS)
}
