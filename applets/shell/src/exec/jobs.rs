//! Waiting for jobs and reporting on them (XCU 2.11).

use crate::state::Shell;
use crate::state::jobs::MOST_UNREPORTED;
use crate::state::jobs::REMEMBERED;
use crate::state::stream::write_error;
use crate::state::traps::set_disposition;
use rbox_core::number::Decimal;
use rbox_core::signals::{SIGCHLD, SIGTSTP};
use rbox_core::sys::process::{self, WaitOptions};
use rbox_core::sys::signal::{self, Disposition, SignalSet};

impl Shell {
    /// Calls with the jobs that the user sees: those of the enclosing shell in a subshell without jobs.
    pub fn with_seen_jobs<T>(&mut self, call: impl FnOnce(&mut Shell) -> T) -> T {
        let outer = self.jobs.all.is_empty();
        if outer {
            self.jobs.exchange();
        }
        let result = call(self);
        if outer {
            self.jobs.exchange();
        }
        result
    }

    /// Collects what changed without waiting.
    pub fn reap(&mut self) {
        let options = self.wait_options() | WaitOptions::NOHANG;
        while let Ok(Some((pid, change))) = process::wait(-1, options) {
            self.jobs.note(pid, change);
        }
    }

    /// Under job control children that stop or go on are reported too.
    pub(super) fn wait_options(&self) -> WaitOptions {
        if self.options.monitor { WaitOptions::UNTRACED | WaitOptions::CONTINUED } else { WaitOptions::empty() }
    }

    /// A signal that came and ends a wait. `own`: SIGCHLD is only noted for the shell itself.
    pub fn trapped_signal(&self, own: bool) -> Option<i32> {
        if own {
            signal::take(SignalSet::of(&[SIGCHLD]));
        }
        if self.traps.actions[SIGTSTP as usize].is_none() {
            // Ctrl-Z is noted for a job in the foreground; there is none here.
            signal::take(SignalSet::of(&[SIGTSTP]));
        }
        match signal::pending() {
            0 => None,
            pending => Some(pending.trailing_zeros() as i32 + 1),
        }
    }

    /// Adds a job in the background, and watches for its end.
    pub(super) fn add_background(&mut self, pids: &[i32], texts: Vec<Vec<u8>>, controlled: bool) {
        if self.jobs.all.len() >= REMEMBERED && !self.reports_jobs() {
            self.reap();
            self.jobs.forget_ended();
        }
        self.jobs.add_background(pids, texts, controlled);
        self.watch_children();
    }

    /// Waits for one change of a child; false when there is no child, an error with the number when a trapped signal came,
    /// also one that came before the wait.
    pub fn wait_any(&mut self) -> Result<bool, i32> {
        let own = self.traps.actions[SIGCHLD as usize].as_ref().is_none_or(|action| action.is_empty());
        let before = signal::set_blocked(SignalSet(u64::MAX));
        let chld = if own { signal::set(SIGCHLD, Disposition::Note).ok() } else { None };
        let options = self.wait_options() | WaitOptions::NOHANG;
        let result = loop {
            // A child that ends right after it has sent a signal comes second.
            if let Some(signal) = self.trapped_signal(own) {
                break Err(signal);
            }
            match process::wait(-1, options) {
                Ok(Some((pid, change))) => {
                    self.jobs.note(pid, change);
                    break Ok(true);
                }
                Ok(None) => signal::suspend(before),
                Err(_) => break Ok(false),
            }
        };
        if let Some(chld) = chld {
            set_disposition(SIGCHLD, chld);
        }
        signal::set_blocked(before);
        if own {
            signal::take(SignalSet::of(&[SIGCHLD]));
        }
        result
    }

    /// Whether the prompt reports jobs that ended or stopped: with `set -m`, as in BusyBox.
    fn reports_jobs(&self) -> bool {
        self.options.interactive && self.options.monitor
    }

    /// Whether jobs that were waited for stay in the table until they are reported: at a prompt, but not when a loop makes
    /// more and more; in BusyBox also in a script, until it starts the next process.
    pub fn keeps_ended_jobs(&self) -> bool {
        match self.reports_jobs() {
            true => self.jobs.all.len() < MOST_UNREPORTED,
            false => !self.options.bash,
        }
    }

    /// Before the next process is started: without job control the jobs that were waited for leave the table.
    pub fn forget_waited_jobs(&mut self) {
        if !self.jobs.all.is_empty() && !self.reports_jobs() {
            self.jobs.forget_waited_for();
        }
    }

    /// Reports jobs that ended or stopped, and forgets those that ended.
    pub fn notify(&mut self) {
        self.reap();
        if !self.reports_jobs() {
            return;
        }
        let mut text = Vec::new();
        for at in (0..self.jobs.all.len()).rev() {
            if !self.jobs.all[at].is_reported {
                self.job_line(at, false, &mut text);
                self.jobs.set_reported(at);
            }
        }
        write_error(&text);
    }

    /// The line of `jobs` for one job; `pids`: one line for each process.
    pub fn job_line(&self, at: usize, pids: bool, out: &mut Vec<u8>) {
        let job = &self.jobs.all[at];
        let current = match self.jobs.all.len() - at {
            1 => b'+',
            2 => b'-',
            _ => b' ',
        };
        let start = out.len();
        out.extend_from_slice(b"[");
        out.extend_from_slice(Decimal::new(job.number as u64).as_bytes());
        out.extend_from_slice(&[b']', current, b' ', b' ']);
        let indent = out.len() - start;
        let state = job.state();
        if !pids {
            pad(out, &state);
            out.extend_from_slice(&[&job.text()[..], b"\n"].concat());
            return;
        }
        for (number, one) in job.processes.iter().enumerate() {
            let pid = Decimal::new(one.pid.unsigned_abs().into());
            if number == 0 {
                pad(out, &[pid.as_bytes(), b" ", &state].concat());
            } else {
                out.resize(out.len() + indent, b' ');
                pad(out, pid.as_bytes());
                out.extend_from_slice(b"| ");
            }
            out.extend_from_slice(&[&one.text[..], b"\n"].concat());
        }
    }
}

/// A field of 27 columns.
fn pad(out: &mut Vec<u8>, text: &[u8]) {
    let end = out.len() + 27;
    out.extend_from_slice(text);
    out.resize(end.max(out.len() + 1), b' ');
}
