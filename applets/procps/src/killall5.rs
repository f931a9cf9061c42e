//! `killall5`: signal all processes of other sessions (System V; killall5(8)).

use rbox_core::number::parse_in_range;
use rbox_core::options::Grammar;
use rbox_core::prelude::*;
use rbox_core::processes::{self, Process};
use rbox_core::sys::{process as own, signal};
use rbox_core::text;

use crate::kill::{TERM, list_all, take_signal};

options! {
    "[-l] [-SIG] [-o PID[,PID]...]...

Send a signal (TERM) to all processes outside its own session, except kernel threads.

  -l          List the signals
  -o PID,...  Omit PIDs";
    LIST = "-l",
    OMIT = "-o",
}

/// The applet. `-SIG` is no option, so it is taken out before options are read.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

const STOP: i32 = 19;
const CONTINUE: i32 = 18;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut words = args.words().to_vec();
    let number = take_signal(&mut words, b"lo")?.unwrap_or(TERM);
    let args = Args::parse(USAGE, Grammar::OptionsFirst, &words)?;
    args.operands_between(0, 0)?;
    if args.has(LIST) {
        return list_all(env);
    }
    let mut omitted = Vec::new();
    for pid in args.values(OMIT).flat_map(|list| list.split(|byte| *byte == b',')) {
        omitted.push(parse_in_range(pid, 1, i32::MAX as u64)? as i32);
    }
    send_all(env, number, &omitted)
}

/// Stops all, so that none escapes by forking, signals those that are meant, and lets all go on.
fn send_all(env: &mut Env, number: i32, omitted: &[i32]) -> Outcome {
    let itself = own::getpid().as_raw_pid();
    let session = Process::read(itself).map_or(0, |process| process.session);
    // It fails where there is no other process.
    let _ = signal::kill(-1, STOP);
    let all = processes::all();
    let mut reached = false;
    for pid in all.as_deref().unwrap_or_default() {
        let Some(process) = Process::read(*pid) else { continue };
        let is_kernel = process.virtual_size == 0;
        if *pid <= 1 || *pid == itself || process.session == session || is_kernel || omitted.contains(pid) {
            continue;
        }
        match signal::kill(*pid, number) {
            Ok(()) => reached = true,
            Err(errno) => env.report(&Error::on(text!("can't kill pid ", *pid as u32), errno)),
        }
    }
    // As above.
    let _ = signal::kill(-1, CONTINUE);
    all?;
    // killall5(8): 2 when there was none.
    Ok(if reached { ExitStatus::SUCCESS } else { ExitStatus(2) })
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn wrong_words_signal_nobody() {
        assert_eq!(try_call(APPLET, &["killall5", "-NOPE"], b"").stderr, "killall5: bad signal name 'NOPE'\n");
        assert_eq!(try_call(APPLET, &["killall5", "-o", "x"], b"").stderr, "killall5: invalid number 'x'\n");
        assert_eq!(try_call(APPLET, &["killall5", "x"], b"").status, 1);
        assert!(try_call(APPLET, &["killall5", "-l"], b"").stdout.starts_with(" 1) HUP\n"));
    }
}
