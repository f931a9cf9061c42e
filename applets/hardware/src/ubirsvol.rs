//! `ubirsvol`: change the size of a volume of a UBI device.

use super::ubi::{chosen, open};
use rbox_core::number::parse_size;
use rbox_core::prelude::*;
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::{AsFd, Errno, flash};

options! {
    "{-n ID | -N NAME} -s SIZE DEVICE

Change the size of a volume of a UBI device.

  -n ID    Number of the volume
  -N NAME  Name of the volume
  -s SIZE  New size in bytes; with KiB, MiB, GiB";
    ID = "-n",
    NAME = "-N",
    SIZE = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let bytes = parse_size(args.value(SIZE).ok_or_else(Error::usage)?)?;
    let bytes = i64::try_from(bytes).map_err(|_| Error::on(path, Errno::FBIG))?;
    let id = chosen(path, args.value(ID), args.value(NAME))?;
    flash::resize_volume(open(path, OFlags::RDONLY)?.as_fd(), id, bytes).map_err(|errno| Error::on(path, errno))?;
    Ok(ExitStatus::SUCCESS)
}
