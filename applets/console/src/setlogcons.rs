//! `setlogcons`: on which virtual terminal the kernel's messages are shown.

use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, fs, virtual_terminal};
use rbox_core::text;

options!("[N]\n\nSend kernel messages to virtual terminal N (0 = the active one).");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let number = args.operands_between(0, 1)?.first().map_or(Ok(0), |word| parse_in_range(word, 0, 63))?;
    let path = text!("/dev/tty", if number == 0 { 1 } else { number });
    let file = fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
    let file = file.map_err(|errno| Error::cannot("open", &path, errno))?;
    virtual_terminal::send_messages(file.as_fd(), number as u8).map_err(|errno| Error::on("TIOCLINUX", errno))?;
    Ok(ExitStatus::SUCCESS)
}
