//! `mkdir`: make directories (POSIX XCU mkdir).

use rbox_core::mode;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, Mode};
use rbox_core::sys::{Errno, process};

options! {
    "[-pv] [-m MODE] DIRECTORY...

Make each DIRECTORY.

  -m, --mode=MODE  Give it MODE, as chmod(1) takes it
  -p, --parents    Make the directories above, and be content when DIRECTORY is there
  -v, --verbose    Say what is made";
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
        // POSIX XCU mkdir -m: as if chmod followed; a directory that is made secret is never open in between.
        let first_mode = Mode::from_raw_mode(wanted.unwrap_or(0o777) & 0o777);
        match fs::mkdir(path, first_mode) {
            Ok(()) => created(env, path, args.has(VERBOSE))?,
            Err(Errno::EXIST) if args.has(PARENTS) && is_directory(path) => return Ok(()),
            Err(errno) => return Err(Error::cannot("create directory", path, errno)),
        }
        match wanted {
            Some(mode) => fs::chmod(path, Mode::from_raw_mode(mode)).map_err(|errno| Error::on(path, errno)),
            None => Ok(()),
        }
    })
}

fn is_directory(path: &[u8]) -> bool {
    fs::stat(path).is_ok_and(|stat| rbox_core::fs::kind(&stat) == fs::FileType::Directory)
}

/// Directories above get 0777 less the umask, and always write and search for the owner (POSIX XCU mkdir -p).
fn make_parents(env: &mut Env, path: &[u8], umask: u32, verbose: bool) -> Result<()> {
    let end = path.iter().rposition(|&byte| byte != b'/').unwrap_or(0);
    for at in (1..end).filter(|&at| path[at] == b'/' && path[at - 1] != b'/') {
        let parent = &path[..at];
        match fs::mkdir(parent, Mode::from_raw_mode(0o777)) {
            Ok(()) => {
                if umask & 0o300 != 0 {
                    let mode = Mode::from_raw_mode(0o777 & !umask | 0o300);
                    fs::chmod(parent, mode).map_err(|errno| Error::on(parent, errno))?;
                }
                created(env, parent, verbose)?;
            }
            Err(_) if is_directory(parent) => {}
            Err(errno) => return Err(Error::cannot("create directory", path, errno)),
        }
    }
    Ok(())
}

fn created(env: &mut Env, path: &[u8], verbose: bool) -> Result<()> {
    if verbose { env.stdout.write(&[b"created directory: '", path, b"'\n"].concat()) } else { Ok(()) }
}
