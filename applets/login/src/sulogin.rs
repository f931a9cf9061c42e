//! `sulogin`: a shell for root alone, when the system is not whole.

use rbox_core::crypt;
use rbox_core::daemon;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::session::{become_shell, shell_of};
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::{fd, process};
use rbox_core::text;
use rbox_core::tty::{ask_secret, make_sane};
use rbox_core::users::{User, password_hash};

options! {
    "[-ep] [-t SECONDS] [TTY]

Ask for root's password on TTY and run a shell. Ctrl-D exits without one.

  -e, --force            Ask for none if root's account is locked or missing
  -t, --timeout=SECONDS  Wait at most SECONDS
  -p, --login-shell      Ignored: the shell is always a login shell";
    FORCE = "-e",
    TIMEOUT = "-t",
    "-p" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// Milliseconds after a wrong password.
const FAILURE_DELAY: u64 = 2000;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(0, 1)?;
    if !process::getuid().is_root() {
        return Err(Error::new("only root can do that"));
    }
    let seconds = args.value(TIMEOUT).map(|word| parse_in_range(word, 0, u32::MAX.into())).transpose()?;
    let limit = seconds.filter(|seconds| *seconds > 0).map(|seconds| seconds * 1000);
    if let Some(tty) = operands.first() {
        let path = if tty.starts_with(b"/") { tty.to_vec() } else { text!("/dev/", *tty) };
        open(&path)?;
    }
    make_sane(fd::borrow(0));
    let root = User::by_id(0);
    let hash = root.as_ref().map(password_hash);
    let root = match root {
        Some(root) => root,
        None if args.has(FORCE) => fallback(),
        None => return Err(Error::new("no password entry for root")),
    };
    // crypt(5): no hash begins with these, so no password would be right.
    let locked = hash.as_ref().is_none_or(|hash| matches!(hash.first(), Some(b'!' | b'*')));
    let hash = hash.filter(|hash| !(hash.is_empty() || locked && args.has(FORCE)));
    if let Some(hash) = hash {
        let end = limit.map(|limit| daemon::uptime_milliseconds().saturating_add(limit));
        loop {
            let left = end.map(|end| end.saturating_sub(daemon::uptime_milliseconds()));
            let prompt = b"Give root password for system maintenance\n(or type Control-D for normal startup):";
            let Some(password) = ask_secret(1, prompt, left)? else {
                env.stdout.write(b"\n")?;
                env.report(&Error::new("normal startup"));
                return Ok(ExitStatus::SUCCESS);
            };
            if crypt::verify(&password, &hash) {
                break;
            }
            daemon::pause(FAILURE_DELAY);
            env.report(&Error::new("Login incorrect"));
        }
    }
    env.report(&Error::new("starting shell for system maintenance"));
    let named = ["SUSHELL", "sushell"].into_iter().find_map(|name| env.vars.get(name));
    let shell = named.unwrap_or(shell_of(&root)).to_vec();
    // The environment stays: it is init's, and the home directory may not be there.
    become_shell(env, &shell, true, &[])
}

fn open(path: &[u8]) -> Result<()> {
    let opened = daemon::open_standard_streams(path, OFlags::RDWR);
    opened.map_err(|error| Error::cannot("open", path, error.errno().unwrap_or(rbox_core::sys::Errno::IO)))
}

/// Root, when /etc/passwd does not know it.
fn fallback() -> User {
    let text = |text: &str| text.as_bytes().to_vec();
    let (name, home, shell) = (text("root"), text("/"), text("/bin/sh"));
    User { name, password: Vec::new(), uid: 0, gid: 0, comment: Vec::new(), home, shell }
}
