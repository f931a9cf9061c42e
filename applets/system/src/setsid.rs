//! `setsid`: run a program in a session of its own (setsid(2)).

use rbox_core::call;
use rbox_core::prelude::*;
use rbox_core::sys::{fd, process};

options! {
    "[-cfw] PROG [ARG]...

Run PROG in a new session, without a controlling terminal.

  -c, --ctty  Make standard input the controlling terminal
  -f, --fork  Always fork
  -w, --wait  Wait for PROG and return its status";
    TERMINAL = "-c",
    FORK = "-f",
    WAIT = "-w",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, usize::MAX)?;
    // The leader of a process group cannot make a session; its child can.
    if args.has(FORK) || process::setsid().is_err() {
        env.stdout.flush()?;
        if let Some(pid) = process::fork().map_err(|errno| Error::on("can't fork", errno))? {
            let waits = args.has(WAIT);
            return if waits { call::pass_on(process::wait_for(pid)?) } else { Ok(ExitStatus::SUCCESS) };
        }
        let status = match process::setsid() {
            Ok(_) => replace(env, args, operands),
            Err(errno) => env.warn(Error::on("setsid", errno)),
        };
        process::exit_now(status.0);
    }
    Ok(replace(env, args, operands))
}

fn replace(env: &mut Env, args: &Args<'_>, operands: &[&[u8]]) -> ExitStatus {
    if args.has(TERMINAL) {
        // BusyBox continues without one: a console that is not a terminal must not prevent a start.
        let _ = process::ioctl_tiocsctty(fd::borrow(0));
    }
    call::replace(env, operands)
}
