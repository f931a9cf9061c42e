//! The format of the cases.
//!
//! ```text
//! # A comment.
//! == counts lines and bytes
//! differs: why it must (optional)
//! against: why dash and bash are against it (optional; see `oracles.rs`)
//! needs: namespace (optional)
//! types: a line, which is typed when the terminal has been idle for a while (optional, with needs: tty)
//! head -n 2 file
//! -- 0
//! what standard output must be
//! ! what standard error must be
//! ```
//!
//! A case starts at a line `== name`. The lines up to the next one are a script for the host's `/bin/sh`. It runs in an empty
//! directory, and PATH leads every applet's name to the program under test. `await COMMAND` repeats a command until it
//! succeeds; `alone COMMAND` runs it in a session of its own and waits until no process of that session is left. A case that takes
//! longer than a minute is killed.
//!
//! A line `--` with a status begins what rbox must print: in tests/cases, where BusyBox does not run, and in cases that differ
//! from BusyBox. Lines that begin with `! ` are those of standard error, which is compared if there is at least one.
//!
//! `needs: namespace` runs it as root in a small system of its own (see `namespace.sh`), `needs: tty` on a terminal,
//! `needs: namespace tty` both; `loop` keeps other cases from the loop devices, which namespaces share.

use std::fs;
use std::path::Path;

/// One case.
#[derive(Clone, Default)]
pub struct Case {
    /// Group and applet: `coreutils/head`.
    pub file: String,
    /// What it shows.
    pub name: String,
    /// Why rbox must differ from BusyBox, if it must.
    pub differs: Option<String>,
    /// Why the other shells disagree, if they do.
    pub against: Option<String>,
    /// Whether it runs in namespaces of its own.
    pub namespace: bool,
    /// Whether it uses loop devices, which all namespaces share: no two such cases run at once.
    pub loop_device: bool,
    /// Whether it runs on a terminal.
    pub tty: bool,
    /// The lines that are typed there.
    pub types: Vec<String>,
    /// The script.
    pub script: String,
    /// What rbox must print, if that is stated.
    pub expected: Option<Expected>,
}

/// What a case must print.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The exit status, as a line.
    pub status: String,
    /// Standard output; a newline is added at its end if there is none.
    pub stdout: String,
    /// Standard error; empty if it is not compared.
    pub stderr: String,
}

impl Expected {
    /// The lines of a case that state it; the reverse of the parser.
    pub fn text(&self) -> String {
        let stderr: String = self.stderr.lines().map(|line| format!("! {line}\n")).collect();
        format!("-- {}{}{stderr}", self.status, self.stdout)
    }

    fn take(&mut self, line: &str) {
        match line.strip_prefix("! ") {
            Some(message) => self.stderr.extend([message, "\n"]),
            None => self.stdout.extend([line, "\n"]),
        }
    }
}

impl Case {
    /// File and name.
    pub fn title(&self) -> String {
        format!("{}: {}", self.file, self.name)
    }

    /// Reads a line of attributes. False if the line is part of the script. Fails for an unknown need.
    fn take_attribute(&mut self, line: &str) -> Result<bool, String> {
        if let Some(why) = line.strip_prefix("differs: ") {
            self.differs = Some(why.to_string());
        } else if let Some(why) = line.strip_prefix("against: ") {
            self.against = Some(why.to_string());
        } else if let Some(needs) = line.strip_prefix("needs: ") {
            for word in needs.split_whitespace() {
                match word {
                    "namespace" => self.namespace = true,
                    "tty" => self.tty = true,
                    "loop" => self.loop_device = true,
                    _ => return Err(format!("{}: unknown need: {word}", self.title())),
                }
            }
        } else if let Some(text) = line.strip_prefix("types: ") {
            self.types.push(text.to_string());
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

/// Reads all cases below `directory`, in the order of their file names. Fails with the file and the reason.
pub fn read_all(directory: &Path) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    for group in sorted(directory)? {
        for file in sorted(&group)? {
            let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            cases.extend(parse(&format!("{}/{}", name(&group), name(&file)), &text)?);
        }
    }
    Ok(cases)
}

/// Adds the result of `ask` to each case that differs and does not state what rbox prints. Fails if a file cannot be written.
pub fn state_all(directory: &Path, ask: &dyn Fn(&Case) -> Result<Expected, String>) -> Result<(), String> {
    for case in read_all(directory)?.iter().filter(|case| case.differs.is_some() && case.expected.is_none()) {
        let path = directory.join(&case.file).with_extension("txt");
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(failed)?;
        let start = text.find(&format!("== {}\n", case.name)).ok_or_else(|| format!("{}: not found", case.title()))?;
        let end = text[start..].find("\n== ").map_or(text.len(), |length| start + length + 1);
        let stated = format!("{}\n{}", text[..end].trim_end(), ask(case)?.text());
        fs::write(&path, stated + &text[end..]).map_err(failed)?;
    }
    Ok(())
}

fn sorted(directory: &Path) -> Result<Vec<std::path::PathBuf>, String> {
    let entries = fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

fn parse(file: &str, text: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("== ") {
            let (file, name) = (file.to_string(), name.to_string());
            cases.push(Case { file, name, ..Case::default() });
            continue;
        }
        let Some(case) = cases.last_mut() else {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            return Err(format!("{file}: a line before the first case: {line}"));
        };
        if case.script.is_empty() && case.take_attribute(line)? {
            continue;
        }
        match (&mut case.expected, line.strip_prefix("-- ")) {
            (Some(expected), _) => expected.take(line),
            (None, Some(status)) if status.parse::<u8>().is_ok() => {
                case.expected = Some(Expected { status: format!("{status}\n"), ..Expected::default() });
            }
            (None, _) => case.script.extend([line, "\n"]),
        }
    }
    if let Some(case) = cases.iter().find(|case| case.script.trim().is_empty()) {
        return Err(format!("{}: no script", case.title()));
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_have_names_attributes_and_scripts() {
        let cases =
            parse("a/b", "# note\n\n== one\necho 1\n\necho 2\n== two\ndiffers: because\ntrue\n").expect("a valid file");
        assert_eq!(cases.len(), 2);
        assert_eq!(cases[0].script, "echo 1\n\necho 2\n");
        assert_eq!(cases[1].differs.as_deref(), Some("because"));
        assert_eq!(cases[1].title(), "a/b: two");
    }

    #[test]
    fn what_must_be_printed_is_stated_after_the_script() {
        let text = "== one\necho 1\n-- 3\n1\n\n! a: b\n== two\ntrue\n";
        let cases = parse("a/b", text).expect("a valid file");
        let expected = cases[0].expected.as_ref().expect("it is stated");
        assert_eq!((expected.status.as_str(), expected.stdout.as_str()), ("3\n", "1\n\n"));
        assert_eq!(expected.text(), "-- 3\n1\n\n! a: b\n");
        assert_eq!((cases[0].script.as_str(), &cases[1].expected), ("echo 1\n", &None));
    }

    #[test]
    fn needs_are_known_words() {
        let cases = parse("a/b", "== one\nneeds: namespace tty\ntypes: root\ncat\n").expect("a valid file");
        assert!(cases[0].namespace && cases[0].tty);
        assert_eq!((cases[0].types.len(), cases[0].script.as_str()), (1, "cat\n"));
        assert!(parse("a/b", "== one\nneeds: luck\ntrue\n").is_err());
    }

    #[test]
    fn broken_files_are_errors() {
        assert!(parse("a/b", "echo 1\n== one\n").is_err());
        assert!(parse("a/b", "== one\n== two\ntrue\n").is_err());
    }
}
