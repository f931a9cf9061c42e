//! `sort`: sort, merge or check lines (POSIX XCU sort), with GNU's `-g -h -M -V -s -z`.
//!
//! All lines lie in one buffer. Each carries eight bytes of its first key in such a form that comparing them as a
//! number nearly always settles the order; only then are the keys themselves looked at.

mod compare;
mod key;

use std::cmp::Ordering;

use rbox_core::io::{Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};

use key::{Key, Kind, Rules};

options! {
    "[-nghMVrbdfisuzmcC] [-k START[,END]]... [-t CHAR] [-o FILE] [FILE]...

Sort the lines of all FILEs, or of standard input.
START and END are FIELD[.CHARACTER][OPTIONS], counted from 1.

  -n, --numeric-sort                   Compare numbers
  -g, --general-numeric-sort           Compare floating-point numbers
  -h, --human-numeric-sort             Compare numbers with suffixes: 2K, 1G
  -M, --month-sort                     Compare month names: JAN < DEC
  -V, --version-sort                   Compare versions: 1.9 < 1.10
  -r, --reverse                        Reverse the order
  -b, --ignore-leading-blanks          Ignore leading blanks
  -d, --dictionary-order               Compare only blanks and alphanumerics
  -f, --ignore-case                    Ignore case
  -i, --ignore-nonprinting             Compare only printable characters
  -k, --key=KEY                        Compare KEY of the lines; repeatable
  -t, --field-separator=CHAR           Separate fields by CHAR (blanks)
  -s, --stable                         Keep the order of lines with equal keys
  -u, --unique                         Print one of the lines with equal keys
  -o, --output=FILE                    Write to FILE, which may be an input
  -m, --merge                          Merge sorted FILEs
  -c, --check                          Check the order; report the first misplaced line
  -C, --check-silent                   Same as -c, without a report
  -z, --zero-terminated                Lines end with NUL, not newline
  -S, --buffer-size=N                  No effect: sorts in memory
  -T, --temporary-directory=DIRECTORY  No effect: sorts in memory";
    NUMERIC = "-n",
    GENERAL = "-g",
    HUMAN = "-h",
    MONTH = "-M",
    VERSION = "-V",
    REVERSE = "-r",
    BLANKS = "-b",
    DICTIONARY = "-d",
    FOLD = "-f",
    PRINTABLE = "-i",
    KEY = "-k",
    SEPARATOR = "-t",
    STABLE = "-s",
    UNIQUE = "-u",
    OUTPUT = "-o",
    MERGE = "-m",
    CHECK = "-c",
    CHECK_SILENT = "-C",
    ZERO = "-z",
    BUFFER_SIZE = "-S",
    TEMPORARY = "-T",
}

/// The applet. POSIX XCU sort: 1 says that `-c` found disorder, more than 1 an error.
pub const APPLET: Applet = Applet::new(USAGE, run).failure(2);

/// A line of the buffer, without its end, and the beginning of its first key.
#[derive(Clone, Copy)]
struct Line {
    lead: u64,
    start: usize,
    end: usize,
}

/// What decides which of two lines is first.
struct Sorter {
    keys: Vec<Key>,
    separator: Option<u8>,
    /// Whether lines with equal keys are compared whole, and then backwards.
    whole: Option<bool>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    // All is in memory, and sorted input only makes the sort fast.
    let _ = [MERGE, BUFFER_SIZE, TEMPORARY].map(|option| args.has(option));
    let sorter = sorter(args)?;
    let end = if args.has(ZERO) { 0 } else { b'\n' };
    let mut text = Vec::new();
    let mut files = Vec::new();
    let operands = args.operands_or(b"-");
    for &operand in &operands {
        let content = match operand {
            b"-" => env.stdin.read_to_end()?,
            path => open(path)?.read_to_end()?,
        };
        if text.is_empty() {
            text = content;
        } else {
            text.extend_from_slice(&content);
        }
        if text.last().is_some_and(|&last| last != end) {
            text.push(end);
        }
        files.push(operand);
    }
    let mut lines = Vec::new();
    let mut start = 0;
    for at in rbox_core::bytes::find_bytes(end, &text) {
        lines.push(Line { lead: sorter.lead(&text[start..at]), start, end: at });
        start = at + 1;
    }
    if let Some(option) = args.last_of(&[CHECK, CHECK_SILENT]) {
        return check(env, &sorter, &text, &lines, args.has(UNIQUE), (option == CHECK).then_some(operands[0]));
    }
    lines.sort_by(|a, b| sorter.compare(&text, a, b));
    if args.has(UNIQUE) {
        lines.dedup_by(|later, first| sorter.compare_keys(&text, first, later) == Ordering::Equal);
    }
    match args.value(OUTPUT) {
        Some(path) => {
            let mut output = Output::create(path)?;
            print(&mut output, &text, &lines)?;
            output.flush()?;
        }
        None => print(&mut env.stdout, &text, &lines)?,
    }
    Ok(ExitStatus::SUCCESS)
}

/// The error is the file's name and the reason, as BusyBox has it here.
fn open(path: &[u8]) -> Result<Input> {
    match rbox_core::sys::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(file) => Ok(Input::from_fd(file, path)),
        Err(errno) => Err(Error::on(path, errno)),
    }
}

fn print(output: &mut Output, text: &[u8], lines: &[Line]) -> Result<()> {
    lines.iter().try_for_each(|line| output.write(&text[line.start..=line.end]))
}

/// `-c`: names the first line that is not in order, if `name` is given.
fn check(env: &mut Env, sorter: &Sorter, text: &[u8], lines: &[Line], unique: bool, name: Option<&[u8]>) -> Outcome {
    for (at, pair) in lines.windows(2).enumerate() {
        let order = if unique {
            sorter.compare_keys(text, &pair[0], &pair[1])
        } else {
            sorter.compare(text, &pair[0], &pair[1])
        };
        if order == Ordering::Greater || (unique && order == Ordering::Equal) {
            if let Some(name) = name {
                let number = rbox_core::number::Decimal::new(at as u64 + 2);
                let line = &text[pair[1].start..pair[1].end];
                env.report(&Error::parts(&[name, b":", number.as_bytes(), b": disorder: ", line]));
            }
            return Ok(ExitStatus::FAILURE);
        }
    }
    Ok(ExitStatus::SUCCESS)
}

fn sorter(args: &Args<'_>) -> Result<Sorter> {
    let mut rules = Rules::default();
    for (option, letter) in [
        (NUMERIC, b'n'),
        (GENERAL, b'g'),
        (HUMAN, b'h'),
        (MONTH, b'M'),
        (VERSION, b'V'),
        (REVERSE, b'r'),
        (BLANKS, b'b'),
        (DICTIONARY, b'd'),
        (FOLD, b'f'),
        (PRINTABLE, b'i'),
    ] {
        let kind = rules.kind;
        if args.has(option) {
            rules.add(letter, true);
        }
        if kind != Kind::Text && kind != rules.kind {
            return Err(Error::new("unknown sort type"));
        }
    }
    let separator = match args.value(SEPARATOR) {
        None => None,
        Some([byte]) => Some(*byte),
        Some(b"\\0") => Some(0),
        Some(other) => return Err(Error::parts(&[b"bad -t parameter '", other, b"'"])),
    };
    let mut keys = args.values(KEY).map(|word| Key::parse(word, rules)).collect::<Result<Vec<_>>>()?;
    if keys.is_empty() {
        keys.push(Key::whole_line(rules));
    }
    let is_exact = args.has(STABLE) || args.has(UNIQUE);
    Ok(Sorter { keys, separator, whole: (!is_exact).then_some(rules.reverse) })
}

impl Sorter {
    /// The beginning of the first key as a number: smaller means earlier, equal means that the keys must be compared.
    fn lead(&self, line: &[u8]) -> u64 {
        let key = &self.keys[0];
        let part = key.part(line, self.separator);
        let lead = match key.rules.kind {
            Kind::Text => compare::text_lead(part, &key.rules),
            Kind::Number => compare::number_lead(part),
            Kind::Human => compare::human_lead(part),
            Kind::Float => compare::float_lead(part),
            _ => 0,
        };
        if key.rules.reverse { !lead } else { lead }
    }

    fn compare(&self, text: &[u8], a: &Line, b: &Line) -> Ordering {
        if a.lead != b.lead {
            return a.lead.cmp(&b.lead);
        }
        let order = self.compare_keys(text, a, b);
        if order != Ordering::Equal {
            return order;
        }
        let whole = || text[a.start..a.end].cmp(&text[b.start..b.end]);
        match self.whole {
            None => Ordering::Equal,
            Some(false) => whole(),
            Some(true) => whole().reverse(),
        }
    }

    fn compare_keys(&self, text: &[u8], a: &Line, b: &Line) -> Ordering {
        if a.lead != b.lead {
            return a.lead.cmp(&b.lead);
        }
        let first = &self.keys[0];
        let is_settled = first.rules.kind == Kind::Number && (a.lead & 1 == 0) != first.rules.reverse;
        let (a, b) = (&text[a.start..a.end], &text[b.start..b.end]);
        for key in &self.keys[usize::from(is_settled)..] {
            let order = compare::parts(key.part(a, self.separator), key.part(b, self.separator), &key.rules);
            if order != Ordering::Equal {
                return if key.rules.reverse { order.reverse() } else { order };
            }
        }
        Ordering::Equal
    }
}

#[cfg(test)]
mod tests;
