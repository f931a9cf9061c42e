//! Runs the same cases in BusyBox and in rbox and compares: standard output, status, error text, the tree left-after.
//!
//! `compat-suite [--rbox FILE] [--busybox FILE] [FILTER]...` prints a table by applet and returns 1 when a case differs
//! that is not marked so, or when one that is marked no longer differs. Cases that need namespaces are skipped where
//! root is missing, with a word about it; where CI is set that is a failure.

mod case;
mod limit;
mod oracles;
mod random;
mod run;
mod terminal;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser;

use case::Case;
use run::Systems;

#[derive(Parser)]
#[command(about = "Compares rbox with BusyBox, case by case")]
struct Cli {
    /// The rbox to test.
    #[arg(long, default_value = "target/rbox")]
    rbox: PathBuf,
    /// The BusyBox to compare with.
    #[arg(long, default_value = "/bin/busybox")]
    busybox: PathBuf,
    /// The directory of the cases.
    #[arg(long, default_value = "compat-suite/cases")]
    cases: PathBuf,
    /// Ask dash and bash too about the shell's cases.
    #[arg(long)]
    oracles: bool,
    /// Run random programs of this language instead of the cases: `sh`.
    #[arg(long)]
    random: Option<String>,
    /// The seed of the first random program.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many random programs to run.
    #[arg(long, default_value_t = 2000)]
    count: u64,
    /// Only cases whose file or name holds one of these words.
    filters: Vec<String>,
}

/// How the cases of one file went.
#[derive(Default)]
struct Tally {
    same: usize,
    marked: usize,
    wrong: usize,
    skipped: usize,
}

fn main() -> ExitCode {
    match compare(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("compat-suite: {message}");
            ExitCode::FAILURE
        }
    }
}

fn compare(cli: &Cli) -> Result<bool, String> {
    if let Some(language) = &cli.random {
        return random::compare(language, cli.seed, cli.count, &cli.rbox, &cli.busybox);
    }
    let systems = Systems::new(&cli.rbox, &cli.busybox)?;
    let mut cases = case::read_all(&cli.cases)?;
    cases.retain(|case| cli.filters.is_empty() || cli.filters.iter().any(|word| case.title().contains(word.as_str())));
    if cases.is_empty() {
        return Err("no case to run".into());
    }
    if cli.oracles {
        return oracles::vote(&cases, &systems);
    }
    // A machine that cannot make namespaces says so; one that builds for others must not pass without them.
    let reason = if cases.iter().any(|case| case.namespace) { systems.why_no_namespaces() } else { None };
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (case, verdict) in cases.iter().zip(judge_all(&cases, &systems, reason.is_some())) {
        let tally = tallies.entry(case.file.clone()).or_default();
        match verdict? {
            Verdict::Same => tally.same += 1,
            Verdict::Marked => tally.marked += 1,
            Verdict::Skipped => tally.skipped += 1,
            Verdict::Wrong(text) => {
                tally.wrong += 1;
                wrong.push(case.title());
                println!("{text}");
            }
        }
    }
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    println!("{:<28} {:>6} {:>8} {:>6} {:>8}", "applet", "same", "differs", "wrong", "skipped");
    for (file, tally) in &tallies {
        println!("{file:<28} {:>6} {:>8} {:>6} {:>8}", tally.same, tally.marked, tally.wrong, tally.skipped);
        passed += tally.same + tally.marked;
        failed += tally.wrong;
        skipped += tally.skipped;
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if let Some(reason) = reason {
        println!("cases that need namespaces were skipped: {reason}");
    }
    // Of a long run often only the last lines are seen.
    wrong.iter().for_each(|title| println!("wrong: {title}"));
    Ok(failed == 0 && (skipped == 0 || std::env::var_os("CI").is_none()))
}

/// How one case went.
enum Verdict {
    Same,
    Marked,
    Skipped,
    /// What is wrong.
    Wrong(String),
}

/// How many cases run at once: many of them wait for daemons more than they work.
const WORKERS: usize = 4;

/// Asks about all cases, several at once, each worker in a directory of its own. The answers have the order of the cases.
fn ask_all<T: Send>(cases: &[Case], ask: impl Fn(&Case, usize) -> T + Sync) -> Vec<T> {
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

/// How often a case that differs is judged again.
const TRIES: usize = 3;

/// Judges all cases.
fn judge_all(cases: &[Case], systems: &Systems, skip_namespaces: bool) -> Vec<Result<Verdict, String>> {
    let mut verdicts = ask_all(cases, |case, worker| match case.namespace && skip_namespaces {
        true => Ok(Verdict::Skipped),
        false => judge(case, systems, worker),
    });
    // Where several daemons started at once a slow machine may decide; what a case is worth it shows alone.
    for (verdict, case) in verdicts.iter_mut().zip(cases) {
        for _ in 0..TRIES {
            if !matches!(verdict, Ok(Verdict::Wrong(_))) {
                break;
            }
            println!("{}: once more, alone", case.title());
            *verdict = judge(case, systems, 0);
        }
    }
    verdicts
}

fn judge(case: &Case, systems: &Systems, worker: usize) -> Result<Verdict, String> {
    let differences = systems.differences(case, worker)?;
    Ok(match (&case.differs, differences.is_empty()) {
        (None, true) => Verdict::Same,
        (Some(_), false) => Verdict::Marked,
        (None, false) => {
            Verdict::Wrong(format!("{}: differs\n{}\n{}", case.title(), case.script, differences.join("\n")))
        }
        (Some(_), true) => Verdict::Wrong(format!("{}: no longer differs, take the line out", case.title())),
    })
}
