//! `eject`: put out or take in the medium of a drive (linux/cdrom.h).

use rbox_core::prelude::*;
use rbox_core::sys::block_device::{Order, tell};
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, fs};

options! {
    "[-t] [DEVICE]

Put out the medium of DEVICE (/dev/cdrom).

  -t, --trayclose  Take the tray in";
    CLOSE = "-t",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(0, 1)?.first().copied().unwrap_or(b"/dev/cdrom");
    let file = fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
    let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
    let order = if args.has(CLOSE) { Order::CloseTray } else { Order::Eject };
    tell(file.as_fd(), order).map_err(|errno| Error::on(path, errno))?;
    Ok(ExitStatus::SUCCESS)
}
