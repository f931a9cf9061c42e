//! What gzip, bzip2, xz, lzop, zstd and uncompress do alike: replace files by compressed ones, and back.

mod list;
mod names;
mod progress;
mod replace;

use rbox_core::codec::{Decoder, Encoder, Format, Header};
use rbox_core::files::{self, Follow, Phase, Step};
use rbox_core::io::{CHUNK, Input, Output};
use rbox_core::number::{SIZE_SUFFIXES, parse_count, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::fs::FileType;
use rbox_core::sys::{fd, termios};
use rbox_core::text;

use progress::Progress;

/// What is done with each file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Compress,
    Decompress,
    Test,
    List,
}

/// One run of one of the applets.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    pub action: Action,
    /// The format to compress to, and the one expected otherwise.
    pub format: Format,
    /// Decode whatever format there is.
    pub any: bool,
    /// 1 (fast) to 9 (small).
    pub level: u8,
    /// The suffix of compressed files.
    pub suffix: &'a [u8],
    /// Write to standard output, and leave the file.
    pub to_stdout: bool,
    pub keep: bool,
    pub force: bool,
    pub recursive: bool,
    pub verbose: bool,
    pub quiet: bool,
    /// Save or restore the name and the time that gzip's header has.
    pub named: bool,
    /// Which checksums lzop writes and compares: see `Header::checks`.
    pub checks: u8,
    /// The most bytes of memory that decompression may take, if that is not the usual.
    pub memory: Option<u64>,
}

impl<'a> Job<'a> {
    /// A job without options.
    pub fn new(action: Action, format: Format, level: u8, suffix: &'a [u8]) -> Self {
        Self {
            action,
            format,
            any: false,
            level,
            suffix,
            to_stdout: false,
            keep: false,
            force: false,
            recursive: false,
            verbose: false,
            quiet: false,
            named: false,
            checks: 1,
            memory: None,
        }
    }
}

/// The status when a file was followed by other data, as GNU's.
const WARNING: u8 = 2;

/// Processes all operands; standard input where there is none.
pub fn run(env: &mut Env, job: &Job<'_>, operands: &[&[u8]]) -> Outcome {
    let mut work = Work { job, buffer: Vec::new(), status: ExitStatus::SUCCESS, totals: list::Totals::default() };
    let operands = if operands.is_empty() { &[&b"-"[..]] } else { operands };
    let status = env.for_each_operand(operands, &mut |env, operand| match operand {
        b"-" => work.standard(env),
        _ => work.operand(env, operand),
    })?;
    if job.action == Action::List {
        work.totals.print(env, job)?;
    }
    work.status.worsen(status);
    Ok(work.status)
}

/// The state of a run.
struct Work<'a> {
    job: &'a Job<'a>,
    buffer: Vec<u8>,
    status: ExitStatus,
    totals: list::Totals,
}

impl Work<'_> {
    /// Standard input to standard output.
    fn standard(&mut self, env: &mut Env) -> Result<()> {
        let is_terminal = env.stdin.fd().is_some_and(termios::isatty);
        if self.job.action != Action::Compress && is_terminal && !self.job.force {
            return Err(refused("read from"));
        }
        let input = env.take_stdin();
        let header = Header { checks: self.job.checks, ..Header::default() };
        self.stream(env, input, &header, b"stdin")
    }

    /// A file or, with -r, what is in a directory.
    fn operand(&mut self, env: &mut Env, path: &[u8]) -> Result<()> {
        if !self.job.recursive {
            return self.file(env, path);
        }
        let failures = files::walk_gathering(path, Follow::Never, &mut |visit| {
            match (files::kind(visit.stat), visit.phase) {
                (FileType::Directory, _) => {}
                (FileType::RegularFile, _) => {
                    if let Err(error) = self.file(env, visit.path) {
                        if error.is_output() {
                            return Err(error);
                        }
                        self.status.worsen(env.warn(error));
                    }
                }
                (_, Phase::Before) => {
                    return self.ignore(visit.path, "not a directory or a regular file").map(|()| Step::On);
                }
                _ => {}
            }
            Ok(Step::On)
        })?;
        for failure in failures {
            self.status.worsen(env.warn(failure));
        }
        Ok(())
    }

    /// The failure of a file that is left alone; no message with -q.
    fn ignore(&self, path: &[u8], reason: &str) -> Result<()> {
        match self.job.quiet {
            true => Err(Error::silent(ExitStatus::FAILURE)),
            false => Err(Error::parts(&[path, b": ", reason.as_bytes(), b" - ignored"])),
        }
    }

    /// Decodes or encodes `input` to standard output, or only reads it.
    fn stream(&mut self, env: &mut Env, input: Input, header: &Header, name: &[u8]) -> Result<()> {
        match self.job.action {
            Action::Compress if env.stdout.is_terminal() && !self.job.force => Err(refused("written to")),
            Action::Compress => {
                let stdout = core::mem::replace(&mut env.stdout, Output::memory());
                let (stdout, result) = self.encode(env, input, header, stdout);
                env.stdout = stdout;
                result.map(drop)
            }
            action => self.decode_stream(env, input, name, action),
        }
    }

    fn decode_stream(&mut self, env: &mut Env, mut input: Input, name: &[u8], action: Action) -> Result<()> {
        let mut compressed = input.fd().and_then(list::size);
        let mut count = None;
        if compressed.is_none() && action == Action::List {
            let (counted, read) = list::counted(input);
            (input, count) = (counted, Some(read));
        }
        let mut decoder = match self.open(input)? {
            Ok(decoder) => decoder,
            Err(mut plain) => return rbox_core::io::copy(&mut plain, &mut env.stdout).map(drop),
        };
        let decoded = match action {
            Action::Decompress => {
                let mut stdout = core::mem::replace(&mut env.stdout, Output::memory());
                let decoded = self.decode(env, &mut decoder, Some(&mut stdout));
                env.stdout = stdout;
                decoded?
            }
            _ => self.decode(env, &mut decoder, None)?,
        };
        compressed = compressed.or(count.map(|count| count.get()));
        match action {
            Action::List => self.totals.add(env, self.job, &decoded, compressed, name),
            Action::Test if self.job.verbose => env.stderr.write(&text!(name, ":\t OK\n")),
            Action::Decompress if self.job.verbose => list::report(env, name, &decoded, compressed, self.job, None),
            _ => Ok(()),
        }
    }

    /// Encodes `input` to `output`, and returns how many bytes were read.
    fn encode(&mut self, env: &mut Env, mut input: Input, header: &Header, output: Output) -> (Output, Result<u64>) {
        let job = self.job;
        let mut encoder = match Encoder::with_header(job.format, header, job.level, output) {
            Ok(encoder) => encoder,
            Err(error) => return (Output::memory(), Err(error)),
        };
        let mut length = 0;
        let (mut progress, name) = (Progress::new(env, job.verbose), input.name().to_vec());
        let result = loop {
            let content = match input.fill() {
                Ok([]) => break Ok(length),
                Ok(content) => content,
                Err(error) => break Err(error),
            };
            let count = content.len();
            if let Err(error) = encoder.write(content) {
                break Err(error);
            }
            input.consume(count);
            length += count as u64;
            if let Err(error) = progress.show(env, &name, length) {
                break Err(error);
            }
        };
        let result = result.and_then(|length| progress.end(env).map(|()| length));
        if result.is_err() {
            return (encoder.into_output(), result);
        }
        match encoder.finish() {
            Ok(output) => (output, result),
            Err(error) => (Output::memory(), Err(error)),
        }
    }

    /// A decoder of `input`, if it has the right format; else `input`, where other files may be copied as they are.
    fn open(&self, mut input: Input) -> Result<core::result::Result<Decoder, Input>> {
        let format = match Format::of_input(&mut input)? {
            Some(format) if names::accepts(self.job, format) => format,
            // The format has no magic, and lzma(1) tries whatever it gets.
            _ if self.job.format == Format::Lzma && !self.job.any => Format::Lzma,
            _ if self.job.force && self.job.to_stdout && self.job.action == Action::Decompress => {
                return Ok(Err(input));
            }
            _ => return Err(Error::parts(&[input.name(), b": invalid magic"])),
        };
        let mut decoder = Decoder::new(format, input);
        if self.job.checks == 0 {
            decoder.ignore_checksums();
        }
        if let Some(bytes) = self.job.memory {
            decoder.limit_memory(bytes);
        }
        decoder.start()?;
        Ok(Ok(decoder))
    }

    /// Decodes all to `output`, if there is one.
    fn decode(&mut self, env: &mut Env, decoder: &mut Decoder, mut output: Option<&mut Output>) -> Result<Decoded> {
        if self.buffer.is_empty() {
            self.buffer = vec![0; CHUNK];
        }
        let mut decoded = Decoded { header: decoder.gzip_header().cloned(), ..Decoded::default() };
        let mut progress = Progress::new(env, self.job.verbose);
        loop {
            let count = decoder.read(&mut self.buffer)?;
            if count == 0 {
                break;
            }
            progress.show(env, decoder.name(), decoded.length)?;
            decoded.length += count as u64;
            if let Some(output) = &mut output {
                output.write(&self.buffer[..count])?;
            }
        }
        progress.end(env)?;
        if let Some(output) = output {
            output.flush()?;
        }
        if decoder.has_garbage() {
            self.warn_of_garbage(env, decoder.name())?;
        }
        decoded.checksum = decoder.gzip_checksum();
        Ok(decoded)
    }

    /// What follows the last member is ignored with a warning, as GNU's gzip does; in an .xz file it is an error.
    fn warn_of_garbage(&mut self, env: &mut Env, name: &[u8]) -> Result<()> {
        if self.job.format == Format::Xz {
            return Err(Error::parts(&[name, b": unexpected data after the last stream"]));
        }
        self.status.worsen(ExitStatus(WARNING));
        if !self.job.quiet {
            env.warn(Error::parts(&[name, b": decompression OK, trailing garbage ignored"]));
        }
        Ok(())
    }
}

/// BusyBox's words for a terminal where compressed data should be.
fn refused(verb: &str) -> Error {
    Error::parts(&[b"compressed data not ", verb.as_bytes(), b" terminal, use -f to force it"])
}

/// What decoding a file has shown.
#[derive(Default)]
struct Decoded {
    /// Bytes that came out.
    length: u64,
    /// gzip's header of the first member.
    header: Option<Header>,
    /// gzip's CRC of the last member.
    checksum: Option<u32>,
}

/// The action that the name of the applet asks for: those that decompress begin with `un` or `gun`, or end in `cat`.
pub fn action_by_name(name: &[u8]) -> Action {
    let decompresses = name.ends_with(b"cat") || rbox_core::bytes::find(name, b"un").is_some();
    if decompresses { Action::Decompress } else { Action::Compress }
}

/// The level of the last option that gives one: `number` has it as its value, `fast` and `best` stand for 1 and 9.
pub fn level(args: &Args<'_>, [fast, best, number]: [Opt; 3], least: u64, default: u64) -> Result<u8> {
    let level = match args.last_of(&[fast, best, number]) {
        None => default,
        Some(last) if last == fast => 1,
        Some(last) if last == best => 9,
        Some(_) => parse_in_range(args.value(number).unwrap_or_default(), least, 9)?,
    };
    Ok(level as u8)
}

/// The bytes of memory that an option gives; 0 means the default.
pub fn memory(args: &Args<'_>, option: Opt) -> Result<Option<u64>> {
    let parsed = args.value(option).map(|word| parse_count(word, SIZE_SUFFIXES)).transpose()?;
    Ok(parsed.filter(|&bytes| bytes > 0))
}

/// What the last of three options asks for, or the name of the applet.
pub fn action(env: &Env, args: &Args<'_>, [compress, decompress, test]: [Opt; 3]) -> Action {
    match args.last_of(&[compress, decompress, test]) {
        None => action_by_name(&env.name),
        Some(last) if last == compress => Action::Compress,
        Some(last) if last == test => Action::Test,
        Some(_) => Action::Decompress,
    }
}

/// Whether standard input is a terminal, so that questions can be answered.
fn can_ask() -> bool {
    termios::isatty(fd::borrow(0))
}
