//! `slattach`: make an interface of a serial line (slip: RFC 1055, RFC 1144).

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::signal_queue::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SignalQueue};
use rbox_core::sys::termios::{self, ControlModes, OptionalActions, Termios};
use rbox_core::sys::{AsFd, BorrowedFd, OwnedFd, fs, interface};

options! {
    "[-ehmLF] [-c COMMAND] [-s BAUD] [-p PROTOCOL] DEVICE

Attach a network interface to the serial line DEVICE, until a signal ends it.

  -p PROTOCOL  Use slip, cslip (default), slip6, clslip6 or adaptive
  -s BAUD      Set the speed of the line
  -e           Exit after setting up the line
  -h           Exit when the carrier is lost
  -c COMMAND   Run COMMAND at the end
  -m           Do not set the line to raw mode
  -L           Ignore the lines of a modem
  -F           Turn flow control by hardware off";
    PROTOCOL = "-p",
    SPEED = "-s",
    ONCE = "-e",
    CARRIER = "-h",
    COMMAND = "-c",
    COOKED = "-m",
    LOCAL = "-L",
    NO_FLOW = "-F",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// The line discipline, and linux/if_slip.h's modes: SL_MODE_*.
const PROTOCOLS: Names = names! { "slip" = 0, "cslip" = 1, "slip6" = 2, "clslip6" = 3, "adaptive" = 8 };
const N_SLIP: i32 = 1;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operand = args.operands_between(1, 1)?[0];
    let protocol = args.value(PROTOCOL).unwrap_or(b"cslip");
    let mode = PROTOCOLS.number_of(protocol);
    let mode = mode.ok_or_else(|| Error::parts(&[b"invalid protocol '", protocol, b"'"]))? as i32;
    let speed = args.value(SPEED).map(|word| rbox_core::number::parse_in_range(word, 1, 4_000_000)).transpose()?;
    let path = if operand.contains(&b'/') { operand.to_vec() } else { [b"/dev/", operand].concat() };
    // A modem's carrier may not be there yet.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let line = fs::open(&path, flags, Mode::empty()).map_err(|errno| Error::cannot("open", &path, errno))?;
    let failed = |errno| Error::on(&path, errno);
    let before = termios::tcgetattr(&line).map_err(failed)?;
    let discipline = interface::line_discipline(line.as_fd()).map_err(failed)?;
    let signals = SignalQueue::open(&[SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    let set = set_up(args, &line, before.clone(), speed, mode);
    if set.is_ok() && args.has(ONCE) {
        return Ok(ExitStatus::SUCCESS);
    }
    if set.is_ok() {
        wait(&signals, args.has(CARRIER).then(|| line.as_fd()));
    }
    // The line may be gone: then nothing is left to restore.
    let _ = interface::set_line_discipline(line.as_fd(), discipline);
    let _ = termios::tcsetattr(&line, OptionalActions::Now, &before);
    set.map_err(failed)?;
    if let Some(command) = args.value(COMMAND) {
        signals.release();
        let change = rbox_core::call::run(env, &[b"/bin/sh", b"-c", command])?;
        return rbox_core::call::pass_on(change);
    }
    Ok(ExitStatus::SUCCESS)
}

fn set_up(
    args: &Args<'_>,
    line: &OwnedFd,
    mut state: Termios,
    speed: Option<u64>,
    mode: i32,
) -> core::result::Result<(), rbox_core::sys::Errno> {
    if !args.has(COOKED) {
        state.make_raw();
        state.control_modes |= ControlModes::CREAD | ControlModes::HUPCL | ControlModes::CRTSCTS;
        if args.has(LOCAL) {
            state.control_modes |= ControlModes::CLOCAL;
        }
        if args.has(NO_FLOW) {
            state.control_modes -= ControlModes::CRTSCTS;
        }
    }
    if let Some(speed) = speed {
        state.set_speed(speed as u32)?;
    }
    termios::tcsetattr(line, OptionalActions::Now, &state)?;
    interface::set_line_discipline(line.as_fd(), N_SLIP)?;
    interface::set_encapsulation(line.as_fd(), mode)
}

/// Waits for a signal; with a line also for the loss of its carrier, at which it is looked every five seconds.
fn wait(signals: &SignalQueue, line: Option<BorrowedFd<'_>>) {
    loop {
        if signals.wait(line.map(|_| 5000)).is_some() {
            return;
        }
        if line.is_some_and(|line| interface::carrier(line) == Ok(false)) {
            return;
        }
    }
}
