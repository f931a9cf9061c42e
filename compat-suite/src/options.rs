//! The options of BusyBox that rbox lacks: those of its usage texts here, and those of its git head, which are data.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// A line an applet: its name, a tab, and the options in the usage of BusyBox's git head; `=` means that it takes a value.
const HEAD: &str = include_str!("../options.tsv");

/// A line an applet: its name, a tab, options that rbox refuses, a tab, and why.
const REFUSED: &str = include_str!("../options-refused.tsv");

/// Prints what is missing and not refused for a reason, and reasons that are not needed; true when there is neither.
pub fn compare(rbox: &Path, busybox: &Path) -> Result<bool, String> {
    let list = usage(rbox, &["--list"])?;
    let head: BTreeMap<&str, BTreeSet<&str>> = rows(HEAD).map(|(name, words)| (name, words.collect())).collect();
    let mut refused: BTreeMap<&str, BTreeSet<&str>> = rows(REFUSED)
        .map(|(name, words)| (name, words.take_while(|word| word.starts_with(['-', '+'])).collect()))
        .collect();
    let (mut count, mut right) = (0, true);
    for name in list.lines() {
        // The primaries of find are words, which look like clusters of characters; its cases are about them.
        if name == "find" {
            continue;
        }
        let ours = options_of(&usage(rbox, &[name, "--help"])?);
        let mut theirs: BTreeSet<String> = options_of(&usage(busybox, &[name, "--help"])?);
        theirs.extend(head.get(name).into_iter().flatten().map(|word| word.trim_end_matches('=').to_string()));
        let refused = refused.remove(name).unwrap_or_default();
        count += theirs.len();
        for option in theirs.iter().filter(|option| !ours.contains(*option) && !refused.contains(option.as_str())) {
            println!("{name} {option}: rbox lacks it");
            right = false;
        }
        for option in refused.iter().filter(|option| ours.contains(**option) || !theirs.contains(**option)) {
            println!("{name} {option}: no reason is needed");
            right = false;
        }
    }
    println!("{count} options of BusyBox looked at");
    Ok(right)
}

fn rows(text: &'static str) -> impl Iterator<Item = (&'static str, std::str::SplitWhitespace<'static>)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('\t')).map(|(name, rest)| (name, rest.split_whitespace()))
}

/// What the program prints, on either stream: BusyBox's usage goes to standard error.
fn usage(program: &Path, words: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(words).stdin(std::process::Stdio::null()).output();
    let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
    Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// The options that a usage text declares: in lines that begin with one, and in the brackets of its usage lines.
fn options_of(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let is_usage = line.starts_with("Usage: ") || line.starts_with("   or: ");
        let start = line.trim_start();
        if is_usage {
            for part in start.split(['[', '{', '|', ' ']).filter(|part| part.starts_with('-')) {
                add(part, &mut found);
            }
        } else if line != start && start.starts_with(['-', '+']) {
            let names = start.split("  ").next().unwrap_or_default().split('\t').next().unwrap_or_default();
            for name in names.split([',', ' ', '[']) {
                match name {
                    // It stands for `-1` to `-9`, which BusyBox's compressors name one by one.
                    "-NUM" => found.extend(('1'..='9').map(|digit| format!("-{digit}"))),
                    _ => add(name, &mut found),
                }
            }
        }
    }
    found
}

/// Adds `--long`, `-x`, or each character of a cluster `-xyz`.
fn add(word: &str, found: &mut BTreeSet<String>) {
    let end = word.find(|byte: char| !byte.is_ascii_alphanumeric() && !"-+@:".contains(byte)).unwrap_or(word.len());
    let word = &word[..end];
    if word.starts_with("--") && word.len() > 2 {
        found.insert(word.to_string());
    } else if let Some(characters) = word.strip_prefix('-') {
        // Capitals are the name of a value: `-nNUM`, `-SIG`.
        let is_name = |text: &str| text.len() > 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        let characters = characters.char_indices().take_while(|(at, _)| !is_name(&characters[*at..]));
        found.extend(
            characters.filter(|(_, character)| *character != '-').map(|(_, character)| format!("-{character}")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        options_of(text).into_iter().collect()
    }

    #[test]
    fn reads_usage_lines_and_option_lines() {
        assert_eq!(found("Usage: x [-ab] [-c NUM] {-d | --long} FILE"), ["--long", "-a", "-b", "-c", "-d"]);
        assert_eq!(found("text\n  -n, --lines=N  Print\n\t-w\tWidth\nnot -z"), ["--lines", "-n", "-w"]);
        assert_eq!(found("\t-nNUM\tN"), ["-n"]);
    }
}
