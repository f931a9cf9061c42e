//! The archive as a stream: a file or a standard stream, through a program that compresses it.
//!
//! Compression runs in a process of its own, beside tar's: an applet of rbox, or the program that PATH leads to.

use rbox_core::archive::tar::{Block, Reader, is_header};
use rbox_core::bytes::{base_name, words};
use rbox_core::call;
use rbox_core::io::{Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, FileType};
use rbox_core::sys::pipe::{PipeFlags, pipe_with};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd, process};

use super::{AUTO, BZIP2, COMPRESS, FILE, GZIP, IGNORE_ZEROS, LZMA, LZOP, PROGRAM, XZ, ZSTD};

/// The archive's name; `-` for a standard stream.
pub fn archive_name<'a>(args: &Args<'a>) -> &'a [u8] {
    args.value(FILE).unwrap_or(b"-")
}

/// The command of the options, without its `-d`.
fn command<'a>(args: &Args<'a>) -> Option<Vec<&'a [u8]>> {
    let given = args.last_of(&[GZIP, BZIP2, XZ, COMPRESS, LZMA, LZOP, ZSTD, PROGRAM])?;
    let name: &[u8] = match given {
        GZIP => b"gzip",
        BZIP2 => b"bzip2",
        XZ => b"xz",
        COMPRESS => b"compress",
        LZMA => b"lzma",
        LZOP => b"lzop",
        ZSTD => b"zstd",
        _ => return Some(words(args.value(PROGRAM)?).collect()),
    };
    Some(vec![name])
}

/// The program for the ending of an archive's name.
fn by_ending(name: &[u8]) -> Option<&'static [u8]> {
    let dot = rbox_core::bytes::find_byte_back(b'.', name)?;
    Some(match &name[dot + 1..] {
        b"gz" | b"tgz" | b"taz" => b"gzip",
        b"bz2" | b"tbz" | b"tbz2" | b"tz2" => b"bzip2",
        b"xz" | b"txz" => b"xz",
        b"Z" | b"taZ" => b"compress",
        b"lzma" | b"tlz" => b"lzma",
        b"lzo" | b"tzo" => b"lzop",
        b"zst" | b"tzst" => b"zstd",
        _ => return None,
    })
}

/// The program for what an archive begins with.
fn by_content(start: &[u8]) -> Option<&'static [u8]> {
    Some(match start {
        [0x1f, 0x8b, ..] => b"gzip",
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => b"bzip2",
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => b"xz",
        [0x1f, 0x9d, ..] => b"compress",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => b"zstd",
        [0x89, b'L', b'Z', b'O', 0, ..] => b"lzop",
        // The properties that every encoder writes, and a dictionary of whole kilobytes.
        [0x5d, 0, 0, _, _, ..] => b"lzma",
        _ => return None,
    })
}

/// An archive that is read.
pub struct Source {
    /// Its members.
    pub reader: Reader,
    child: Option<i32>,
}

impl Source {
    /// Opens the archive of the command line.
    pub fn open(env: &mut Env, args: &Args<'_>) -> Result<Self> {
        let name = archive_name(args);
        let mut input = if name == b"-" { env.take_stdin() } else { Input::open(name)? };
        let given = command(args);
        let found;
        let command = match &given {
            Some(command) => Some(&command[..]),
            None => {
                while input.buffered().len() < 512 && input.fill_more()? {}
                let start = input.buffered();
                let is_plain = start.first_chunk::<512>().is_some_and(|block: &Block| is_header(block));
                found = [by_content(start).unwrap_or_default()];
                (!is_plain && !found[0].is_empty()).then_some(&found[..])
            }
        };
        let mut child = None;
        if let Some(command) = command {
            let (filtered, pid) = filter_input(env, input, command)?;
            (input, child) = (filtered, Some(pid));
        }
        Ok(Self { reader: Reader::new(input, args.has(IGNORE_ZEROS)), child })
    }

    /// Reads what is left, so that who writes it need not fail, and waits for the program that decompresses.
    pub fn close(self) -> Result<()> {
        let mut input = self.reader.into_input();
        let is_pipe = |file| fs::fstat(file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
        if input.fd().is_some_and(is_pipe) {
            input.skip(u64::MAX)?;
        }
        drop(input);
        self.child.map_or(Ok(()), wait)
    }
}

fn wait(child: i32) -> Result<()> {
    match process::wait_for(child)?.status() {
        0 => Ok(()),
        status => Err(Error::new(rbox_core::text!("child returned status ", status))),
    }
}

/// Starts the decompression of a stream.
fn filter_input(env: &mut Env, mut input: Input, command: &[&[u8]]) -> Result<(Input, i32)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    let name = input.name().to_vec();
    env.stdout.flush()?;
    let pid = process::fork_run(|| {
        let own = core::mem::replace(&mut input, Input::from_bytes(Vec::new()));
        let output = Output::from_fd(fd::fcntl_dupfd_cloexec(&writer, 3).unwrap_or_else(|_| process::exit_now(127)));
        let words = [command, &[b"-d"]].concat();
        filter(env, &words, own, output, true)
    })?;
    // What is buffered is the child's now, and must not be given back to standard input.
    let buffered = input.buffered().len();
    input.consume(buffered);
    Ok((Input::from_fd(reader, &name), pid))
}

/// Compresses or decompresses, in the child.
fn filter(env: &mut Env, words: &[&[u8]], mut input: Input, output: Output, decompresses: bool) -> u8 {
    if is_own(env, words[0], decompresses) {
        return call::here(env, input, output, words).map_or(127, |(status, _)| status.0);
    }
    let plugged = plug(&mut input).and_then(|()| match output.fd() {
        Some(file) => fd::redirect(file, 1),
        None => Ok(()),
    });
    let errno = match plugged {
        Ok(()) => call::exec_by_path(env, words),
        Err(errno) => errno,
    };
    env.report(&Error::cannot("execute", words[0], errno));
    call::failure_status(errno)
}

/// Whether rbox's own applet does it: always to decompress, and for what it compresses as well as others do.
fn is_own(env: &Env, name: &[u8], decompresses: bool) -> bool {
    if name.contains(&b'/') || env.registry.find(base_name(name)).is_none() {
        return false;
    }
    let is_other = || call::find_program(&env.vars, name).is_some_and(|path| !call::is_this_program(&path));
    decompresses || name == b"gzip" || !is_other()
}

/// Makes a stream standard input, from where it is: by a seek, or through a process that passes on what has been read.
fn plug(input: &mut Input) -> core::result::Result<(), Errno> {
    let buffered = input.buffered().len();
    let Some(file) = input.fd() else { return Err(Errno::BADF) };
    let back = fs::SeekFrom::Current(-(buffered as i64));
    if buffered == 0 || fs::seek(file, back).is_ok() {
        fd::redirect(file, 0)?;
        input.consume(buffered);
        return Ok(());
    }
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    let copied = |input: &mut Input| -> Result<()> {
        let mut output = Output::from_fd(fd::fcntl_dupfd_cloexec(writer.as_fd(), 3)?);
        rbox_core::io::copy(input, &mut output)?;
        output.flush()
    };
    process::fork_run(|| u8::from(copied(input).is_err()))?;
    fd::redirect(reader.as_fd(), 0)
}

/// An archive that is written.
pub struct Sink {
    /// Where its bytes go.
    pub output: Output,
    child: Option<i32>,
}

impl Sink {
    /// Creates the archive of the command line.
    pub fn create(env: &mut Env, args: &Args<'_>) -> Result<Self> {
        let name = archive_name(args);
        let command = command(args).or_else(|| by_ending(name).filter(|_| args.has(AUTO)).map(|name| vec![name]));
        if name == b"-" && env.stdout.is_terminal() {
            return Err(Error::new("will not write an archive to a terminal; -f is missing"));
        }
        // Names go to standard error where the archive is standard output.
        let mut output = match name {
            b"-" => core::mem::replace(&mut env.stdout, Output::standard(2)),
            _ => Output::create(name)?,
        };
        let mut child = None;
        if let Some(command) = command {
            let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
            output.flush()?;
            child = Some(process::fork_run(|| compress(env, &command, &reader, &output))?);
            output = Output::from_fd(writer);
        }
        Ok(Self { output, child })
    }

    /// An archive that is there, to be appended to.
    pub fn append(output: Output) -> Self {
        Self { output, child: None }
    }

    /// Waits for the program that compresses, after the last byte.
    pub fn close(self, env: &mut Env) -> Result<()> {
        let Self { mut output, child } = self;
        output.flush()?;
        match child {
            Some(child) => {
                drop(output);
                wait(child)
            }
            None => {
                if output.is_inherited() || output.fd().is_none() {
                    env.stdout = output;
                }
                Ok(())
            }
        }
    }
}

fn compress(env: &mut Env, command: &[&[u8]], reader: &OwnedFd, output: &Output) -> u8 {
    let copies = fd::fcntl_dupfd_cloexec(reader, 3)
        .and_then(|input| Ok((input, fd::fcntl_dupfd_cloexec(output.fd().ok_or(Errno::BADF)?, 3)?)));
    match copies {
        Ok((input, output)) => filter(env, command, Input::from_fd(input, b"pipe"), Output::from_fd(output), false),
        Err(_) => 127,
    }
}

/// Whether the archive is compressed, so that nothing can be appended.
pub fn is_compressed(args: &Args<'_>) -> bool {
    command(args).is_some() || args.has(AUTO) && by_ending(archive_name(args)).is_some()
}
