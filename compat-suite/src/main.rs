//! Runs the same cases in BusyBox and in rbox and compares: standard output, status, error text, and the files that are left.
//!
//! `compat-suite [--rbox FILE] [--busybox FILE] [FILTER]...` prints a table by applet and returns 1 when a case differs
//! without a line `differs:`, or when one with that line no longer differs. Cases that need namespaces are skipped where
//! root is missing, with a message; if CI is set that is a failure.

mod oracles;
mod random;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use compat_suite::case::{self, Case};
use compat_suite::run::Systems;
use compat_suite::{ask_all, options};

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
    /// Write what rbox prints into the cases that differ and do not state it.
    #[arg(long)]
    state: bool,
    /// List the options of BusyBox that rbox lacks instead of running cases.
    #[arg(long)]
    options: bool,
    /// Run random programs of this language instead of the cases: `sh`, `sed`, `awk`, `diff`, `bc` or `dc`.
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

/// The results of the cases of one file.
#[derive(Default)]
struct Tally {
    same: usize,
    differs: usize,
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
    if cli.options {
        return options::compare(&cli.rbox, &cli.busybox);
    }
    let systems = Systems::new(&cli.rbox, &cli.busybox)?;
    if cli.state {
        return case::state_all(&cli.cases, &|case| Ok(systems.run(case, "rbox", 0)?.stated())).map(|()| true);
    }
    let mut cases = case::read_all(&cli.cases)?;
    cases.retain(|case| cli.filters.is_empty() || cli.filters.iter().any(|word| case.title().contains(word.as_str())));
    if cases.is_empty() {
        return Err("no case to run".into());
    }
    if cli.oracles {
        return oracles::vote(&cases, &systems);
    }
    // Where namespaces cannot be made the cases are skipped with a message; CI must not pass without them.
    let reason = if cases.iter().any(|case| case.namespace) { systems.why_no_namespaces() } else { None };
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (case, verdict) in cases.iter().zip(verdicts(&cases, &systems, reason.is_some())) {
        let tally = tallies.entry(case.file.clone()).or_default();
        match verdict? {
            Verdict::Same => tally.same += 1,
            Verdict::Differs => tally.differs += 1,
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
        println!("{file:<28} {:>6} {:>8} {:>6} {:>8}", tally.same, tally.differs, tally.wrong, tally.skipped);
        passed += tally.same + tally.differs;
        failed += tally.wrong;
        skipped += tally.skipped;
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if let Some(reason) = reason {
        println!("cases that need namespaces were skipped: {reason}");
    }
    // Users often see only the last lines of a long run.
    wrong.iter().for_each(|title| println!("wrong: {title}"));
    Ok(failed == 0 && (skipped == 0 || std::env::var_os("CI").is_none()))
}

/// The result of one case.
enum Verdict {
    Same,
    Differs,
    Skipped,
    /// What is wrong.
    Wrong(String),
}

/// The verdicts on all cases, in their order. A case that is wrong runs a second time, alone.
fn verdicts(cases: &[Case], systems: &Systems, skip_namespaces: bool) -> Vec<Result<Verdict, String>> {
    let mut verdicts = ask_all(cases, |case, worker| match case.namespace && skip_namespaces {
        true => Ok(Verdict::Skipped),
        false => verdict_on(case, systems, worker),
    });
    // Several cases run at once, and a slow machine may delay a daemon beyond a limit; alone, a case shows its true result.
    let mut again = 0;
    for (verdict, case) in verdicts.iter_mut().zip(cases) {
        if matches!(verdict, Ok(Verdict::Wrong(_))) {
            again += 1;
            println!("{}: runs a second time, alone", case.title());
            *verdict = verdict_on(case, systems, 0);
        }
    }
    println!("{again} cases ran a second time");
    verdicts
}

fn verdict_on(case: &Case, systems: &Systems, worker: usize) -> Result<Verdict, String> {
    let (differences, outcome) = systems.differences(case, worker)?;
    let wrong = |what: String| Ok(Verdict::Wrong(format!("{}: {what}", case.title())));
    if case.differs.is_none() {
        return match differences.is_empty() {
            true => Ok(Verdict::Same),
            false => wrong(format!("differs\n{}\n{}", case.script, differences.join("\n"))),
        };
    }
    let Some(expected) = &case.expected else {
        return wrong(format!("state what rbox prints:\n{}", outcome.stated().text()));
    };
    match outcome.contradiction(expected) {
        Some(text) => wrong(text),
        None if differences.is_empty() => wrong("no longer differs, take the line out".into()),
        None => Ok(Verdict::Differs),
    }
}
