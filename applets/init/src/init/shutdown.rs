//! The end: shutdown entries, the end of all processes, and what comes after it.
//!
//! Nothing here waits for ever for something that may hang: a shutdown entry has $SHUTDOWN_TIMEOUT seconds, and processes have a
//! few seconds between SIGTERM and SIGKILL, or less if none is left.

use rbox_core::daemon::{pause, uptime_milliseconds};
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::mount::{MountFlags, mount_remount};
use rbox_core::sys::process::WaitOptions;
use rbox_core::sys::signal_queue::{SIGCONT, SIGKILL, SIGTERM, SIGUSR1, SIGUSR2};
use rbox_core::sys::system::{RebootCommand, reboot};
use rbox_core::sys::{fs, process, signal};

use super::inittab::Action;
use super::{Init, say, start};

/// How long a shutdown entry may take where $SHUTDOWN_TIMEOUT does not say it, in seconds.
const TIMEOUT: u64 = 60;

/// How long processes have to end after SIGTERM, and after SIGKILL, in milliseconds.
const GRACE: u64 = 3000;

impl Init {
    /// Stops or restarts the machine, as the signal says.
    pub fn stop(&mut self, env: &mut Env, signal: i32) {
        let (command, name): (_, &[u8]) = match signal {
            SIGUSR1 => (RebootCommand::Halt, b"halt"),
            SIGUSR2 => (RebootCommand::PowerOff, b"poweroff"),
            _ => (RebootCommand::Restart, b"reboot"),
        };
        self.end_all(env, signal);
        // With no process left nothing is open for writing any more. What cannot be remounted is only synced.
        if self.owns_machine {
            let _ = mount_remount("/", MountFlags::RDONLY, "");
        }
        fs::sync();
        say(env, &[b"Requesting system ", name].concat());
        loop {
            // In a child: the end of PID 1 in the call would be a panic.
            let pid = process::fork_run(|| {
                // A container has no right to; the next call tells whether the machine can be stopped.
                let _ = reboot(RebootCommand::CadOn);
                u8::from(reboot(command).is_err())
            });
            match pid {
                Ok(pid) => {
                    // Whatever it came to, nothing is left to do.
                    let _ = process::wait_for(pid);
                    loop {
                        pause(60_000);
                    }
                }
                Err(_) => pause(1000),
            }
        }
    }

    /// Ends all processes and executes the restart entry in this one; without such an entry nothing happens.
    pub fn restart(&mut self, env: &mut Env, signal: i32) {
        let Some(entry) = self.entries.iter().find(|entry| entry.action == Action::Restart).cloned() else { return };
        self.end_all(env, signal);
        self.signals.release();
        start::open_terminal(env, &entry.tty);
        start::become_command(env, &entry.command);
        // The new init could not be started: a machine with nothing in it is best restarted.
        let _ = reboot(RebootCommand::Restart);
    }

    /// Runs the shutdown entries and ends all processes.
    fn end_all(&mut self, env: &mut Env, signal: i32) {
        // From here on nothing is started again, and an init that crashes goes on here.
        self.stopped = true;
        self.ending = Some(signal);
        self.save();
        let seconds = env.vars.get("SHUTDOWN_TIMEOUT").and_then(parse_decimal).unwrap_or(TIMEOUT);
        self.run_all(env, Action::Shutdown, Some(seconds.saturating_mul(1000)));
        say(env, b"The system is going down NOW!");
        // Both fail only when no other process is left.
        let _ = signal::kill(-1, SIGTERM);
        let _ = signal::kill(-1, SIGCONT);
        say(env, b"Sent SIGTERM to all processes");
        fs::sync();
        self.wait_for_all();
        // As above.
        let _ = signal::kill(-1, SIGKILL);
        fs::sync();
        say(env, b"Sent SIGKILL to all processes");
        self.wait_for_all();
    }

    /// Waits until no process is left, at most for `GRACE`.
    fn wait_for_all(&mut self) {
        let end = uptime_milliseconds() + GRACE;
        loop {
            match process::wait(-1, WaitOptions::NOHANG) {
                Ok(Some(_)) => {}
                // ECHILD: sooner or later everybody is a child of PID 1.
                Err(_) => return,
                Ok(None) => {
                    let left = end.saturating_sub(uptime_milliseconds());
                    if left == 0 {
                        return;
                    }
                    self.signals.wait(Some(left));
                }
            }
        }
    }
}
