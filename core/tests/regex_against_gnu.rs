//! Random expressions and texts: the matches that `grep -o` of GNU finds must be ours.
//!
//! `cargo test -p rbox-core --test regex_against_gnu -- --ignored --nocapture`; SEED chooses where to begin.

use std::io::Write;
use std::process::{Command, Stdio};

use rbox_core::pattern::regex::{Exec, Flags, Regex};

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn expression(random: &mut Random, depth: u32) -> String {
    let mut text = String::new();
    for _ in 0..1 + random.below(3) {
        let atom = match random.below(16) {
            0..=5 => ["a", "b", "c"][random.below(3) as usize].to_string(),
            6 => ".".to_string(),
            7 => ["[ab]", "[^a]", "[[:alpha:]]", "[b-c]"][random.below(4) as usize].to_string(),
            8 => ["^", "$", "\\<", "\\>", "\\b", "\\B", "\\w", "\\W"][random.below(8) as usize].to_string(),
            9..=13 if depth > 0 => format!("({})", expression(random, depth - 1)),
            _ => "é".to_string(),
        };
        text.push_str(&atom);
        let is_place = ["^", "$", "\\<", "\\>", "\\b", "\\B"].contains(&atom.as_str());
        if !is_place {
            text.push_str(["", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,2}"][random.below(9) as usize]);
        }
    }
    if depth > 0 && random.below(3) == 0 {
        text.push('|');
        text.push_str(&expression(random, depth - 1));
    }
    text
}

fn lines(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..8 {
        for _ in 0..random.below(9) {
            text.push_str(["a", "b", "c", " ", "é", "a", "b"][random.below(7) as usize]);
        }
        text.push('\n');
    }
    text
}

fn gnu(pattern: &str, text: &str, option: &str) -> Option<String> {
    let mut child = Command::new("grep")
        .args(["-on", option, "-e", pattern])
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(text.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    (output.status.code() != Some(2)).then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn ours(pattern: &str, text: &str, flags: Flags) -> Option<String> {
    let regex = Regex::new(pattern.as_bytes(), flags | Flags::UTF8 | Flags::LINES).ok()?;
    let mut found = String::new();
    for (number, line) in text.lines().enumerate() {
        let mut at = 0;
        while let Some((begin, end)) = regex.find_at(line.as_bytes(), at, Exec::default()) {
            if begin < end {
                found.push_str(&format!("{}:{}\n", number + 1, &line[begin..end]));
                at = end;
            } else {
                at = begin + line[begin..].chars().next().map_or(1, char::len_utf8);
            }
        }
        assert_eq!(
            regex.is_match(line.as_bytes()),
            regex.find_at(line.as_bytes(), 0, Exec::default()).is_some(),
            "{pattern}"
        );
    }
    Some(found)
}

#[test]
#[ignore = "takes minutes and needs GNU grep"]
fn finds_what_gnu_grep_finds() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_260_101_u64);
    let count: u64 = std::env::var("COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(1000);
    println!("SEED={seed}");
    let mut random = Random(seed);
    let mut differing = 0_u64;
    for _ in 0..count {
        let pattern = expression(&mut random, 2);
        let text = lines(&mut random);
        for (option, flags) in [
            ("-E", Flags::EXTENDED),
            ("-Ei", Flags::EXTENDED | Flags::FOLD_CASE),
            ("-G", Flags::NONE),
            ("-Ex", Flags::EXTENDED | Flags::WHOLE_LINE),
        ] {
            let (theirs, ours) = (gnu(&pattern, &text, option), ours(&pattern, &text, flags));
            if theirs != ours {
                differing += 1;
                println!("grep -on {option} '{pattern}'\n text {text:?}\n gnu  {theirs:?}\n ours {ours:?}");
            }
        }
    }
    // glibc itself goes wrong where `^`, `$` or `\\<` is inside an interval: look at what is printed.
    assert!(differing * 100 < count, "{differing} of {count} differ");
}
