//! `ubiupdatevol`: replace what a UBI volume holds.

use super::ubi::open;
use rbox_core::io::Output;
use rbox_core::number::parse_size;
use rbox_core::prelude::*;
use rbox_core::sys::flash::start_update;
use rbox_core::sys::fs::{FileType, OFlags};
use rbox_core::sys::{AsFd, Errno, fs};

options! {
    "{-t VOLUME | [-s SIZE] VOLUME FILE}

Replace what a UBI volume holds by FILE, - standard input.

  -t       Make it empty
  -s SIZE  Size in bytes, where FILE is no regular file";
    TRUNCATE = "-t",
    SIZE = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(1, 2)?;
    let failed = |errno| Error::on(words[0], errno);
    if args.has(TRUNCATE) {
        args.operands_between(1, 1)?;
        start_update(open(words[0], OFlags::RDWR)?.as_fd(), 0).map_err(failed)?;
        return Ok(ExitStatus::SUCCESS);
    }
    let name = *words.get(1).ok_or_else(Error::usage)?;
    let mut image = env.open(name)?;
    let size = match (args.value(SIZE), image.fd().map(fs::fstat)) {
        (Some(size), _) => parse_size(size)?,
        (None, Some(Ok(meta))) if FileType::from_raw_mode(meta.st_mode) == FileType::RegularFile => meta.st_size as u64,
        _ => return Err(Error::parts(&[name, b": its size is not known, give -s"])),
    };
    let volume = open(words[0], OFlags::RDWR)?;
    start_update(volume.as_fd(), i64::try_from(size).map_err(|_| failed(Errno::FBIG))?).map_err(failed)?;
    let mut output = Output::from_fd(volume);
    let mut left = size;
    while left > 0 {
        let block = image.fill()?;
        if block.is_empty() {
            return Err(Error::parts(&[name, b": ends too early"]));
        }
        let count = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        output.write(&block[..count])?;
        image.consume(count);
        left -= count as u64;
    }
    output.flush()?;
    Ok(ExitStatus::SUCCESS)
}
