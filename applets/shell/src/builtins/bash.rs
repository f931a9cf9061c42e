//! Builtins of bash: `declare`, `typeset`, `mapfile`, `readarray`, `shopt`.

use super::{Done, options};
use crate::array::{Array, INTEGER, LOWER, UPPER, decode, double_quoted};
use crate::shell::{Fail, Shell, Slot, Special, now};
use crate::symbols::{Sym, is_name};
use rbox_core::sys::process;

/// Sets what bash mode has besides: its variables.
pub fn begin(shell: &mut Shell) {
    shell.began = now();
    let computed: [(&[u8], Special); 4] = [
        (b"BASH_SOURCE", Special::Source),
        (b"SECONDS", Special::Seconds),
        (b"PIPESTATUS", Special::PipeStatus),
        (b"FUNCNAME", Special::FunctionName),
    ];
    for (name, special) in computed {
        let name = shell.intern(name);
        shell.slot(name).special = special;
    }
    let uid = process::getuid().as_raw().to_string();
    let euid = process::geteuid().as_raw().to_string();
    let fixed: [(&[u8], &[u8]); 4] = [
        // Scripts look here for what the shell can do: arrays are bash's since 4.0.
        (b"BASH_VERSION", b"4.0.0(1)-rbox"),
        (b"BASH", b"/bin/bash"),
        (b"UID", uid.as_bytes()),
        (b"EUID", euid.as_bytes()),
    ];
    for (name, value) in fixed {
        let name = shell.intern(name);
        let slot = shell.slot(name);
        slot.value = value.to_vec();
        slot.set = true;
    }
    let mut version = Box::new(Array::default());
    for part in [&b"4"[..], b"0", b"0", b"1", b"rbox", b"linux"] {
        version.push(part.to_vec());
    }
    let name = shell.intern(b"BASH_VERSINFO");
    shell.put_array(name, version);
}

/// `type -t NAME...`: one word that says what each is; `type -p NAME...`: the file of a program.
pub fn type_word(shell: &mut Shell, words: &[&[u8]], path: bool) -> Done {
    let mut status = 0;
    for word in words {
        let name = shell.intern(word);
        let kind: &[u8] = if shell.slot(name).alias.is_some() {
            b"alias"
        } else if crate::syntax::parser::is_keyword(word) {
            b"keyword"
        } else if shell.slot(name).function.is_some() {
            b"function"
        } else if super::find(word).is_some() {
            b"builtin"
        } else {
            b"file"
        };
        let file = if kind == b"file" { super::inform::describe(shell, word) } else { None };
        match (kind, file) {
            (b"file", None) => status = 1,
            (b"file", Some(file)) if path => shell.print(&[&file[..], b"\n"].concat()),
            _ if path => {}
            _ => shell.print(&[kind, b"\n"].concat()),
        }
    }
    Ok(status)
}

/// `declare [-aAgilprux] [+ilux] [NAME[=VALUE]...]`
pub fn declare(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (on, off, words) = signed_options(shell, words)?;
    if on.contains(&b'p') || (words.is_empty() && on.iter().all(|letter| *letter == b'g')) {
        return show(shell, words, &on);
    }
    if on.contains(&b'F') {
        return functions(shell, words);
    }
    if words.is_empty() {
        return show(shell, words, &on);
    }
    let local = shell.calls > 0 && !on.contains(&b'g');
    for word in words {
        declare_one(shell, word, &on, &off, local)?;
    }
    Ok(0)
}

/// Letters behind `-` and behind `+`, and the operands.
type Signed<'a, 'b> = (Vec<u8>, Vec<u8>, &'a [&'b [u8]]);

fn signed_options<'a, 'b>(shell: &mut Shell, words: &'a [&'b [u8]]) -> Result<Signed<'a, 'b>, Fail> {
    let (mut on, mut off) = (Vec::new(), Vec::new());
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        let [sign @ (b'-' | b'+'), letters @ ..] = word else { break };
        if letters.is_empty() {
            break;
        }
        rest = after;
        if *word == b"--" {
            break;
        }
        for letter in letters {
            let known: &[u8] = if *sign == b'-' { b"aAFgilprux" } else { b"ilux" };
            if !known.contains(letter) {
                return Err(shell.error(&[b"illegal option ", &[*sign], &[*letter]]));
            }
            if *sign == b'-' { on.push(*letter) } else { off.push(*letter) }
        }
    }
    Ok((on, off, rest))
}

/// Declares one variable, as `local` does when `local` is set.
pub fn declare_one(shell: &mut Shell, word: &[u8], on: &[u8], off: &[u8], local: bool) -> Result<(), Fail> {
    let equals = word.iter().position(|&byte| byte == b'=');
    let mut text = &word[..equals.unwrap_or(word.len())];
    let append = equals.is_some() && text.ends_with(b"+");
    if append {
        text = &text[..text.len() - 1];
    }
    let (text, subscript) = split_subscript(text);
    if !is_name(text) {
        return Err(shell.error(&[text, b": bad variable name"]));
    }
    let name = shell.intern(text);
    let value = equals.map(|at| &word[at + 1..]);
    if local && shell.save(name) {
        let slot = shell.slot(name);
        slot.array = None;
        slot.attributes = 0;
        slot.set = false;
        slot.value.clear();
        shell.changed(name);
    }
    let slot = shell.slot(name);
    for (letter, bit) in [(b'i', INTEGER), (b'l', LOWER), (b'u', UPPER)] {
        if on.contains(&letter) {
            // The cases exclude each other.
            slot.attributes &= if bit == INTEGER { !0 } else { INTEGER };
            slot.attributes |= bit;
        }
        if off.contains(&letter) {
            slot.attributes &= !bit;
        }
    }
    if on.contains(&b'A') || on.contains(&b'a') {
        shell.make_array(name, on.contains(&b'A'))?;
    }
    if let Some(value) = value {
        assign(shell, name, subscript, value, append)?;
    }
    let slot = shell.slot(name);
    slot.readonly |= on.contains(&b'r');
    slot.export |= on.contains(&b'x');
    slot.export &= !off.contains(&b'x');
    Ok(())
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
    let old = shell.value(name).unwrap_or_default().to_vec();
    if shell.slot(name).attributes & INTEGER != 0 {
        return shell.set(name, &[&old[..], b"+(", value, b")"].concat());
    }
    shell.set(name, &[&old[..], value].concat())
}

/// `declare -p`: the variables such that the shell reads them back.
fn show(shell: &mut Shell, words: &[&[u8]], on: &[u8]) -> Done {
    let mut status = 0;
    let mut names = Vec::new();
    for word in words {
        let name = shell.intern(word);
        shell.value(name);
        if is_declared(shell.slot(name)) {
            names.push(name);
        } else {
            shell.report(&[word, b": not found"]);
            status = 1;
        }
    }
    if words.is_empty() {
        names = shell.names(|slot| {
            is_declared(slot)
                && (!on.contains(&b'x') || slot.export)
                && (!on.contains(&b'r') || slot.readonly)
                && (!on.contains(&b'a') || slot.array.as_ref().is_some_and(|array| !array.associative))
                && (!on.contains(&b'A') || slot.array.as_ref().is_some_and(|array| array.associative))
        });
    }
    let mut text = Vec::new();
    for name in names {
        let slot = shell.slot(name).clone();
        text.extend_from_slice(b"declare ");
        text.extend_from_slice(&letters(&slot));
        text.push(b' ');
        text.extend_from_slice(shell.symbols.name(name));
        if let Some(array) = &slot.array {
            text.push(b'=');
            text.extend_from_slice(&array.show());
        } else if slot.set {
            text.push(b'=');
            text.extend_from_slice(&double_quoted(&slot.value));
        }
        text.push(b'\n');
    }
    shell.print(&text);
    Ok(status)
}

fn is_declared(slot: &Slot) -> bool {
    slot.set || slot.array.is_some() || slot.export || slot.readonly || slot.attributes != 0
}

fn letters(slot: &Slot) -> Vec<u8> {
    let mut letters = b"-".to_vec();
    let is = |yes: bool, letter: u8| yes.then_some(letter);
    letters.extend(is(slot.array.as_ref().is_some_and(|array| !array.associative), b'a'));
    letters.extend(is(slot.array.as_ref().is_some_and(|array| array.associative), b'A'));
    letters.extend(is(slot.attributes & INTEGER != 0, b'i'));
    letters.extend(is(slot.readonly, b'r'));
    letters.extend(is(slot.export, b'x'));
    letters.extend(is(slot.attributes & LOWER != 0, b'l'));
    letters.extend(is(slot.attributes & UPPER != 0, b'u'));
    if letters.len() == 1 {
        letters.push(b'-');
    }
    letters
}

/// `declare -F`: the functions' names.
fn functions(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let mut text = Vec::new();
    let mut status = 0;
    if words.is_empty() {
        for name in shell.names(|slot| slot.function.is_some()) {
            text.extend_from_slice(&[b"declare -f ", &shell.symbols.name(name)[..], b"\n"].concat());
        }
    }
    for word in words {
        let name = shell.intern(word);
        if shell.slot(name).function.is_some() {
            text.extend_from_slice(&[word, &b"\n"[..]].concat());
        } else {
            status = 1;
        }
    }
    shell.print(&text);
    Ok(status)
}

/// `mapfile [-t] [-d DELIM] [-n COUNT] [-O ORIGIN] [-s COUNT] [-u FD] [NAME]`
pub fn mapfile(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (mut trim, mut delimiter, mut most, mut origin, mut skip, mut fd) = (false, b'\n', 0, None, 0, 0);
    let mut words = words;
    while let Some((word, rest)) = words.split_first() {
        let [b'-', letter, glued @ ..] = word else { break };
        words = rest;
        match letter {
            b'-' if glued.is_empty() => break,
            b't' if glued.is_empty() => trim = true,
            b'd' | b'n' | b'O' | b's' | b'u' => {
                let mut value = glued;
                if glued.is_empty() {
                    let Some((first, rest)) = words.split_first() else {
                        return Err(shell.error(&[b"option requires an argument -", &[*letter]]));
                    };
                    (value, words) = (first, rest);
                }
                match letter {
                    b'd' => delimiter = value.first().copied().unwrap_or(0),
                    b'n' => most = super::number(shell, value)?,
                    b'O' => origin = Some(super::number(shell, value)?),
                    b's' => skip = super::number(shell, value)?,
                    _ => fd = super::number(shell, value)? as i32,
                }
            }
            _ => return Err(shell.error(&[b"illegal option -", &[*letter]])),
        }
    }
    let text = words.first().copied().unwrap_or(b"MAPFILE");
    if !is_name(text) {
        return Err(shell.error(&[text, b": bad variable name"]));
    }
    let name = shell.intern(text);
    shell.writable(name)?;
    let mut array = match (origin, shell.slot(name).array.take()) {
        (Some(_), Some(array)) => array,
        _ => Box::new(Array::default()),
    };
    let mut index = i64::from(origin.unwrap_or(0));
    let mut taken = 0;
    while let Some((mut line, ended)) = super::read::read_until(fd, delimiter) {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        if ended && !trim {
            line.push(delimiter);
        }
        array.put(&index.to_be_bytes(), line);
        index += 1;
        taken += 1;
        if most > 0 && taken == most {
            break;
        }
    }
    shell.put_array(name, array);
    Ok(0)
}

/// The options of `shopt`.
const SHOPT: [&[u8]; 7] =
    [b"dotglob", b"extglob", b"failglob", b"globstar", b"nocaseglob", b"nocasematch", b"nullglob"];

fn field<'a>(shell: &'a mut Shell, name: &[u8]) -> Option<&'a mut bool> {
    Some(match name {
        b"dotglob" => &mut shell.options.dotglob,
        b"extglob" => &mut shell.options.extglob,
        b"globstar" => &mut shell.options.globstar,
        b"nocaseglob" => &mut shell.options.nocaseglob,
        b"nocasematch" => &mut shell.options.nocasematch,
        b"failglob" => &mut shell.options.failglob,
        b"nullglob" => &mut shell.options.nullglob,
        _ => return None,
    })
}

/// `shopt [-pqsu] [NAME...]`
pub fn shopt(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (letters, words) = options(shell, words, b"pqsu")?;
    let (set, unset) = (letters.contains(&b's'), letters.contains(&b'u'));
    let words: Vec<&[u8]> = if words.is_empty() { SHOPT.to_vec() } else { words.to_vec() };
    let mut text = Vec::new();
    let mut status = 0;
    let all = words.len() == SHOPT.len() && !letters.is_empty();
    for word in words {
        let Some(on) = field(shell, word) else {
            shell.report(&[word, b": invalid shell option name"]);
            status = 1;
            continue;
        };
        if (set || unset) && !all {
            *on = set;
            continue;
        }
        status |= u8::from(!*on);
        let (sign, state): (&[u8], &[u8]) = if *on { (b"-s ", b"on") } else { (b"-u ", b"off") };
        if letters.contains(&b'p') {
            text.extend_from_slice(&[b"shopt ", sign, word, b"\n"].concat());
        } else if !letters.contains(&b'q') {
            text.extend_from_slice(&[word, b"\t", state, b"\n"].concat());
        }
    }
    shell.print(&text);
    Ok(status)
}
