//! Runs cases, which are data: in BusyBox and in rbox to compare them, or in rbox alone to compare it with what they state.

pub mod case;
pub mod limit;
pub mod options;
pub mod run;
pub mod terminal;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use case::Case;

/// The number of cases that run at once; more than the processors of a small machine, because many cases wait for daemons.
const WORKERS: usize = 4;

/// Calls `ask` with each case and the number of its worker (0 to 3), several at once. The answers are in the order of the cases.
pub fn ask_all<T: Send>(cases: &[Case], ask: impl Fn(&Case, usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let answers: Mutex<BTreeMap<usize, T>> = Mutex::default();
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (next, answers, ask) = (&next, &answers, &ask);
            scope.spawn(move || {
                while let Some((at, case)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, cases.get(at)?)))
                {
                    let answer = ask(case, worker);
                    answers.lock().expect("no worker panics with the lock").insert(at, answer);
                }
            });
        }
    });
    answers.into_inner().expect("no worker panics with the lock").into_values().collect()
}
