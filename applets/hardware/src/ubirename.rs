//! `ubirename`: rename volumes of a UBI device.

use super::ubi::{open, volume};
use rbox_core::prelude::*;
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::{AsFd, Errno, flash};

options!(
    "DEVICE {OLD NEW}...

Rename volumes of a UBI device, all or none."
);

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(3, 1 + 2 * flash::RENAMES_MAX)?;
    let (pairs, []) = words[1..].as_chunks::<2>() else { return Err(Error::usage()) };
    let mut names = Vec::new();
    for [old, new] in pairs {
        if new.len() > flash::NAME_MAX {
            return Err(Error::on(new, Errno::NAMETOOLONG));
        }
        names.push((volume(words[0], old)?, *new));
    }
    let device = open(words[0], OFlags::RDONLY)?;
    flash::rename_volumes(device.as_fd(), &names).map_err(|errno| Error::on(words[0], errno))?;
    Ok(ExitStatus::SUCCESS)
}
