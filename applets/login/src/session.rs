//! What su and sulogin share: the variables of a user's session, and becoming the user's shell.

use rbox_core::bytes::base_name;
use rbox_core::env::Vars;
use rbox_core::prelude::*;
use rbox_core::sys::process;
use rbox_core::text;
use rbox_core::users::User;

/// The shell of a user.
pub fn shell_of(user: &User) -> &[u8] {
    if user.shell.is_empty() { b"/bin/sh" } else { &user.shell }
}

/// Sets variables, in place of those of the same names.
pub fn set(vars: &mut Vars, new: &[(&str, &[u8])]) {
    let mut words: Vec<Vec<u8>> = vars.words().iter().map(|word| word.to_vec()).collect();
    for (name, value) in new {
        let lead = text!(*name, "=");
        words.retain(|word| !word.starts_with(&lead));
        words.push(text!(lead, *value));
    }
    *vars = Vars::List(words);
}

/// The variables of a new session: of the old ones TERM alone is left.
pub fn begin(vars: &mut Vars, user: &User, shell: &[u8]) {
    let term = vars.get("TERM").map(<[u8]>::to_vec);
    *vars = Vars::List(Vec::new());
    let path: &[u8] = if user.uid == 0 { b"/sbin:/usr/sbin:/bin:/usr/bin" } else { b"/bin:/usr/bin" };
    set(vars, &[("USER", &user.name), ("HOME", &user.home), ("LOGNAME", &user.name), ("PATH", path), ("SHELL", shell)]);
    if let Some(term) = term {
        set(vars, &[("TERM", &term)]);
    }
}

/// Becomes the shell, called `-NAME` when it begins a session.
pub fn become_shell(env: &mut Env, shell: &[u8], login: bool, words: &[&[u8]]) -> Outcome {
    env.stdout.flush()?;
    let name = text!(if login { "-" } else { "" }, base_name(shell));
    let words = [&[&name[..]], words].concat();
    let errno = process::exec(shell, &words, &env.vars.words());
    Err(Error::cannot("execute", shell, errno))
}
