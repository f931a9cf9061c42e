//! `shopt`: bash's options of behaviour.

use crate::builtins::{Done, options, set_option_by_name};
use crate::state::{Options, Shell};
use rbox_core::names;
use rbox_core::names::Names;

/// How the shell behaves where it has no choice.
const OFF: u64 = 0;
const ON: u64 = 1;
/// It has the choice: the number of its field follows.
const FREE: u64 = 2;

/// What scripts ask for by name. An option that the shell does not have cannot be switched to what it is not.
const NAMES: Names = names! {
    "autocd" = OFF, "cdable_vars" = OFF, "cdspell" = OFF, "checkhash" = OFF, "checkjobs" = ON, "checkwinsize" = FREE + 11, "cmdhist" = OFF,
    "compat31" = OFF, "compat32" = OFF, "compat40" = OFF, "compat41" = OFF, "compat42" = OFF, "compat43" = OFF, "compat44" = OFF,
    "direxpand" = OFF, "dirspell" = OFF, "dotglob" = FREE, "execfail" = OFF, "expand_aliases" = FREE + 1, "extdebug" = OFF,
    "extglob" = FREE + 2, "extquote" = ON, "failglob" = FREE + 3, "globasciiranges" = ON, "globstar" = FREE + 4, "gnu_errfmt" = OFF,
        "histappend" = ON, "histverify" = OFF, "hostcomplete" = OFF, "huponexit" = OFF, "inherit_errexit" = FREE + 5, "interactive_comments" = ON,
    "lastpipe" = FREE + 6, "localvar_inherit" = OFF, "localvar_unset" = OFF, "login_shell" = FREE + 7, "mailwarn" = OFF, "nocaseglob" = FREE + 8, "nocasematch" = FREE + 9,
    "nullglob" = FREE + 10, "patsub_replacement" = OFF, "progcomp" = OFF, "promptvars" = ON, "restricted_shell" = OFF,
    "shift_verbose" = OFF, "sourcepath" = ON, "xpg_echo" = OFF,
};

fn field<'a>(options: &'a mut Options, name: &[u8]) -> Option<&'a mut bool> {
    Some(match NAMES.number_of(name)?.checked_sub(FREE)? {
        0 => &mut options.dotglob,
        1 => &mut options.expand_aliases,
        2 => &mut options.extglob,
        3 => &mut options.failglob,
        4 => &mut options.globstar,
        5 => &mut options.inherit_errexit,
        6 => &mut options.lastpipe,
        7 => &mut options.login,
        8 => &mut options.nocaseglob,
        9 => &mut options.nocasematch,
        11 => &mut options.checkwinsize,
        _ => &mut options.nullglob,
    })
}

/// The names of all options.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| name)
}

/// The options that are on, as BASHOPTS has them.
pub fn shopts_on(shell: &mut Shell) -> Vec<u8> {
    let mut all = Vec::new();
    for (name, _) in NAMES.iter() {
        if state(shell, name.as_bytes(), false) == Some(true) {
            all.push(name.as_bytes());
        }
    }
    all.join(&b':')
}

/// `shopt [-opqsu] [NAME...]`
pub fn shopt(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (letters, words) = options(shell, words, b"opqsu")?;
    let has = |letter: u8| letters.contains(&letter);
    let change = if has(b's') { Some(true) } else { has(b'u').then_some(false) };
    if has(b'o') && (words.is_empty() || change.is_some()) {
        return set_options(shell, words, change);
    }
    let mut all = Vec::new();
    for (name, _) in NAMES.iter() {
        all.push(name.as_bytes());
    }
    let mut text = Vec::new();
    let mut status = 0;
    for word in if words.is_empty() { &all } else { words } {
        let Some(on) = state(shell, word, has(b'o')) else {
            shell.report(&[word, b": invalid shell option name"]);
            status = 1;
            continue;
        };
        match change {
            Some(wanted) if !words.is_empty() => status |= switch(shell, word, on, wanted),
            Some(wanted) if wanted != on => {}
            _ => {
                status |= u8::from(!on && !words.is_empty());
                show(word, on, has(b'p'), has(b'o'), &mut text);
            }
        }
    }
    if !has(b'q') {
        shell.print(&text);
    }
    Ok(status)
}

fn show(name: &[u8], on: bool, again: bool, set: bool, text: &mut Vec<u8>) {
    if again {
        let command: &[u8] = match (set, on) {
            (true, true) => b"set -o ",
            (true, false) => b"set +o ",
            (false, true) => b"shopt -s ",
            (false, false) => b"shopt -u ",
        };
        text.extend_from_slice(&[command, name, b"\n"].concat());
        return;
    }
    text.extend_from_slice(name);
    text.resize(text.len() + 15usize.saturating_sub(name.len()), b' ');
    text.extend_from_slice(if on { b"\ton\n" } else { b"\toff\n" });
}

/// Whether an option is on; none when there is no such option. `set`: one of `set -o`.
fn state(shell: &mut Shell, name: &[u8], set: bool) -> Option<bool> {
    if set {
        return crate::builtins::option_by_name(shell, name);
    }
    if let Some(on) = field(&mut shell.options, name) {
        return Some(*on);
    }
    NAMES.number_of(name).map(|kind| kind == ON)
}

fn switch(shell: &mut Shell, name: &[u8], on: bool, wanted: bool) -> u8 {
    match field(&mut shell.options, name) {
        Some(option) => *option = wanted,
        None if on == wanted => {}
        None => {
            shell.report(&[name, b": not supported"]);
            return 1;
        }
    }
    0
}

/// `shopt -o`: the options of `set`.
fn set_options(shell: &mut Shell, words: &[&[u8]], change: Option<bool>) -> Done {
    if words.is_empty() {
        crate::builtins::list_options(shell, true);
    }
    let mut status = 0;
    for word in words {
        if !set_option_by_name(shell, word, change == Some(true)) {
            shell.report(&[word, b": invalid option name"]);
            status = 1;
        }
    }
    Ok(status)
}
