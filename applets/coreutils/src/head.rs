//! `head`: copy the first part of files (POSIX XCU head), with GNU's `-c` and counts from the end.

use rbox_core::bytes::{append, find_bytes, through_lines};
use rbox_core::io::{self, Input};
use rbox_core::number::{SIZE_SUFFIXES, parse_count};
use rbox_core::prelude::*;

options! {
    "[-qv] [-n [-]N | -c [-]N] [FILE]...

Print the first 10 lines of each FILE, or of standard input.
Precede each of several FILEs by a header with its name.

  -n, --lines=[-]N       Print the first N lines; with -, all but the last N
  -c, --bytes=[-]N       Print the first N bytes; with -, all but the last N
  -q, --quiet, --silent  Print no headers
  -v, --verbose          Print headers always
  -NUM                   Same as -n NUM

Suffixes of N: b (512), k (1024), m (1024k), g, t.";
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
            Amount::Bytes(count) => io::copy_part(input, &mut env.stdout, count),
            Amount::AllButLines(count) => print_all_but(env, input, count, true),
            Amount::AllButBytes(count) => print_all_but(env, input, count, false),
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
            None => (word.strip_prefix(b"+").unwrap_or(word), false),
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

fn print_lines(env: &mut Env, input: &mut Input, mut left: u64) -> Result<()> {
    while left > 0 {
        let content = input.fill_for(&mut env.stdout)?;
        if content.is_empty() {
            break;
        }
        let length = through_lines(content, &mut left);
        env.stdout.write(&content[..length])?;
        input.consume(length);
    }
    Ok(())
}

/// Prints all but the last `count` lines or bytes: holds them back, and gives them back at the end.
fn print_all_but(env: &mut Env, input: &mut Input, count: u64, is_lines: bool) -> Result<()> {
    // What is held back is `held[start..]`.
    let (mut held, mut start, mut newlines) = (Vec::new(), 0, 0);
    loop {
        let content = input.fill_for(&mut env.stdout)?;
        if content.is_empty() {
            break;
        }
        newlines += if is_lines { find_bytes(b'\n', content).count() as u64 } else { 0 };
        append(&mut held, content)?;
        let length = content.len();
        input.consume(length);
        let waiting = &held[start..];
        let length = if is_lines {
            // The line that has begun counts, too.
            let excess = (newlines + u64::from(!held.ends_with(b"\n"))).saturating_sub(count).min(newlines);
            newlines -= excess;
            match excess {
                0 => 0,
                excess => find_bytes(b'\n', waiting).nth(excess as usize - 1).map_or(0, |at| at + 1),
            }
        } else {
            (waiting.len() as u64).saturating_sub(count) as usize
        };
        env.stdout.write(&waiting[..length])?;
        start += length;
        if start > held.len() / 2 {
            held.drain(..start);
            start = 0;
        }
    }
    if is_lines && count == 0 {
        env.stdout.write(&held[start..])?;
        start = held.len();
    }
    input.give_back(held.len() - start);
    Ok(())
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
