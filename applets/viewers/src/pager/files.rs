//! Where keys come from, opening files, and copying them where standard output is no terminal.

use rbox_core::io::{Input, copy};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, FileType, Mode, OFlags};
use rbox_core::sys::{Errno, OwnedFd, termios};

use super::source::Source;

/// The operands; standard input where there is none. A terminal as standard input is an error then.
pub(crate) fn or_standard_input<'a>(env: &Env, mut files: Vec<&'a [u8]>) -> Result<Vec<&'a [u8]>> {
    if files.is_empty() {
        if env.stdin.fd().is_some_and(termios::isatty) {
            return Err(Error::misused("missing filename"));
        }
        files.push(b"-");
    }
    Ok(files)
}

/// Where keys come from: standard input (`None`), when it is a terminal, or the controlling terminal. `None` when there
/// is none, or when standard output is no terminal.
pub(crate) fn terminal(env: &Env) -> Option<Option<OwnedFd>> {
    if !env.stdout.is_terminal() {
        return None;
    }
    if env.stdin.fd().is_some_and(termios::isatty) {
        return Some(None);
    }
    fs::open("/dev/tty", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).ok().map(Some)
}

/// Copies files to standard output.
pub(crate) fn copy_all(env: &mut Env, files: &[&[u8]]) -> Outcome {
    env.for_each_operand(files, &mut |env, name| {
        let mut input = if name == b"-" { env.take_stdin() } else { Input::open(name)? };
        copy(&mut input, &mut env.stdout).map(drop)
    })
}

/// Opens a file; `-` is standard input. `terminal` is the descriptor that has the keys.
pub(crate) fn open(env: &mut Env, name: &[u8], terminal: i32) -> Result<Source> {
    let input = if name == b"-" { env.take_stdin() } else { Input::open(name)? };
    let is_directory =
        |file| fs::fstat(file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
    if input.fd().is_some_and(is_directory) {
        return Err(Error::on(name, Errno::ISDIR));
    }
    Ok(Source::new(input, terminal))
}
