//! `join`: join lines of two sorted files by a field (POSIX XCU join), with GNU's options.

use core::cmp::Ordering;

use rbox_core::bytes::{append, find_byte};
use rbox_core::io::{Input, Output};
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::text;

options! {
    "[-iz] [-a N | -v N] [-e STRING] [-o LIST] [-t CHAR] [-1 FIELD] [-2 FIELD] FILE1 FILE2

Join lines of two files with equal join fields; both files are sorted by them. - is standard input.
LIST is auto, for as many fields as the first lines have, or elements N.FIELD, and 0 for the join field.

  -a N                   Print lines of file N (1 or 2) without a partner too
  -v N                   Print lines of file N without a partner only
  -e STRING              Print STRING for missing and empty fields
  -i, --ignore-case      Ignore case
  -j FIELD               Same as -1 FIELD -2 FIELD
  -1 FIELD               Join by this field of file 1 (1)
  -2 FIELD               Join by this field of file 2 (1)
  -o LIST                Print these fields
  -t CHAR                Separate fields by CHAR, not by blanks
      --check-order      Fail if a file is not sorted
      --nocheck-order    Do not check the order, not even of lines without a partner
      --header           Join the first lines, whatever their fields are
  -z, --zero-terminated  Lines end with NUL, not newline";
    UNPAIRED = "-a",
    ONLY_UNPAIRED = "-v",
    EMPTY = "-e",
    IGNORE_CASE = "-i",
    BOTH = "-j",
    FIRST = "-1",
    SECOND = "-2",
    LIST = "-o",
    SEPARATOR = "-t",
    CHECK = "--check-order",
    NO_CHECK = "--nocheck-order",
    HEADER = "--header",
    ZERO = "-z",
}

/// The applet. It keeps lines with equal fields, so it runs in a child.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// What separates fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Blanks,
    Byte(u8),
    /// A line is one field.
    Nothing,
}

/// What does not change from line to line.
struct Format<'a> {
    separator: Separator,
    out: u8,
    end: u8,
    empty: &'a [u8],
    ignores_case: bool,
    /// File 1 or 2 and field from 0; file 0 for the join field. Empty for all fields.
    list: Vec<(usize, usize)>,
    /// Fail at the first line that is not sorted (true), or once a line has no partner, at the end.
    checks: Option<bool>,
}

/// A line and the bounds of its fields.
#[derive(Default)]
struct Line {
    bytes: Vec<u8>,
    fields: Vec<(usize, usize)>,
}

/// One of both files.
struct Side<'a> {
    name: &'a [u8],
    is_second: bool,
    input: Input,
    /// The join field, from 0.
    key: usize,
    prints_unpaired: bool,
    /// The line that is next to be joined, unless the file has ended, and the one before it.
    line: Line,
    ended: bool,
    before: Line,
    number: u64,
    /// Whether it has been reported as not sorted.
    is_reported: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (files, more) = split(args);
    let &[one, two] = &files[..] else { return Err(Error::usage()) };
    if one == b"-" && two == b"-" {
        return Err(Error::new("both files cannot be standard input"));
    }
    let mut unpaired = [false; 2];
    for word in args.values(UNPAIRED).chain(args.values(ONLY_UNPAIRED)) {
        unpaired[file(word).ok_or_else(|| invalid_field(word))? - 1] = true;
    }
    let keys = [key(args, FIRST)?, key(args, SECOND)?];
    let end = if args.has(ZERO) { 0 } else { b'\n' };
    let separator = separator(args)?;
    let out = match separator {
        Separator::Blanks => b' ',
        Separator::Byte(byte) => byte,
        Separator::Nothing => b'\n',
    };
    let checks = match args.last_of(&[CHECK, NO_CHECK]) {
        Some(NO_CHECK) => None,
        option => Some(option.is_some()),
    };
    let empty = args.value(EMPTY).unwrap_or_default();
    let mut format =
        Format { separator, out, end, empty, ignores_case: args.has(IGNORE_CASE), list: list(args, &more)?, checks };
    let side = |env: &mut Env, name, at: usize| -> Result<Side<'_>> {
        let (line, before) = (Line::default(), Line::default());
        let (key, prints_unpaired) = (keys[at], unpaired[at]);
        let input = env.open(name)?;
        Ok(Side {
            name,
            is_second: at == 1,
            input,
            key,
            prints_unpaired,
            line,
            before,
            ended: false,
            number: 0,
            is_reported: false,
        })
    };
    let (mut one, mut two) = (side(env, one, 0)?, side(env, two, 1)?);
    one.advance(env, &format, false)?;
    two.advance(env, &format, false)?;
    if args.value(LIST) == Some(b"auto") {
        format.list = vec![(0, 0)];
        for (file, side) in [(1, &one), (2, &two)] {
            format.list.extend((0..side.line.fields.len()).filter(|&at| at != side.key).map(|at| (file, at)));
        }
    }
    if args.has(HEADER) && !(one.ended && two.ended) {
        format.print(&mut env.stdout, one.current(), two.current())?;
        for side in [&mut one, &mut two] {
            // The header is in no order.
            side.line.fields.clear();
            side.advance(env, &format, false)?;
        }
    }
    join(env, &format, &mut one, &mut two, !args.has(ONLY_UNPAIRED))?;
    match one.is_reported || two.is_reported {
        true => Err(Error::new("input is not in sorted order")),
        false => Ok(ExitStatus::SUCCESS),
    }
}

/// File 1 or 2.
fn file(word: &[u8]) -> Option<usize> {
    match word {
        b"1" => Some(1),
        b"2" => Some(2),
        _ => None,
    }
}

fn invalid_field(word: &[u8]) -> Error {
    Error::parts(&[b"invalid field number: '", word, b"'"])
}

/// A field from 0, of a word that counts from 1.
fn field(word: &[u8]) -> Result<usize> {
    let digits = if word.iter().all(u8::is_ascii_digit) { parse_decimal(word).unwrap_or(u64::MAX) } else { 0 };
    if digits == 0 || word.is_empty() {
        return Err(invalid_field(word));
    }
    Ok(usize::try_from(digits - 1).unwrap_or(usize::MAX))
}

/// The join field of a file, which all options that name it agree on.
fn key(args: &Args<'_>, option: Opt) -> Result<usize> {
    let mut key = None;
    for word in args.values(BOTH).chain(args.values(option)) {
        let number = field(word)?;
        if let Some(other) = key.replace(number).filter(|other| *other != number) {
            return Err(Error::new(text!("incompatible join fields ", other + 1, ", ", number + 1)));
        }
    }
    Ok(key.unwrap_or(0))
}

fn separator(args: &Args<'_>) -> Result<Separator> {
    let mut found = None;
    for word in args.values(SEPARATOR) {
        let separator = match word {
            b"" => Separator::Nothing,
            b"\\0" => Separator::Byte(0),
            [byte] => Separator::Byte(*byte),
            _ => return Err(Error::parts(&[b"multi-character tab '", word, b"'"])),
        };
        if found.replace(separator).is_some_and(|other| other != separator) {
            return Err(Error::new("incompatible tabs"));
        }
    }
    Ok(found.unwrap_or(Separator::Blanks))
}

/// The files, and elements of a list that are words of their own, which POSIX once allowed: `-o 1.1 2.2`. Those are the
/// words right after a `-o` and its value that are not needed as files.
fn split<'a>(args: &Args<'a>) -> (Vec<&'a [u8]>, Vec<&'a [u8]>) {
    let (mut files, mut more) = (Vec::new(), Vec::new());
    for (at, operand) in args.operands().iter().enumerate() {
        let last = args.options_before(at).checked_sub(1).map(|last| args.found()[last].0);
        if last == Some(LIST) { more.push(*operand) } else { files.push(*operand) }
    }
    let needed = more.len().min(2usize.saturating_sub(files.len()));
    files.extend(more.split_off(more.len() - needed));
    (files, more)
}

/// The fields of all `-o`, and those that follow as words.
fn list(args: &Args<'_>, more: &[&[u8]]) -> Result<Vec<(usize, usize)>> {
    let mut list = Vec::new();
    let given = args.values(LIST).filter(|word| *word != b"auto");
    for word in given.chain(more.iter().copied()).flat_map(|words| words.split(|&byte| is_between(byte))) {
        list.push(match rbox_core::bytes::split_once(word, b'.') {
            _ if word == b"0" => (0, 0),
            None => return Err(Error::parts(&[b"invalid field specifier: '", word, b"'"])),
            Some((number, rest)) => {
                let unknown = || Error::parts(&[b"invalid file number in field spec: '", word, b"'"]);
                (file(number).ok_or_else(unknown)?, field(rest)?)
            }
        });
    }
    Ok(list)
}

fn is_between(byte: u8) -> bool {
    matches!(byte, b',' | b' ' | b'\t')
}

fn join<'a>(
    env: &mut Env,
    format: &Format<'_>,
    one: &mut Side<'a>,
    two: &mut Side<'a>,
    prints_pairs: bool,
) -> Result<()> {
    // Lines of file 2 with equal fields, as many as `count`; the rest is memory to use again.
    let (mut group, mut count) = (Vec::<Line>::new(), 0);
    let mut is_unpaired = false;
    while !one.ended && !two.ended {
        let side = match format.compare(one.line.field(one.key), two.line.field(two.key)) {
            Ordering::Less => &mut *one,
            Ordering::Greater => &mut *two,
            Ordering::Equal => {
                loop {
                    if count == group.len() {
                        group.push(Line::default());
                    }
                    core::mem::swap(&mut group[count], &mut two.line);
                    count += 1;
                    two.advance_from(env, format, is_unpaired, &group[count - 1])?;
                    if two.ended || format.compare(group[0].field(two.key), two.line.field(two.key)) != Ordering::Equal
                    {
                        break;
                    }
                }
                loop {
                    for partner in group[..count].iter().filter(|_| prints_pairs) {
                        format.print(&mut env.stdout, Some((&one.line, one.key)), Some((partner, two.key)))?;
                    }
                    one.advance(env, format, is_unpaired)?;
                    if one.ended || format.compare(one.line.field(one.key), group[0].field(two.key)) != Ordering::Equal
                    {
                        break;
                    }
                }
                count = 0;
                continue;
            }
        };
        side.pass(env, format, is_unpaired)?;
        is_unpaired = true;
    }
    for side in [one, two] {
        while !side.ended && (side.prints_unpaired || format.checks.is_some() && !side.is_reported) {
            side.pass(env, format, is_unpaired)?;
        }
    }
    Ok(())
}

impl Line {
    /// A field; one that is missing is empty.
    fn field(&self, at: usize) -> &[u8] {
        self.fields.get(at).map_or(&b""[..], |&(from, to)| &self.bytes[from..to])
    }

    fn split(&mut self, separator: Separator) {
        self.fields.clear();
        let (mut at, length) = (0, self.bytes.len());
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n');
        let blanks = |at: usize| self.bytes[at..].iter().take_while(|byte| is_blank(byte)).count();
        if separator == Separator::Blanks {
            at = blanks(0);
        }
        if at == length {
            return;
        }
        loop {
            let rest = &self.bytes[at..];
            let end = match separator {
                Separator::Blanks => rest.iter().position(is_blank),
                Separator::Byte(byte) => find_byte(byte, rest),
                Separator::Nothing => None,
            };
            self.fields.push((at, end.map_or(length, |end| at + end)));
            let Some(end) = end else { return };
            at += end + 1;
            if separator == Separator::Blanks {
                at += blanks(at);
            }
        }
    }
}

impl Side<'_> {
    /// The line, and its join field.
    fn current(&self) -> Option<(&Line, usize)> {
        if self.ended { None } else { Some((&self.line, self.key)) }
    }

    /// Goes to the next line from one that has no partner.
    fn pass(&mut self, env: &mut Env, format: &Format<'_>, is_unpaired: bool) -> Result<()> {
        if self.prints_unpaired {
            let line = Some((&self.line, self.key));
            match self.is_second {
                false => format.print(&mut env.stdout, line, None)?,
                true => format.print(&mut env.stdout, None, line)?,
            }
        }
        self.advance(env, format, is_unpaired)
    }

    /// Goes to the next line.
    fn advance(&mut self, env: &mut Env, format: &Format<'_>, is_unpaired: bool) -> Result<()> {
        core::mem::swap(&mut self.line, &mut self.before);
        self.read(env, format)?;
        let order = format.compare(self.before.field(self.key), self.line.field(self.key));
        self.check(env, format, is_unpaired, order)
    }

    /// The same, where the last line has been put elsewhere.
    fn advance_from(&mut self, env: &mut Env, format: &Format<'_>, is_unpaired: bool, last: &Line) -> Result<()> {
        self.read(env, format)?;
        let order = format.compare(last.field(self.key), self.line.field(self.key));
        self.check(env, format, is_unpaired, order)
    }

    fn read(&mut self, env: &mut Env, format: &Format<'_>) -> Result<()> {
        self.line.bytes.clear();
        match self.input.record_for(format.end, &mut env.stdout)? {
            None => self.ended = true,
            Some(record) => {
                append(&mut self.line.bytes, record.strip_suffix(&[format.end]).unwrap_or(record))?;
                self.number += 1;
            }
        }
        self.line.split(format.separator);
        Ok(())
    }

    /// Looks whether the line that was read is in order after the one before it.
    fn check(&mut self, env: &mut Env, format: &Format<'_>, is_unpaired: bool, order: Ordering) -> Result<()> {
        let Some(is_strict) = format.checks else { return Ok(()) };
        if self.ended || order != Ordering::Greater || self.is_reported || !is_strict && !is_unpaired {
            return Ok(());
        }
        let error = Error::new(text!(self.name, ":", self.number, ": is not sorted: ", &self.line.bytes));
        if is_strict {
            return Err(error);
        }
        self.is_reported = true;
        env.report(&error);
        Ok(())
    }
}

impl Format<'_> {
    fn compare(&self, one: &[u8], two: &[u8]) -> Ordering {
        match self.ignores_case {
            false => one.cmp(two),
            true => one.iter().map(u8::to_ascii_lowercase).cmp(two.iter().map(u8::to_ascii_lowercase)),
        }
    }

    /// Prints the line of two partners, of which one may be missing.
    fn print(&self, output: &mut Output, one: Option<(&Line, usize)>, two: Option<(&Line, usize)>) -> Result<()> {
        let Some((line, key)) = one.or(two) else { return Ok(()) };
        if self.list.is_empty() {
            self.print_field(output, line.field(key))?;
            for (line, key) in one.into_iter().chain(two) {
                for at in (0..line.fields.len()).filter(|at| *at != key) {
                    output.push(self.out)?;
                    self.print_field(output, line.field(at))?;
                }
            }
            return output.push(self.end);
        }
        for (index, &(file, at)) in self.list.iter().enumerate() {
            if index > 0 {
                output.push(self.out)?;
            }
            let field = match file {
                0 => line.field(key),
                1 => one.map_or(&b""[..], |(line, _)| line.field(at)),
                _ => two.map_or(&b""[..], |(line, _)| line.field(at)),
            };
            self.print_field(output, field)?;
        }
        output.push(self.end)
    }

    fn print_field(&self, output: &mut Output, field: &[u8]) -> Result<()> {
        output.write(if field.is_empty() { self.empty } else { field })
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Separator};

    #[test]
    fn lines_are_split() {
        let split = |text: &[u8], separator| {
            let mut line = Line { bytes: text.to_vec(), fields: Vec::new() };
            line.split(separator);
            line.fields
        };
        assert_eq!(split(b"  a\t bc ", Separator::Blanks), [(2, 3), (5, 7), (8, 8)]);
        assert_eq!(split(b"  ", Separator::Blanks), []);
        assert_eq!(split(b"a::b", Separator::Byte(b':')), [(0, 1), (2, 2), (3, 4)]);
        assert_eq!(split(b"a b", Separator::Nothing), [(0, 3)]);
    }
}
