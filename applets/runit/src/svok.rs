//! `svok`: test whether runsv supervises a service (daemontools' svok(8)).

use rbox_core::bytes;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{Errno, fs};

options!(
    "DIRECTORY

Test whether runsv supervises the service in DIRECTORY: status 0 if it does, 100 if
not, 111 on an error."
);

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).failure(111).inline();

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let directory = args.operands_between(1, 1)?[0];
    fs::stat(directory)
        .map_err(|errno| Error::on([b"can't change directory to '", directory, b"'"].concat(), errno))?;
    let ok = bytes::join_path(directory, b"supervise/ok");
    match fs::open(&ok[..], OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
        Ok(_) => Ok(ExitStatus::SUCCESS),
        // No FIFO, or no reader: no runsv.
        Err(Errno::NOENT | Errno::NXIO) => Ok(ExitStatus(100)),
        Err(errno) => Err(Error::on(ok, errno)),
    }
}
