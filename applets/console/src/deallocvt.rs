//! `deallocvt`: deallocate unused virtual terminals.

use crate::keymap::open_console;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::{AsFd, virtual_terminal};

options!("[N]\n\nDeallocate virtual terminal N, or all unused ones.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let number = match args.operands_between(0, 1)? {
        [word] => parse_in_range(word, 1, 63)?,
        // ioctl_console(2): all.
        _ => 0,
    };
    let console = open_console()?;
    let freed = virtual_terminal::free_memory(console.as_fd(), number as i32);
    freed.map_err(|errno| Error::on("VT_DISALLOCATE", errno))?;
    Ok(ExitStatus::SUCCESS)
}
