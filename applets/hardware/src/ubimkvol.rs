//! `ubimkvol`: make a volume of a UBI device.

use super::ubi::{attribute, number, open};
use rbox_core::number::parse_size;
use rbox_core::prelude::*;
use rbox_core::sys::flash::{NAME_MAX, Volume, make_volume};
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::{AsFd, Errno};

options! {
    "-N NAME {-s SIZE | -m} [-a ALIGNMENT] [-n ID] [-t TYPE] DEVICE

Make a volume of a UBI device.

  -N NAME       Name of the volume
  -s SIZE       Size in bytes; with KiB, MiB, GiB
  -m            All that is free
  -a ALIGNMENT  Its blocks are a multiple of this (1)
  -n ID         Number of the volume (the next free one)
  -t TYPE       static, written whole with a checksum, or dynamic";
    NAME = "-N",
    SIZE = "-s",
    ALL = "-m",
    ALIGNMENT = "-a",
    ID = "-n",
    TYPE = "-t",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let name = args.value(NAME).ok_or_else(Error::usage)?;
    if name.len() > NAME_MAX {
        return Err(Error::on(name, Errno::NAMETOOLONG));
    }
    let fixed = match args.value(TYPE).unwrap_or(b"dynamic") {
        word if !word.is_empty() && b"dynamic".starts_with(word) => false,
        word if !word.is_empty() && b"static".starts_with(word) => true,
        word => return Err(Error::parts(&[b"invalid type '", word, b"'"])),
    };
    let bytes = match args.value(SIZE) {
        Some(size) => parse_size(size)?,
        None if args.has(ALL) => {
            attribute(path, b"avail_eraseblocks")?.saturating_mul(attribute(path, b"eraseblock_size")?)
        }
        None => return Err(Error::usage()),
    };
    let volume = Volume {
        id: args.value(ID).map(number).transpose()?,
        alignment: args.value(ALIGNMENT).map_or(Ok(1), number)?,
        bytes: i64::try_from(bytes).map_err(|_| Error::on(path, Errno::FBIG))?,
        fixed,
        name,
    };
    make_volume(open(path, OFlags::RDONLY)?.as_fd(), &volume).map_err(|errno| Error::on(path, errno))?;
    Ok(ExitStatus::SUCCESS)
}
