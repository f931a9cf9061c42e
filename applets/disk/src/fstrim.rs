//! `fstrim`: discard what a filesystem does not use (ioctl FITRIM).

use rbox_core::number::{SIZE_SUFFIXES, parse_count};
use rbox_core::prelude::*;
use rbox_core::sys::block_device::trim;
use rbox_core::sys::fs::{FileType, Mode, OFlags};
use rbox_core::sys::{AsFd, fs};
use rbox_core::text;

options! {
    "[-v] [-o OFFSET] [-l LENGTH] [-m LEAST] DIRECTORY

Discard unused blocks of the filesystem mounted on DIRECTORY.

  -o, --offset=OFFSET  Start at byte OFFSET (0)
  -l, --length=LENGTH  Search LENGTH bytes (to the end)
  -m, --minimum=LEAST  Skip free extents below LEAST bytes
  -v, --verbose        Print the number of bytes discarded";
    OFFSET = "-o",
    LENGTH = "-l",
    LEAST = "-m",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let number = |option, default| args.value(option).map_or(Ok(default), |word| parse_count(word, SIZE_SUFFIXES));
    let (offset, length, least) = (number(OFFSET, 0)?, number(LENGTH, u64::MAX)?, number(LEAST, 0)?);
    let failed = |errno| Error::cannot("open", path, errno);
    let file = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(failed)?;
    if rbox_core::files::kind(&fs::fstat(&file).map_err(failed)?) != FileType::Directory {
        return Err(Error::new(text!(path, ": not a directory")));
    }
    let count = trim(file.as_fd(), offset, length, least).map_err(|errno| Error::on(text!(path, ": FITRIM"), errno))?;
    if args.has(VERBOSE) {
        env.stdout.write(&text!(path, ": ", count, " bytes trimmed\n"))?;
    }
    Ok(ExitStatus::SUCCESS)
}
