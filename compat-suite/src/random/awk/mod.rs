//! Random awk programs, by the tables of `grammar.rs`.

mod grammar;

use super::tools::{Language, Program, Votes};
use super::writer::Writer;

/// gawk, mawk and BusyBox judge.
pub const LANGUAGE: Language = Language {
    systems: &[
        ("rbox", &[("awk", "rbox")]),
        ("gawk", &[("awk", "/usr/bin/gawk")]),
        ("mawk", &[("awk", "/usr/bin/mawk")]),
        ("BusyBox", &[("awk", "busybox")]),
    ],
    program,
    votes: Votes::MostThatSucceed,
};

/// The program of a seed.
fn program(seed: u64) -> Program {
    let mut writer = Writer::new(seed, grammar::table);
    let options = writer.text("%O");
    let mut parts = writer.texts("%R", 1, 4);
    if parts.iter().any(|part| part.contains("f(")) {
        parts.insert(0, writer.text("%F"));
    }
    let (before, after) = (format!("awk {options}'"), writer.text("' %I"));
    let after =
        format!("{after}\ns=$?; for f in w1 w2; do [ ! -e $f ] || {{ echo =$f; cat $f; rm $f; }}; done; (exit $s)");
    Program { before, parts, between: "\n", after }
}
