//! `split`: write a file as several smaller ones (POSIX XCU split), with GNU's `-C`, `-d`, `-x`, `-n` and
//! `--additional-suffix`.

use rbox_core::bytes;
use rbox_core::files::{FileId, id, kind};
use rbox_core::io::{Input, Output};
use rbox_core::number::{SIZE_SUFFIXES, parse_count, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, Mode, OFlags, fstat, ftruncate, open};

options! {
    "[-dx] [-l N | -b N | -C N | -n N] [-a N] [FILE [PREFIX]]

Split FILE, or standard input, into PREFIXaa, PREFIXab ... (xaa, xab ...).

  -l, --lines=N                   N lines per file (1000)
  -b, --bytes=N                   N bytes per file
  -C, --line-bytes=N              Complete lines of at most N bytes per file
  -n, --number=[l/|r/][K/]N       N files of equal size; l/: of whole lines; r/: lines in turn; K/: print only the Kth
  -a, --suffix-length=N           Length of suffixes (2)
  -d, --numeric-suffixes          Use decimal suffixes
  -x, --hex-suffixes              Use hexadecimal suffixes
      --additional-suffix=STRING  Append STRING to names
  -NUM                            Same as -l NUM

Suffixes of N: b (512), k (1024), m (1024k), g, t.";
    LINES = "-l",
    BYTES = "-b",
    LINE_BYTES = "-C",
    PARTS = "-n",
    LENGTH = "-a",
    DIGITS = "-d",
    HEX = "-x",
    ADDITIONAL = "--additional-suffix",
    NUMBER = "-NUM",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// The parts that are written, one after the other.
struct Parts<'a> {
    stdout: &'a mut Output,
    prefix: &'a [u8],
    letters: &'static [u8],
    length: usize,
    /// Suffixes become longer when they are used up.
    widens: bool,
    /// The input, which no part may be.
    input: Option<FileId>,
    additional: &'a [u8],
    /// The part that is printed, from 1; the others are not written.
    only: Option<u64>,
    count: u64,
    current: Option<(Vec<u8>, Output)>,
}

/// What -n gives each part.
enum Share {
    Bytes,
    /// The lines that begin in its bytes.
    Lines,
    /// One line in turn.
    Turns,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let ways = [LINES, BYTES, LINE_BYTES, PARTS, NUMBER];
    if ways.iter().filter(|&&way| args.has(way)).count() > 1 {
        return Err(Error::misused("cannot split in more than one way"));
    }
    let way = args.last_of(&ways).unwrap_or(LINES);
    let number = |option, otherwise: u64| match args.value(option) {
        None => Ok(otherwise),
        Some(word) => match parse_count(word, SIZE_SUFFIXES)? {
            0 => Err(rbox_core::number::invalid(word)),
            number => Ok(number),
        },
    };
    let (share, only, size) = match args.value(PARTS) {
        Some(word) if way == PARTS => parse_parts(word)?,
        _ => (Share::Bytes, None, number(way, 1000)?),
    };
    let operands = args.operands_between(0, 2)?;
    let additional = args.value(ADDITIONAL).unwrap_or_default();
    if additional.contains(&b'/') {
        return Err(Error::parts(&[b"invalid suffix '", additional, b"'"]));
    }
    let mut input = env.open(operands.first().copied().unwrap_or(b"-"))?;
    let mut parts = Parts {
        stdout: &mut env.stdout,
        prefix: operands.get(1).copied().unwrap_or(b"x"),
        letters: match args.last_of(&[DIGITS, HEX]) {
            Some(DIGITS) => b"0123456789",
            Some(_) => b"0123456789abcdef",
            None => b"abcdefghijklmnopqrstuvwxyz",
        },
        length: number(LENGTH, 2)?.min(255) as usize,
        widens: !args.has(LENGTH) && way != PARTS,
        input: input.fd().and_then(|file| fstat(file).ok()).map(|stat| id(&stat)),
        additional,
        only,
        count: 0,
        current: None,
    };
    if way == PARTS && !args.has(LENGTH) {
        let base = parts.letters.len() as u64;
        while base.saturating_pow(parts.length as u32) < size {
            parts.length += 1;
        }
    }
    match way {
        BYTES => parts.split_bytes(&mut input, size, u64::MAX)?,
        LINE_BYTES => parts.split_line_bytes(&mut input, usize::try_from(size).unwrap_or(usize::MAX))?,
        PARTS if matches!(share, Share::Turns) => parts.split_in_turn(&mut input, size)?,
        PARTS => {
            let total = total(&mut input)?;
            match share {
                Share::Lines => parts.split_lines_evenly(&mut input, (total / size).max(1), size)?,
                _ => parts.split_bytes(&mut input, (total / size).max(1), size)?,
            }
            // A file that is shorter than the number of parts leaves empty ones.
            while parts.count < size {
                parts.begin()?;
            }
        }
        _ => parts.split_lines(&mut input, size)?,
    }
    parts.end()?;
    Ok(ExitStatus::SUCCESS)
}

/// Reads the value of -n, `[l/|r/][K/]N`: the share, K and N.
fn parse_parts(word: &[u8]) -> Result<(Share, Option<u64>, u64)> {
    let (share, rest) = match word {
        [b'l', b'/', rest @ ..] => (Share::Lines, rest),
        [b'r', b'/', rest @ ..] => (Share::Turns, rest),
        _ => (Share::Bytes, word),
    };
    let (only, count) = match bytes::split_once(rest, b'/') {
        Some((only, count)) => (Some(only), count),
        None => (None, rest),
    };
    let count = match share {
        Share::Bytes if only.is_none() => parse_count(count, SIZE_SUFFIXES)?,
        _ => parse_in_range(count, 1, u64::MAX)?,
    };
    if count == 0 {
        return Err(rbox_core::number::invalid(word));
    }
    Ok((share, only.map(|only| parse_in_range(only, 1, count)).transpose()?, count))
}

/// How many bytes there are. What is no file has to be read for it.
fn total(input: &mut Input) -> Result<u64> {
    let stat = input.fd().and_then(|file| fstat(file).ok());
    if let Some(stat) = stat.filter(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile) {
        return Ok(stat.st_size as u64);
    }
    while input.fill_more()? {}
    Ok(input.buffered().len() as u64)
}

impl Parts<'_> {
    /// Ends the part and begins the next one.
    fn begin(&mut self) -> Result<()> {
        self.end()?;
        if self.only.is_some() {
            self.count += 1;
            return Ok(());
        }
        let (mut left, base) = (self.count, self.letters.len() as u64);
        let (mut length, mut lead) = (self.length, 0);
        // The last character leads only longer suffixes, so that the names stay in order: xyz, xzaaa.
        let count_of = |length| (base - 1).saturating_mul(base.saturating_pow(length as u32 - 1));
        while self.widens && left >= count_of(length) {
            left -= count_of(length);
            (length, lead) = (length + 1, lead + 1);
        }
        let mut suffix = vec![self.letters[base as usize - 1]; lead + length];
        for place in suffix[lead..].iter_mut().rev() {
            *place = self.letters[(left % base) as usize];
            left /= base;
        }
        if left > 0 {
            return Err(Error::new("output file suffixes exhausted"));
        }
        self.count += 1;
        let name = [self.prefix, &suffix, self.additional].concat();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        let cannot = |errno| Error::cannot("create", &name, errno);
        let file = open(&name, flags, Mode::from_raw_mode(0o666)).map_err(cannot)?;
        let stat = fstat(&file).map_err(cannot)?;
        if Some(id(&stat)) == self.input {
            return Err(Error::parts(&[b"'", &name, b"' would overwrite input; aborting"]));
        }
        if kind(&stat) == FileType::RegularFile {
            ftruncate(&file, 0).map_err(cannot)?;
        }
        self.current = Some((name, Output::from_fd(file)));
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        let Some((name, mut output)) = self.current.take() else { return Ok(()) };
        output.flush().map_err(|error| error.errno().map_or(error, |errno| Error::on(&name, errno)))
    }

    fn write(&mut self, content: &[u8]) -> Result<()> {
        let Some((name, output)) = &mut self.current else {
            return if self.only == Some(self.count) { self.stdout.write(content) } else { Ok(()) };
        };
        // The part has failed, not standard output.
        output.write(content).map_err(|error| error.errno().map_or(error, |errno| Error::on(&*name, errno)))
    }

    /// Parts of `size` bytes; the part of number `most` takes all that is left.
    fn split_bytes(&mut self, input: &mut Input, size: u64, most: u64) -> Result<()> {
        let mut left = 0;
        loop {
            let content = input.fill()?;
            if content.is_empty() {
                return Ok(());
            }
            if left == 0 {
                self.begin()?;
                left = if self.count == most { u64::MAX } else { size };
            }
            let length = content.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.write(&content[..length])?;
            input.consume(length);
            left -= length as u64;
        }
    }

    fn split_lines(&mut self, input: &mut Input, lines: u64) -> Result<()> {
        let mut left = 0;
        let mut starts = true;
        while let Some(chunk) = input.chunk(b'\n', &mut Output::memory())? {
            if starts && left == 0 {
                self.begin()?;
                left = lines;
            }
            left -= u64::from(starts);
            self.write(chunk.bytes)?;
            if chunk.ends {
                self.write(b"\n")?;
            }
            starts = chunk.ends;
        }
        Ok(())
    }

    /// As many parts as `most`: each has the lines that begin in its share of `size` bytes.
    fn split_lines_evenly(&mut self, input: &mut Input, size: u64, most: u64) -> Result<()> {
        let (mut at, mut starts) = (0, true);
        while let Some(chunk) = input.chunk(b'\n', &mut Output::memory())? {
            while starts && self.count <= (at / size).min(most - 1) {
                self.begin()?;
            }
            self.write(chunk.bytes)?;
            if chunk.ends {
                self.write(b"\n")?;
            }
            at += chunk.bytes.len() as u64 + u64::from(chunk.ends);
            starts = chunk.ends;
        }
        Ok(())
    }

    /// Gives each of `count` parts one line in turn. All parts are open at the same time.
    fn split_in_turn(&mut self, input: &mut Input, count: u64) -> Result<()> {
        let mut parts = Vec::new();
        while self.only.is_none() && self.count < count {
            self.begin()?;
            parts.push(self.current.take());
        }
        self.count = 1;
        while let Some(chunk) = input.chunk(b'\n', &mut Output::memory())? {
            let index = self.count as usize - 1;
            self.current = parts.get_mut(index).and_then(Option::take);
            self.write(chunk.bytes)?;
            if chunk.ends {
                self.write(b"\n")?;
                self.count = self.count % count + 1;
            }
            if let Some(part) = parts.get_mut(index) {
                *part = self.current.take();
            }
        }
        for part in parts {
            self.current = part;
            self.end()?;
        }
        Ok(())
    }

    fn split_line_bytes(&mut self, input: &mut Input, size: usize) -> Result<()> {
        let mut left = 0;
        while let Some(mut line) = input.record(b'\n')? {
            // A line that fits no part is cut; what is left of it begins the next part.
            while line.len() > left {
                if left == size {
                    let (part, rest) = line.split_at(size);
                    self.write(part)?;
                    line = rest;
                }
                self.begin()?;
                left = size;
            }
            self.write(line)?;
            left -= line.len();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn wrong_words_are_named() {
        let error = |words: &[&str]| try_call(APPLET, words, b"").stderr;
        assert_eq!(error(&["split", "-l", "0"]), "split: invalid number '0'\n");
        assert_eq!(error(&["split", "--additional-suffix=a/b"]), "split: invalid suffix 'a/b'\n");
        assert!(error(&["split", "-l1", "-b1"]).starts_with("split: cannot split in more than one way\n"));
    }

    #[test]
    fn an_empty_input_has_no_parts() {
        assert_eq!(try_call(APPLET, &["split", "-", "/proc/nonexistent/x"], b"").status, 0);
        let ran = try_call(APPLET, &["split", "-", "/proc/nonexistent/x"], b"a");
        assert_eq!(ran.stderr, "split: can't create '/proc/nonexistent/xaa': No such file or directory\n");
    }
}
