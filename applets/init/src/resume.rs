//! `resume`: bring the system back that was suspended to a disk (the kernel's Documentation/power/swsusp.rst).

use rbox_core::block;
use rbox_core::files::kind;
use rbox_core::io::Output;
use rbox_core::number::parse_c;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, major, minor, stat};
use rbox_core::text;

options!(
    "DEVICE [OFFSET]

Restore the system that was suspended to the swap space DEVICE, a path, LABEL= or UUID=. OFFSET is
where a swap file's header is, in pages. Returns only if there is nothing to restore."
);

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// What the kernel is told through.
const RESUME: &[u8] = b"/sys/power/resume";

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(1, 2)?;
    let device = block::find(words[0])?;
    let stat = stat(&device[..]).map_err(|errno| Error::on(&device, errno))?;
    if kind(&stat) != FileType::BlockDevice {
        return Err(Error::parts(&[&device, b": not a block device"]));
    }
    let mut line = text!(u64::from(major(stat.st_rdev)), ":", u64::from(minor(stat.st_rdev)));
    if let Some(word) = words.get(1) {
        let offset = parse_c(word).filter(|offset| *offset >= 0);
        let offset = offset.ok_or_else(|| Error::parts(&[b"invalid offset '", word, b"'"]))?;
        line.extend_from_slice(&text!(":", offset as u64));
    }
    let mut output = Output::open(RESUME, false).map_err(|errno| Error::cannot("open", RESUME, errno))?;
    output.write(&line)?;
    output.flush()?;
    Ok(ExitStatus::SUCCESS)
}
