//! `pwd`: print the current directory (POSIX XCU pwd).

use rbox_core::files;
use rbox_core::prelude::*;
use rbox_core::sys::fs as sys;

options! {
    "[-LP]

Print the working directory.

  -L, --logical   Use a valid PWD, with symbolic links
  -P, --physical  Resolve symbolic links";
    LOGICAL = "-L",
    PHYSICAL = "-P",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut path = files::current_directory().map_err(|errno| Error::on("getcwd", errno))?;
    if args.last_of(&[LOGICAL, PHYSICAL]) != Some(PHYSICAL)
        && let Some(logical) = env.vars.get("PWD").filter(|logical| names_this_directory(logical))
    {
        path = logical.to_vec();
    }
    path.push(b'\n');
    env.stdout.write(&path)?;
    Ok(ExitStatus::SUCCESS)
}

/// POSIX XCU pwd: PWD counts when it is absolute, has no `.` or `..`, and is the current directory.
fn names_this_directory(path: &[u8]) -> bool {
    path.starts_with(b"/")
        && path.split(|&byte| byte == b'/').all(|part| part != b"." && part != b"..")
        && matches!((sys::stat(path), sys::stat(".")), (Ok(a), Ok(b)) if (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino))
}
