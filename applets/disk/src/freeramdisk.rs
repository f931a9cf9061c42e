//! `freeramdisk` and `fdflush`: give up the memory of a RAM disk, or what is known of a floppy disk.

use rbox_core::prelude::*;
use rbox_core::sys::block_device::{Order, tell};
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, fs};

options!("DEVICE\n\nFree the memory of the RAM disk DEVICE; fdflush: flush the floppy drive DEVICE.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let floppy = env.name == b"fdflush";
    // A drive without a disk is opened too.
    let flags = if floppy { OFlags::RDONLY | OFlags::NONBLOCK } else { OFlags::RDWR };
    let file = fs::open(path, flags | OFlags::CLOEXEC, Mode::empty());
    let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
    let order = if floppy { Order::FlushFloppy } else { Order::Flush };
    tell(file.as_fd(), order).map_err(|errno| Error::on(path, errno))?;
    Ok(ExitStatus::SUCCESS)
}
