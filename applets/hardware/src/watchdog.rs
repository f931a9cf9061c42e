//! `watchdog`: write to a watchdog device again and again, so that it does not restart the machine (linux/watchdog.h).

use rbox_core::daemon::{detach, keep_only, pause};
use rbox_core::io::Output;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::device::{enable_watchdog, set_watchdog_timeout};
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::signal::{Disposition, pending, set};
use rbox_core::sys::{AsFd, fs, sandbox};

options! {
    "[-t N[ms]] [-T N[ms]] [-F] DEVICE

Write to the watchdog DEVICE until a signal comes.

  -T N  Restart the machine after N seconds without a write (60)
  -t N  Write each N seconds (half of -T)
  -F    Run in the foreground

With the suffix ms, N is in milliseconds.";
    TIMEOUT = "-T",
    PERIOD = "-t",
    FOREGROUND = "-F",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(1, 1)?[0];
    let timeout = milliseconds(args.value(TIMEOUT).unwrap_or(b"60"))?;
    let period = args.value(PERIOD).map(milliseconds).transpose()?.unwrap_or(timeout / 2);
    let device = fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
    let device = device.map_err(|errno| Error::cannot("open", path, errno))?;
    // A driver without these calls runs from the moment that it is opened, with a time of its own.
    let _ = enable_watchdog(device.as_fd());
    if let Err(errno) = set_watchdog_timeout(device.as_fd(), timeout.div_ceil(1000) as i32) {
        env.report(&Error::cannot("set the timeout of", path, errno));
    }
    if !args.has(FOREGROUND) {
        detach()?;
    }
    keep_only(sandbox::WATCHDOG, &[])?;
    for signal in [1, 2, 3, 13, 14, 15] {
        set(signal, Disposition::Note).map_err(Error::from)?;
    }
    let mut device = Output::from_fd(device);
    while pending() == 0 {
        device.write(b"\0")?;
        device.flush()?;
        pause(period);
    }
    // The "magic close": a driver that knows it stops.
    device.write(b"V")?;
    device.flush()?;
    Ok(ExitStatus::SUCCESS)
}

fn milliseconds(word: &[u8]) -> Result<u64> {
    match word.strip_suffix(b"ms") {
        Some(digits) => parse_in_range(digits, 1, i32::MAX as u64),
        None => Ok(parse_in_range(word, 1, i32::MAX as u64 / 1000)? * 1000),
    }
}
