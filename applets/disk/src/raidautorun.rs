//! `raidautorun`: let the kernel assemble RAID arrays by the types of partitions (ioctl RAID_AUTORUN).

use rbox_core::prelude::*;
use rbox_core::sys::block_device::{Order, tell};
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, fs};

options!("DEVICE\n\nLet the kernel search for RAID arrays and start them. DEVICE is any of them, such as /dev/md0.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let device = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let device = device.map_err(|errno| Error::cannot("open", path, errno))?;
    tell(device.as_fd(), Order::StartRaid).map_err(|errno| Error::on(path, errno))?;
    Ok(ExitStatus::SUCCESS)
}
