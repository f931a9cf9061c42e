//! `mknod`: make device nodes and named pipes.

use rbox_core::files::with_umask;
use rbox_core::mode;
use rbox_core::number;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{CWD, FileType, Mode, makedev, mknodat};
use rbox_core::sys::process::current_umask;

options! {
    "[-m MODE] NAME b|c|u MAJOR MINOR | [-m MODE] NAME p

Create the block (b) or character (c, u) device or named pipe (p) NAME.

  -m, --mode=MODE  Set MODE, as chmod(1) (a=rw minus umask)";
    MODE = "-m",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let (name, kind, device) = match args.operands() {
        [name, b"p"] => (*name, FileType::Fifo, 0),
        [name, b"b", major, minor] => (*name, FileType::BlockDevice, device(major, minor)?),
        [name, b"c" | b"u", major, minor] => (*name, FileType::CharacterDevice, device(major, minor)?),
        _ => return Err(Error::usage()),
    };
    make(name, kind, device, args.value(MODE))
}

fn device(major: &[u8], minor: &[u8]) -> Result<u64> {
    let major = number::parse_in_range(major, 0, 4095)?;
    Ok(makedev(major as u32, number::parse_in_range(minor, 0, 1_048_575)? as u32))
}

/// Makes a node of that kind. The umask bears on a mode only where a clause names no class (POSIX XCU mkfifo, -m), and
/// the node has its mode from the start: a second call by its name might find something else there.
pub fn make(name: &[u8], kind: FileType, device: u64, mode: Option<&[u8]>) -> Outcome {
    let wanted = mode.map(|word| mode::apply(word, 0o666, false, current_umask())).transpose()?;
    let make = || mknodat(CWD, name, kind, Mode::from_raw_mode(wanted.unwrap_or(0o666)), device);
    let made = if wanted.is_some() { with_umask(0, make) } else { make() };
    made.map_err(|errno| Error::on(name, errno))?;
    Ok(ExitStatus::SUCCESS)
}
