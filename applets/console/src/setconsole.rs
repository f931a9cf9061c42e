//! `setconsole`: send what goes to the system's console to a terminal.

use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, fs, virtual_terminal};

options! {
    "[-r] [DEVICE]

Redirect console output to DEVICE (/dev/tty).

  -r, --reset  Restore /dev/console";
    RESET = "-r",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let default: &[u8] = if args.has(RESET) { b"/dev/console" } else { b"/dev/tty" };
    let path = args.operands_between(0, 1)?.first().copied().unwrap_or(default);
    let file = fs::open(path, OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
    let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
    virtual_terminal::take_console(file.as_fd()).map_err(|errno| Error::on("TIOCCONS", errno))?;
    Ok(ExitStatus::SUCCESS)
}
