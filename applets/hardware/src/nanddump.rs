//! `nanddump`: copy flash memory to a file (mtd/mtd-abi.h).

use rbox_core::io::Output;
use rbox_core::number::{invalid, parse_c};
use rbox_core::prelude::*;
use rbox_core::sys::flash::Info;
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::{AsFd, fd, flash};
use rbox_core::text;
use rbox_core::text::Hex;

options! {
    "[-no] [--bb=METHOD] [-s ADDRESS] [-l LENGTH] [-f FILE] DEVICE

Copy flash memory to standard output.

  -n            Without error correction
  -o            With the bytes beside the data of each page
  -s ADDRESS    Begin here (0)
  -l LENGTH     So many bytes
  -f FILE       Write to FILE
  --bb=METHOD   Bad blocks: skipbad, padbad (as 0xff), or dumpbad (as they are read)";
    RAW = "-n",
    OOB = "-o",
    START = "-s",
    LENGTH = "-l",
    FILE = "-f",
    BAD = "--bb",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bad {
    Skip,
    Pad,
    Dump,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let bad = match args.value(BAD) {
        None | Some(b"padbad") => Bad::Pad,
        Some(b"skipbad") => Bad::Skip,
        Some(b"dumpbad") => Bad::Dump,
        Some(word) => return Err(Error::parts(&[b"invalid method '", word, b"'"])),
    };
    let device = super::ubi::open(path, OFlags::RDONLY)?;
    let failed = |errno| Error::on(path, errno);
    let info = flash::info(device.as_fd()).map_err(failed)?;
    let page = u64::from(page(&info));
    let start = start(args.value(START), &info)?;
    let length = args.value(LENGTH).map_or(Ok(u64::from(info.size)), address)?;
    if args.has(RAW) {
        flash::set_raw(device.as_fd()).map_err(failed)?;
    }
    let mut file = match args.value(FILE) {
        Some(name) if name != b"-" => Some(Output::create(name)?),
        _ => None,
    };
    let output = file.as_mut().unwrap_or(&mut env.stdout);
    let mut data = vec![0; page as usize];
    let mut oob = vec![0; if args.has(OOB) { info.oob as usize } else { 0 }];
    let block = u64::from(info.erase_block.max(1));
    // The erase block looked at last, and whether it is bad.
    let mut known = None;
    let end = start.saturating_add(length).min(info.size.into());
    let mut at = start;
    while at < end {
        let begin = at - at % block;
        let is_bad = match known {
            Some((known, is_bad)) if known == begin => is_bad,
            _ => bad != Bad::Dump && flash::is_bad(device.as_fd(), begin).map_err(failed)?,
        };
        known = Some((begin, is_bad));
        if is_bad && bad == Bad::Skip {
            at = begin + block;
            continue;
        }
        let count = (end - at).min(page) as usize;
        if is_bad {
            data.fill(0xff);
            oob.fill(0xff);
        } else {
            let read = fd::pread(&device, &mut data[..], at).map_err(failed)?;
            if read < count {
                return Err(Error::parts(&[path, b": short read at 0x", &text!(Hex(at))]));
            }
            if !oob.is_empty() {
                flash::read_oob(device.as_fd(), at, &mut oob).map_err(failed)?;
            }
        }
        output.write(&data[..count])?;
        output.write(&oob)?;
        at += page;
    }
    if let Some(mut file) = file {
        file.flush()?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// The bytes that are read and written at once: flash memory without pages has erase blocks alone.
pub fn page(info: &Info) -> u32 {
    if info.page > 1 { info.page } else { info.erase_block.max(1) }
}

/// The address of -s, which must be that of a page.
pub fn start(word: Option<&[u8]>, info: &Info) -> Result<u64> {
    let start = word.map_or(Ok(0), address)?;
    if !start.is_multiple_of(info.page.max(1).into()) {
        return Err(Error::parts(&[b"the address is not a multiple of the page, ", &text!(info.page)]));
    }
    Ok(start)
}

/// An offset in flash memory, as C writes numbers.
fn address(word: &[u8]) -> Result<u64> {
    parse_c(word).and_then(|address| u64::try_from(address).ok()).ok_or_else(|| invalid(word))
}
