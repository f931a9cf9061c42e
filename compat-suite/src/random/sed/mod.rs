//! Random sed scripts, by the tables of `grammar.rs`.

mod grammar;

use super::tools::{Language, Program, Votes};
use super::writer::Writer;

/// GNU sed and BusyBox judge.
pub const LANGUAGE: Language = Language {
    systems: &[("rbox", &[("sed", "rbox")]), ("GNU", &[("sed", "/usr/bin/sed")]), ("BusyBox", &[("sed", "busybox")])],
    program,
    votes: Votes::MostThatSucceed,
};

/// The script of a seed.
fn program(seed: u64) -> Program {
    // Basic or extended expressions.
    let extended = seed.is_multiple_of(2);
    let mut writer = Writer::new(seed, if extended { grammar::extended } else { grammar::basic });
    let mut options = if extended { "-E ".to_string() } else { String::new() };
    options.push_str(&writer.text("%O"));
    // `D` begins again with what it leaves: where something else adds lines, it may never end.
    let command = if writer.below(5) == 0 { "%D" } else { "%C" };
    let mut parts = writer.texts(command, 1, 5);
    // A label that is there twice is the first for BusyBox and the last for GNU sed.
    let first = parts.iter().position(|part| part.contains(":K"));
    let mut at = 0..;
    parts.retain(|part| at.next() == first || !part.contains(":K"));
    let mut files = writer.text("%F");
    let hold = |characters: &[char]| parts.iter().any(|part| part.contains(characters));
    if files.contains('u') && hold(&['*', '?', '{', 'b', '<', '>', '$']) || files.contains('b') && hold(&['q', 'Q']) {
        files = "w a".into();
    }
    let form = writer.below(10);
    if form > 0 && writer.below(8) == 0 && !hold(&['R', 'q', 'Q', 'M', '\\', 'r']) {
        options.push_str("-z ");
        files = format!("<{} | tr '\\0' '\\n'", writer.text("%z"));
    }
    let (before, after) = match form {
        0 => (
            format!("cp a i; cp b j; sed -i {options}'"),
            "' i j; s=$?; [ $s = 0 ] || rm -f w1 w2; echo $s; cat i j".to_string(),
        ),
        1 => (format!("cat >s <<'E'\nsed {options} -f - {files} <<'X'\n"), "\nX\nE\n. ./s".to_string()),
        _ => (format!("sed {options}'"), format!("' {files}")),
    };
    let after =
        format!("{after}\ns=$?; for f in w1 w2; do [ ! -e $f ] || {{ echo =$f; cat $f; rm $f; }}; done; (exit $s)");
    Program { before, parts, between: "\n", after }
}
