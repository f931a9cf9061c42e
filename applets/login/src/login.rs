//! `login`: ask who it is, check the password, and become the user's shell.

use rbox_core::daemon::{pause, uptime_milliseconds};
use rbox_core::io::Input;
use rbox_core::number::{Decimal, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::session;
use rbox_core::sys::fs::Mode;
use rbox_core::sys::process::{Gid, Uid};
use rbox_core::sys::system::uname;
use rbox_core::sys::{fd, fs, process, termios};
use rbox_core::syslog::{AUTH_INFO, AUTH_WARNING, log};
use rbox_core::text;
use rbox_core::time::Moment;
use rbox_core::tty::{ask_secret, read_line};
use rbox_core::users::{Expiry, User, become_user, password_hash, verify};
use rbox_core::utmp::{self, Kind, Record};

options! {
    "[-p] [-h HOST] [[-f] USER]

Begin a session on the system.

  -f       Do not authenticate USER again
  -h HOST  Record HOST as the remote host
  -p       Preserve the environment

$LOGIN_TIMEOUT: seconds to wait for an answer (60; 0 = no limit).";
    TRUSTED = "-f",
    HOST = "-h",
    KEEP = "-p",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().setuid();

/// Wrong answers before login gives up.
const MOST_TRIES: u32 = 3;
/// Milliseconds after a wrong answer.
const FAILURE_DELAY: u64 = 3000;

/// How long login waits for all answers together.
struct Patience {
    /// 0 = for ever.
    seconds: u64,
    /// On the clock of `uptime_milliseconds`.
    end: u64,
}

impl Patience {
    /// The milliseconds that are left; `None` = for ever.
    fn left(&self) -> Option<u64> {
        (self.seconds > 0).then(|| self.end.saturating_sub(uptime_milliseconds()))
    }
}

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
    let patience =
        Patience { seconds: timeout, end: uptime_milliseconds().saturating_add(timeout.saturating_mul(1000)) };
    let Some(user) = identify(env, given, args.has(TRUSTED), line, &from, &patience)? else {
        if patience.left() == Some(0) {
            let seconds = Decimal::new(patience.seconds);
            env.stdout.write(&[b"\nLogin timed out after ", seconds.as_bytes(), b" seconds\n"].concat())?;
            return Ok(ExitStatus::SUCCESS);
        }
        return Ok(ExitStatus::FAILURE);
    };
    if user.uid != 0
        && let Ok(mut notice) = Input::open(b"/etc/nologin")
    {
        let text = notice.read_to_end()?;
        env.stdout.write(if text.is_empty() { b"\nSystem closed for routine maintenance\n" } else { &text })?;
        return Ok(ExitStatus::FAILURE);
    }
    let today = Moment::now().seconds.max(0) as u64 / 86_400;
    if let Some(reason) = Expiry::of(&user.name).refusal(today) {
        log(AUTH_WARNING, b"login", &[reason.as_bytes(), b": ", &user.name].concat());
        env.stdout.write(&[reason.as_bytes(), b"\n"].concat())?;
        return Ok(ExitStatus::FAILURE);
    }
    let host = args.value(HOST).unwrap_or_default();
    let pid = process::getpid().as_raw_pid();
    utmp::set(&Record { kind: Kind::User, pid, line, user: &user.name, host });
    // Only the user reads and writes this terminal from now on. A read-only /dev keeps its owners.
    let _ = fs::fchown(fd::borrow(0), Some(Uid::from_raw(user.uid)), Some(Gid::from_raw(user.gid)));
    let _ = fs::fchmod(fd::borrow(0), Mode::RUSR | Mode::WUSR);
    log(AUTH_INFO, b"login", &[&user.name, &b" login"[..], &from].concat());
    become_user(&user)?;
    begin_session(env, args.has(KEEP), &user)
}

/// Asks until name and password are right. `None` when there were too many tries or no answer.
fn identify(
    env: &mut Env,
    given: Option<&[u8]>,
    trusted: bool,
    line: &[u8],
    from: &[u8],
    patience: &Patience,
) -> Result<Option<User>> {
    let mut next = given.map(<[u8]>::to_vec);
    for _ in 0..MOST_TRIES {
        let name = match next.take() {
            Some(name) => name,
            None => match ask_name(env, patience)? {
                Some(name) => name,
                None => return Ok(None),
            },
        };
        let user = User::by_name(&name);
        if trusted {
            return Ok(user);
        }
        let hash = user.as_ref().map(password_hash);
        let allowed = user.as_ref().is_none_or(|user| user.uid != 0 || is_secure(line));
        if allowed && hash.as_deref() == Some(b"") {
            return Ok(user);
        }
        // login(1): what is no user's name may be a password that was typed too soon.
        let known: &[u8] = if user.is_some() { &name } else { b"UNKNOWN" };
        let message = text!("invalid password for '", known, "'", from);
        if !allowed {
            // Over a line that is not safe the password must not even be typed.
            fail(env, &message)?;
            continue;
        }
        // An unknown user is asked too and waits as long, so that valid names cannot be found out.
        let Some(password) = ask_secret(1, b"Password: ", patience.left())? else { return Ok(None) };
        if verify(&password, hash.as_deref()) {
            return Ok(user);
        }
        fail(env, &message)?;
    }
    Ok(None)
}

fn fail(env: &mut Env, message: &[u8]) -> Result<()> {
    log(AUTH_WARNING, b"login", message);
    pause(FAILURE_DELAY);
    // What was typed meanwhile is no name.
    let _ = termios::tcflush(fd::borrow(0), termios::QueueSelector::IFlush);
    env.stdout.write(b"Login incorrect\n")?;
    env.stdout.flush()
}

fn ask_name(env: &mut Env, patience: &Patience) -> Result<Option<Vec<u8>>> {
    for _ in 0..MOST_TRIES {
        env.stdout.write(&[uname().nodename().to_bytes(), b" login: "].concat())?;
        env.stdout.flush()?;
        let Some(name) = read_line(patience.left())? else { return Ok(None) };
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
    session::go_home(env, user);
    if let Ok(mut motd) = Input::open(b"/etc/motd") {
        let text = motd.read_to_end()?;
        env.stdout.write(&text)?;
    }
    let shell = session::shell_of(user);
    session::begin(&mut env.vars, user, shell, keep);
    session::become_shell(env, shell, true, &[])
}
