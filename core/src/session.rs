//! The environment of a session: which variables it starts with, and what a program with its file's rights drops of
//! its caller's.

use crate::bytes::{base_name, split_once};
use crate::env::DEFAULT_PATH;
use crate::env::{Env, Vars};
use crate::error::{Error, Outcome};
use crate::sys::process;
use crate::text;
use crate::users::User;

/// PATH of a user who is not root.
const USER_PATH: &[u8] = b"/bin:/usr/bin";

/// Variables with which a caller could change what a program does that has more rights: names, a newline between two.
/// Besides them, all that begin with `LD_` (ld.so(8)).
const UNSAFE: &str = "BASHOPTS
BASH_ENV
CDPATH
ENV
FPATH
GCONV_PATH
GETCONF_DIR
GLOBIGNORE
HOSTALIASES
IFS
LOCALDOMAIN
LOCPATH
NLSPATH
PATH
PROMPT_COMMAND
PS4
RES_OPTIONS
RESOLV_HOST_CONF
SHELLOPTS
TMPDIR
TZDIR";

/// The default PATH of the user with that UID.
pub const fn default_path(uid: u32) -> &'static [u8] {
    if uid == 0 { DEFAULT_PATH } else { USER_PATH }
}

/// The shell of a user.
pub fn shell_of(user: &User) -> &[u8] {
    if user.shell.is_empty() { b"/bin/sh" } else { &user.shell }
}

/// Drops the variables of the caller that must not reach a program with more rights, and resets PATH.
pub fn clean(vars: &mut Vars) {
    let is_safe = |word: &&[u8]| {
        let (name, value) = split_once(word, b'=').unwrap_or((word, b""));
        // A shell function of bash; a time zone that is any file of the system.
        let is_code = value.starts_with(b"() {") || name.starts_with(b"BASH_FUNC_");
        let is_file = name == b"TZ"
            && (matches!(value, [b'/', ..] | [b':', b'/', ..]) || crate::bytes::find(value, b"..").is_some());
        !(is_code || is_file || name.starts_with(b"LD_") || UNSAFE.split('\n').any(|other| other.as_bytes() == name))
    };
    *vars = Vars::List(vars.words().into_iter().filter(is_safe).map(<[u8]>::to_vec).collect());
    vars.set("PATH", Some(DEFAULT_PATH));
}

/// Sets the variables that name the user.
pub fn name_user(vars: &mut Vars, user: &User) {
    vars.set("USER", Some(&user.name));
    vars.set("LOGNAME", Some(&user.name));
}

/// The variables of a new session: of the old ones TERM alone is left, or with `keep` all that the session does not set.
pub fn begin(vars: &mut Vars, user: &User, shell: &[u8], keep: bool) {
    if !keep {
        let term = vars.get("TERM").map(<[u8]>::to_vec);
        *vars = Vars::List(Vec::new());
        vars.set("TERM", term.as_deref());
    }
    name_user(vars, user);
    vars.set("HOME", Some(&user.home));
    vars.set("SHELL", Some(shell));
    vars.set("PATH", Some(default_path(user.uid)));
}

/// Goes to the user's home directory, or reports that it cannot and goes to `/`.
pub fn go_home(env: &mut Env, user: &User) {
    if process::chdir(&user.home).is_err() {
        env.report(&Error::parts(&[b"can't change directory to '", &user.home, b"'"]));
        // The root directory is there as long as the process runs.
        let _ = process::chdir("/");
    }
}

/// Becomes the shell, called `-NAME` when it begins a session. It returns only when that fails.
pub fn become_shell(env: &mut Env, shell: &[u8], login: bool, words: &[&[u8]]) -> Outcome {
    env.stdout.flush()?;
    let name = text!(if login { "-" } else { "" }, base_name(shell));
    let words = [&[&name[..]], words].concat();
    let errno = process::exec(shell, &words, &env.vars.words());
    Err(Error::cannot("execute", shell, errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_steer_a_program_are_dropped() {
        let words = [
            "LD_PRELOAD=x",
            "ENV=x",
            "BASH_ENV=x",
            "IFS=/",
            "PATH=/tmp",
            "TERM=vt100",
            "TZ=/etc/shadow",
            "f=() { id; }",
            "ENVY=1",
            "TZ=Europe/Brussels",
            "LDX=2",
        ];
        let mut vars = Vars::List(words.iter().map(|word| word.as_bytes().to_vec()).collect());
        clean(&mut vars);
        let left: Vec<&[u8]> = vars.words();
        let path = b"PATH=/sbin:/usr/sbin:/bin:/usr/bin";
        assert_eq!(left, [&b"TERM=vt100"[..], b"ENVY=1", b"TZ=Europe/Brussels", b"LDX=2", path]);
    }
}
