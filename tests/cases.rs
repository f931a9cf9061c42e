//! Runs the cases below tests/cases: what a standard or we decide, expected output written down. Their form is that of
//! compat-suite/src/case.rs.

use std::path::Path;

use compat_suite::ask_all;
use compat_suite::case::read_all;
use compat_suite::run::Systems;

const RBOX: &str = env!("CARGO_BIN_EXE_rbox");

#[test]
fn cases_give_what_is_written_down() {
    let systems = Systems::of_rbox(Path::new(RBOX)).expect("a system of links");
    let mut cases = read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases")).expect("the cases");
    // Those run on a terminal: see pty.rs.
    cases.retain(|case| !case.file.starts_with("pty/"));
    if let Ok(word) = std::env::var("CASES") {
        cases.retain(|case| case.title().contains(&word));
    }
    assert!(!cases.is_empty(), "there are no cases");
    let no_namespaces = systems.why_no_namespaces();
    if let Some(reason) = &no_namespaces {
        assert!(std::env::var_os("CI").is_none(), "no namespaces: {reason}");
        cases.retain(|case| !case.namespace);
    }
    let answers = ask_all(&cases, |case, worker| -> Result<Option<String>, String> {
        let expected = case.expected.as_ref().ok_or("it states nothing")?;
        Ok(systems.run(case, "rbox", worker)?.contradiction(expected))
    });
    let mut failed = Vec::new();
    for (case, answer) in cases.iter().zip(answers) {
        match answer {
            Ok(None) => {}
            Ok(Some(text)) | Err(text) => failed.push(format!("{}\n{text}", case.title())),
        }
    }
    assert!(failed.is_empty(), "{} of {} cases failed:\n{}", failed.len(), cases.len(), failed.join("\n"));
}
