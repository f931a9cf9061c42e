//! `nl`: number lines (POSIX XCU nl).

use rbox_core::io::{Chunk, Input, Output};
use rbox_core::number::parse_c;
use rbox_core::pattern::regex::{Flags, Regex};
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::text::{Left, Push as _, Right};

options! {
    "[-p] [-b STYLE] [-d CC] [-f STYLE] [-h STYLE] [-i N] [-l N] [-n FORMAT] [-s STRING] [-v N] [-w N] [FILE]...

Print each FILE, or standard input, with numbered lines.
A line of CC three times, twice or once starts the header, body or footer of a page.
STYLE is a (all lines), t (nonempty lines), n (none) or pREGEX (matching lines).

  -b, --body-numbering=STYLE     Number body lines by STYLE (t)
  -d, --section-delimiter=CC     Delimit sections by two characters (\\:)
  -f, --footer-numbering=STYLE   Number footer lines by STYLE (n)
  -h, --header-numbering=STYLE   Number header lines by STYLE (n)
  -i, --line-increment=N         Increment by N (1)
  -l, --join-blank-lines=N       Count N empty lines as one (1)
  -n, --number-format=FORMAT     Align ln (left), rn (right, default) or rz (right, with zeros)
  -p, --no-renumber              Do not reset numbers on a new page
  -s, --number-separator=STRING  Print STRING after numbers (tab)
  -v, --starting-line-number=N   Start at N (1)
  -w, --number-width=N           Width of numbers in columns (6)";
    BODY = "-b",
    DELIMITER = "-d",
    FOOTER = "-f",
    HEADER = "-h",
    INCREMENT = "-i",
    JOIN = "-l",
    FORMAT = "-n",
    NO_RENUMBER = "-p",
    SEPARATOR = "-s",
    START = "-v",
    WIDTH = "-w",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// Which lines of a section are numbered.
enum Style {
    All,
    Filled,
    None,
    Matching(Box<Regex>),
}

/// What does not change from line to line.
struct Numbering<'a> {
    /// Of the footer, the body and the header, by how often the delimiter is in the line that begins them, less 1.
    styles: [Style; 3],
    delimiter: Vec<u8>,
    increment: i64,
    join: i64,
    format: &'a [u8],
    separator: &'a [u8],
    width: usize,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let utf8 = env.is_utf8();
    let style = |option, otherwise: &'static [u8]| style(args.value(option).unwrap_or(otherwise), utf8);
    let number = |option, otherwise: i64, least: i64| match args.value(option) {
        None => Ok(otherwise),
        Some(word) => {
            let decimal = word.strip_prefix(b"-").unwrap_or(word).iter().all(u8::is_ascii_digit);
            let value = if decimal { parse_decimal_signed(word) } else { None };
            value.filter(|value| *value >= least).ok_or_else(|| rbox_core::number::invalid(word))
        }
    };
    let mut delimiter = args.value(DELIMITER).unwrap_or(b"\\:").to_vec();
    if delimiter.len() == 1 {
        delimiter.push(b':');
    }
    let numbering = Numbering {
        styles: [style(FOOTER, b"n")?, style(BODY, b"t")?, style(HEADER, b"n")?],
        delimiter,
        increment: number(INCREMENT, 1, i64::MIN)?,
        join: number(JOIN, 1, 1)?,
        format: match args.value(FORMAT) {
            None => b"rn",
            Some(word @ (b"ln" | b"rn" | b"rz")) => word,
            Some(word) => return Err(Error::parts(&[b"invalid line numbering format '", word, b"'"])),
        },
        separator: args.value(SEPARATOR).unwrap_or(b"\t"),
        width: number(WIDTH, 6, 0)?.min(1 << 16) as usize,
    };
    let start = number(START, 1, i64::MIN)?;
    let (mut next, mut section, mut empty) = (start, 1, 0);
    let blanks = vec![b' '; numbering.width + numbering.separator.len()];
    let mut text = Vec::new();
    env.for_each_input(args.operands(), &mut |env, input| {
        // A line that is longer than the buffer comes in chunks, unless an expression needs all of it.
        let mut goes_on = false;
        loop {
            let is_matched = matches!(numbering.styles[section], Style::Matching(_));
            let chunk = match is_matched && !goes_on {
                true => whole_line(input, &mut env.stdout)?,
                false => input.chunk(b'\n', &mut env.stdout)?,
            };
            let Some(Chunk { bytes: line, ends }) = chunk else { break };
            if core::mem::replace(&mut goes_on, !ends) {
                env.stdout.write(line)?;
                if ends {
                    env.stdout.push(b'\n')?;
                }
                continue;
            }
            if let Some(begun) = numbering.section(line) {
                (section, empty) = (begun, 0);
                if !args.has(NO_RENUMBER) {
                    next = start;
                }
                env.stdout.push(b'\n')?;
                goes_on = false;
                continue;
            }
            empty = if line.is_empty() { empty + 1 } else { 0 };
            let is_numbered = match &numbering.styles[section] {
                Style::All => !line.is_empty() || empty % numbering.join == 0,
                Style::Filled => !line.is_empty(),
                Style::None => false,
                Style::Matching(regex) => {
                    let is_match = regex.is_match(line);
                    regex.check()?;
                    is_match
                }
            };
            text.clear();
            if is_numbered {
                numbering.push_number(next, &mut text);
                text.extend_from_slice(numbering.separator);
                next = next.checked_add(numbering.increment).ok_or_else(|| Error::new("line number overflow"))?;
            } else {
                text.extend_from_slice(&blanks);
            }
            text.extend_from_slice(line);
            if ends {
                text.push(b'\n');
            }
            env.stdout.write(&text)?;
        }
        if goes_on { env.stdout.push(b'\n') } else { Ok(()) }
    })
}

/// The next line, all of it, as one chunk.
fn whole_line<'a>(input: &'a mut Input, output: &mut Output) -> Result<Option<Chunk<'a>>> {
    let record = input.record_for(b'\n', output)?;
    Ok(record.map(|line| match line.strip_suffix(b"\n") {
        Some(bytes) => Chunk { bytes, ends: true },
        None => Chunk { bytes: line, ends: false },
    }))
}

/// A decimal number, whose leading zeros do not make it octal.
fn parse_decimal_signed(word: &[u8]) -> Option<i64> {
    let (sign, digits) = match word.strip_prefix(b"-") {
        Some(digits) => (&b"-"[..], digits),
        None => (&b""[..], word),
    };
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    let digits = if zeros == digits.len() { &digits[zeros.saturating_sub(1)..] } else { &digits[zeros..] };
    parse_c(&[sign, digits].concat())
}

fn style(word: &[u8], utf8: bool) -> Result<Style> {
    Ok(match word {
        b"a" => Style::All,
        b"t" => Style::Filled,
        b"n" => Style::None,
        [b'p', pattern @ ..] => {
            let flags = if utf8 { Flags::UTF8 } else { Flags::NONE };
            Style::Matching(Box::new(Regex::new(pattern, flags).map_err(|error| error.about(pattern))?))
        }
        _ => return Err(Error::parts(&[b"invalid numbering style '", word, b"'"])),
    })
}

impl Numbering<'_> {
    /// The section that the line begins.
    fn section(&self, line: &[u8]) -> Option<usize> {
        // An empty delimiter is nowhere.
        if self.delimiter.is_empty() || !line.starts_with(&self.delimiter) {
            return None;
        }
        let times = line.len() / self.delimiter.len();
        (times <= 3 && line == self.delimiter.repeat(times)).then(|| times - 1)
    }

    fn push_number(&self, number: i64, out: &mut Vec<u8>) {
        match self.format {
            b"ln" => Left(number, self.width).push_to(out),
            b"rz" if number < 0 => {
                push!(*out, "-", Right(number.unsigned_abs(), self.width.saturating_sub(1), b'0'));
            }
            b"rz" => Right(number, self.width, b'0').push_to(out),
            _ => Right(number, self.width, b' ').push_to(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    fn nl(words: &[&str], stdin: &str) -> String {
        try_call(APPLET, words, stdin.as_bytes()).stdout
    }

    #[test]
    fn numbers_lines_that_are_not_empty() {
        assert_eq!(nl(&["nl"], "a\n\nb"), "     1\ta\n       \n     2\tb\n");
        assert_eq!(nl(&["nl", "-ba", "-w3", "-s:", "-i2", "-v08"], "a\n\n"), "  8:a\n 10:\n");
    }

    #[test]
    fn pages_have_sections() {
        let text = "\\:\\:\\:\nh\n\\:\\:\nb\n\\:\nf\n";
        assert_eq!(nl(&["nl", "-w1", "-s "], text), "\n  h\n\n1 b\n\n  f\n");
        assert_eq!(nl(&["nl", "-w1", "-s ", "-p", "-ha", "-fa"], text), "\n1 h\n\n2 b\n\n3 f\n");
    }

    #[test]
    fn numbers_have_forms() {
        assert_eq!(nl(&["nl", "-nln", "-w3"], "a\n"), "1  \ta\n");
        assert_eq!(nl(&["nl", "-nrz", "-w4", "-v-3"], "a\n"), "-003\ta\n");
        assert_eq!(nl(&["nl", "-ba", "-l2", "-w1"], "\n\n\na\n"), "  \n1\t\n  \n2\ta\n");
        assert_eq!(nl(&["nl", "-bpx*b", "-w1"], "ab\nc\n"), "1\tab\n  c\n");
    }

    #[test]
    fn names_what_is_wrong() {
        assert_eq!(try_call(APPLET, &["nl", "-v", "x"], b"").stderr, "nl: invalid number 'x'\n");
        assert_eq!(try_call(APPLET, &["nl", "-b", "x"], b"").stderr, "nl: invalid numbering style 'x'\n");
        assert_eq!(try_call(APPLET, &["nl", "-v9223372036854775807"], b"a\nb\n").status, 1);
    }
}
