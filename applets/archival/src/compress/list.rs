//! Sizes and ratios: `-l` and `-v`.

use std::cell::Cell;
use std::rc::Rc;

use rbox_core::io::{Filter, Input};
use rbox_core::prelude::*;
use rbox_core::sys::BorrowedFd;
use rbox_core::sys::fs::{self, FileType};
use rbox_core::text::{Hex, Right};
use rbox_core::time::{self, Moment, Zone};
use rbox_core::{push, text};

use super::{Decoded, Job};

/// The size of an open regular file.
pub fn size(file: BorrowedFd<'_>) -> Option<u64> {
    let stat = fs::fstat(file).ok()?;
    (FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile).then_some(stat.st_size as u64)
}

/// A stream whose size is not known, and how much of it has been read.
pub fn counted(input: Input) -> (Input, Rc<Cell<u64>>) {
    let (count, name) = (Rc::new(Cell::new(0)), input.name().to_vec());
    let counter = Counter { input, count: Rc::clone(&count) };
    (Input::from_filter(Box::new(counter), &name), count)
}

struct Counter {
    input: Input,
    count: Rc<Cell<u64>>,
}

impl Filter for Counter {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let length = self.input.read(into)?;
        self.count.set(self.count.get() + length as u64);
        Ok(length)
    }
}

/// The part of `length` that compression saved, in percent with one decimal.
fn ratio(compressed: u64, length: u64) -> Vec<u8> {
    let saved = i128::from(length) - i128::from(compressed);
    // Rounded half away from zero; an empty file has no ratio.
    let tenths = match length {
        0 => 0,
        _ => (saved * 2000 / i128::from(length) + saved.signum()) / 2,
    };
    let digits = text!(tenths.unsigned_abs() as u64 / 10, ".", tenths.unsigned_abs() as u64 % 10);
    let signed = text!(if tenths < 0 { "-" } else { "" }, &digits);
    text!(Right(&signed, 5, b' '), "%")
}

/// What gzip's header and trailer take, which its ratios leave out.
fn overhead(decoded: &Decoded) -> u64 {
    decoded.header.as_ref().map_or(0, |header| 18 + header.name.as_ref().map_or(0, |name| name.len() as u64 + 1))
}

/// `-v`: how much was saved in a file, and which file has its contents now.
pub fn report(
    env: &mut Env,
    name: &[u8],
    decoded: &Decoded,
    compressed: Option<u64>,
    job: &Job<'_>,
    to: Option<&[u8]>,
) -> Result<()> {
    let mut line = text!(name, ":\t");
    if let Some(compressed) = compressed {
        push!(line, &ratio(compressed.saturating_sub(overhead(decoded)), decoded.length));
    }
    if let Some(to) = to {
        push!(line, if job.keep { " -- created " } else { " -- replaced with " }, to);
    }
    line.push(b'\n');
    env.stderr.write(&line)
}

/// The sums of a list.
#[derive(Default)]
pub struct Totals {
    files: u64,
    compressed: u64,
    length: u64,
}

impl Totals {
    /// Prints a line for a file, and the headings before the first.
    pub fn add(
        &mut self,
        env: &mut Env,
        job: &Job<'_>,
        decoded: &Decoded,
        compressed: Option<u64>,
        name: &[u8],
    ) -> Result<()> {
        if self.files == 0 && !job.quiet {
            let more = if job.verbose { "method  crc     date  time  " } else { "" };
            env.stdout.write(&text!(more, "         compressed        uncompressed  ratio uncompressed_name\n"))?;
        }
        self.files += 1;
        let mut line = Vec::new();
        if job.verbose {
            let modified = decoded.header.as_ref().map_or(0, |header| header.modified);
            let moment = Moment { seconds: modified.into(), nanos: 0 };
            let time = time::format(b"%b %e %H:%M", moment, &Zone::load(env.vars.get("TZ")));
            push!(line, "defla ", Right(Hex(decoded.checksum.unwrap_or(0).into()), 8, b'0'), " ", &time, " ");
        }
        let stem = super::names::decompressed(job, name);
        let shown = match &decoded.header {
            Some(header) if job.named && header.name.is_some() => header.name.as_deref(),
            _ => stem.as_deref(),
        };
        let compressed = compressed.unwrap_or(0);
        self.compressed += compressed;
        self.length += decoded.length;
        let part = ratio(compressed.saturating_sub(overhead(decoded)), decoded.length);
        push_sizes(
            &mut line,
            compressed,
            decoded.length,
            &part,
            shown.unwrap_or(if name == b"stdin" { b"stdout" } else { name }),
        );
        env.stdout.write(&line)
    }

    /// Prints the sums of several files.
    pub fn print(&self, env: &mut Env, job: &Job<'_>) -> Result<()> {
        if self.files < 2 || job.quiet {
            return Ok(());
        }
        let mut line = vec![b' '; if job.verbose { 28 } else { 0 }];
        push_sizes(&mut line, self.compressed, self.length, &ratio(self.compressed, self.length), b"(totals)");
        env.stdout.write(&line)
    }
}

fn push_sizes(line: &mut Vec<u8>, compressed: u64, length: u64, ratio: &[u8], name: &[u8]) {
    push!(*line, Right(compressed, 19, b' '), " ", Right(length, 19, b' '), " ", ratio, " ", name, "\n");
}
