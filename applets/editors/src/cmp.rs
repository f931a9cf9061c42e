//! `cmp`: compare two files byte by byte (POSIX XCU cmp), with GNU's `-b`, `-i` and `-n`.
//!
//! Messages at the end of a file are GNU's, which begin as BusyBox's do.

use rbox_core::bytes::{common_prefix, find_byte_back, find_bytes};
use rbox_core::files::{id, kind};
use rbox_core::io::Input;
use rbox_core::number::{Decimal, SIZE_SUFFIXES, parse_count};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, FileType};
use rbox_core::text;

options! {
    "[-bls] [-n N] [-i SKIP1[:SKIP2]] FILE1 [FILE2 [SKIP1 [SKIP2]]]

Compare FILE1 with FILE2, or with standard input, byte by byte.
Print the offset and line of the first difference.
The status is 0 if they are equal, 1 if they differ, 2 if there is an error.

  -l, --verbose                      Print the offset and both values (octal) of each different byte
  -s, --quiet, --silent              Print nothing
  -b, --print-bytes                  Print the different bytes as characters, too
  -n, --bytes=N                      Compare at most N bytes
  -i, --ignore-initial=SKIP1[:SKIP2]  Skip the first SKIP1 bytes of FILE1 and SKIP2 (same as SKIP1) of FILE2

Suffixes of N and SKIP: b (512), k (1024), m (1024k), g, t.";
    VERBOSE = "-l",
    SILENT = "-s",
    PRINT_BYTES = "-b",
    LIMIT = "-n",
    INITIAL = "-i",
}

/// The applet. POSIX XCU cmp: 1 means that the files differ, more than 1 an error.
pub const APPLET: Applet = Applet::new(USAGE, run).inline().failure(2);

/// What is printed about differences.
struct Form {
    verbose: bool,
    silent: bool,
    characters: bool,
}

/// How far the comparison has come.
#[derive(Default)]
struct Progress {
    /// Equal or reported bytes.
    offset: u64,
    newlines: u64,
    /// The byte before `offset` is a newline.
    at_line_start: bool,
    differs: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, 4)?;
    let form = Form { verbose: args.has(VERBOSE), silent: args.has(SILENT), characters: args.has(PRINT_BYTES) };
    if form.verbose && form.silent {
        return Err(Error::misused("options -l and -s are incompatible"));
    }
    let names = [operands[0], operands.get(1).copied().unwrap_or(b"-")];
    let skips = skips(args, &operands[operands.len().min(2)..])?;
    let limit = args.value(LIMIT).map(|word| parse_count(word, SIZE_SUFFIXES)).transpose()?;
    if names == [b"-", b"-"] && skips[0] == skips[1] {
        return Ok(ExitStatus::SUCCESS);
    }
    let mut inputs = [env.open(names[0])?, env.open(names[1])?];
    if let Some(outcome) = known_by_attributes(&inputs, skips, limit.is_some(), form.silent) {
        return Ok(outcome);
    }
    for (input, skip) in inputs.iter_mut().zip(skips) {
        input.skip(skip)?;
    }
    let result = compare(env, &form, names, &mut inputs, limit.unwrap_or(u64::MAX));
    for (input, name) in inputs.into_iter().zip(names) {
        if name == b"-" {
            env.stdin = input;
        }
    }
    result
}

/// The bytes to skip in both files: of `-i`, or of the operands after the files, whichever is more.
fn skips(args: &Args<'_>, operands: &[&[u8]]) -> Result<[u64; 2]> {
    let count = |word: &[u8]| parse_count(word, SIZE_SUFFIXES);
    let [mut first, mut second] = [0, 0];
    if let Some(word) = args.value(INITIAL) {
        (first, second) = match rbox_core::bytes::split_once(word, b':') {
            Some((one, two)) => (count(one)?, count(two)?),
            None => (count(word)?, count(word)?),
        };
    }
    if let Some(word) = operands.first() {
        first = first.max(count(word)?);
    }
    if let Some(word) = operands.get(1) {
        second = second.max(count(word)?);
    }
    Ok([first, second])
}

/// The result where it needs no reading: the same file from the same offset, or regular files of which only the result
/// is wanted and whose sizes differ.
fn known_by_attributes(inputs: &[Input; 2], skips: [u64; 2], limited: bool, silent: bool) -> Option<ExitStatus> {
    let stat = |at: usize| fs::fstat(inputs[at].fd()?).ok().filter(|stat| kind(stat) == FileType::RegularFile);
    let (first, second) = (stat(0)?, stat(1)?);
    let position = |at: usize| fs::tell(inputs[at].fd()?).ok();
    let (from, to) = (position(0)?, position(1)?);
    if id(&first) == id(&second) && skips[0] == skips[1] && from == to {
        return Some(ExitStatus::SUCCESS);
    }
    let left = |size: i64, at: u64, skip: u64| u64::try_from(size).unwrap_or(0).saturating_sub(at.saturating_add(skip));
    // Files of /proc are of size 0 whatever is in them.
    let known = silent && !limited && first.st_size > 0 && second.st_size > 0;
    (known && left(first.st_size, from, skips[0]) != left(second.st_size, to, skips[1])).then_some(ExitStatus::FAILURE)
}

fn compare(env: &mut Env, form: &Form, names: [&[u8]; 2], inputs: &mut [Input; 2], mut left: u64) -> Outcome {
    let mut progress = Progress::default();
    let [first, second] = inputs;
    while left > 0 {
        let (one, two) = (first.fill()?, second.fill()?);
        if one.is_empty() || two.is_empty() {
            if one.len() != two.len() {
                let short = if one.is_empty() { names[0] } else { names[1] };
                if !form.silent {
                    env.report(&end_of_file(short, &progress, form.verbose));
                }
                progress.differs = true;
            }
            break;
        }
        let length = one.len().min(two.len()).min(usize::try_from(left).unwrap_or(usize::MAX));
        let (one, two) = (&one[..length], &two[..length]);
        if form.verbose {
            progress.differs |= list_differences(env, form, one, two, progress.offset)?;
        } else {
            let equal = common_prefix(one, two);
            if !form.silent {
                progress.newlines += find_bytes(b'\n', &one[..equal]).count() as u64;
                progress.at_line_start = find_byte_back(b'\n', &one[..equal]) == Some(equal.wrapping_sub(1));
            }
            if equal < length {
                if !form.silent {
                    print_first(env, form, names, &progress, equal, [one[equal], two[equal]])?;
                }
                return Ok(ExitStatus::FAILURE);
            }
        }
        progress.offset += length as u64;
        left -= length as u64;
        first.consume(length);
        second.consume(length);
    }
    Ok(ExitStatus::from_ok(!progress.differs))
}

fn print_first(
    env: &mut Env,
    form: &Form,
    names: [&[u8]; 2],
    progress: &Progress,
    equal: usize,
    [one, two]: [u8; 2],
) -> Result<()> {
    let unit = if form.characters { " differ: byte " } else { " differ: char " };
    let offset = progress.offset + equal as u64 + 1;
    let mut line = text!(names[0], " ", names[1], unit, offset, ", line ", progress.newlines + 1);
    if form.characters {
        rbox_core::push!(line, " is ", &octal(one), " ");
        push_character(&mut line, one);
        rbox_core::push!(line, " ", &octal(two), " ");
        push_character(&mut line, two);
    }
    line.push(b'\n');
    env.stdout.write(&line)
}

/// Prints a line for each different byte (POSIX XCU cmp, `-l`). True if there is one.
fn list_differences(env: &mut Env, form: &Form, one: &[u8], two: &[u8], offset: u64) -> Result<bool> {
    let (mut at, mut row) = (0, Row::default());
    loop {
        at += common_prefix(&one[at..], &two[at..]);
        if at >= one.len() {
            return Ok(row.offset > 0);
        }
        // Differences are rarely alone.
        while at < one.len() && one[at] != two[at] {
            row.set_offset(offset + at as u64 + 1);
            if form.characters {
                row.write_characters(env, one[at], two[at])?;
            } else {
                row.write(env, octal(one[at]), octal(two[at]))?;
            }
            at += 1;
        }
    }
}

/// A line of `-l`, whose offset is usually one more than that of the line before: its digits are counted up, not divided.
struct Row {
    bytes: [u8; 32],
    digits: usize,
    offset: u64,
}

impl Default for Row {
    fn default() -> Self {
        Self { bytes: [b' '; 32], digits: 0, offset: 0 }
    }
}

impl Row {
    fn set_offset(&mut self, offset: u64) {
        let follows = self.offset > 0 && offset == self.offset + 1;
        self.offset = offset;
        let mut at = self.digits;
        while follows && at > 0 {
            at -= 1;
            if self.bytes[at] < b'9' {
                self.bytes[at] += 1;
                return;
            }
            self.bytes[at] = b'0';
        }
        let digits = Decimal::new(offset);
        self.digits = digits.as_bytes().len();
        self.bytes[..self.digits].copy_from_slice(digits.as_bytes());
    }

    fn write(&mut self, env: &mut Env, one: [u8; 3], two: [u8; 3]) -> Result<()> {
        let end = self.digits;
        let ([a, b, c], [d, e, f]) = (one, two);
        self.bytes[end..end + 9].copy_from_slice(&[b' ', a, b, c, b' ', d, e, f, b'\n']);
        env.stdout.write(&self.bytes[..end + 9])
    }

    fn write_characters(&self, env: &mut Env, one: u8, two: u8) -> Result<()> {
        let mut line = text!(&self.bytes[..self.digits], " ", &octal(one), " ");
        let end = line.len() + 5;
        push_character(&mut line, one);
        line.resize(end, b' ');
        rbox_core::push!(line, &octal(two), " ");
        push_character(&mut line, two);
        line.push(b'\n');
        env.stdout.write(&line)
    }
}

/// Three columns.
fn octal(byte: u8) -> [u8; 3] {
    let [a, b, c] = [byte >> 6, byte >> 3 & 7, byte & 7].map(|digit| b'0' + digit);
    match byte {
        0..8 => [b' ', b' ', c],
        8..64 => [b' ', b, c],
        _ => [a, b, c],
    }
}

/// A byte as `cat -t` prints it, at most four columns.
fn push_character(line: &mut Vec<u8>, byte: u8) {
    if byte >= 0x80 {
        line.extend_from_slice(b"M-");
    }
    match byte & 0x7f {
        low @ (..0x20 | 0x7f) => line.extend_from_slice(&[b'^', low ^ 0x40]),
        low => line.push(low),
    }
}

fn end_of_file(name: &[u8], progress: &Progress, verbose: bool) -> Error {
    let mut message = text!("EOF on ", name);
    if progress.offset == 0 {
        message.extend_from_slice(b" which is empty");
    } else {
        rbox_core::push!(message, " after byte ", progress.offset);
        if !verbose {
            let within = if progress.at_line_start { ", line " } else { ", in line " };
            rbox_core::push!(message, within, progress.newlines + u64::from(!progress.at_line_start));
        }
    }
    Error::new(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_values_and_characters() {
        let mut line = Vec::new();
        for byte in [0, 9, 0o12, 0o177, 0o377] {
            line.extend_from_slice(&octal(byte));
            push_character(&mut line, byte);
        }
        assert_eq!(line, b"  0^@ 11^I 12^J177^?377M-^?");
    }
}
