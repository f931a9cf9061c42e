//! `eject`: eject the medium of a drive, or close its tray (linux/cdrom.h, scsi/sg.h).

use rbox_core::prelude::*;
use rbox_core::sys::block_device::{Order, is_tray_open, scsi_command, tell};
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, fs};

options! {
    "[-s | -t | -T] [DEVICE]

Eject the medium of DEVICE (/dev/cdrom).

  -s, --scsi        Eject by SCSI commands
  -t, --trayclose   Close the tray
  -T, --traytoggle  Close an open tray, open a closed one";
    SCSI = "-s",
    CLOSE = "-t",
    TOGGLE = "-T",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// SPC-4 and SBC-3: PREVENT ALLOW MEDIUM REMOVAL with removal allowed; START STOP UNIT with START, then with LOEJ alone.
const REMOVAL: [[u8; 6]; 3] = [[0x1e, 0, 0, 0, 0, 0], [0x1b, 0, 0, 0, 1, 0], [0x1b, 0, 0, 0, 2, 0]];

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(0, 1)?.first().copied().unwrap_or(b"/dev/cdrom");
    let file = fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
    let file = file.map_err(|errno| Error::cannot("open", path, errno))?;
    let failed = |errno| Error::on(path, errno);
    if args.has(SCSI) {
        for command in REMOVAL {
            scsi_command(file.as_fd(), command).map_err(failed)?;
        }
        return Ok(ExitStatus::SUCCESS);
    }
    let closes = args.has(CLOSE) || args.has(TOGGLE) && is_tray_open(file.as_fd()).map_err(failed)?;
    tell(file.as_fd(), if closes { Order::CloseTray } else { Order::Eject }).map_err(failed)?;
    Ok(ExitStatus::SUCCESS)
}
