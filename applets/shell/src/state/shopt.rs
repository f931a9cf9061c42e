//! The options of `shopt`, bash's options of behaviour.

use crate::state::options::Options;
use rbox_core::names;
use rbox_core::names::Names;

/// How the shell behaves where it has no choice.
const OFF: u64 = 0;
const ON: u64 = 1;
/// It has the choice: the number of its field follows.
const FREE: u64 = 2;

/// What scripts ask for by name. An option that the shell does not have cannot be switched to what it is not.
const NAMES: Names = names! {
    "autocd" = OFF, "cdable_vars" = OFF, "cdspell" = OFF, "checkhash" = OFF, "checkjobs" = ON,
    "checkwinsize" = FREE + 11, "cmdhist" = OFF, "compat31" = OFF, "compat32" = OFF, "compat40" = OFF, "compat41" = OFF,
    "compat42" = OFF, "compat43" = OFF, "compat44" = OFF, "direxpand" = OFF, "dirspell" = OFF, "dotglob" = FREE,
    "execfail" = OFF, "expand_aliases" = FREE + 1, "extdebug" = OFF, "extglob" = FREE + 2, "extquote" = ON,
    "failglob" = FREE + 3, "globasciiranges" = ON, "globstar" = FREE + 4, "gnu_errfmt" = OFF, "histappend" = ON,
    "histverify" = OFF, "hostcomplete" = OFF, "huponexit" = OFF, "inherit_errexit" = FREE + 5,
    "interactive_comments" = ON, "lastpipe" = FREE + 6, "localvar_inherit" = OFF, "localvar_unset" = OFF,
    "login_shell" = FREE + 7, "mailwarn" = OFF, "nocaseglob" = FREE + 8, "nocasematch" = FREE + 9,
    "nullglob" = FREE + 10, "patsub_replacement" = OFF, "progcomp" = OFF, "promptvars" = ON, "restricted_shell" = OFF,
    "shift_verbose" = OFF, "sourcepath" = ON, "xpg_echo" = OFF,
};

/// The option of that name, if the shell has the choice.
pub fn field<'a>(options: &'a mut Options, name: &[u8]) -> Option<&'a mut bool> {
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
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| name)
}

/// The options that are on, as BASHOPTS has them.
pub fn names_on(options: &mut Options) -> Vec<u8> {
    let mut all = Vec::new();
    for (name, _) in NAMES.iter() {
        if is_on(options, name.as_bytes()) == Some(true) {
            all.push(name.as_bytes());
        }
    }
    all.join(&b':')
}

/// Whether an option is on; `None` when there is no such option.
pub fn is_on(options: &mut Options, name: &[u8]) -> Option<bool> {
    match field(options, name) {
        Some(on) => Some(*on),
        None => NAMES.number_of(name).map(|kind| kind == ON),
    }
}
