//! `nandwrite`: write a file to flash memory (mtd/mtd-abi.h).

use super::nanddump::{page, start};
use rbox_core::prelude::*;
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::{AsFd, Errno, fd, flash};
use rbox_core::text;
use rbox_core::text::Hex;

options! {
    "[-np] [-s ADDRESS] DEVICE [FILE]

Write FILE (standard input) to flash memory that is erased, without its bad blocks.

  -n          Without error correction
  -p          Fill the last page with 0xff
  -s ADDRESS  Begin here (0)";
    RAW = "-n",
    PAD = "-p",
    START = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(1, 2)?;
    let path = words[0];
    let mut input = env.open(words.get(1).copied().unwrap_or(b"-"))?;
    let device = super::ubi::open(path, OFlags::RDWR)?;
    let failed = |errno| Error::on(path, errno);
    let info = flash::info(device.as_fd()).map_err(failed)?;
    let (block, size) = (u64::from(info.erase_block.max(1)), u64::from(info.size));
    let page = page(&info);
    let mut at = start(args.value(START), &info)?;
    if args.has(RAW) {
        flash::set_raw(device.as_fd()).map_err(failed)?;
    }
    let mut data = vec![0; page as usize];
    // The end of the erase block that is known to be good.
    let mut good = 0;
    loop {
        let mut filled = 0;
        while filled < data.len() {
            match input.read(&mut data[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        if filled == 0 {
            return Ok(ExitStatus::SUCCESS);
        }
        if info.page <= 1 {
            data.truncate(filled);
        } else if filled < data.len() {
            if !args.has(PAD) {
                return Err(Error::new("the input does not fill the last page; -p fills it"));
            }
            data[filled..].fill(0xff);
        }
        while at >= good && at < size {
            let begin = at - at % block;
            if flash::is_bad(device.as_fd(), begin).map_err(failed)? {
                env.warn(Error::new(text!("bad block at 0x", Hex(begin), " left out")));
                at = begin + block;
            } else {
                good = begin + block;
            }
        }
        if at >= size {
            return Err(failed(Errno::NOSPC));
        }
        let written = fd::pwrite(&device, &data[..], at).map_err(failed)?;
        if written < data.len() {
            return Err(Error::parts(&[path, b": short write at 0x", &text!(Hex(at))]));
        }
        at += data.len() as u64;
    }
}
