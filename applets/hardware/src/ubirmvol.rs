//! `ubirmvol`: remove a volume of a UBI device.

use super::ubi::{chosen, open};
use rbox_core::prelude::*;
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::{AsFd, flash};

options! {
    "{-n ID | -N NAME} DEVICE

Remove a volume of a UBI device.

  -n ID    Number of the volume
  -N NAME  Name of the volume";
    ID = "-n",
    NAME = "-N",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let id = chosen(path, args.value(ID), args.value(NAME))?;
    flash::remove_volume(open(path, OFlags::RDONLY)?.as_fd(), id).map_err(|errno| Error::on(path, errno))?;
    Ok(ExitStatus::SUCCESS)
}
