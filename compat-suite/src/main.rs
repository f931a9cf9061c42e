//! Runs the same cases in BusyBox and in rbox and compares: standard output, status, error text, the tree left behind.
//!
//! `compat-suite [--rbox FILE] [--busybox FILE] [FILTER]...` prints a table by applet and returns 1 when a case differs
//! that is not marked so, or when one that is marked no longer differs.

mod case;
mod random;
mod run;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

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
    /// The folder of the cases.
    #[arg(long, default_value = "compat-suite/cases")]
    cases: PathBuf,
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
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for case in &cases {
        let tally = tallies.entry(case.file.clone()).or_default();
        judge(case, &systems, tally)?;
    }
    let (mut passed, mut failed) = (0, 0);
    println!("{:<28} {:>6} {:>8} {:>6}", "applet", "same", "differs", "wrong");
    for (file, tally) in &tallies {
        println!("{file:<28} {:>6} {:>8} {:>6}", tally.same, tally.marked, tally.wrong);
        passed += tally.same + tally.marked;
        failed += tally.wrong;
    }
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0)
}

fn judge(case: &Case, systems: &Systems, tally: &mut Tally) -> Result<(), String> {
    let differences = systems.differences(case)?;
    match (&case.differs, differences.is_empty()) {
        (None, true) => tally.same += 1,
        (Some(_), false) => tally.marked += 1,
        (None, false) => {
            tally.wrong += 1;
            println!("{}: differs\n{}", case.title(), case.script);
            for difference in differences {
                println!("{difference}");
            }
        }
        (Some(_), true) => {
            tally.wrong += 1;
            println!("{}: no longer differs, take the line out", case.title());
        }
    }
    Ok(())
}
