//! `cut`: print parts of each line (POSIX XCU cut), with BusyBox's `-F`, `-D` and `-O` and GNU's `--complement`, `-z`.

use rbox_core::bytes::{append, find_bytes};
use rbox_core::io::Input;
use rbox_core::number::parse_decimal;
use rbox_core::pattern::regex::{Exec, Flags, Regex};
use rbox_core::prelude::*;

options! {
    "{-b | -c | -f | -F} LIST [-nsDz] [-d SEP] [-O SEP] [FILE]...

Print selected parts of each line of the FILEs, or of standard input.
LIST is numbers and ranges, separated by commas: 1,3-5,7-

  -b, --bytes=LIST            Select bytes
  -c, --characters=LIST       Select characters
  -f, --fields=LIST           Select fields
  -F LIST                     Select fields; SEP is a regular expression
  -d, --delimiter=SEP         Separate fields at SEP (tab; blanks with -F)
  -O, --output-delimiter=SEP  Print SEP between fields (same as -d; space with -F)
  -s, --only-delimited        Omit lines without SEP
  -D                          Print in the order of LIST, with repetitions
      --complement            Select what is not in LIST
  -z, --zero-terminated       Lines end with NUL, not newline
  -n                          Never split a character, which is the default (POSIX)";
    BYTES = "-b",
    CHARACTERS = "-c",
    FIELDS = "-f",
    FIELDS_BETWEEN = "-F",
    DELIMITER = "-d",
    OUTPUT_DELIMITER = "-O",
    ONLY_DELIMITED = "-s",
    IN_ORDER = "-D",
    COMPLEMENT = "--complement",
    ZERO = "-z",
    NOT_PARTED = "-n",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// From the first to the last, both counted from 0, the last not included.
type Range = (usize, usize);

/// What is cut from a line.
enum Parts {
    Bytes,
    Characters,
    Fields(u8),
    FieldsBetween(Box<Regex>),
}

struct Cut {
    parts: Parts,
    list: Vec<Range>,
    separator: Option<Vec<u8>>,
    only_delimited: bool,
    /// Parts come in the order of the list, so that the line is needed whole.
    in_order: bool,
    end: u8,
    /// Where the parts of the line begin and end, if they are not found one by one.
    places: Vec<Range>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    // POSIX XCU cut: -n keeps characters whole with -b, which -c does always.
    let _ = args.has(NOT_PARTED);
    let kinds = [BYTES, CHARACTERS, FIELDS, FIELDS_BETWEEN];
    let Some(kind) = args.last_of(&kinds) else {
        return Err(Error::new("expected a list of bytes, characters, or fields"));
    };
    if kinds.iter().map(|&kind| args.times(kind)).sum::<usize>() > 1 {
        return Err(Error::usage());
    }
    if matches!(kind, BYTES | CHARACTERS) {
        if args.has(ONLY_DELIMITED) {
            return Err(Error::new("suppressing non-delimited lines makes sense only when operating on fields"));
        }
        if args.has(DELIMITER) {
            return Err(Error::new("a delimiter may be specified only when operating on fields"));
        }
    }
    let list = list(args.value(kind).unwrap_or_default(), args)?;
    let utf8 = env.is_utf8();
    let delimiter = args.value(DELIMITER);
    let parts = match kind {
        CHARACTERS if utf8 => Parts::Characters,
        BYTES | CHARACTERS => Parts::Bytes,
        FIELDS => Parts::Fields(match delimiter {
            None => b'\t',
            Some([]) => 0,
            Some([byte]) => *byte,
            Some(_) => return Err(Error::new("the delimiter must be a single character")),
        }),
        _ => {
            let pattern = delimiter.unwrap_or(b"[[:space:]][[:space:]]*");
            let flags = if utf8 { Flags::UTF8 } else { Flags::NONE };
            Parts::FieldsBetween(Box::new(Regex::new(pattern, flags).map_err(|error| error.about(pattern))?))
        }
    };
    let separator = match (args.value(OUTPUT_DELIMITER), &parts) {
        (Some(separator), _) => Some(separator.to_vec()),
        (None, Parts::Fields(byte)) => Some(vec![*byte]),
        (None, Parts::FieldsBetween(_)) => Some(b" ".to_vec()),
        (None, _) => None,
    };
    let end = if args.has(ZERO) { 0 } else { b'\n' };
    let only_delimited = args.has(ONLY_DELIMITED);
    let in_order = args.has(IN_ORDER);
    let mut cut = Cut { parts, list, separator, only_delimited, in_order, end, places: Vec::new() };
    env.for_each_input(args.operands(), &mut |env, input| cut.input(env, input))
}

/// Reads a list of ranges.
fn list(word: &[u8], args: &Args<'_>) -> Result<Vec<Range>> {
    let mut ranges = Vec::new();
    for part in word.split(|&byte| byte == b',') {
        let invalid = || rbox_core::number::invalid(part);
        let number = |digits: &[u8]| match parse_decimal(digits) {
            Some(number @ 1..) => usize::try_from(number).map_err(|_| invalid()),
            _ => Err(invalid()),
        };
        let range = match rbox_core::bytes::split_once(part, b'-') {
            None => (number(part)?, number(part)?),
            Some((b"", b"")) => return Err(invalid()),
            Some((b"", last)) => (1, number(last)?),
            Some((first, b"")) => (number(first)?, usize::MAX),
            Some((first, last)) => (number(first)?, number(last)?),
        };
        if range.0 > range.1 {
            return Err(invalid());
        }
        ranges.push((range.0 - 1, range.1));
    }
    if !args.has(IN_ORDER) || args.has(COMPLEMENT) {
        ranges = merge(ranges);
    }
    if args.has(COMPLEMENT) {
        let mut others = Vec::new();
        let mut at = 0;
        for (first, last) in ranges {
            if first > at {
                others.push((at, first));
            }
            at = last;
        }
        if at < usize::MAX {
            others.push((at, usize::MAX));
        }
        ranges = others;
    }
    Ok(ranges)
}

fn merge(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort_unstable();
    let mut merged: Vec<Range> = Vec::new();
    for (first, last) in ranges {
        match merged.last_mut() {
            // Ranges that only touch stay two, with the output delimiter between them.
            Some(before) if first < before.1 => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

/// What has been cut from a line that is longer than the buffer.
#[derive(Default)]
struct Progress {
    /// Bytes, characters or delimiters before what comes next.
    at: usize,
    /// A part has been printed.
    has_printed: bool,
    /// The first field, if it is not known yet whether it is printed.
    held: Vec<u8>,
}

impl Cut {
    fn input(&mut self, env: &mut Env, input: &mut Input) -> Result<()> {
        if let Parts::Fields(byte) = self.parts
            && byte == self.end
        {
            return self.lines(env, input);
        }
        if self.in_order || matches!(self.parts, Parts::FieldsBetween(_)) {
            while let Some(line) = input.record_for(self.end, &mut env.stdout)? {
                self.line(env, line.strip_suffix(&[self.end]).unwrap_or(line))?;
            }
            return Ok(());
        }
        let mut progress = None;
        while let Some(chunk) = input.chunk(self.end, &mut env.stdout)? {
            if chunk.ends && progress.is_none() {
                self.line(env, chunk.bytes)?;
                continue;
            }
            self.chunk(env, chunk.bytes, progress.get_or_insert_with(Progress::default))?;
            if chunk.ends {
                self.end_line(env, progress.take().unwrap_or_default())?;
            }
        }
        match progress {
            Some(progress) => self.end_line(env, progress),
            None => Ok(()),
        }
    }

    /// The whole input as one line, whose fields are its lines.
    fn lines(&mut self, env: &mut Env, input: &mut Input) -> Result<()> {
        let mut progress = Progress::default();
        let mut is_new = false;
        while let Some(chunk) = input.chunk(self.end, &mut env.stdout)? {
            // The last newline ends the line and is no delimiter.
            if core::mem::replace(&mut is_new, chunk.ends) {
                self.next_field(env, &mut progress)?;
            }
            self.field(env, chunk.bytes, &mut progress)?;
        }
        if is_new && progress.at == 0 {
            return match (self.is_listed(0), self.only_delimited) {
                (true, _) => env.stdout.write(&progress.held).and_then(|()| env.stdout.push(self.end)),
                (false, true) => Ok(()),
                (false, false) => env.stdout.push(self.end),
            };
        }
        match progress.at > 0 || !progress.held.is_empty() || progress.has_printed {
            true => self.end_line(env, progress),
            false => Ok(()),
        }
    }

    /// Prints what the list has of a part of a line.
    fn chunk(&self, env: &mut Env, chunk: &[u8], progress: &mut Progress) -> Result<()> {
        if let Parts::Fields(delimiter) = self.parts {
            let mut start = 0;
            for at in find_bytes(delimiter, chunk) {
                self.field(env, &chunk[start..at], progress)?;
                self.next_field(env, progress)?;
                start = at + 1;
            }
            return self.field(env, &chunk[start..], progress);
        }
        // Where each character begins, if it is not at each byte.
        let starts: Vec<usize> = match self.parts {
            Parts::Characters => (0..chunk.len()).filter(|&at| chunk[at] & 0xC0 != 0x80 || at == 0).collect(),
            _ => Vec::new(),
        };
        let (is_bytes, before) = (matches!(self.parts, Parts::Bytes), progress.at);
        let count = if is_bytes { chunk.len() } else { starts.len() };
        let place = |at: usize| if is_bytes { at } else { starts.get(at).copied().unwrap_or(chunk.len()) };
        for &(first, last) in &self.list {
            let (from, to) = (first.max(before) - before, last.clamp(before, before + count) - before);
            if from < to {
                if first >= before && progress.has_printed {
                    env.stdout.write(self.separator.as_deref().unwrap_or_default())?;
                }
                progress.has_printed = true;
                env.stdout.write(&chunk[place(from)..place(to)])?;
            }
        }
        progress.at += count;
        Ok(())
    }

    fn is_listed(&self, field: usize) -> bool {
        self.list.iter().any(|&(first, last)| (first..last).contains(&field))
    }

    /// A field, or a part of one.
    fn field(&self, env: &mut Env, text: &[u8], progress: &mut Progress) -> Result<()> {
        let is_listed = self.is_listed(progress.at);
        if progress.at == 0 && is_listed == self.only_delimited {
            // A line without delimiter is printed whole, or with -s not at all.
            return append(&mut progress.held, text);
        }
        progress.has_printed |= is_listed;
        if is_listed { env.stdout.write(text) } else { Ok(()) }
    }

    /// A delimiter has been found.
    fn next_field(&self, env: &mut Env, progress: &mut Progress) -> Result<()> {
        if progress.at == 0 && self.is_listed(0) {
            env.stdout.write(&progress.held)?;
            progress.has_printed = true;
        }
        progress.held = Vec::new();
        progress.at = progress.at.saturating_add(1);
        match self.is_listed(progress.at) && progress.has_printed {
            true => env.stdout.write(self.separator.as_deref().unwrap_or_default()),
            false => Ok(()),
        }
    }

    fn end_line(&self, env: &mut Env, progress: Progress) -> Result<()> {
        if matches!(self.parts, Parts::Fields(_)) && progress.at == 0 {
            if self.only_delimited {
                return Ok(());
            }
            env.stdout.write(&progress.held)?;
        }
        env.stdout.push(self.end)
    }

    fn line(&mut self, env: &mut Env, line: &[u8]) -> Result<()> {
        self.places.clear();
        match &self.parts {
            // A byte of ASCII is a character.
            Parts::Bytes | Parts::Characters if matches!(self.parts, Parts::Bytes) || line.is_ascii() => {
                let separator = self.separator.as_deref().unwrap_or_default();
                let mut is_first = true;
                for &(first, last) in self.list.iter().filter(|range| range.0 < line.len()) {
                    if !is_first {
                        env.stdout.write(separator)?;
                    }
                    is_first = false;
                    env.stdout.write(&line[first..last.min(line.len())])?;
                }
                return env.stdout.push(self.end);
            }
            Parts::Bytes | Parts::Characters => {
                let starts = (0..line.len()).filter(|&at| line[at] & 0xC0 != 0x80 || at == 0);
                let mut before = None;
                for at in starts {
                    self.places.extend(before.map(|before| (before, at)));
                    before = Some(at);
                }
                self.places.extend(before.map(|before| (before, line.len())));
            }
            Parts::Fields(byte) => {
                let mut at = 0;
                // What lies after the last field of the list is of no interest.
                let most = self.list.iter().map(|range| range.1).max().unwrap_or(0);
                for end in find_bytes(*byte, line).take(most) {
                    self.places.push((at, end));
                    at = end + 1;
                }
                if self.places.len() < most {
                    self.places.push((at, line.len()));
                }
                if at == 0 {
                    self.places.truncate(1);
                }
            }
            Parts::FieldsBetween(regex) => {
                let mut start = 0;
                for (from, to) in regex.matches(line, 0, Exec::default()).filter(|(from, to)| from < to) {
                    self.places.push((start, from));
                    start = to;
                }
                regex.check()?;
                self.places.push((start, line.len()));
            }
        }
        let is_whole = match self.parts {
            Parts::Fields(byte) => rbox_core::bytes::find_byte(byte, line).is_none(),
            Parts::FieldsBetween(_) => self.places.len() == 1,
            _ => false,
        };
        if is_whole {
            if self.only_delimited {
                return Ok(());
            }
            env.stdout.write(line)?;
            return env.stdout.push(self.end);
        }
        self.print_places(env, line)?;
        env.stdout.push(self.end)
    }

    fn print_places(&self, env: &mut Env, line: &[u8]) -> Result<()> {
        let separator = self.separator.as_deref().unwrap_or_default();
        let is_fields = matches!(self.parts, Parts::Fields(_) | Parts::FieldsBetween(_));
        let mut is_first = true;
        for &(first, last) in &self.list {
            let chosen = self.places.get(first..last.min(self.places.len())).unwrap_or_default();
            if let (Some(from), Some(to), false) = (chosen.first(), chosen.last(), is_fields) {
                if !is_first {
                    env.stdout.write(separator)?;
                }
                is_first = false;
                env.stdout.write(&line[from.0..to.1])?;
                continue;
            }
            for &(from, to) in chosen {
                if !is_first {
                    env.stdout.write(separator)?;
                }
                is_first = false;
                env.stdout.write(&line[from..to])?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::{try_call, try_call_with};

    use super::APPLET;

    fn cut(words: &[&str], stdin: &str) -> String {
        let words: Vec<&str> = std::iter::once("cut").chain(words.iter().copied()).collect();
        try_call(APPLET, &words, stdin.as_bytes()).stdout
    }

    #[test]
    fn cuts_fields() {
        assert_eq!(cut(&["-d:", "-f2"], "a:b:c\nx\n"), "b\nx\n");
        assert_eq!(cut(&["-d:", "-f3,1"], "a:b:c"), "a:c\n");
        assert_eq!(cut(&["-D", "-d:", "-f3,1"], "a:b:c"), "c:a\n");
        assert_eq!(cut(&["-sd:", "-f2-"], "a:b:c\nx\n"), "b:c\n");
        assert_eq!(cut(&["-d:", "-O, ", "-f1,3"], "a:b:c\n"), "a, c\n");
        assert_eq!(cut(&["-d:", "--complement", "-f2"], "a:b:c\n"), "a:c\n");
        assert_eq!(cut(&["-d:", "-f1"], ":b\n"), "\n");
        assert_eq!(cut(&["-d:", "-f5"], "a:b\n"), "\n");
        assert_eq!(cut(&["-f2"], "a\tb\n"), "b\n");
        assert_eq!(cut(&["-F", "3,1"], "a  b c\n"), "a c\n");
        assert_eq!(cut(&["-DF", "3,1"], "a  b c\n"), "c a\n");
        assert_eq!(cut(&["-d", "[0-9]", "-F", "2"], "a1b22c\n"), "b\n");
    }

    #[test]
    fn cuts_bytes_and_characters() {
        assert_eq!(cut(&["-b", "1-2,4"], "abcdef\n"), "abd\n");
        assert_eq!(cut(&["-c", "2-"], "abc\nd\n"), "bc\n\n");
        assert_eq!(cut(&["-b", "-2,2-3"], "abcdef\n"), "abc\n");
        assert_eq!(cut(&["-z", "-b1"], "ab\0cd\0"), "a\0c\0");
        let ran = try_call_with(APPLET, &["cut", "-c2-3"], "aéb€\n".as_bytes(), &["LANG=C.UTF-8"]);
        assert_eq!(ran.stdout, "éb\n");
    }

    #[test]
    fn says_what_is_wrong_with_a_list() {
        for (word, message) in
            [("x", "invalid number 'x'"), ("0", "invalid number '0'"), ("3-2", "invalid number '3-2'")]
        {
            let ran = try_call(APPLET, &["cut", "-f", word], b"");
            assert_eq!((ran.status, ran.stderr), (1, format!("cut: {message}\n")));
        }
        assert_eq!(try_call(APPLET, &["cut"], b"").stderr, "cut: expected a list of bytes, characters, or fields\n");
    }
}
