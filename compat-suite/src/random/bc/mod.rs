//! Random bc programs, by the tables of `grammar.rs`.

mod grammar;

use super::tools::{Language, Program, Votes};
use super::writer::Writer;

/// GNU bc and BusyBox judge.
pub const LANGUAGE: Language = Language {
    systems: &[("rbox", &[("bc", "rbox")]), ("GNU", &[("bc", "/usr/bin/bc")]), ("BusyBox", &[("bc", "busybox")])],
    program,
    votes: Votes::Most,
};

/// The program of a seed.
fn program(seed: u64) -> Program {
    let mut writer = Writer::new(seed, grammar::table);
    let parts = writer.texts("%S", 1, 8);
    let before = format!("bc {}<<'E'\n{}\n", writer.text("%O"), grammar::FUNCTIONS);
    Program { before, parts, between: "\n", after: "\nE".into() }
}
