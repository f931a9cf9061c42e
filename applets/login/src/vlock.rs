//! `vlock`: lock a terminal until the user's password is typed.

use rbox_core::crypt;
use rbox_core::daemon::pause;
use rbox_core::prelude::*;
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::{SIGHUP, SIGQUIT, SIGTERM, SIGTSTP};
use rbox_core::sys::{fd, process, termios, virtual_terminal};
use rbox_core::text;
use rbox_core::tty::ask_secret;
use rbox_core::users::{User, password_hash};

options! {
    "[-a]

Lock this terminal until the user's password is entered.

  -a, --all  Disable switching to other virtual terminals too";
    ALL = "-a",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().setuid();

/// Milliseconds after a wrong password.
const FAILURE_DELAY: u64 = 2000;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let user = User::by_id(process::getuid().as_raw()).ok_or_else(|| Error::new("unknown user"))?;
    let hash = password_hash(&user);
    if !termios::isatty(fd::borrow(0)) {
        return Err(Error::new("not a tty"));
    }
    // What no password opens must not be locked.
    if matches!(hash.as_slice(), b"x" | b"*") || hash.starts_with(b"!") {
        return Err(Error::new("no password unlocks the terminal"));
    }
    for signal in [SIGHUP, SIGQUIT, SIGTERM, SIGTSTP] {
        signal::set(signal, Disposition::Ignore)?;
    }
    if args.has(ALL) {
        virtual_terminal::lock_switching(fd::borrow(0), true).map_err(|errno| Error::on("VT_LOCKSWITCH", errno))?;
    }
    let what: &str = if args.has(ALL) { "Virtual terminals" } else { "Virtual terminal" };
    let prompt = text!(what, " locked by ", &user.name, "\nPassword: ");
    let outcome = wait(env, &prompt, &hash);
    if args.has(ALL) {
        virtual_terminal::lock_switching(fd::borrow(0), false).map_err(|errno| Error::on("VT_UNLOCKSWITCH", errno))?;
    }
    outcome
}

fn wait(env: &mut Env, prompt: &[u8], hash: &[u8]) -> Outcome {
    loop {
        match ask_secret(1, prompt, None)? {
            Some(password) if hash.is_empty() || crypt::verify(&password, hash) => return Ok(ExitStatus::SUCCESS),
            Some(_) => {
                env.report(&Error::new("incorrect password"));
                pause(FAILURE_DELAY);
            }
            // Ctrl-C, or Ctrl-D. A terminal that is gone would be asked for ever.
            None if !termios::isatty(fd::borrow(0)) || termios::tcgetattr(fd::borrow(0)).is_err() => {
                return Err(Error::new("no terminal any more"));
            }
            None => pause(200),
        }
    }
}
