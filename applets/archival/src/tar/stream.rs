//! The archive as a stream: a file or a standard stream, through a program that compresses it.

use rbox_core::archive::tar::{Block, Reader, is_header};
use rbox_core::bytes::words;
use rbox_core::files::{FileId, id, kind};
use rbox_core::io::{Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, FileType};
use rbox_core::sys::pipe::{PipeFlags, pipe_with};
use rbox_core::sys::{Errno, OwnedFd, fd, process};

use crate::filter::{by_content, filter, filter_input, wait};

use super::{AUTO, BZIP2, COMPRESS, FILE, GZIP, IGNORE_ZEROS, LZMA, LZOP, NO_AUTO, PROGRAM, XZ, ZSTD};

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

/// Whether the ending of the archive's name counts.
fn is_auto(args: &Args<'_>) -> bool {
    args.last_of(&[AUTO, NO_AUTO]) == Some(AUTO)
}

/// The name of an archive without the endings of tar and compressors; `None` where it has none.
pub fn stem(name: &[u8]) -> Option<&[u8]> {
    let name = rbox_core::bytes::base_name(name);
    let stem = match by_ending(name) {
        Some(_) => &name[..rbox_core::bytes::find_byte_back(b'.', name)?],
        None => name.strip_suffix(b".tar")?,
    };
    Some(stem.strip_suffix(b".tar").unwrap_or(stem)).filter(|stem| !stem.is_empty())
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

/// An archive that is written.
pub struct Sink {
    /// Where its bytes go.
    pub output: Output,
    /// The file that the archive is, which must not become a member of it.
    pub file: Option<FileId>,
    child: Option<i32>,
}

impl Sink {
    /// Creates the archive of the command line.
    pub fn create(env: &mut Env, args: &Args<'_>) -> Result<Self> {
        let name = archive_name(args);
        let command = command(args).or_else(|| by_ending(name).filter(|_| is_auto(args)).map(|name| vec![name]));
        if name == b"-" && env.stdout.is_terminal() {
            return Err(Error::new("will not write an archive to a terminal; -f is missing"));
        }
        // Names go to standard error where the archive is standard output.
        let mut output = match name {
            b"-" => core::mem::replace(&mut env.stdout, Output::standard(2)),
            _ => Output::create(name)?,
        };
        let (mut child, file) = (None, file_of(&output));
        if let Some(command) = command {
            let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
            let mut writer = Some(writer);
            output.flush()?;
            child = Some(process::fork_run(|| {
                // Else the child would wait for its own end of the pipe to be closed.
                writer = None;
                compress(env, &command, &reader, &output)
            })?);
            output = writer.map_or(output, Output::from_fd);
        }
        Ok(Self { output, file, child })
    }

    /// An archive that is there, to be appended to.
    pub fn append(output: Output) -> Self {
        Self { file: file_of(&output), output, child: None }
    }

    /// Waits for the program that compresses, after the last byte.
    pub fn close(self, env: &mut Env) -> Result<()> {
        let Self { mut output, child, .. } = self;
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

/// The regular file behind an output.
fn file_of(output: &Output) -> Option<FileId> {
    let stat = output.fd().and_then(|file| fs::fstat(file).ok())?;
    (kind(&stat) == FileType::RegularFile).then(|| id(&stat))
}

/// Whether the archive is compressed, so that nothing can be appended.
pub fn is_compressed(args: &Args<'_>) -> bool {
    command(args).is_some() || is_auto(args) && by_ending(archive_name(args)).is_some()
}
