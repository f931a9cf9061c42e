//! `halt`, `poweroff`, `reboot`: ask init to stop the machine, or with `-f` stop it at once.

use rbox_core::daemon::pause;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::signal_queue::{SIGTERM, SIGUSR1, SIGUSR2};
use rbox_core::sys::system::{RebootCommand, reboot, uname};
use rbox_core::sys::{fs, signal};
use rbox_core::utmp::{self, Kind, Record};

options! {
    "[-d SECONDS] [-nfw]

Halt, power off or reboot the system.

  -d SECONDS  Wait SECONDS first
  -n          Do not call sync(2) first
  -f          Call reboot(2) directly, not through init
  -w          Only write the record to /var/log/wtmp
  -i          Ignored; accepted for compatibility";
    DELAY = "-d",
    NO_SYNC = "-n",
    FORCE = "-f",
    ONLY_RECORD = "-w",
    "-i" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let delay = args.value(DELAY).map_or(Ok(0), |word| parse_in_range(word, 0, u32::MAX.into()))?;
    pause(delay * 1000);
    utmp::append(&Record {
        kind: Kind::RunLevel,
        pid: 0,
        line: b"~~",
        user: b"shutdown",
        host: uname().release().to_bytes(),
    });
    if args.has(ONLY_RECORD) {
        return Ok(ExitStatus::SUCCESS);
    }
    if !args.has(NO_SYNC) {
        fs::sync();
    }
    let (signal, command) = match env.name.first() {
        Some(b'h') => (SIGUSR1, RebootCommand::Halt),
        Some(b'p') => (SIGUSR2, RebootCommand::PowerOff),
        _ => (SIGTERM, RebootCommand::Restart),
    };
    let result = if args.has(FORCE) { reboot(command) } else { signal::kill(1, signal) };
    match result {
        Ok(()) => Ok(ExitStatus::SUCCESS),
        Err(errno) => Err(errno.into()),
    }
}
