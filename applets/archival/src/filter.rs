//! Compression beside an archiver: a stream through a process of its own, an applet of rbox or the program that PATH leads
//! to.

use rbox_core::bytes::base_name;
use rbox_core::call;
use rbox_core::io::{Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::fs;
use rbox_core::sys::pipe::{PipeFlags, pipe_with};
use rbox_core::sys::{AsFd, Errno, fd, process};

/// The program for what an archive begins with.
pub fn by_content(start: &[u8]) -> Option<&'static [u8]> {
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

/// Starts the decompression of a stream.
pub fn filter_input(env: &mut Env, mut input: Input, command: &[&[u8]]) -> Result<(Input, i32)> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    let name = input.name().to_vec();
    env.stdout.flush()?;
    let mut reader = Some(reader);
    let pid = process::fork_run(|| {
        // The end of the reader must be seen by the write that comes after it.
        reader = None;
        let own = core::mem::replace(&mut input, Input::from_bytes(Vec::new()));
        let output = Output::from_fd(fd::fcntl_dupfd_cloexec(&writer, 3).unwrap_or_else(|_| process::exit_now(127)));
        // compress(1) alone has another name for the way back.
        let words = match command {
            [b"compress"] => vec![&b"uncompress"[..], b"-c"],
            _ => {
                let mut words = command.to_vec();
                words.push(b"-d");
                words
            }
        };
        filter(env, &words, own, output, true)
    })?;
    // What is buffered is the child's now, and must not be given back to standard input.
    let buffered = input.buffered().len();
    input.consume(buffered);
    let reader = reader.ok_or(Errno::BADF)?;
    Ok((Input::from_fd(reader, &name), pid))
}

/// Compresses or decompresses, in the child.
pub fn filter(env: &mut Env, words: &[&[u8]], mut input: Input, output: Output, decompresses: bool) -> u8 {
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

/// Whether rbox's own applet does it: always to decompress, and for what it compresses.
fn is_own(env: &Env, name: &[u8], decompresses: bool) -> bool {
    if name.contains(&b'/') || env.registry.find(base_name(name)).is_none() {
        return false;
    }
    let is_other = || call::find_program(&env.vars, name).is_some_and(|path| !call::is_this_program(&path));
    decompresses || matches!(name, b"gzip" | b"bzip2" | b"xz" | b"lzma" | b"lzop") || !is_other()
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

/// Waits for the process; a status other than 0 is an error.
pub fn wait(child: i32) -> Result<()> {
    match process::wait_for(child)?.status() {
        0 => Ok(()),
        status => Err(Error::new(rbox_core::text!("child returned status ", status))),
    }
}
