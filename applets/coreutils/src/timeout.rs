//! `timeout`: run a command with a time limit (POSIX XCU timeout), also in BusyBox's old form `-t SECONDS`.

use core::time::Duration;

use rbox_core::call;
use rbox_core::duration::parse;
use rbox_core::prelude::*;
use rbox_core::signals::number_of;
use rbox_core::sys::process::{self, Change, WaitOptions};
use rbox_core::sys::signal::{self, Disposition, SignalSet};
use rbox_core::sys::time::{ClockId, clock_gettime};
use rbox_core::sys::{Errno, fd, pipe};

options! {
    "[-s SIGNAL] [-k DURATION] [-v] DURATION COMMAND [ARGUMENT]... | -t DURATION COMMAND...

Run COMMAND and send it TERM after DURATION; then return 124.
DURATION has a fraction and a unit s (default), m, h or d; 0: no limit.

  -s, --signal=SIGNAL        Send SIGNAL (TERM)
  -k, --kill-after=DURATION  Send KILL after a further DURATION
  -t DURATION                Set the limit
      --foreground           Keep COMMAND in the foreground; signal no other process
      --preserve-status      Return the status of COMMAND
  -v, --verbose              Print each sent signal";
    SIGNAL = "-s",
    KILL = "-k",
    LIMIT = "-t",
    FOREGROUND = "--foreground",
    PRESERVE = "--preserve-status",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().program().failure(125);

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGQUIT: i32 = 3;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;
const SIGCHLD: i32 = 17;
const SIGCONT: i32 = 18;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (limit, command) = match (args.value(LIMIT), args.operands()) {
        (Some(limit), command @ [_, ..]) => (limit, command),
        (None, [limit, command @ ..]) if !command.is_empty() => (*limit, command),
        _ => return Err(Error::usage()),
    };
    let limit = parse(limit)?;
    let kill_after = args.value(KILL).map(parse).transpose()?;
    let number = match args.value(SIGNAL) {
        Some(word) => number_of(word).ok_or_else(|| Error::parts(&[b"bad signal name '", word, b"'"]))?,
        None => SIGTERM,
    };
    let alone = args.has(FOREGROUND);
    if !alone {
        // A group of its own, so that the signal reaches what the command starts; a group's leader stays what it is.
        let _ = process::setpgid(None, None);
    }
    let passed_on = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];
    let before = passed_on.map(|number| (number, signal::set(number, Disposition::Note)));
    let child_before = signal::set(SIGCHLD, Disposition::Note)?;
    env.stdout.flush()?;
    let pid = process::fork_run(|| {
        for (number, disposition) in before {
            if let Ok(disposition) = disposition {
                // It was set before, so it can be set again.
                let _ = signal::set(number, disposition);
            }
        }
        // As above.
        let _ = signal::set(SIGCHLD, child_before);
        call::replace(env, command).0
    })
    .map_err(|errno| Error::on("can't fork", errno))?;
    let mut watch = Watch { pid, alone, number, verbose: args.has(VERBOSE), timed_out: false };
    let change = watch.run(env, command[0], limit, kill_after)?;
    Ok(match watch.timed_out && !args.has(PRESERVE) {
        // GNU: a command that had to be killed shows in the status.
        true if change == Change::Signaled(SIGKILL) => ExitStatus(128 + SIGKILL as u8),
        true => ExitStatus(124),
        false => ExitStatus(change.status()),
    })
}

struct Watch {
    pid: i32,
    alone: bool,
    number: i32,
    verbose: bool,
    timed_out: bool,
}

impl Watch {
    /// Waits for the command, and signals it when its time is over. A limit of 0 is none.
    fn run(&mut self, env: &mut Env, name: &[u8], limit: Duration, mut kill_after: Option<Duration>) -> Result<Change> {
        // Nothing is ever written: waiting for it is waiting for a signal or for the time.
        let (quiet, _writer) = pipe::pipe()?;
        // It cannot fail: the descriptor is open.
        let _ = fd::fcntl_setfd(&quiet, fd::FdFlags::CLOEXEC);
        let mut deadline = Some(limit).filter(|limit| !limit.is_zero()).and_then(|limit| now().checked_add(limit));
        loop {
            let noted = signal::take(SignalSet(u64::MAX)).0;
            if let Some((_, change)) = process::wait(self.pid, WaitOptions::NOHANG)? {
                return Ok(change);
            }
            for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
                if noted & 1 << (number - 1) != 0 {
                    self.send(number);
                }
            }
            let left = deadline.map(|deadline| deadline.saturating_sub(now()));
            if left.is_some_and(|left| left.is_zero()) {
                let number = if self.timed_out { SIGKILL } else { self.number };
                self.timed_out = true;
                if self.verbose {
                    self.tell(env, name, number);
                }
                self.send(number);
                let next = kill_after.take().filter(|after| !after.is_zero());
                deadline = next.and_then(|after| now().checked_add(after));
                continue;
            }
            // A little more than what is left, so that the loop does not spin below a millisecond.
            let milliseconds = left.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX).saturating_add(1));
            match signal::wait_readable(rbox_core::sys::AsFd::as_fd(&quiet), milliseconds.map(|most| most.min(1 << 40)))
            {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// A stopped command must go on to die of it.
    fn send(&self, number: i32) {
        for number in [number, SIGCONT] {
            // What has ended meanwhile needs no signal.
            let _ = signal::kill(self.pid, number);
            if !self.alone && number != SIGKILL && process::getpgrp() == process::getpid().as_raw_pid() {
                let own = signal::set(number, Disposition::Ignore);
                // It cannot fail: this process is a member of the group.
                let _ = signal::kill(0, number);
                if let Ok(own) = own {
                    // It was set before, so it can be set again.
                    let _ = signal::set(number, own);
                }
            }
            if matches!(number, SIGKILL | SIGCONT) {
                return;
            }
        }
    }

    fn tell(&self, env: &mut Env, name: &[u8], number: i32) {
        let signal = rbox_core::signals::name_of(number).unwrap_or("?");
        env.report(&Error::parts(&[b"sending signal ", signal.as_bytes(), b" to command '", name, b"'"]));
    }
}

fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn names_what_is_no_time_and_no_signal() {
        let ran = try_call(APPLET, &["timeout", "1x", "true"], b"");
        assert_eq!((ran.status, ran.stderr.as_str()), (125, "timeout: invalid number '1x'\n"));
        let ran = try_call(APPLET, &["timeout", "-s", "NO", "1", "true"], b"");
        assert_eq!(ran.stderr, "timeout: bad signal name 'NO'\n");
    }
}
