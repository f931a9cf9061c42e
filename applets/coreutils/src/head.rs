//! `head`: copy the first part of files (POSIX XCU head), with GNU's `-c` and counts from the end.

use std::collections::VecDeque;

use rbox_core::io::Input;
use rbox_core::number::{SIZE_SUFFIXES, parse_count};
use rbox_core::prelude::*;

options! {
    "[-qv] [-n [-]N | -c [-]N] [FILE]...

Print the first 10 lines of each FILE, or of standard input, to standard output.
With more than one FILE, a header with its name goes before each.

  -n, --lines=[-]N      Print the first N lines, or with - all but the last N
  -c, --bytes=[-]N      Print the first N bytes, or with - all but the last N
  -q, --quiet, --silent  Print no headers
  -v, --verbose         Print headers always
  -NUM                  As -n NUM

N may end in b (512), k (1024), m (1024k), g or t.";
    LINES = "-n",
    BYTES = "-c",
    QUIET = "-q",
    VERBOSE = "-v",
    NUMBER = "-NUM",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// How much to print.
#[derive(Clone, Copy)]
enum Amount {
    Lines(u64),
    Bytes(u64),
    AllButLines(u64),
    AllButBytes(u64),
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let amount = amount(args)?;
    let headers = match args.last_of(&[QUIET, VERBOSE]) {
        Some(last) => last == VERBOSE,
        None => args.operands().len() > 1,
    };
    let mut first = true;
    env.for_each_input(args.operands(), &mut |env, input| {
        if headers {
            let lead = if first { &b"==> "[..] } else { b"\n==> " };
            env.stdout.write(&[lead, input.name(), b" <==\n"].concat())?;
            first = false;
        }
        match amount {
            Amount::Lines(count) => print_lines(env, input, count),
            Amount::Bytes(count) => print_bytes(env, input, count),
            Amount::AllButLines(count) => print_all_but_lines(env, input, count),
            Amount::AllButBytes(count) => print_all_but_bytes(env, input, count),
        }
    })
}

fn amount(args: &Args<'_>) -> Result<Amount> {
    let mut amount = Amount::Lines(10);
    // The last one counts, but every one must be a number.
    for &(option, value) in args.found() {
        let Some(word) = value else { continue };
        let (digits, from_end) = match word.strip_prefix(b"-") {
            Some(digits) => (digits, true),
            None => (word, false),
        };
        let count = parse_count(digits, SIZE_SUFFIXES)?;
        amount = match (option == BYTES, from_end) {
            (false, false) => Amount::Lines(count),
            (true, false) => Amount::Bytes(count),
            (false, true) => Amount::AllButLines(count),
            (true, true) => Amount::AllButBytes(count),
        };
    }
    Ok(amount)
}

fn print_lines(env: &mut Env, input: &mut Input, count: u64) -> Result<()> {
    for _ in 0..count {
        let Some(line) = input.record(b'\n')? else { break };
        env.stdout.write(line)?;
    }
    Ok(())
}

fn print_bytes(env: &mut Env, input: &mut Input, mut left: u64) -> Result<()> {
    while left > 0 {
        let content = input.fill()?;
        if content.is_empty() {
            break;
        }
        let count = content.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        env.stdout.write(&content[..count])?;
        input.consume(count);
        left -= count as u64;
    }
    Ok(())
}

/// Holds back as many lines as are not to be printed; a line goes out when another takes its place.
fn print_all_but_lines(env: &mut Env, input: &mut Input, count: u64) -> Result<()> {
    let mut held = VecDeque::new();
    while let Some(line) = input.record(b'\n')? {
        held.push_back(line.to_vec());
        if held.len() as u64 > count {
            env.stdout.write(&held.pop_front().unwrap_or_default())?;
        }
    }
    Ok(())
}

fn print_all_but_bytes(env: &mut Env, input: &mut Input, count: u64) -> Result<()> {
    let mut held: VecDeque<u8> = VecDeque::new();
    loop {
        let content = input.fill()?;
        if content.is_empty() {
            return Ok(());
        }
        held.extend(content);
        let length = content.len();
        input.consume(length);
        let excess = (held.len() as u64).saturating_sub(count) as usize;
        let (front, back) = held.as_slices();
        let from_front = excess.min(front.len());
        env.stdout.write(&front[..from_front])?;
        env.stdout.write(&back[..excess - from_front])?;
        held.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    fn head(words: &[&str], stdin: &[u8]) -> String {
        try_call(APPLET, words, stdin).stdout
    }

    #[test]
    fn prints_ten_lines_without_options() {
        assert_eq!(head(&["head"], b"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n"), "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
    }

    #[test]
    fn counts_lines_and_bytes() {
        assert_eq!(head(&["head", "-n2"], b"a\nb\nc\n"), "a\nb\n");
        assert_eq!(head(&["head", "-1"], b"a\nb\nc\n"), "a\n");
        assert_eq!(head(&["head", "-c", "3"], b"abcdef"), "abc");
    }

    #[test]
    fn leaves_out_the_last() {
        assert_eq!(head(&["head", "-n", "-2"], b"a\nb\nc\n"), "a\n");
        assert_eq!(head(&["head", "-c-2"], b"abcdef"), "abcd");
    }

    #[test]
    fn names_a_wrong_count() {
        let ran = try_call(APPLET, &["head", "-n", "x"], b"");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "head: invalid number 'x'\n"));
    }
}
