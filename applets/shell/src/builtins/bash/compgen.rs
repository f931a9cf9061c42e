//! `compgen`: the names of some kind that begin with a word.

use crate::builtins::operands::take_value;
use crate::expand::names_in;
use crate::expand::pattern;
use crate::state::builtin::Done;
use crate::state::slot::Slot;
use crate::state::{Fail, Shell};
use crate::syntax::ast::{Part, Word};
use crate::syntax::copied::Copied;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::sys::fs;

/// What `-A` calls the options that have a character; those without one have a digit here.
const ACTIONS: Names = names! {
    "alias" = b'a', "arrayvar" = b'1', "builtin" = b'b', "command" = b'c', "directory" = b'd', "disabled" = b'2', "enabled" = b'b',
    "export" = b'e', "file" = b'f', "function" = b'3', "group" = b'g', "helptopic" = b'b', "job" = b'j', "keyword" = b'k',
    "setopt" = b'4', "shopt" = b'5', "signal" = b'6', "user" = b'u', "variable" = b'v',
};
const KEYWORDS: &[u8] =
    b"if then else elif fi case esac for select while until do done in function time { } ! [[ ]] coproc";

/// `compgen [-abcdefgjkuv] [-A ACTION] [-G GLOB] [-W WORDS] [-X FILTER] [-P PREFIX] [-S SUFFIX] [WORD]`
pub fn compgen(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (mut words, mut actions) = (words, Vec::new());
    let (mut filter, mut before, mut after): (Option<&[u8]>, &[u8], &[u8]) = (None, b"", b"");
    while let Some((word, rest)) = words.split_first() {
        let [b'-', flags @ ..] = *word else { break };
        words = rest;
        if flags == b"-" {
            break;
        }
        let mut flags = flags;
        while let [flag, glued @ ..] = flags {
            flags = glued;
            if b"abcdefgjkuv".contains(flag) {
                actions.push((*flag, &b""[..]));
                continue;
            }
            if !b"AGWXPS".contains(flag) {
                shell.error(&[word, b": invalid option"]);
                return Ok(2);
            }
            let value = take_value(shell, *flag, &mut flags, &mut words)?;
            match flag {
                b'A' => match ACTIONS.number_of(value) {
                    Some(action) => actions.push((action as u8, b"")),
                    None => return Err(shell.error(&[value, b": invalid action name"])),
                },
                b'X' => filter = Some(value),
                b'P' => before = value,
                b'S' => after = value,
                flag => actions.push((*flag, value)),
            }
        }
    }
    let prefix = words.first().copied().unwrap_or_default();
    let mut found = Vec::new();
    for (action, value) in actions {
        names_of(shell, action, value, prefix, &mut found)?;
    }
    found.retain(|name| name.starts_with(prefix));
    if let Some(filter) = filter {
        let (negated, wanted) = filter.strip_prefix(b"!").map_or((false, filter), |rest| (true, rest));
        let wanted = wanted.split(|&byte| byte == b'&').collect::<Vec<_>>().join(prefix);
        let flags = shell.pattern_flags();
        found.retain(|name| pattern::matches(&wanted, name, flags) == negated);
    }
    let mut text = Vec::new();
    for name in found {
        text.extend_from_slice(&[before, &name, after, b"\n"].concat());
    }
    shell.print(&text);
    Ok(u8::from(text.is_empty()))
}

fn names_of(shell: &mut Shell, action: u8, value: &[u8], prefix: &[u8], found: &mut Vec<Vec<u8>>) -> Result<(), Fail> {
    match action {
        b'a' => slots(shell, |slot| slot.alias.is_some(), found),
        b'e' => slots(shell, |slot| slot.export, found),
        b'v' => slots(shell, |slot| slot.set || slot.array.is_some(), found),
        b'1' => slots(shell, |slot| slot.array.is_some(), found),
        b'3' => slots(shell, |slot| slot.function.is_some(), found),
        b'b' | b'2' => {
            for name in crate::state::builtin::names(true) {
                let symbol = shell.intern(name.as_bytes());
                if shell.builtin_of(symbol).is_some() == (action == b'b') {
                    found.push(name.as_bytes().copied());
                }
            }
        }
        b'c' => {
            split(KEYWORDS, b" ", found);
            found.extend(crate::builtins::commands::commands(shell, prefix));
        }
        b'k' => split(KEYWORDS, b" ", found),
        b'f' | b'd' => files(prefix, action == b'd', found),
        b'u' => accounts(b"/etc/passwd", found),
        b'g' => accounts(b"/etc/group", found),
        b'j' => found.extend(shell.jobs.all.iter().map(|job| first_word(&job.text()))),
        b'4' => found.extend(crate::state::options::names().map(|name| name.as_bytes().copied())),
        b'5' => found.extend(crate::state::shopt::names().map(|name| name.as_bytes().copied())),
        b'6' => {
            for number in 1..64 {
                if let Some(name) = rbox_core::signals::name_of(number) {
                    found.push([b"SIG", name.as_bytes()].concat());
                }
            }
        }
        b'G' => {
            let word = Word::Parts(Box::new([Part::Literal(value.into())]));
            let matched = shell.expand_words(std::slice::from_ref(&word))?;
            found.extend(matched.into_iter().filter(|path| fs::lstat(&path[..]).is_ok()));
        }
        _ => {
            let text = shell.expand_subscript(value)?;
            let ifs = shell.computed.ifs.copied();
            split(&text, &ifs, found);
        }
    }
    Ok(())
}

fn slots(shell: &Shell, wanted: fn(&Slot) -> bool, found: &mut Vec<Vec<u8>>) {
    found.extend(shell.names(wanted).into_iter().map(|name| shell.symbols.name(name).copied()));
}

fn split(text: &[u8], ends: &[u8], found: &mut Vec<Vec<u8>>) {
    let words = text.split(|byte| ends.contains(byte)).filter(|word| !word.is_empty());
    found.extend(words.map(<[u8]>::copied));
}

fn first_word(text: &[u8]) -> Vec<u8> {
    text.split(|&byte| byte == b' ').next().unwrap_or_default().copied()
}

/// The files, or directories alone, that the prefix leads to.
fn files(prefix: &[u8], directories: bool, found: &mut Vec<Vec<u8>>) {
    let start = prefix.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
    for name in names_in(&prefix[..start]) {
        let path = [&prefix[..start], &name].concat();
        let is_directory =
            || fs::stat(&path[..]).is_ok_and(|s| fs::FileType::from_raw_mode(s.st_mode) == fs::FileType::Directory);
        if name != b"." && name != b".." && (!directories || is_directory()) {
            found.push(path);
        }
    }
}

/// The names in a file whose lines begin with them.
fn accounts(path: &[u8], found: &mut Vec<Vec<u8>>) {
    let Ok(mut input) = rbox_core::io::Input::open(path) else { return };
    while let Ok(Some(line)) = input.line() {
        found.push(line.split(|&byte| byte == b':').next().unwrap_or_default().copied());
    }
}
