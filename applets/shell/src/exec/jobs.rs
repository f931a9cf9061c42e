//! Jobs: process groups, the terminal's foreground group, waiting (XCU 2.11).

use crate::shell::Shell;
use rbox_core::sys::process::{self, Change, Pid};
use rbox_core::sys::{Errno, fd, signal, termios};

/// waitpid(2): report stopped children too.
const WUNTRACED: i32 = 2;
/// waitpid(2): do not wait.
const WNOHANG: i32 = 1;

/// One process of a job.
#[derive(Debug, Clone)]
pub struct Process {
    pub pid: i32,
    pub change: Option<Change>,
}

/// A pipeline in the background, or stopped.
#[derive(Debug, Clone)]
pub struct Job {
    pub number: usize,
    pub processes: Vec<Process>,
    pub text: Vec<u8>,
    /// The user has been told of its state.
    pub told: bool,
}

impl Job {
    /// Whether all of it has ended.
    pub fn ended(&self) -> bool {
        self.processes.iter().all(|one| matches!(one.change, Some(Change::Exited(_) | Change::Signaled(_))))
    }

    /// Whether some of it is stopped.
    pub fn stopped(&self) -> bool {
        !self.ended() && self.processes.iter().any(|one| matches!(one.change, Some(Change::Stopped(_))))
    }

    /// The status of its last process.
    pub fn status(&self) -> u8 {
        self.processes.last().and_then(|one| one.change).map_or(0, Change::status)
    }
}

/// The table of jobs; the last one is the current.
#[derive(Debug, Default)]
pub struct Jobs {
    pub all: Vec<Job>,
}

impl Jobs {
    /// Notes what happened to a process.
    fn note(&mut self, pid: i32, change: Change) {
        for job in &mut self.all {
            for one in &mut job.processes {
                if one.pid == pid && !matches!(one.change, Some(Change::Exited(_) | Change::Signaled(_))) {
                    one.change = if change == Change::Continued { None } else { Some(change) };
                    job.told = false;
                }
            }
        }
    }

    /// Adds a job and returns its number.
    pub fn add(&mut self, pids: &[i32], text: &[u8]) -> usize {
        let number = self.all.iter().map(|job| job.number).max().unwrap_or(0) + 1;
        let processes = pids.iter().map(|&pid| Process { pid, change: None }).collect();
        self.all.push(Job { number, processes, text: text.to_vec(), told: true });
        number
    }
}

impl Shell {
    /// Puts a process into a job's group: in both parent and child, as either may be first.
    pub(super) fn join_group(&mut self, pid: i32, group: i32, foreground: bool) {
        if !self.options.monitor || self.subshell {
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

    /// Makes a group the terminal's foreground group.
    pub fn give_terminal(&mut self, group: i32) {
        if let (Some(terminal), Some(group)) = (self.terminal, Pid::from_raw(group)) {
            // Fails only when the terminal is gone; then there is nothing to give.
            let _ = termios::tcsetpgrp(fd::borrow(terminal), group);
        }
    }

    /// Turns the process that was just forked into a subshell (XCU 2.12).
    pub(super) fn become_child(&mut self) {
        let monitor = self.options.monitor && !self.subshell;
        self.subshell = true;
        self.jobs.all.clear();
        self.keep_traps();
        self.reset_traps(monitor || self.options.interactive);
        self.options.interactive = false;
        self.options.monitor = false;
        self.capture = None;
        self.trap_status = None;
    }

    /// Waits for the processes of a foreground job; the status is the last one's, or with pipefail the last that failed.
    pub(super) fn wait_foreground(&mut self, pids: &[i32], text: &[u8]) -> u8 {
        let number = self.jobs.add(pids, text);
        let status = self.wait_job(number);
        self.take_terminal();
        status
    }

    /// Takes the terminal back.
    pub fn take_terminal(&mut self) {
        if self.options.monitor && !self.subshell {
            let own = process::getpgrp().as_raw_nonzero().get();
            self.give_terminal(own);
        }
    }

    /// Waits until a job ends or stops. An ended one leaves the table.
    pub fn wait_job(&mut self, number: usize) -> u8 {
        let flags = if self.options.monitor { WUNTRACED } else { 0 };
        loop {
            let Some(at) = self.jobs.all.iter().position(|job| job.number == number) else { return 127 };
            let job = &self.jobs.all[at];
            if job.ended() {
                let mut status = job.status();
                if self.options.pipefail {
                    let failed = job.processes.iter().rev().filter_map(|one| one.change).find(|one| one.status() != 0);
                    status = failed.map_or(0, Change::status);
                }
                self.tell_end(at);
                self.jobs.all.remove(at);
                return status;
            }
            if job.stopped() {
                let status = job.processes.iter().rev().find_map(|one| match one.change {
                    Some(Change::Stopped(number)) => Some(128 + number as u8),
                    _ => None,
                });
                return status.unwrap_or(0);
            }
            match process::wait(-1, flags) {
                Ok(Some((pid, change))) => self.jobs.note(pid, change),
                Ok(None) | Err(Errno::INTR) => {}
                Err(_) => {
                    // Nobody is left to wait for: the status was lost, as when a parent ignored SIGCHLD.
                    for one in &mut self.jobs.all[at].processes {
                        one.change.get_or_insert(Change::Exited(127));
                    }
                }
            }
        }
    }

    /// Says which signal ended a job, if one did.
    pub fn tell_end(&mut self, at: usize) {
        let ended = self.jobs.all[at].processes.last().and_then(|one| one.change);
        let Some(Change::Signaled(number)) = ended else { return };
        if number == 2 && self.options.interactive {
            let _ = crate::shell::write_all(2, b"\n");
        } else if number != 2 && number != 13 {
            let text = super::trap::signal_text(number);
            let _ = crate::shell::write_all(2, &[text.as_bytes(), b"\n"].concat());
        }
    }

    /// Collects what changed without waiting.
    pub fn reap(&mut self) {
        let flags = WNOHANG | if self.options.monitor { WUNTRACED } else { 0 };
        while let Ok(Some((pid, change))) = process::wait(-1, flags) {
            self.jobs.note(pid, change);
        }
    }

    /// Waits for one change of a child; false when there is none or a trapped signal came.
    pub fn wait_any(&mut self) -> Result<bool, i32> {
        match process::wait(-1, if self.options.monitor { WUNTRACED } else { 0 }) {
            Ok(Some((pid, change))) => {
                self.jobs.note(pid, change);
                Ok(true)
            }
            Err(Errno::INTR) => {
                let pending = signal::pending();
                if pending != 0 { Err(pending.trailing_zeros() as i32 + 1) } else { Ok(true) }
            }
            _ => Ok(false),
        }
    }

    /// Tells of jobs that ended or stopped, and forgets those that ended.
    pub fn notify(&mut self) {
        self.reap();
        let mut text = Vec::new();
        for at in 0..self.jobs.all.len() {
            if !self.jobs.all[at].told {
                text.extend_from_slice(&self.job_line(at, false));
                self.jobs.all[at].told = true;
            }
        }
        self.jobs.all.retain(|job| !job.ended());
        if self.options.interactive {
            let _ = crate::shell::write_all(2, &text);
        }
    }

    /// The line of `jobs` for one job.
    pub fn job_line(&self, at: usize, pids: bool) -> Vec<u8> {
        let job = &self.jobs.all[at];
        let count = self.jobs.all.len();
        let mark = if at + 1 == count {
            '+'
        } else if at + 2 == count {
            '-'
        } else {
            ' '
        };
        let state = if job.ended() {
            match job.processes.last().and_then(|one| one.change) {
                Some(Change::Exited(0)) | None => "Done".to_string(),
                Some(Change::Signaled(number)) => super::trap::signal_text(number).to_string(),
                Some(change) => format!("Done({})", change.status()),
            }
        } else if job.stopped() {
            "Stopped".to_string()
        } else {
            "Running".to_string()
        };
        let pid = match job.processes.first() {
            Some(one) if pids => format!("{} ", one.pid),
            _ => String::new(),
        };
        let mut line = format!("[{}]{}  {}{:<26} ", job.number, mark, pid, state).into_bytes();
        line.extend_from_slice(&job.text);
        line.push(b'\n');
        line
    }
}
