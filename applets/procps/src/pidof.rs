//! `pidof`: the PIDs of processes by name.

use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::processes;
use rbox_core::sys::process::{getpid, getppid};

options! {
    "[-s] [-o PID]... [NAME]...

Print the PIDs of the processes of each NAME.

  -s      Print one PID only
  -o PID  Omit PID; %PPID is the parent of pidof";
    SINGLE = "-s",
    OMIT = "-o",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut omitted = vec![getpid().as_raw_pid()];
    for word in args.values(OMIT) {
        omitted.push(match word {
            b"%PPID" => getppid().map_or(0, |pid| pid.as_raw_pid()),
            _ => parse_in_range(word, 1, i32::MAX as u64)? as i32,
        });
    }
    let mut first = true;
    for name in args.operands() {
        // The newest first, as it is the one that is meant most often.
        for pid in processes::named(name)?.into_iter().rev().filter(|pid| !omitted.contains(pid)) {
            if first || !args.has(SINGLE) {
                if !first {
                    env.stdout.push(b' ')?;
                }
                env.stdout.write_number(pid as u64)?;
            }
            first = false;
        }
    }
    if !first {
        env.stdout.push(b'\n')?;
    }
    Ok(ExitStatus::from_ok(!first))
}
