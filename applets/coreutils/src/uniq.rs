//! `uniq`: keep one of several equal lines that follow each other (POSIX XCU uniq), with GNU's `-i`, `-w` and `-z`.

use rbox_core::bytes::append;
use rbox_core::io::{Input, Output};
use rbox_core::number::{PLAIN, parse_count, push_padded};
use rbox_core::prelude::*;

options! {
    "[-cduiz] [-f N] [-s N] [-w N] [FILE [OUTPUT]]

Print adjacent equal lines of FILE, or of standard input, once.

  -c, --count            Prefix lines with their count
  -d, --repeated         Print only repeated lines
  -u, --unique           Print only unrepeated lines
  -i, --ignore-case      Ignore case
  -z, --zero-terminated  Lines end with NUL, not newline
  -f, --skip-fields=N    Do not compare the first N fields
  -s, --skip-chars=N     Do not compare the next N characters
  -w, --check-chars=N    Compare at most N characters";
    COUNT = "-c",
    REPEATED = "-d",
    UNIQUE = "-u",
    IGNORE_CASE = "-i",
    ZERO = "-z",
    SKIP_FIELDS = "-f",
    SKIP_CHARS = "-s",
    CHECK_CHARS = "-w",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// Which part of a line is compared, and how.
struct Key {
    fields: usize,
    skip: usize,
    length: usize,
    ignore_case: bool,
}

impl Key {
    fn of<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        let mut rest = line;
        for _ in 0..self.fields {
            if rest.is_empty() {
                break;
            }
            let blanks = rest.iter().take_while(|&&b| b == b' ' || b == b'\t').count();
            let word = rest[blanks..].iter().take_while(|&&b| b != b' ' && b != b'\t').count();
            rest = &rest[blanks + word..];
        }
        let rest = &rest[self.skip.min(rest.len())..];
        &rest[..self.length.min(rest.len())]
    }

    fn is_same(&self, a: &[u8], b: &[u8]) -> bool {
        let (a, b) = (self.of(a), self.of(b));
        if self.ignore_case { a.eq_ignore_ascii_case(b) } else { a == b }
    }
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let count = |option, otherwise: u64| args.values(option).try_fold(otherwise, |_, word| parse_count(word, PLAIN));
    let key = Key {
        fields: count(SKIP_FIELDS, 0)? as usize,
        skip: count(SKIP_CHARS, 0)? as usize,
        length: count(CHECK_CHARS, u64::MAX)? as usize,
        ignore_case: args.has(IGNORE_CASE),
    };
    let operands = args.operands_between(0, 2)?;
    let mut input = match operands.first() {
        Some(&path) if path != b"-" => Input::open(path)?,
        _ => env.take_stdin(),
    };
    let mut output = match operands.get(1) {
        Some(&path) if path != b"-" => Some(Output::create(path)?),
        _ => None,
    };
    let end = if args.has(ZERO) { 0 } else { b'\n' };
    // A line that is printed in any case does not wait for the next one.
    let is_early = !args.has(COUNT) && !args.has(REPEATED) && !args.has(UNIQUE);
    let mut first: Vec<u8> = Vec::new();
    let mut times = 0;
    loop {
        let output = output.as_mut().unwrap_or(&mut env.stdout);
        let line = input.record_for(end, output)?;
        let text = line.map(|line| line.strip_suffix(&[end]).unwrap_or(line));
        if let Some(text) = text
            && times > 0
            && key.is_same(&first, text)
        {
            times += 1;
            continue;
        }
        let is_wanted = if times > 1 { !args.has(UNIQUE) } else { times == 1 && !args.has(REPEATED) };
        if is_wanted && !is_early {
            if args.has(COUNT) {
                let mut prefix = Vec::new();
                push_padded(&mut prefix, times, 7);
                prefix.push(b' ');
                output.write(&prefix)?;
            }
            output.write(&first)?;
            output.push(end)?;
        }
        let Some(text) = text else { break };
        if is_early {
            output.write(text)?;
            output.push(end)?;
        }
        first.clear();
        append(&mut first, text)?;
        times = 1;
    }
    if let Some(mut output) = output {
        output.flush()?;
    }
    Ok(ExitStatus::SUCCESS)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn keeps_one_of_equal_lines() {
        let uniq = |words: &[&str], stdin: &str| try_call(APPLET, words, stdin.as_bytes()).stdout;
        assert_eq!(uniq(&["uniq"], "a\na\nb\na"), "a\nb\na\n");
        assert_eq!(uniq(&["uniq", "-c"], "a\na\nb\n"), "      2 a\n      1 b\n");
        assert_eq!(uniq(&["uniq", "-d"], "a\na\nb\n"), "a\n");
        assert_eq!(uniq(&["uniq", "-u"], "a\na\nb\n"), "b\n");
        assert_eq!(uniq(&["uniq", "-i"], "a\nA\nb\n"), "a\nb\n");
        assert_eq!(uniq(&["uniq", "-f1"], "a x\nb x\nc y\n"), "a x\nc y\n");
        assert_eq!(uniq(&["uniq", "-s1", "-w1"], "axb\nbxc\n"), "axb\n");
        assert_eq!(uniq(&["uniq", "-z"], "a\0a\0"), "a\0");
        assert_eq!(uniq(&["uniq"], "\n\n"), "\n");
    }
}
