//! `logread`: print the log that `syslogd -C` keeps in shared memory.

use rbox_core::daemon::pause;
use rbox_core::prelude::*;

use crate::ring::Ring;

options! {
    "[-fF]

Print the log that syslogd -C keeps in shared memory.

  -f  Print only messages that arrive from now on
  -F  Print the log, then messages as they arrive";
    FOLLOW = "-f",
    ALL_AND_FOLLOW = "-F",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let follow = args.last_of(&[FOLLOW, ALL_AND_FOLLOW]);
    let mut ring = Ring::open()?;
    let (text, mut offset) = ring.lines()?;
    if follow != Some(FOLLOW) {
        env.stdout.write(&text)?;
    }
    while follow.is_some() {
        env.stdout.flush()?;
        pause(1000);
        if !ring.is_alive() {
            // syslogd was started again and has a new ring, or it has ended and removed the ring.
            ring = Ring::open()?;
            offset = 0;
        }
        let text;
        (text, offset) = ring.lines_since(offset)?;
        env.stdout.write(&text)?;
    }
    Ok(ExitStatus::SUCCESS)
}
