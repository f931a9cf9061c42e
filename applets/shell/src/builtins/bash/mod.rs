//! What bash mode has besides: its variables, and builtins.

mod compgen;
mod declare;
mod kind;
mod mapfile;
mod shopt;
mod stack;
mod table;

use crate::state::array::{Array, DECLARED, INTEGER, decode};
use crate::state::{Fail, Shell, Special, now};
use crate::syntax::symbols::Sym;
use rbox_core::sys::process;
use rbox_core::text;

use crate::syntax::copied::Copied;
pub use compgen::compgen;
pub use declare::{declaration, declare, letters, list_all};
pub use kind::{describe, type_};
pub use mapfile::mapfile;
pub use shopt::{shopt, shopts_on};
pub use stack::{dirs, popd, pushd};
pub use table::{builtin, caller, disown, enable};

/// The variables that the shell computes.
const COMPUTED: [Special; 15] = [
    Special::LastWord,
    Special::OwnPid,
    Special::Command,
    Special::CallLines,
    Special::Source,
    Special::Depth,
    Special::Directories,
    Special::EpochExact,
    Special::Epoch,
    Special::FunctionName,
    Special::PipeStatus,
    Special::Seconds,
    Special::GlobIgnore,
    Special::ShellOptions,
    Special::BashOptions,
];

/// Their names, in the same order.
const COMPUTED_NAMES: &[u8] = b"_ BASHPID BASH_COMMAND BASH_LINENO BASH_SOURCE BASH_SUBSHELL DIRSTACK EPOCHREALTIME \
    EPOCHSECONDS FUNCNAME PIPESTATUS SECONDS GLOBIGNORE SHELLOPTS BASHOPTS";

/// What scripts look at to learn what the shell can do: what bash 5.1 can is here, but for programmable completion.
const VERSION: &[u8] = b"5 1 0 1 rbox x86_64-pc-linux-gnu";

/// Sets what bash mode has besides: its variables.
pub fn begin(shell: &mut Shell) {
    shell.began = now();
    shell.options.checkwinsize = true;
    for (name, special) in COMPUTED_NAMES.split(|&byte| byte == b' ').zip(COMPUTED) {
        let name = shell.intern(name);
        let slot = shell.slot(name);
        slot.special = special;
        slot.readonly = matches!(special, Special::ShellOptions | Special::BashOptions);
        if special == Special::GlobIgnore && slot.set {
            shell.changed(name);
        }
    }
    let uid = text!(process::getuid().as_raw());
    let euid = text!(process::geteuid().as_raw());
    let system = rbox_core::sys::system::uname();
    let machine = system.machine().to_bytes().copied();
    let fixed: [(&[u8], &[u8]); 8] = [
        (b"BASH_VERSION", b"5.1.0(1)-rbox"),
        (b"BASH", b"/bin/bash"),
        (b"UID", &uid),
        (b"EUID", &euid),
        (b"HOSTNAME", system.nodename().to_bytes()),
        (b"OSTYPE", b"linux-gnu"),
        (b"HOSTTYPE", &machine),
        (b"MACHTYPE", &[&machine[..], b"-pc-linux-gnu"].concat()),
    ];
    for (name, value) in fixed {
        let name = shell.intern(name);
        let slot = shell.slot(name);
        slot.value = value.copied();
        slot.set = true;
    }
    if shell.get(b"SHELL").is_none() {
        let name = shell.intern(b"SHELL");
        let user = rbox_core::users::User::by_id(process::getuid().as_raw());
        let login = user.map_or_else(|| b"/bin/sh".copied(), |user| user.shell);
        shell.set(name, &login).ok();
    }
    let mut groups = Box::new(Array::default());
    let own = process::getegid();
    let others = process::getgroups().unwrap_or_default();
    for group in std::iter::once(own).chain(others.into_iter().filter(|group| *group != own)) {
        groups.push(text!(group.as_raw()));
    }
    let name = shell.intern(b"GROUPS");
    shell.put_array(name, groups);
    let mut version = Box::new(Array::default());
    VERSION.split(|&byte| byte == b' ').for_each(|part| version.push(part.copied()));
    let name = shell.intern(b"BASH_VERSINFO");
    shell.put_array(name, version);
}

/// `name[subscript]` in its two parts.
pub fn split_subscript(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == b'[') {
        Some(at) if text.ends_with(b"]") => (&text[..at], Some(&text[at + 1..text.len() - 1])),
        _ => (text, None),
    }
}

/// Assigns what the word of a declaration holds.
pub fn assign(shell: &mut Shell, name: Sym, subscript: Option<&[u8]>, value: &[u8], append: bool) -> Result<(), Fail> {
    let name = shell.resolve(name);
    shell.slot(name).attributes &= !DECLARED;
    if let Some(subscript) = subscript {
        let key = shell.text_key(name, subscript)?;
        return shell.set_element(name, &key, value, append);
    }
    if let Some(items) = decode(value) {
        return shell.assign_list(name, items, append);
    }
    if !append {
        return shell.set(name, value);
    }
    let old = shell.value(name).unwrap_or_default().copied();
    if shell.slot(name).attributes & INTEGER != 0 {
        return shell.set(name, &[&old[..], b"+(", value, b")"].concat());
    }
    shell.set(name, &[&old[..], value].concat())
}

impl Shell {
    /// Whether a variable, an element or a positional parameter is set: `-v` of `test` and `[[ ]]`.
    pub fn is_set(&mut self, text: &[u8]) -> bool {
        let (base, subscript) = split_subscript(text);
        let (true, Some(subscript)) = (self.options.bash, subscript) else {
            if self.options.bash
                && let Some(number) = rbox_core::number::parse_decimal(text)
            {
                return number == 0 || number <= self.positional.len() as u64;
            }
            return self.get(text).is_some();
        };
        let name = self.intern(base);
        if matches!(subscript, b"@" | b"*") {
            return self.array(name).is_some_and(|array| !array.values().is_empty());
        }
        self.text_key(name, subscript).is_ok_and(|key| self.element(name, &key).is_some())
    }

    /// Assigns a variable or an element by its text: `printf -v`, `read`, `wait -p`.
    pub fn set_by_text(&mut self, text: &[u8], value: &[u8]) -> Result<(), Fail> {
        let (base, subscript) = split_subscript(text);
        if !crate::syntax::symbols::is_name(base) {
            return Err(self.error(&[text, b": bad variable name"]));
        }
        let name = self.intern(base);
        assign(self, name, subscript, value, false)
    }
}
