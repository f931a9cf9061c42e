//! `blkdiscard`: give up sectors of a device (ioctl BLKDISCARD).

use rbox_core::number::{SIZE_SUFFIXES, parse_count};
use rbox_core::prelude::*;
use rbox_core::sys::block_device::{Discard, Number, discard, get};
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, fs};

options! {
    "[-fsz] [-o OFFSET] [-l LENGTH] DEVICE

Discard the blocks of DEVICE.

  -o, --offset=OFFSET  Start at byte OFFSET (0)
  -l, --length=LENGTH  Discard LENGTH bytes (to the end)
  -s, --secure         Discard the device's internal copies too
  -z, --zeroout        Fill with zeros instead
  -f, --force          Discard although the device is in use";
    OFFSET = "-o",
    LENGTH = "-l",
    SECURE = "-s",
    ZERO = "-z",
    FORCE = "-f",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let exclusive = if args.has(FORCE) { OFlags::empty() } else { OFlags::EXCL };
    let file = fs::open(path, OFlags::RDWR | OFlags::CLOEXEC | exclusive, Mode::empty());
    let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
    let size = get(file.as_fd(), Number::Size).map_err(|errno| Error::on("BLKGETSIZE64", errno))?;
    let number = |option| args.value(option).map(|word| parse_count(word, SIZE_SUFFIXES)).transpose();
    let offset = number(OFFSET)?.unwrap_or(0);
    let length = number(LENGTH)?.unwrap_or_else(|| size.saturating_sub(offset));
    let (how, name) = match args.last_of(&[SECURE, ZERO]) {
        Some(SECURE) => (Discard::Secure, "BLKSECDISCARD"),
        Some(_) => (Discard::Zero, "BLKZEROOUT"),
        None => (Discard::Plain, "BLKDISCARD"),
    };
    discard(file.as_fd(), how, offset, length)
        .map_err(|errno| Error::on([path, b": ", name.as_bytes()].concat(), errno))?;
    Ok(ExitStatus::SUCCESS)
}
