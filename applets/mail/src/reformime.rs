//! `reformime`: take a message apart (RFC 2045-2047).

use rbox_core::bytes::{base_name, find_byte};
use rbox_core::codec::base::{Base, Decoder};
use rbox_core::io::{Input, Output};
use rbox_core::options::Grammar;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::pipe::{PipeFlags, pipe_with};
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::SIGPIPE;
use rbox_core::sys::{AsFd, Errno, fd, fs, process};
use rbox_core::{call, text};

use crate::mime::{Fields, decode_quoted};

options! {
    "[-x PREFIX | -X PROG [ARG]...]

Take apart the MIME message on standard input.

  -x PREFIX  Write each section to a file, PREFIX and the section's name; none is replaced
  -X PROG    Pipe each section to PROG, with CONTENT_TYPE, CHARSET, ENCODING and FILENAME
      in its environment; it must be the last option";
    EXTRACT = "-x",
    FILTER = "-X",
}

/// The applet. All after -X are words of its program.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

/// The most sections of sections, and bytes of a head.
const DEEPEST: usize = 32;
const LONGEST_HEAD: usize = 1 << 20;
/// A line that is longer is taken in parts of about so many bytes, and is no boundary.
const LONGEST_LINE: usize = 1 << 16;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.words();
    let end = words
        .iter()
        .position(|word| word.starts_with(b"-X"))
        .map_or(words.len(), |at| at + if words[at].len() > 2 { 1 } else { 2 });
    let (own, program) = words.split_at(end.min(words.len()));
    let args = Args::parse(USAGE, Grammar::Permuted, own)?;
    args.operands_between(0, 0)?;
    let target = match (args.value(EXTRACT), args.value(FILTER)) {
        (Some(prefix), None) => Target::Files(prefix),
        (None, Some(first)) => Target::Program([&[first], program].concat()),
        _ => return Err(Error::misused("exactly one of -x and -X is needed")),
    };
    // A program need not read all.
    let before = signal::set(SIGPIPE, Disposition::Ignore).map_err(Error::from)?;
    let mut input = env.take_stdin();
    let mut reader = Reader { boundaries: Vec::new(), count: 0, target };
    let result = reader.section(env, &mut input);
    signal::set(SIGPIPE, before).map_err(Error::from)?;
    result.map(|_| ExitStatus::SUCCESS)
}

enum Target<'a> {
    Files(&'a [u8]),
    Program(Vec<&'a [u8]>),
}

struct Reader<'a> {
    /// Those of the sections that this one is in, the outermost first.
    boundaries: Vec<Vec<u8>>,
    count: u64,
    target: Target<'a>,
}

/// The length of the next line with its newline in the buffer, or of a part of it; 0 at the end. Between two parts there is no
/// end of words that are encoded, nor are there blanks, which count at the end of a line (RFC 2045, 6.7).
fn part(input: &mut Input) -> Result<usize> {
    let mut searched = 0;
    loop {
        let content = input.buffered();
        if let Some(at) = find_byte(b'\n', &content[searched..]) {
            return Ok(searched + at + 1);
        }
        searched = content.len();
        if searched >= LONGEST_LINE {
            let may_end = |pair: &[u8]| pair[0] != b'=' && pair[1] != b'=' && !pair[1].is_ascii_whitespace();
            return Ok(content.windows(2).rposition(may_end).map_or(searched, |at| at + 2));
        }
        if !input.fill_more()? {
            return Ok(searched);
        }
    }
}

/// How a section ended: with a boundary of the level of that number, which may be the last one; or with the message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Boundary(usize, bool),
    Message,
}

impl Reader<'_> {
    /// Reads a head and what follows it, up to a boundary.
    fn section(&mut self, env: &mut Env, input: &mut Input) -> Result<End> {
        let (mut head, mut at_start) = (Vec::new(), true);
        loop {
            let count = part(input)?;
            let line = &input.buffered()[..count];
            if head.len() + count > LONGEST_HEAD {
                return Err(Error::new("a head is too long"));
            }
            let end = if at_start { self.boundary(line) } else { None };
            let is_over = count == 0 || at_start && matches!(line, b"\n" | b"\r\n");
            at_start = line.ends_with(b"\n");
            if end.is_none() && !is_over {
                head.extend_from_slice(line);
            }
            input.consume(count);
            match end {
                Some(end) => return Ok(end),
                None if is_over => break,
                None => {}
            }
        }
        let fields = Fields::parse(&head);
        let Some(boundary) = fields.boundary.clone() else { return self.body(env, input, &fields) };
        if self.boundaries.len() >= DEEPEST {
            return Err(Error::new("sections are too deep"));
        }
        self.boundaries.push(boundary);
        let level = self.boundaries.len() - 1;
        // RFC 2046 5.1.1: what is before the first boundary and after the last is no section.
        let mut end = self.skip(input)?;
        while end == End::Boundary(level, false) {
            end = self.section(env, input)?;
        }
        self.boundaries.truncate(level);
        if end == End::Boundary(level, true) { self.skip(input) } else { Ok(end) }
    }

    fn boundary(&self, line: &[u8]) -> Option<End> {
        let line = line.trim_ascii_end().strip_prefix(b"--")?;
        // The innermost first. One that has not ended ends with that of a section around it.
        (0..self.boundaries.len()).rev().find_map(|level| match line.strip_prefix(&self.boundaries[level][..])? {
            b"" => Some(End::Boundary(level, false)),
            b"--" => Some(End::Boundary(level, true)),
            _ => None,
        })
    }

    fn skip(&self, input: &mut Input) -> Result<End> {
        let mut at_start = true;
        loop {
            let count = part(input)?;
            let line = &input.buffered()[..count];
            let end = if at_start { self.boundary(line) } else { None };
            at_start = line.ends_with(b"\n");
            input.consume(count);
            match end {
                Some(end) => return Ok(end),
                None if count == 0 => return Ok(End::Message),
                None => {}
            }
        }
    }

    /// Decodes a section to its file or program.
    fn body(&mut self, env: &mut Env, input: &mut Input, fields: &Fields) -> Result<End> {
        self.count += 1;
        match &self.target {
            Target::Files(prefix) => {
                let mut output = self.create(prefix, fields)?;
                let end = self.decode(input, fields, &mut output)?;
                output.flush()?;
                Ok(end)
            }
            Target::Program(words) => {
                let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).map_err(Error::from)?;
                let variables = [
                    ("CONTENT_TYPE", &fields.kind),
                    ("CHARSET", &fields.charset),
                    ("ENCODING", &fields.encoding),
                    ("FILENAME", &fields.name),
                ];
                env.stdout.flush()?;
                let forked = process::fork().map_err(|errno| Error::on("can't fork", errno))?;
                let Some(pid) = forked else {
                    // An applet in this very process would wait for the end that it holds itself.
                    drop(writer);
                    for (name, value) in variables {
                        env.vars.set(name, Some(value));
                    }
                    let is_ready =
                        fd::redirect(reader.as_fd(), 0).is_ok() && signal::set(SIGPIPE, Disposition::Default).is_ok();
                    process::exit_now(if is_ready { call::replace(env, words).0 } else { 126 });
                };
                drop(reader);
                let mut output = Output::from_fd(writer);
                let end = self.decode(input, fields, &mut output);
                let flushed = output.flush();
                drop(output);
                let status = process::wait_for(pid).map_err(Error::from)?.status();
                if status != 0 {
                    return Err(Error::new(text!("'", words[0], "' ended with status ", status)));
                }
                match (end, flushed) {
                    (Ok(end), Ok(())) => Ok(end),
                    // It has what it wants.
                    (Err(error), _) | (_, Err(error)) if error.errno() == Some(Errno::PIPE) => self.skip(input),
                    (Err(error), _) | (_, Err(error)) => Err(error),
                }
            }
        }
    }

    /// A new file: the name in a message is one component, and replaces nothing.
    fn create(&self, prefix: &[u8], fields: &Fields) -> Result<Output> {
        let name = base_name(&fields.name);
        let name = match name {
            b"" | b"." | b".." | b"/" => text!("section", self.count),
            // With a prefix no filesystem may take it.
            name if name.len() > 200 => text!("section", self.count),
            name => name.iter().map(|&byte| if byte.is_ascii_control() { b'_' } else { byte }).collect(),
        };
        let path = text!(prefix, name);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = fs::open(&path, flags, Mode::from_raw_mode(0o666));
        Ok(Output::from_fd(file.map_err(|errno| Error::cannot("create", &path, errno))?))
    }

    fn decode(&self, input: &mut Input, fields: &Fields, output: &mut Output) -> Result<End> {
        let invalid = || Error::new("invalid base64 in a section");
        let (mut decoder, mut decoded) = (Decoder::new(Base::Base64, true), Vec::new());
        // RFC 2046 5.1.1: the newline before a boundary belongs to it.
        let (mut newline, mut at_start): (&[u8], bool) = (b"", true);
        let end = loop {
            let count = part(input)?;
            if count == 0 {
                break End::Message;
            }
            let line = &input.buffered()[..count];
            if at_start && let Some(end) = self.boundary(line) {
                input.consume(count);
                break end;
            }
            at_start = line.ends_with(b"\n");
            decoded.clear();
            match &fields.encoding[..] {
                b"base64" => decoder.decode(line.trim_ascii(), &mut decoded).map_err(|_| invalid())?,
                encoding => {
                    decoded.extend_from_slice(newline);
                    let has_return = line.ends_with(b"\r\n");
                    let content = &line[..count - usize::from(at_start) - usize::from(has_return)];
                    let goes_on = if encoding == b"quoted-printable" {
                        decode_quoted(content, &mut decoded)
                    } else {
                        decoded.extend_from_slice(content);
                        false
                    };
                    newline = match (goes_on || !at_start, has_return) {
                        (true, _) => b"",
                        (false, true) => b"\r\n",
                        (false, false) => b"\n",
                    };
                }
            }
            input.consume(count);
            output.write(&decoded)?;
        };
        if end == End::Message {
            output.write(newline)?;
        }
        if fields.encoding == b"base64" && !decoder.is_whole() {
            return Err(invalid());
        }
        Ok(end)
    }
}
