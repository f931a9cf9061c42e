//! Random files for diff, whose outputs patch and ed apply, by the tables of `grammar.rs`.

mod grammar;

use super::tools::{Language, Program, Votes};
use super::writer::Writer;

/// Each output of diff is applied by each patch: in `rbox to GNU` rbox's diff meets GNU's patch and ed.
pub const LANGUAGE: Language = Language {
    systems: &[
        ("rbox", &[("diff", "rbox"), ("patch", "rbox"), ("ed", "rbox")]),
        ("GNU", &[("diff", "/usr/bin/diff"), ("patch", "/usr/bin/patch"), ("ed", "/usr/bin/ed")]),
        ("rbox to GNU", &[("diff", "rbox"), ("patch", "/usr/bin/patch"), ("ed", "/usr/bin/ed")]),
        ("GNU to rbox", &[("diff", "/usr/bin/diff"), ("patch", "rbox"), ("ed", "rbox")]),
    ],
    program,
    votes: Votes::All,
};

/// The files of a seed, f and g, line by line: the second is the first with some lines changed, or another one.
fn program(seed: u64) -> Program {
    let mut writer = Writer::new(seed, grammar::table);
    let line = writer.text("%t");
    let most = [4, 12, 30, 120][writer.below(4)];
    let old = writer.texts(&line, 0, most);
    let new = match writer.below(3) {
        0 => writer.texts(&line, 0, most),
        _ => changed(&mut writer, &line, &old),
    };
    let lines =
        |file: char, lines: &[String]| lines.iter().map(move |line| format!("echo '{line}' >>{file}")).collect();
    let mut parts: Vec<String> = lines('f', &old);
    parts.extend::<Vec<String>>(lines('g', &new));
    let after = writer.text("%C");
    // ed adds a newline.
    if !after.contains(" -e") {
        let ends = writer.texts("%E", 0, 2);
        parts.extend(ends);
    }
    Program { before: ">f; >g\n".into(), parts, between: "\n", after: format!("\n{after}") }
}

fn changed(writer: &mut Writer, line: &str, old: &[String]) -> Vec<String> {
    let rate = 3 + writer.below(20);
    let mut new = Vec::new();
    for kept in old {
        match writer.below(rate) {
            0 => {}
            1 => new.push(writer.text(line)),
            2 => new.extend([writer.text(line), kept.clone()]),
            _ => new.push(kept.clone()),
        }
    }
    new
}
