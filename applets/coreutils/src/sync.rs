//! `sync`: write what waits in memory to the disks.

use rbox_core::prelude::*;
use rbox_core::sys::AsFd;
use rbox_core::sys::fs::{Mode, OFlags, fdatasync, fsync, open, sync, syncfs};

options! {
    "[-df] [FILE]...

Write all cached data, or those of each FILE, to disk.

  -d, --data         Omit metadata that is not needed to read FILE
  -f, --file-system  Write the file system that contains FILE";
    DATA = "-d",
    SYSTEM = "-f",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if args.has(DATA) && args.has(SYSTEM) {
        return Err(Error::usage());
    }
    if args.operands().is_empty() {
        sync();
        return Ok(ExitStatus::SUCCESS);
    }
    env.for_each_operand(args.operands(), &mut |_, path| {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = open(path, flags, Mode::empty()).map_err(|errno| Error::cannot("open", path, errno))?;
        let written = if args.has(SYSTEM) {
            syncfs(file.as_fd())
        } else if args.has(DATA) {
            fdatasync(file.as_fd())
        } else {
            fsync(file.as_fd())
        };
        written.map_err(|errno| Error::on(path, errno))
    })
}
