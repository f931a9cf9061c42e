//! The processes and their CPU time.

use core::cmp::Reverse;

use rbox_core::number::ratio;
use rbox_core::prelude::*;
use rbox_core::processes::{self, Process};
use rbox_core::text::{Left, Right};
use rbox_core::users::NameCache;
use rbox_core::{push, text};

use super::View;
use super::summary::Summary;
use crate::ps::state;

/// The line above the processes.
pub const HEADER: &[u8] = b"  PID  PPID USER     STAT   VSZ %VSZ %CPU COMMAND";

/// What the processes are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Pid,
    Memory,
    Cpu,
    Time,
}

/// All processes at one time, and the time that they had used before.
#[derive(Default)]
pub struct List {
    pub processes: Vec<Process>,
    /// PIDs in ascending order, with the ticks of each.
    before: Vec<(i32, u64)>,
    names: NameCache,
}

impl List {
    /// Reads all processes, or all threads. One that ends meanwhile is left out.
    pub fn read(&mut self, threads: bool) -> Result<()> {
        self.before = self.processes.iter().map(|process| (process.pid, process.total_time())).collect();
        self.before.sort_unstable();
        self.processes.clear();
        for pid in processes::all()? {
            if threads {
                self.processes.extend(processes::threads_of(pid).into_iter().filter_map(Process::read));
            } else {
                self.processes.extend(Process::read(pid));
            }
        }
        Ok(())
    }

    /// The ticks that a process has used since it was read before: 0 for one that is new, which used them at an unknown
    /// time.
    fn spent(&self, process: &Process) -> u64 {
        let found = self.before.binary_search_by_key(&process.pid, |&(pid, _)| pid);
        found.map_or(0, |at| process.total_time().saturating_sub(self.before[at].1))
    }

    /// Adds a line for each of the first processes.
    pub fn push_rows(
        &mut self,
        lines: &mut Vec<Vec<u8>>,
        view: &View,
        now: &Summary,
        old: &Summary,
        count: usize,
        columns: usize,
    ) {
        let mut rows: Vec<((u64, u64, i32), usize)> = Vec::with_capacity(self.processes.len());
        for (at, process) in self.processes.iter().enumerate() {
            let (spent, size) = (self.spent(process), process.virtual_size);
            let key = match view.order {
                Order::Pid => (0, 0, process.pid),
                Order::Memory => (size, spent, process.pid),
                Order::Cpu => (spent, size, process.pid),
                Order::Time => (process.total_time(), size, process.pid),
            };
            rows.push((key, at));
        }
        if view.reverse {
            rows.sort_unstable();
        } else {
            rows.sort_unstable_by_key(|&row| Reverse(row));
        }
        let passed = now.counters.all.since(&old.counters.all).total();
        let memory = now.kilobytes("MemTotal:");
        for &(_, at) in rows.iter().take(count) {
            let process = &self.processes[at];
            let share = ratio(self.spent(process), 100, passed).min(100);
            // The directory of a process that has ended has no owner any more.
            let user = self.names.user(process.owner().unwrap_or_default().0);
            let mut line = text!(
                Right(process.pid as u32, 5, b' '),
                " ",
                Right(process.parent as u32, 5, b' '),
                " ",
                Left(&user[..user.len().min(8)], 8),
                " ",
                Left(state(process), 4),
                Right(size(process.virtual_size >> 10), 6, b' '),
                " "
            );
            for share in [ratio(process.virtual_size >> 10, 100, memory), share] {
                push!(line, Right(share, 3, b' '), "% ");
            }
            // Words longer than a line need not be looked at.
            let mut words = process.words();
            let mut left = columns;
            words.retain_mut(|word| {
                let is_shown = left > 0;
                word.truncate(left.max(1));
                left = left.saturating_sub(word.len() + 1);
                is_shown
            });
            line.extend_from_slice(&process.command_line(&words, false));
            lines.push(line);
        }
    }
}

/// Kilobytes in at most five columns: from 100,000 on in megabytes, then in gigabytes and so on, below 100 with a decimal.
pub fn size(kilobytes: u64) -> Vec<u8> {
    if kilobytes < 100_000 {
        return text!(kilobytes);
    }
    let (mut tenths, mut unit) = (u128::from(kilobytes) * 10 / 1024, 0);
    while tenths >= 100_000 {
        (tenths, unit) = (tenths / 1024, unit + 1);
    }
    let letter = [b"mgtpe"[unit]];
    match tenths as u64 {
        tenths @ 0..1000 => text!(tenths / 10, ".", tenths % 10, &letter),
        tenths => text!(tenths / 10, &letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_fit_their_column() {
        assert_eq!(
            (size(99_999), size(100_000), size(u64::MAX >> 10)),
            (b"99999".to_vec(), b"97.6m".to_vec(), b"15.9e".to_vec())
        );
    }

    #[test]
    fn a_process_that_is_new_has_used_nothing() {
        let process = |pid, user_time| Process { pid, user_time, ..Process::default() };
        let list = List { before: vec![(3, 10), (5, 20)], ..List::default() };
        assert_eq!((list.spent(&process(5, 27)), list.spent(&process(4, 9)), list.spent(&process(3, 2))), (7, 0, 0));
    }
}
