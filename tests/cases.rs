//! Runs the cases below tests/cases: what a standard or we decide, expected output written down.
//!
//! ```text
//! == name
//! script for the host's /bin/sh, in a fresh directory, where the applets' names lead to rbox
//! -- status
//! standard output
//! ```

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

const RBOX: &str = env!("CARGO_BIN_EXE_rbox");

struct Case {
    name: String,
    script: String,
    status: i32,
    stdout: String,
}

fn parse(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut expected = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("== ") {
            cases.push(Case { name: name.to_string(), script: String::new(), status: -1, stdout: String::new() });
            expected = false;
            continue;
        }
        let Some(case) = cases.last_mut() else {
            assert!(line.is_empty() || line.starts_with('#'), "a line before the first case: {line}");
            continue;
        };
        match line.strip_prefix("-- ") {
            Some(status) if !expected => {
                case.status = status.parse().expect("a status after --");
                expected = true;
            }
            _ if expected => case.stdout.extend([line, "\n"]),
            _ => case.script.extend([line, "\n"]),
        }
    }
    cases
}

fn run(case: &Case, scratch: &Path, links: &Path) -> Result<(), String> {
    let directory = scratch.join("work");
    fs::create_dir(&directory).expect("a fresh directory");
    let output = Command::new("/bin/sh")
        .args(["-c", &case.script])
        .current_dir(&directory)
        .env_clear()
        .envs([("PATH", format!("{}:/usr/bin:/bin", links.display()).as_str()), ("TZ", "UTC"), ("LC_ALL", "C")])
        .stdin(Stdio::null())
        .output()
        .expect("the shell starts");
    fs::remove_dir_all(&directory).expect("the directory goes");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.code() == Some(case.status) && stdout == case.stdout {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!(
        "{}: {:?}\n{stdout}--- expected {}\n{}--- stderr\n{stderr}",
        case.name,
        output.status.code(),
        case.status,
        case.stdout
    ))
}

#[test]
fn cases_give_what_is_written_down() {
    let scratch = std::env::temp_dir().join(format!("rbox-cases.{}", std::process::id()));
    let links = scratch.join("bin");
    fs::create_dir_all(&links).expect("a fresh directory");
    let list = Command::new(RBOX).arg("--list").output().expect("rbox starts").stdout;
    for name in String::from_utf8(list).expect("names are ASCII").lines() {
        symlink(RBOX, links.join(name)).expect("a link");
    }
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases");
    let (mut count, mut failed) = (0, Vec::new());
    for group in fs::read_dir(cases).expect("the directory of cases") {
        let group = group.expect("a group");
        // Those run on a terminal: see pty.rs.
        if group.file_name() == "pty" {
            continue;
        }
        for file in fs::read_dir(group.path()).expect("a group's directory") {
            let file = file.expect("a file").path();
            for case in parse(&fs::read_to_string(&file).expect("a readable file")) {
                count += 1;
                if let Err(message) = run(&case, &scratch, &links) {
                    failed.push(format!("{}: {message}", file.display()));
                }
            }
        }
    }
    fs::remove_dir_all(&scratch).expect("the directory goes");
    assert!(count > 0, "there are no cases");
    assert!(failed.is_empty(), "{} of {count} cases failed:\n{}", failed.len(), failed.join("\n"));
}
