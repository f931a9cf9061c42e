//! `mkdir`: make directories (POSIX XCU mkdir).

use rbox_core::files::{chmod, with_umask};
use rbox_core::mode;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, Mode};
use rbox_core::sys::{Errno, process};

options! {
    "[-pv] [-m MODE] DIRECTORY...

Create each DIRECTORY.

  -m, --mode=MODE  Set MODE, as chmod(1)
  -p, --parents    Create missing parent directories; accept existing ones
  -v, --verbose    Print each created directory";
    MODE = "-m",
    PARENTS = "-p",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let umask = process::current_umask();
    let wanted = match args.value(MODE) {
        Some(word) => Some(mode::apply(word, 0o777, true, umask)?),
        None => None,
    };
    args.operands_between(1, usize::MAX)?;
    env.for_each_operand(args.operands(), &mut |env, path| {
        if args.has(PARENTS) {
            make_parents(env, path, umask, args.has(VERBOSE))?;
        }
        let made = match wanted {
            Some(mode) => with_umask(0, || fs::mkdir(path, Mode::from_raw_mode(mode))),
            None => fs::mkdir(path, Mode::from_raw_mode(0o777)),
        };
        match made {
            Ok(()) => created(env, path, args.has(VERBOSE))?,
            Err(Errno::EXIST) if args.has(PARENTS) && is_directory(path) => return Ok(()),
            Err(errno) => return Err(Error::cannot("create directory", path, errno)),
        }
        match wanted {
            // mkdir(2) leaves these bits to the system.
            Some(mode) if mode & 0o6000 != 0 => chmod(fs::CWD, path, mode).map_err(|errno| Error::on(path, errno)),
            _ => Ok(()),
        }
    })
}

fn is_directory(path: &[u8]) -> bool {
    fs::stat(path).is_ok_and(|stat| rbox_core::files::kind(&stat) == fs::FileType::Directory)
}

/// Directories above get 0777 less the umask, and always write and search for the owner (POSIX XCU mkdir -p).
fn make_parents(env: &mut Env, path: &[u8], umask: u32, verbose: bool) -> Result<()> {
    let end = path.iter().rposition(|&byte| byte != b'/').unwrap_or(0);
    for at in (1..end).filter(|&at| path[at] == b'/' && path[at - 1] != b'/') {
        let parent = &path[..at];
        match with_umask(umask & !0o300, || fs::mkdir(parent, Mode::from_raw_mode(0o777))) {
            Ok(()) => created(env, parent, verbose)?,
            Err(_) if is_directory(parent) => {}
            Err(errno) => return Err(Error::cannot("create directory", path, errno)),
        }
    }
    Ok(())
}

fn created(env: &mut Env, path: &[u8], verbose: bool) -> Result<()> {
    if verbose { env.stdout.write(&[b"created directory: '", path, b"'\n"].concat()) } else { Ok(()) }
}
