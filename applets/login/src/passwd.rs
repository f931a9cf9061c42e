//! `passwd`: set, lock and unlock passwords (passwd(5), shadow(5)).

use rbox_core::accounts;
use rbox_core::crypt;
use rbox_core::prelude::*;
use rbox_core::sys::process::{self, Resource, Rlimit};
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use rbox_core::syslog::{AUTH_INFO, AUTH_WARNING, log};
use rbox_core::tty::ask_secret;
use rbox_core::users::{User, become_ids, password_hash};

options! {
    "[-a METHOD] [-d | -l | -u] [USER]

Change the password of USER, or your own.

  -a METHOD  Hash with METHOD (sha512); see mkpasswd
  -d         Delete the password: login needs none
  -l         Lock the account: no password is accepted
  -u         Unlock the account";
    METHOD = "-a",
    DELETE = "-d",
    LOCK = "-l",
    UNLOCK = "-u",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).setuid();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let given = args.operands_between(0, 1)?.first().copied();
    let setting = crypt::new_setting(args.value(METHOD).unwrap_or(b"sha512"))?;
    let by_root = process::getuid().is_root();
    let own = User::by_id(process::getuid().as_raw());
    let own = own.ok_or_else(|| Error::new("unknown user"))?;
    let action = args.last_of(&[DELETE, LOCK, UNLOCK]);
    let user = match given {
        Some(name) => User::by_name(name).ok_or_else(|| Error::parts(&[b"unknown user ", name]))?,
        None => own.clone(),
    };
    if !by_root && (user.uid != own.uid || action.is_some()) {
        log(AUTH_WARNING, b"passwd", &[&own.name, &b" can't change the password of "[..], &user.name].concat());
        return Err(Error::parts(&[&own.name, b" can't change password for ", &user.name]));
    }
    if !process::geteuid().is_root() {
        return Err(Error::new("must be suid to work properly"));
    }
    let old = password_hash(&user);
    let state = |word: &str| Err(Error::parts(&[b"password for ", &user.name, b" is already ", word.as_bytes()]));
    let locked = old.strip_prefix(b"!");
    let hash = match (action, locked) {
        (Some(LOCK), Some(_)) => return state("locked"),
        (Some(LOCK), None) => [b"!", &old[..]].concat(),
        (Some(UNLOCK), None) => return state("unlocked"),
        (Some(UNLOCK), Some(rest)) => rest.to_vec(),
        (Some(_), _) => Vec::new(),
        (None, _) => {
            env.stdout.write(&[b"Changing password for ", &user.name[..], b"\n"].concat())?;
            env.stdout.flush()?;
            if !by_root && !old.is_empty() {
                let given = ask(b"Old password: ")?;
                if !crypt::verify(&given, &old) {
                    rbox_core::daemon::pause(2000);
                    log(AUTH_WARNING, b"passwd", &[b"incorrect password for ", &user.name[..]].concat());
                    return Err(Error::parts(&[b"incorrect password for ", &user.name]));
                }
            }
            let password = ask_new(env, &user, by_root)?;
            crypt::crypt(&password, &setting).ok_or_else(|| unchanged(&user))?
        }
    };
    // Locked only now, after the questions: other programs must not wait for a user who types.
    shield()?;
    let lock = accounts::lock()?;
    if !accounts::set_hash(&user.name, &hash)? {
        return Err(unchanged(&user));
    }
    drop(lock);
    let message = [b"password for ", &user.name[..], b" changed by ", &own.name].concat();
    log(AUTH_INFO, b"passwd", &message);
    env.report(&Error::new(message));
    Ok(ExitStatus::SUCCESS)
}

/// Keeps the caller, whose real user ID this process has, from killing or stopping it while it holds the lock, and from
/// limiting the size of what it writes.
fn shield() -> Result<()> {
    become_ids(Some(0), None, None)?;
    let unlimited = Rlimit { current: None, maximum: None };
    process::setrlimit(Resource::Fsize, unlimited).map_err(|errno| Error::on("setrlimit", errno))?;
    for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP] {
        signal::set(number, Disposition::Ignore)?;
    }
    Ok(())
}

fn unchanged(user: &User) -> Error {
    Error::parts(&[b"password for ", &user.name, b" is unchanged"])
}

fn ask(prompt: &[u8]) -> Result<Vec<u8>> {
    ask_secret(1, prompt, None)?.ok_or_else(|| Error::silent(ExitStatus::FAILURE))
}

/// Asks twice. A bad password is only reported to root; any other user must choose a better one.
fn ask_new(env: &mut Env, user: &User, by_root: bool) -> Result<Vec<u8>> {
    let password = ask(b"New password: ")?;
    if let Some(weakness) = weakness(&password, &user.name) {
        env.stdout.write(&[b"Bad password: ", weakness.as_bytes(), b"\n"].concat())?;
        env.stdout.flush()?;
        if !by_root {
            return Err(unchanged(user));
        }
    }
    if ask(b"Retype password: ")? != password {
        env.stdout.write(b"Passwords don't match\n")?;
        return Err(unchanged(user));
    }
    Ok(password)
}

/// What makes a password easy to guess.
fn weakness(password: &[u8], name: &[u8]) -> Option<&'static str> {
    if password.len() < 6 {
        return Some("too short");
    }
    let lower = password.to_ascii_lowercase();
    let backwards: Vec<u8> = lower.iter().rev().copied().collect();
    let name = name.to_ascii_lowercase();
    if !name.is_empty() && [&lower, &backwards].iter().any(|text| rbox_core::bytes::find(text, &name).is_some()) {
        return Some("similar to username");
    }
    let kinds: [fn(&u8) -> bool; 4] =
        [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit, |byte| !byte.is_ascii_alphanumeric()];
    let used = kinds.into_iter().filter(|kind| password.iter().any(kind)).count();
    // The fewer kinds of characters, the longer it has to be.
    (password.len() < 14 - 2 * used).then_some("too weak")
}

#[cfg(test)]
mod tests {
    use super::weakness;

    #[test]
    fn weak_passwords_are_told() {
        assert_eq!(weakness(b"ab", b"user"), Some("too short"));
        assert_eq!(weakness(b"same1234", b"user"), Some("too weak"));
        assert_eq!(weakness(b"My-User-7", b"user"), Some("similar to username"));
        assert_eq!(weakness(b"resu-8-X-y", b"user"), Some("similar to username"));
        assert_eq!(weakness(b"secret1word", b"user"), None);
        assert_eq!(weakness(b"aB3-xy", b"user"), None);
    }
}
