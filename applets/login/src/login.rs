//! `login`: ask who it is, check the password, and become the user's shell.

use rbox_core::bytes;
use rbox_core::crypt;
use rbox_core::daemon::pause;
use rbox_core::io::Input;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::Mode;
use rbox_core::sys::process::{Gid, Uid};
use rbox_core::sys::system::uname;
use rbox_core::sys::{fd, fs, process, termios};
use rbox_core::syslog::{AUTH_INFO, AUTH_WARNING, log};
use rbox_core::tty::{ask_secret, read_line};
use rbox_core::users::{User, become_user, shadow_hash};

options! {
    "[-p] [-h HOST] [[-f] USER]

Begin a session on the system.

  -f       Do not ask for the password: somebody else has
  -h HOST  The host that the user comes from
  -p       Keep the environment

$LOGIN_TIMEOUT: seconds to wait for an answer (60; 0 = for ever).";
    TRUSTED = "-f",
    HOST = "-h",
    KEEP = "-p",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// Wrong answers before login gives up.
const MOST_TRIES: u32 = 3;
/// Milliseconds after a wrong answer.
const FAILURE_DELAY: u64 = 3000;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let given = args.operands_between(0, 1)?.first().copied();
    if !process::geteuid().is_root() {
        return Err(Error::new("must be suid to work properly"));
    }
    if args.has(TRUSTED) && (given.is_none() || !process::getuid().is_root()) {
        return Err(Error::new("-f is for root"));
    }
    let Ok(tty) = termios::ttyname(fd::borrow(0), Vec::new()) else {
        return Err(Error::new("not a tty"));
    };
    let tty = tty.into_bytes();
    let line = tty.strip_prefix(b"/dev/").unwrap_or(&tty);
    let from = match args.value(HOST) {
        Some(host) => [b" on '", line, b"' from '", host, b"'"].concat(),
        None => [b" on '", line, b"'"].concat(),
    };
    let timeout = env.vars.get("LOGIN_TIMEOUT").and_then(parse_decimal).unwrap_or(60);
    let timeout = if timeout == 0 { None } else { Some(timeout.saturating_mul(1000)) };
    let Some(user) = identify(env, given, args.has(TRUSTED), line, &from, timeout)? else {
        return Ok(ExitStatus::FAILURE);
    };
    if user.uid != 0
        && let Ok(mut notice) = Input::open(b"/etc/nologin")
    {
        let text = notice.read_to_end()?;
        env.stdout.write(if text.is_empty() { b"\nSystem closed for routine maintenance\n" } else { &text })?;
        return Ok(ExitStatus::FAILURE);
    }
    // Only the user reads and writes this terminal from now on.
    let _ = fs::fchown(fd::borrow(0), Some(Uid::from_raw(user.uid)), Some(Gid::from_raw(user.gid)));
    let _ = fs::fchmod(fd::borrow(0), Mode::RUSR | Mode::WUSR);
    log(AUTH_INFO, b"login", &[&user.name, &b" login"[..], &from].concat());
    become_user(&user).map_err(|errno| Error::on("can't become the user", errno))?;
    begin_session(env, args.has(KEEP), &user)
}

/// Asks until name and password are right. `None` when there were too many tries or no answer.
fn identify(env: &mut Env, given: Option<&[u8]>, trusted: bool, line: &[u8], from: &[u8], timeout: Option<u64>) -> Result<Option<User>> {
    let mut next = given.map(<[u8]>::to_vec);
    for _ in 0..MOST_TRIES {
        let name = match next.take() {
            Some(name) => name,
            None => match ask_name(env, timeout)? {
                Some(name) => name,
                None => return Ok(None),
            },
        };
        let user = User::by_name(&name);
        if trusted {
            return Ok(user);
        }
        let hash = user.as_ref().map(|user| match user.password.as_slice() {
            b"x" | b"*" => shadow_hash(&name).unwrap_or_else(|| user.password.clone()),
            hash => hash.to_vec(),
        });
        let allowed = user.as_ref().is_none_or(|user| user.uid != 0 || is_secure(line));
        if allowed && hash.as_deref() == Some(b"") {
            return Ok(user);
        }
        // An unknown user is asked too, and made to wait as long: nobody learns which names there are.
        let Some(password) = ask_secret(b"Password: ", timeout)? else { return Ok(None) };
        if allowed && hash.is_some_and(|hash| crypt::verify(&password, &hash)) {
            return Ok(user);
        }
        pause(FAILURE_DELAY);
        env.stdout.write(b"Login incorrect\n")?;
        env.stdout.flush()?;
    }
    log(AUTH_WARNING, b"login", &[b"invalid password", from].concat());
    Ok(None)
}

fn ask_name(env: &mut Env, timeout: Option<u64>) -> Result<Option<Vec<u8>>> {
    for _ in 0..MOST_TRIES {
        env.stdout.write(&[b"\n", uname().nodename().to_bytes(), b" login: "].concat())?;
        env.stdout.flush()?;
        let Some(name) = read_line(timeout)? else { return Ok(None) };
        let name = name.trim_ascii();
        if !name.is_empty() && !name.starts_with(b"-") {
            return Ok(Some(name.to_vec()));
        }
    }
    Ok(None)
}

/// securetty(5): where root may log in. Without the file, everywhere.
fn is_secure(line: &[u8]) -> bool {
    let Ok(mut list) = Input::open(b"/etc/securetty") else { return true };
    while let Ok(Some(entry)) = list.line() {
        if entry.trim_ascii() == line {
            return true;
        }
    }
    false
}

fn begin_session(env: &mut Env, keep: bool, user: &User) -> Outcome {
    if process::chdir(&user.home[..]).is_err() {
        env.report(&Error::parts(&[b"can't change directory to '", &user.home, b"'"]));
        let _ = process::chdir("/");
    }
    if let Ok(mut motd) = Input::open(b"/etc/motd") {
        let text = motd.read_to_end()?;
        env.stdout.write(&text)?;
    }
    env.stdout.flush()?;
    let shell = if user.shell.is_empty() { &b"/bin/sh"[..] } else { &user.shell };
    let path: &[u8] = if user.uid == 0 { b"/sbin:/usr/sbin:/bin:/usr/bin" } else { b"/bin:/usr/bin" };
    let mut vars: Vec<Vec<u8>> = Vec::new();
    for (name, value) in [(&b"HOME"[..], &user.home[..]), (b"SHELL", shell), (b"USER", &user.name), (b"LOGNAME", &user.name), (b"PATH", path)] {
        vars.push([name, b"=", value].concat());
    }
    let is_set = |vars: &[Vec<u8>], word: &[u8]| {
        let name = bytes::split_once(word, b'=').map_or(word, |(name, _)| name);
        vars.iter().any(|other| bytes::split_once(other, b'=').is_some_and(|(other, _)| other == name))
    };
    for word in env.vars.words() {
        if (keep || word.starts_with(b"TERM=")) && !is_set(&vars, word) {
            vars.push(word.to_vec());
        }
    }
    let vars: Vec<&[u8]> = vars.iter().map(Vec::as_slice).collect();
    let name = [b"-", bytes::base_name(shell)].concat();
    let errno = process::exec(shell, &[&name], &vars);
    Err(Error::on([b"can't execute '", shell, b"'"].concat(), errno))
}
