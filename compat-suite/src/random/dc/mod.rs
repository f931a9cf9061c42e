//! Random dc programs, by the tables of `grammar.rs`.

mod grammar;

use super::tools::{Language, Program, Votes};
use super::writer::Writer;

/// GNU dc and BusyBox judge.
pub const LANGUAGE: Language = Language {
    systems: &[("rbox", &[("dc", "rbox")]), ("GNU", &[("dc", "/usr/bin/dc")]), ("BusyBox", &[("dc", "busybox")])],
    program,
    votes: Votes::Most,
};

/// What is on the stack and in the registers.
const START: &str = "0sa 0sb 0sc 1 2 3 4 5 6 7 8 9";

/// The program of a seed.
fn program(seed: u64) -> Program {
    let mut writer = Writer::new(seed, grammar::table);
    let parts = writer.texts("%S", 1, 10);
    match writer.below(4) {
        0 => Program { before: format!("dc <<'E'\n{START}\n"), parts, between: "\n", after: "\nf\nE".into() },
        _ => Program { before: format!("dc -e '{START} "), parts, between: " ", after: " f'".into() },
    }
}
