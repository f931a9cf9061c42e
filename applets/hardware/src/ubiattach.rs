//! `ubiattach`: make a UBI device of an MTD device.

use super::ubi::{number, open};
use rbox_core::prelude::*;
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::{AsFd, flash};

options! {
    "-m MTD [-d UBI] [-O OFFSET] CONTROL

Make a UBI device of an MTD device; CONTROL is /dev/ubi_ctrl.

  -m MTD     Number of the MTD device
  -d UBI     Number of the new device (the next free one)
  -O OFFSET  Offset of the volume header in its block (chosen by the kernel)";
    MTD = "-m",
    DEVICE = "-d",
    OFFSET = "-O",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let control = args.operands_between(1, 1)?[0];
    let mtd = number(args.value(MTD).ok_or_else(Error::usage)?)?;
    let device = args.value(DEVICE).map(number).transpose()?;
    let offset = args.value(OFFSET).map_or(Ok(0), number)?;
    let file = open(control, OFlags::RDONLY)?;
    flash::attach(file.as_fd(), mtd, device, offset).map_err(|errno| Error::on(control, errno))?;
    Ok(ExitStatus::SUCCESS)
}
