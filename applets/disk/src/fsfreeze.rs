//! `fsfreeze`: hold back writing to a filesystem (ioctl FIFREEZE).

use rbox_core::prelude::*;
use rbox_core::sys::block_device::freeze;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, fs};

options! {
    "{-f | -u} DIRECTORY

Suspend or resume writes to the filesystem mounted on DIRECTORY.

  -f, --freeze    Suspend
  -u, --unfreeze  Resume";
    FREEZE = "-f",
    UNFREEZE = "-u",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let frozen = args.last_of(&[FREEZE, UNFREEZE]).ok_or_else(Error::usage)? == FREEZE;
    let file = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
    freeze(file.as_fd(), frozen).map_err(|errno| Error::on("ioctl FIFREEZE", errno))?;
    Ok(ExitStatus::SUCCESS)
}
