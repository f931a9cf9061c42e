//! Jobs in the foreground (XCU 2.11): process groups, the terminal's foreground group, waiting.

use crate::state::Shell;
use crate::state::jobs::Job;
use crate::state::stream::write_error;
use rbox_core::signals::{self, SIGINT, SIGPIPE, SIGTSTP};
use rbox_core::sys::process::{self, Change, Pid};
use rbox_core::sys::signal::{self, SignalSet};
use rbox_core::sys::{BorrowedFd, Errno, termios};

impl Shell {
    /// Puts a process into a job's group: in both parent and child, as either may be first.
    pub(super) fn join_group(&mut self, pid: i32, group: i32, foreground: bool) {
        if !self.options.monitor || self.flow.subshell {
            return;
        }
        let own = if pid == 0 { process::getpid().as_raw_nonzero().get() } else { pid };
        let group = if group == 0 { own } else { group };
        // A child that has ended or replaced itself already needs no group.
        let _ = process::setpgid(Pid::from_raw(pid), Pid::from_raw(group));
        if foreground {
            self.give_terminal(group);
        }
    }

    /// The terminal of job control.
    pub fn terminal_file(&self) -> Option<BorrowedFd<'_>> {
        self.streams.descriptors.get(self.terminal.file?).ok()
    }

    /// Makes a group the terminal's foreground group.
    pub fn give_terminal(&mut self, group: i32) {
        if let Some(terminal) = self.terminal_file()
            && group > 0
            && let Some(group) = Pid::from_raw(group)
        {
            // From a background group it is SIGTTOU, unless that is blocked; a trap on it must not get in the way.
            let before = signal::set_blocked(SignalSet(u64::MAX));
            // Fails only when the terminal is gone; then there is nothing to give.
            let _ = termios::tcsetpgrp(terminal, group);
            signal::set_blocked(before);
        }
    }

    /// Turns the process that was just forked into a subshell (XCU 2.12).
    pub(super) fn become_child(&mut self) {
        let monitor = self.options.monitor && !self.flow.subshell;
        self.flow.subshell = true;
        self.flow.depth += 1;
        self.jobs = std::mem::take(&mut self.jobs).of_subshell();
        self.keep_traps();
        self.reset_traps(monitor || self.options.interactive);
        self.options.interactive = false;
        self.options.monitor = false;
        self.streams.capture = None;
        self.flow.is_virtual = false;
        self.traps.running = None;
    }

    /// Waits for the processes of a foreground job; the status is the last one's, or with pipefail the last that failed.
    pub(super) fn wait_foreground(&mut self, pids: &[i32], texts: Vec<Vec<u8>>) -> u8 {
        let controlled = self.options.monitor && !self.flow.subshell;
        let number = self.jobs.add(pids, texts, controlled);
        self.wait_on_terminal(number, pids[0])
    }

    /// Waits for a job that was given the terminal, and takes it back.
    pub fn wait_on_terminal(&mut self, number: usize, group: i32) -> u8 {
        let monitor = self.options.monitor && !self.flow.subshell;
        let interrupted = monitor && self.options.interactive && self.pass_keys_on(number, group);
        let status = self.wait_job(number);
        self.take_terminal();
        if interrupted && !self.terminal.interrupted_job {
            // The last process of the pipeline ended by itself when the others were interrupted.
            self.terminal.interrupted_job = true;
            write_error(b"\n");
        }
        if monitor && self.terminal.interrupted_job {
            // Ctrl-C ends the whole list, not only this command of it.
            // A signal to the own process can always be sent (kill(2)).
            let _ = signal::kill(process::getpid().as_raw_nonzero().get(), SIGINT);
        }
        status
    }

    /// Sends a job the signals of keys that were pressed while it was being started: to the shell, when the terminal
    /// was not the job's yet, or to the first processes of a pipeline only. What has ended needs none. True: Ctrl-C was.
    fn pass_keys_on(&mut self, number: usize, group: i32) -> bool {
        let mut interrupt = signal::pending() & SignalSet::of(&[SIGINT]).0 != 0;
        let mut stop = signal::take(SignalSet::of(&[SIGTSTP])) != SignalSet::default();
        let is_pipeline = |job: &&Job| job.number == number && job.processes.len() > 1;
        if self.jobs.all.iter().any(|job| is_pipeline(&job)) {
            self.reap();
        }
        if let Some(job) = self.jobs.all.iter().find(is_pipeline) {
            interrupt |= job.processes.iter().any(|one| one.change == Some(Change::Signaled(SIGINT)));
            stop |= job.processes.iter().any(|one| one.change == Some(Change::Stopped(SIGTSTP)));
        }
        if interrupt {
            // It fails only when the job has ended.
            let _ = signal::kill(-group, SIGINT);
        }
        if stop {
            // As above.
            let _ = signal::kill(-group, SIGTSTP);
        }
        interrupt
    }

    /// Takes the terminal back.
    pub fn take_terminal(&mut self) {
        if self.options.monitor && !self.flow.subshell {
            self.give_terminal(process::getpgrp());
        }
    }

    /// Waits until a job ends or stops. An ended one leaves the table.
    pub fn wait_job(&mut self, number: usize) -> u8 {
        let options = self.wait_options();
        loop {
            let Some(at) = self.jobs.all.iter().position(|job| job.number == number) else { return 127 };
            let job = &self.jobs.all[at];
            if job.ended() {
                let mut status = job.status();
                if self.options.pipefail {
                    let failed = job.processes.iter().rev().filter_map(|one| one.change).find(|one| one.status() != 0);
                    status = failed.map_or(0, Change::status);
                }
                if self.options.bash {
                    self.computed.pipe_status =
                        job.processes.iter().map(|one| one.change.map_or(0, Change::status)).collect();
                }
                let ended = job.ended_by();
                self.terminal.interrupted_job = ended == Some(SIGINT);
                if ended.is_some() {
                    self.restore_modes();
                }
                self.report_end(at);
                self.jobs.all.remove(at);
                return status;
            }
            if job.stopped() {
                self.terminal.interrupted_job = false;
                self.restore_modes();
                return self.jobs.all[at].status();
            }
            match process::wait(-1, options) {
                Ok(Some((pid, change))) => {
                    self.jobs.note(pid, change);
                    let waits = self.jobs.all.iter().find(|job| job.number == number).filter(|job| job.runs_partly());
                    if change == Change::Stopped(SIGTSTP)
                        && let Some(job) = waits
                    {
                        // Ctrl-Z came before all processes of the pipeline had been started.
                        // It fails only when the others have ended.
                        let _ = signal::kill(-job.processes[0].pid, SIGTSTP);
                    }
                }
                Ok(None) | Err(Errno::INTR) => {}
                Err(_) => {
                    // There is no child to wait for: its status was lost, as when a parent ignored SIGCHLD.
                    for one in &mut self.jobs.all[at].processes {
                        one.change.get_or_insert(Change::Exited(127));
                    }
                }
            }
        }
    }

    /// Puts the terminal in order after a program that was stopped or killed and had no time to do so.
    fn restore_modes(&mut self) {
        if let (true, Some(terminal), Some(modes)) = (!self.flow.subshell, self.terminal_file(), &self.terminal.modes) {
            // A terminal that is gone needs no order.
            let _ = termios::tcsetattr(terminal, termios::OptionalActions::Now, modes);
        }
    }

    /// Reports the signal that ended a job, if one did.
    pub fn report_end(&mut self, at: usize) {
        let Some(number) = self.jobs.all[at].ended_by() else { return };
        if number == SIGINT && self.options.interactive {
            if self.traps.actions[SIGINT as usize].is_some() {
                return;
            }
            write_error(b"\n");
        } else if !matches!(number, SIGINT | SIGPIPE) {
            let text = signals::description(number);
            write_error(&[&text[..], b"\n"].concat());
        }
    }
}
