//! `csplit`: split a file where lines match (POSIX XCU csplit), with GNU's options.

use std::collections::VecDeque;

use rbox_core::bytes::{find_byte, find_byte_back};
use rbox_core::io::{Input, Output};
use rbox_core::number::parse_decimal;
use rbox_core::pattern::regex::{Flags, Regex};
use rbox_core::prelude::*;
use rbox_core::printf::Spec;
use rbox_core::sys::fs::unlink;
use rbox_core::text;

options! {
    "[-ksz] [-f PREFIX] [-n N | -b FORMAT] FILE PATTERN...

Split FILE by PATTERNs into xx00, xx01 ... and print the size of each in bytes.
A PATTERN is a line number N, /REGEX/[OFFSET] or, without a file for what is before it, %REGEX%[OFFSET];
{N} or {*} repeats the one before it N times or as often as possible.

  -b, --suffix-format=FORMAT     Number files by a printf FORMAT (%02d)
  -f, --prefix=PREFIX            Begin names with PREFIX (xx)
  -k, --keep-files               Keep the files on errors
      --suppress-matched         Leave out the lines where files are split
  -n, --digits=N                 Use N digits (2)
  -s, -q, --quiet, --silent      Print no sizes
  -z, --elide-empty-files        Leave out empty files";
    FORMAT = "-b",
    PREFIX = "-f",
    KEEP = "-k",
    SUPPRESS = "--suppress-matched",
    DIGITS = "-n",
    QUIET = "-s",
    ELIDE = "-z",
}

/// The applet. It may keep many lines, so it runs in a child.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Where a file is split.
enum Split {
    Line(u64),
    /// At the line so many lines after the next that matches; `skips` if no file is written.
    Match {
        regex: Box<Regex>,
        offset: i64,
        skips: bool,
    },
}

struct Pattern<'a> {
    word: &'a [u8],
    split: Split,
    /// How often it is used again; `None` for as often as possible.
    again: Option<u64>,
}

/// What is read, from the first line that is not written yet.
struct Lines {
    input: Input,
    held: VecDeque<Vec<u8>>,
    /// The number of the first line that is held.
    at: u64,
    /// The last line where a match was looked for, or where it split: the next match is after it.
    seen: u64,
}

/// The files that are written.
struct Files<'a> {
    prefix: &'a [u8],
    format: Option<Suffix>,
    digits: usize,
    made: Vec<Vec<u8>>,
    current: Option<(Output, u64)>,
    is_quiet: bool,
    elides: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (&name, words) = args.operands().split_first().ok_or_else(Error::usage)?;
    if words.is_empty() {
        return Err(Error::usage());
    }
    let patterns = patterns(env, words)?;
    let digits = match args.value(DIGITS) {
        None => 2,
        Some(word) => parse_decimal(word).filter(|n| *n < 256).ok_or_else(|| rbox_core::number::invalid(word))?,
    };
    let mut files = Files {
        prefix: args.value(PREFIX).unwrap_or(b"xx"),
        format: args.value(FORMAT).map(Suffix::parse).transpose()?,
        digits: digits as usize,
        made: Vec::new(),
        current: None,
        is_quiet: args.has(QUIET),
        elides: args.has(ELIDE),
    };
    let mut lines = Lines { input: env.open(name)?, held: VecDeque::new(), at: 1, seen: 0 };
    let result = split(env, &mut lines, &mut files, &patterns, args.has(SUPPRESS));
    let result = match result {
        Ok(()) => files.end(env),
        Err(error) => {
            // The first message is the one that matters.
            env.report(&error);
            let ended = files.end(env);
            ended.and(Err(Error::silent(error.status(1))))
        }
    };
    if result.is_err() && !args.has(KEEP) {
        for name in &files.made {
            // What cannot be removed stays.
            let _ = unlink(&name[..]);
        }
    }
    result.map(|()| ExitStatus::SUCCESS)
}

fn patterns<'a>(env: &mut Env, words: &[&'a [u8]]) -> Result<Vec<Pattern<'a>>> {
    let (mut patterns, mut last) = (Vec::<Pattern<'a>>::new(), 0);
    for &word in words {
        let wrong = |reason: &str| Error::parts(&[b"'", word, b"': ", reason.as_bytes()]);
        let split = match word {
            [b'/' | b'%', ..] => regex(env, word)?,
            [b'{', rest @ ..] if !patterns.is_empty() => {
                let count = rest.strip_suffix(b"}").ok_or_else(|| wrong("'}' is required in repeat count"))?;
                let number = || parse_decimal(count).ok_or_else(|| wrong("integer required between '{' and '}'"));
                let again = if count == b"*" { None } else { Some(number()?) };
                patterns.last_mut().into_iter().for_each(|pattern| pattern.again = again);
                continue;
            }
            _ => {
                let digits = word.trim_ascii_start();
                let number = parse_decimal(digits.strip_prefix(b"+").unwrap_or(digits));
                let number = number.ok_or_else(|| wrong("invalid pattern"))?;
                if number == 0 {
                    return Err(Error::parts(&[word, b": line number must be greater than zero"]));
                }
                if number < last {
                    return Err(Error::new(text!(
                        "line number '",
                        word,
                        "' is smaller than preceding line number, ",
                        last
                    )));
                }
                if number == last {
                    env.report(&Error::parts(&[
                        b"warning: line number '",
                        word,
                        b"' is the same as preceding line number",
                    ]));
                }
                last = number;
                Split::Line(number)
            }
        };
        patterns.push(Pattern { word, split, again: Some(0) });
    }
    Ok(patterns)
}

/// `/REGEX/[OFFSET]` and `%REGEX%[OFFSET]`.
fn regex(env: &Env, word: &[u8]) -> Result<Split> {
    let delimiter = word[0];
    let end = find_byte_back(delimiter, word).filter(|end| *end > 0);
    let end = end.ok_or_else(|| Error::parts(&[word, b": closing delimiter '", &[delimiter], b"' missing"]))?;
    let offset = match &word[end + 1..] {
        b"" => Some(0),
        [b'-', digits @ ..] => parse_decimal(digits).and_then(|n| i64::try_from(n).ok()).map(|n| -n),
        [b'+', digits @ ..] | digits => parse_decimal(digits).and_then(|n| i64::try_from(n).ok()),
    };
    let offset = offset.ok_or_else(|| Error::parts(&[b"'", word, b"': integer expected after delimiter"]))?;
    let flags = if env.is_utf8() { Flags::UTF8 } else { Flags::default() };
    let regex = Regex::new(&word[1..end], flags).map_err(|error| error.about(&word[1..end]))?;
    Ok(Split::Match { regex: Box::new(regex), offset, skips: delimiter == b'%' })
}

fn split(
    env: &mut Env,
    lines: &mut Lines,
    files: &mut Files<'_>,
    patterns: &[Pattern<'_>],
    suppresses: bool,
) -> Result<()> {
    for pattern in patterns {
        let mut round = 0;
        while pattern.again.is_none_or(|again| round <= again) {
            let is_found = match &pattern.split {
                Split::Line(number) => {
                    files.begin()?;
                    lines.write_until(files, number.saturating_mul(round + 1))?
                        // GNU: a line that is left out need not be there.
                        && (suppresses || lines.peek(0)?.is_some())
                }
                Split::Match { regex, offset, skips } => {
                    if !skips {
                        files.begin()?;
                    }
                    match lines.find(files, regex, (*offset).min(0).unsigned_abs())? {
                        None => {
                            lines.write_until(files, u64::MAX)?;
                            if pattern.again.is_none() {
                                return if *skips { files.end(env) } else { Ok(()) };
                            }
                            return Err(out(pattern, round, "match not found"));
                        }
                        Some(at) => {
                            let split = at.checked_add_signed(*offset).filter(|split| *split >= lines.at);
                            lines.seen = at.max(split.unwrap_or(0));
                            split.is_some() && lines.write_until(files, split.unwrap_or(0))?
                        }
                    }
                }
            };
            if !is_found {
                let round = if let Split::Line(_) = pattern.split { round } else { 0 };
                return Err(out(pattern, round, "line number out of range"));
            }
            files.end(env)?;
            if suppresses {
                lines.take()?;
            }
            round += 1;
        }
    }
    files.begin()?;
    lines.write_until(files, u64::MAX)?;
    Ok(())
}

fn out(pattern: &Pattern<'_>, round: u64, reason: &str) -> Error {
    let on = if round == 0 { Vec::new() } else { text!(" on repetition ", round) };
    Error::new(text!("'", pattern.word, "': ", reason, on))
}

impl Lines {
    /// The line so many after the first that is held; `None` after the end.
    fn peek(&mut self, ahead: usize) -> Result<Option<&[u8]>> {
        while self.held.len() <= ahead {
            match self.input.record(b'\n')? {
                None => return Ok(None),
                Some(line) => self.held.push_back(line.to_vec()),
            }
        }
        Ok(self.held.get(ahead).map(Vec::as_slice))
    }

    fn take(&mut self) -> Result<Option<Vec<u8>>> {
        if self.peek(0)?.is_none() {
            return Ok(None);
        }
        self.at += 1;
        Ok(self.held.pop_front())
    }

    /// Writes the lines before line `end` to the file, if there is one. False if the input ends before.
    fn write_until(&mut self, files: &mut Files<'_>, end: u64) -> Result<bool> {
        while self.at < end {
            let Some(line) = self.take()? else { return Ok(false) };
            files.write(&line)?;
        }
        Ok(true)
    }

    /// The number of the next line that matches. All lines but the last `kept` before it are written meanwhile.
    fn find(&mut self, files: &mut Files<'_>, regex: &Regex, kept: u64) -> Result<Option<u64>> {
        let mut number = self.at.max(self.seen + 1);
        loop {
            let ahead = usize::try_from(number - self.at).map_err(|_| Error::out_of_memory())?;
            let Some(line) = self.peek(ahead)? else { return Ok(None) };
            let is_match = regex.is_match(line.strip_suffix(b"\n").unwrap_or(line));
            regex.check()?;
            if is_match {
                return Ok(Some(number));
            }
            number += 1;
            self.write_until(files, number.saturating_sub(kept))?;
        }
    }
}

impl Files<'_> {
    /// Begins the next file.
    fn begin(&mut self) -> Result<()> {
        let number = self.made.len() as u64;
        let suffix = match &self.format {
            Some(format) => format.apply(number),
            None => {
                let digits = text!(number);
                [vec![b'0'; self.digits.saturating_sub(digits.len())], digits].concat()
            }
        };
        let name = [self.prefix, &suffix].concat();
        self.current = Some((Output::create(&name)?, 0));
        self.made.push(name);
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> Result<()> {
        let Some((output, size)) = &mut self.current else { return Ok(()) };
        *size += line.len() as u64;
        output.write(line)
    }

    /// Ends the file that is written, if any, and prints its size.
    fn end(&mut self, env: &mut Env) -> Result<()> {
        let Some((mut output, size)) = self.current.take() else { return Ok(()) };
        output.flush()?;
        if size == 0 && self.elides {
            let name = self.made.pop().unwrap_or_default();
            return unlink(&name[..]).map_err(|errno| Error::cannot("remove", &name, errno));
        }
        if self.is_quiet {
            return Ok(());
        }
        env.stdout.write(&text!(size, "\n"))
    }
}

/// The format of `-b`: `%[-0#'][WIDTH][.PRECISION]` and one of `diuoxX`.
struct Suffix {
    before: Vec<u8>,
    spec: Spec,
    letter: u8,
    after: Vec<u8>,
}

impl Suffix {
    fn parse(format: &[u8]) -> Result<Self> {
        let missing = || Error::new("missing % conversion specification in suffix");
        let (before, rest) = literal(format);
        let rest = rest.ok_or_else(missing)?;
        let grouped = rest.iter().take_while(|byte| b"-0#'".contains(byte)).count();
        // The locale has no groups of digits.
        let flags: Vec<u8> = rest[..grouped].iter().copied().filter(|&byte| byte != b'\'').collect();
        let rest = [&flags, &rest[grouped..]].concat();
        let mut at = 0;
        let has_sign = matches!(rest.get(flags.len()), Some(b'+' | b' '));
        let spec = Spec::read(&rest, &mut at, &mut || 0);
        if has_sign {
            at = flags.len();
        }
        let letter = *rest.get(at).ok_or_else(|| Error::new("missing conversion specifier in suffix"))?;
        if !b"diuoxX".contains(&letter) || rest[..at].contains(&b'*') {
            return Err(Error::parts(&[b"invalid conversion specifier in suffix: ", &[letter]]));
        }
        spec.reserve(&mut Vec::new())?;
        match literal(&rest[at + 1..]) {
            (after, None) => Ok(Self { before, spec, letter, after }),
            _ => Err(Error::new("too many % conversion specifications in suffix")),
        }
    }

    fn apply(&self, number: u64) -> Vec<u8> {
        let mut name = self.before.clone();
        let letter = if matches!(self.letter, b'd' | b'i') { b'u' } else { self.letter };
        self.spec.push_unsigned(&mut name, number, letter);
        name.extend_from_slice(&self.after);
        name
    }
}

/// The text up to a conversion, `%%` as `%`, and what follows its `%`.
fn literal(mut format: &[u8]) -> (Vec<u8>, Option<&[u8]>) {
    let mut text = Vec::new();
    loop {
        let at = find_byte(b'%', format).unwrap_or(format.len());
        text.extend_from_slice(&format[..at]);
        match format.get(at + 1) {
            Some(b'%') => {
                text.push(b'%');
                format = &format[at + 2..];
            }
            _ => return (text, format.get(at + 1..)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Suffix;

    #[test]
    fn suffixes_are_formats() {
        let apply = |format: &[u8], number| Suffix::parse(format).ok().map(|suffix| suffix.apply(number));
        assert_eq!(apply(b"a%03x%%", 26), Some(b"a01a%".to_vec()));
        assert_eq!(apply(b"%-3d.", 7), Some(b"7  .".to_vec()));
        assert_eq!(apply(b"%'u", 7), Some(b"7".to_vec()));
        for format in [&b"a"[..], b"%%", b"%d%d", b"%s", b"%+d", b"%", b"%*d"] {
            assert_eq!(apply(format, 1), None);
        }
    }
}
