//! `partprobe`: let the kernel read partition tables again (ioctl BLKRRPART).

use rbox_core::prelude::*;
use rbox_core::sys::block_device::{Order, tell};
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, fs};

options!("DEVICE...\n\nLet the kernel read the partition table of each DEVICE again.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    env.for_each_operand(args.operands_between(1, usize::MAX)?, &mut |_, path| {
        let device = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let device = device.map_err(|errno| Error::cannot("open", path, errno))?;
        // What was written through the device's own file comes before what partitions read.
        tell(device.as_fd(), Order::Flush).map_err(|errno| Error::on(path, errno))?;
        tell(device.as_fd(), Order::ReadPartitions).map_err(|errno| Error::on(path, errno))
    })
}
