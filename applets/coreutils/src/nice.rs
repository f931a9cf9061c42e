//! `nice`: run a command with another priority (POSIX XCU nice).

use rbox_core::call;
use rbox_core::number::{invalid, parse_c};
use rbox_core::prelude::*;
use rbox_core::sys::process::{getpriority_process, setpriority_process};
use rbox_core::text;

options! {
    "[-n N] [COMMAND [ARGUMENT]...]

Run COMMAND with increased niceness, or print the niceness.

  -n, --adjustment=N  Add N, -20 to 19 (10)
  -NUM                Same as -n NUM";
    ADJUSTMENT = "-n",
    NUMBER = "-NUM",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().failure(125);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let now = getpriority_process(None)?;
    let word = args.last_of(&[ADJUSTMENT, NUMBER]).and_then(|option| args.value(option));
    if args.operands().is_empty() {
        if word.is_some() {
            return Err(Error::usage());
        }
        env.stdout.write(&text!(i64::from(now), "\n"))?;
        return Ok(ExitStatus::SUCCESS);
    }
    let add = word.map_or(Ok(10), |word| parse_c(word).ok_or_else(|| invalid(word)))?;
    let wanted = i64::from(now).saturating_add(add).clamp(-20, 19);
    // POSIX XCU nice: without the right to do so the command still runs, as it would have.
    if let Err(errno) = setpriority_process(None, wanted as i32) {
        env.warn(Error::on("setpriority", errno));
    }
    Ok(call::replace(env, args.operands()))
}
