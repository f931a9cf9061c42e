//! The table of jobs (XCU 2.11): what runs, and what became of it.

use crate::syntax::copied::Copied;
use rbox_core::number::Decimal;
use rbox_core::signals;
use rbox_core::signals::{SIGTSTP, SIGTTIN, SIGTTOU};
use rbox_core::sys::process::Change;

/// One process of a job.
#[derive(Debug, Clone)]
pub struct Process {
    /// Its PID.
    pub pid: i32,
    /// Its last change; `None` while it runs.
    pub change: Option<Change>,
    /// The text of its command; empty where it is not shown.
    pub text: Vec<u8>,
}

/// A pipeline in the background, or stopped.
#[derive(Debug, Clone)]
pub struct Job {
    /// `%1` is 1.
    pub number: usize,
    /// In the order of the pipeline.
    pub processes: Vec<Process>,
    /// Its processes are a group of their own, that of the first: job control was on when it was started.
    pub controlled: bool,
    /// Its state has been reported.
    pub is_reported: bool,
    /// Its end was waited for: it leaves the table before the next job is started.
    pub is_waited_for: bool,
}

impl Process {
    /// Whether it exited or was ended by a signal.
    pub fn ended(&self) -> bool {
        matches!(self.change, Some(Change::Exited(_) | Change::Signaled(_)))
    }
}

impl Job {
    /// Whether all of it has ended.
    pub fn ended(&self) -> bool {
        self.processes.iter().all(Process::ended)
    }

    /// Whether what has not ended of it is stopped.
    pub fn stopped(&self) -> bool {
        !self.ended() && self.processes.iter().all(|one| one.change.is_some())
    }

    /// Whether some of it is stopped and some of it runs.
    pub fn runs_partly(&self) -> bool {
        let is_stopped = |one: &Process| matches!(one.change, Some(Change::Stopped(_)));
        self.processes.iter().any(is_stopped) && !self.stopped()
    }

    /// The signal that ended its last process.
    pub fn ended_by(&self) -> Option<i32> {
        match self.processes.last()?.change {
            Some(Change::Signaled(signal)) => Some(signal),
            _ => None,
        }
    }

    /// The signal that stopped it.
    fn stopped_by(&self) -> Option<i32> {
        self.processes.iter().rev().find_map(|one| match one.change {
            Some(Change::Stopped(signal)) => Some(signal),
            _ => None,
        })
    }

    /// The command.
    pub fn text(&self) -> Vec<u8> {
        let texts: Vec<&[u8]> = self.processes.iter().map(|one| &one.text[..]).collect();
        texts.join(&b" | "[..])
    }

    /// What it does, in words.
    pub fn state(&self) -> Vec<u8> {
        if self.stopped() {
            let how: &[u8] = match self.stopped_by() {
                Some(SIGTTIN) => b" (tty input)",
                Some(SIGTTOU) => b" (tty output)",
                Some(SIGTSTP) => b"",
                _ => b" (signal)",
            };
            return [b"Stopped", how].concat();
        }
        if !self.ended() {
            return b"Running".copied();
        }
        match self.processes.last().and_then(|one| one.change) {
            Some(Change::Exited(0)) | None => b"Done".copied(),
            Some(Change::Signaled(number)) => signals::description(number),
            Some(change) => [b"Done(", Decimal::new(change.status().into()).as_bytes(), b")"].concat(),
        }
    }

    /// The status of its last process, or of the signal that stopped it.
    pub fn status(&self) -> u8 {
        match self.stopped_by().filter(|_| self.stopped()) {
            Some(signal) => 128 + signal as u8,
            None => self.processes.last().and_then(|one| one.change).map_or(0, Change::status),
        }
    }
}

/// The table of jobs, the current one last: those that stopped after those that run, the newest last.
#[derive(Debug, Default)]
pub struct Jobs {
    /// The jobs.
    pub all: Vec<Job>,
    /// The jobs of the enclosing shell, which a subshell lists until it has jobs of its own: `kill $(jobs -p)`.
    outer: Vec<Job>,
    /// Status of processes that were waited for, newest last: one may ask again.
    waited: Vec<(i32, u8)>,
}

/// How many jobs that ended may stay in the table at a prompt until they are reported.
pub const MOST_UNREPORTED: usize = 32;
/// How many processes that are in the table no more are remembered, and how many jobs the table of a script may have before
/// those that ended leave it: more than CHILD_MAX need not be known (XCU 2.9.3.1).
pub const REMEMBERED: usize = 1024;

impl Jobs {
    /// Notes what happened to a process.
    pub fn note(&mut self, pid: i32, change: Change) {
        let has = |job: &Job| job.processes.iter().any(|one| one.pid == pid);
        let Some(at) = self.all.iter().position(has) else { return };
        let job = &mut self.all[at];
        for one in &mut job.processes {
            if one.pid == pid && !matches!(one.change, Some(Change::Exited(_) | Change::Signaled(_))) {
                one.change = if change == Change::Continued { None } else { Some(change) };
            }
        }
        // The end of one process of several is no news.
        if job.ended() || job.stopped() {
            job.is_reported = false;
        }
        if matches!(change, Change::Stopped(_)) && self.all[at].stopped() {
            let job = self.all.remove(at);
            self.all.push(job);
        }
    }

    /// Adds a job and returns its number, the smallest that is free. `texts`: of each process.
    pub fn add(&mut self, pids: &[i32], texts: Vec<Vec<u8>>, controlled: bool) -> usize {
        let mut taken = vec![false; self.all.len() + 1];
        for job in &self.all {
            if let Some(slot) = taken.get_mut(job.number - 1) {
                *slot = true;
            }
        }
        let number = taken.iter().position(|taken| !taken).unwrap_or(self.all.len()) + 1;
        let mut texts = texts.into_iter();
        let process = |&pid: &i32| Process { pid, change: None, text: texts.next().unwrap_or_default() };
        let processes = pids.iter().map(process).collect();
        self.insert(Job { number, processes, controlled, is_reported: true, is_waited_for: false });
        number
    }

    /// What a subshell has of them.
    pub fn of_subshell(self) -> Self {
        Self { outer: if self.all.is_empty() { self.outer } else { self.all }, ..Self::default() }
    }

    /// Exchanges the list with that of the enclosing shell.
    pub fn exchange(&mut self) {
        std::mem::swap(&mut self.all, &mut self.outer);
    }

    /// Adds a job in the background; in a subshell it replaces those of the enclosing shell.
    pub fn add_background(&mut self, pids: &[i32], texts: Vec<Vec<u8>>, controlled: bool) {
        self.outer.clear();
        self.add(pids, texts, controlled);
    }

    /// Notes that a job was reported; one that ended leaves the table, which renumbers the current job.
    pub fn set_reported(&mut self, at: usize) {
        self.all[at].is_reported = true;
        if self.all[at].ended() {
            self.all.remove(at);
        }
    }

    /// Remembers the statuses of a job's processes, which may be waited for again.
    pub fn remember(&mut self, at: usize) {
        let processes = &self.all[at].processes;
        let surplus = (self.waited.len() + processes.len()).saturating_sub(REMEMBERED);
        self.waited.drain(..surplus.min(self.waited.len()));
        self.waited.extend(processes.iter().map(|one| (one.pid, one.change.map_or(0, Change::status))));
    }

    /// Takes jobs whose end was waited for out of the table.
    pub fn forget_waited_for(&mut self) {
        self.all.retain(|job| !job.is_waited_for || !job.ended());
    }

    /// Takes jobs that ended out of the table.
    pub fn forget_ended(&mut self) {
        for at in 0..self.all.len() {
            if self.all[at].ended() {
                self.remember(at);
            }
        }
        self.all.retain(|job| !job.ended());
    }

    /// The status of a process that was waited for already.
    pub fn remembered(&self, pid: i32) -> Option<u8> {
        self.waited.iter().rev().find(|(known, _)| *known == pid).map(|(_, status)| *status)
    }

    /// Puts a job that runs after the others that run.
    pub fn insert(&mut self, job: Job) {
        let at = self.all.iter().position(Job::stopped).unwrap_or(self.all.len());
        self.all.insert(at, job);
    }
}
