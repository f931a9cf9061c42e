//! `su`: run a shell as another user.

use rbox_core::io::Input;
use rbox_core::prelude::*;
use rbox_core::session::{become_shell, begin, go_home, name_user, shell_of};
use rbox_core::sys::{fd, process, termios};
use rbox_core::syslog::{AUTH_INFO, AUTH_WARNING, log};
use rbox_core::text;
use rbox_core::time::Moment;
use rbox_core::tty::ask_secret;
use rbox_core::users::{Expiry, User, become_user, password_hash, verify};

options! {
    "[-lmp] [-s SHELL] [-] [USER [FILE [ARG]... | -c COMMAND [NAME [ARG]...]]]

Run a shell as USER (root).

  -l, --login            Start a login shell: clear the environment; also -
  -m, -p, --preserve-environment  Preserve HOME, SHELL, USER and LOGNAME
  -c, --command=COMMAND  Pass COMMAND to the shell
  -s, --shell=SHELL      Run SHELL, not USER's shell";
    LOGIN = "-l",
    KEEP = "-m",
    COMMAND = "-c",
    SHELL = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().setuid();

/// Milliseconds after a wrong password.
const FAILURE_DELAY: u64 = 3000;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut operands = args.operands();
    let dash = operands.first() == Some(&&b"-"[..]);
    operands = &operands[usize::from(dash)..];
    let login = dash || args.has(LOGIN);
    let (name, rest) = operands.split_first().map_or((&b"root"[..], &[][..]), |(name, rest)| (*name, rest));
    let user = User::by_name(name).ok_or_else(|| Error::parts(&[b"unknown user ", name]))?;
    let by_root = process::getuid().is_root();
    if !by_root && !process::geteuid().is_root() {
        return Err(Error::new("must be suid to work properly"));
    }
    if !by_root {
        check(&user)?;
    }
    note(AUTH_INFO, b"+", &user);
    // A user whose shell is not in /etc/shells must run that one, unless root calls su.
    let restricted = !by_root && !is_listed(shell_of(&user));
    let chosen = match args.value(SHELL) {
        Some(shell) => Some(shell.to_vec()),
        None if args.has(KEEP) && !login => env.vars.get("SHELL").map(<[u8]>::to_vec),
        None => None,
    };
    if restricted && chosen.is_some() {
        env.report(&Error::new("using restricted shell"));
    }
    let shell = chosen.filter(|_| !restricted).unwrap_or_else(|| shell_of(&user).to_vec());
    become_user(&user)?;
    if login {
        go_home(env, &user);
        begin(&mut env.vars, &user, &shell, false);
    } else if !args.has(KEEP) || restricted {
        env.vars.set("HOME", Some(&user.home));
        env.vars.set("SHELL", Some(&shell));
        if user.uid != 0 {
            name_user(&mut env.vars, &user);
        }
    }
    let mut words: Vec<&[u8]> = Vec::new();
    if let Some(command) = args.value(COMMAND) {
        words.extend([b"-c", command]);
    }
    words.extend_from_slice(rest);
    become_shell(env, &shell, login, &words)
}

/// Asks for the user's password, and looks whether the account is open.
fn check(user: &User) -> Result<()> {
    let hash = password_hash(user);
    let today = Moment::now().seconds.max(0) as u64 / 86_400;
    let refused = |reason: &str| {
        note(AUTH_WARNING, b"-", user);
        Err(Error::new(reason))
    };
    if let Some(reason) = Expiry::of(&user.name).refusal(today) {
        return refused(reason);
    }
    if hash.is_empty() {
        return Ok(());
    }
    let answer = ask_secret(1, b"Password: ", None)?;
    if answer.is_some_and(|password| verify(&password, Some(&hash))) {
        return Ok(());
    }
    rbox_core::daemon::pause(FAILURE_DELAY);
    refused("incorrect password")
}

/// `+ /dev/tty1 me:you` in the log: who became whom, or was refused.
fn note(priority: u16, sign: &[u8], user: &User) {
    let tty = termios::ttyname(fd::borrow(2), Vec::new()).map_or_else(|_| b"none".to_vec(), |name| name.into_bytes());
    let own = User::by_id(process::getuid().as_raw()).map_or_else(|| b"?".to_vec(), |user| user.name);
    log(priority, b"su", &text!(sign, " ", tty, " ", own, ":", &user.name));
}

/// shells(5): without the file the two shells that every system has.
fn is_listed(shell: &[u8]) -> bool {
    let Ok(mut list) = Input::open(b"/etc/shells") else { return matches!(shell, b"/bin/sh" | b"/bin/csh") };
    while let Ok(Some(line)) = list.line() {
        if line.trim_ascii() == shell {
            return true;
        }
    }
    false
}
