//! `ubidetach`: take a UBI device away from its MTD device.

use super::ubi::{number, open};
use rbox_core::prelude::*;
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::{AsFd, flash};

options! {
    "-d UBI CONTROL

Take a UBI device away from its MTD device; CONTROL is /dev/ubi_ctrl.

  -d UBI  Number of the UBI device";
    DEVICE = "-d",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let control = args.operands_between(1, 1)?[0];
    let device = number(args.value(DEVICE).ok_or_else(Error::usage)?)?;
    let file = open(control, OFlags::RDONLY)?;
    flash::detach(file.as_fd(), device).map_err(|errno| Error::on(control, errno))?;
    Ok(ExitStatus::SUCCESS)
}
