//! `chroot`: run a command with another root directory (chroot(2)).

use rbox_core::call;
use rbox_core::prelude::*;
use rbox_core::sys::process::{chdir, chroot};

options! {
    "[--skip-chdir] NEWROOT [COMMAND [ARGUMENT]...]

Run COMMAND, or the shell, with root directory NEWROOT.

      --skip-chdir  Keep the working directory";
    SKIP = "--skip-chdir",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().failure(125);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let Some((root, command)) = args.operands().split_first() else { return Err(Error::usage()) };
    chroot(*root).map_err(|errno| Error::on([b"can't change root directory to '", *root, b"'"].concat(), errno))?;
    if !args.has(SKIP) {
        chdir("/").map_err(|errno| Error::cannot("change directory to", b"/", errno))?;
    }
    if !command.is_empty() {
        return Ok(call::replace(env, command));
    }
    let shell = env.shell();
    Ok(call::replace(env, &[&shell, b"-i"]))
}
