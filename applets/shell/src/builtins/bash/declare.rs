//! `declare` and `typeset`: variables with attributes, and functions shown.

use crate::expand::assign::assign;
use crate::state::builtin::Done;
use crate::state::declaration::attributes;
use crate::state::declaration::declaration;
use crate::state::slot::DECLARED;
use crate::state::slot::FUNCTION;
use crate::state::slot::INTEGER;
use crate::state::slot::LOWER;
use crate::state::slot::READONLY_FUNCTION;
use crate::state::slot::REFERENCE;
use crate::state::slot::Slot;
use crate::state::slot::Special;
use crate::state::slot::UPPER;
use crate::state::{Fail, Shell};
use crate::syntax::copied::Copied;
use crate::syntax::quote;
use crate::syntax::symbols::{is_name, split_subscript};
use crate::syntax::unparse;

/// `declare [-aAfFgilnprux] [+ilnux] [NAME[=VALUE]...]`
pub fn declare(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (on, off, words) = signed_options(shell, words)?;
    if on.contains(&b'F') || on.contains(&b'f') {
        return functions(shell, words, &on);
    }
    if on.contains(&b'p') || words.is_empty() {
        return show(shell, words, &on);
    }
    let local = shell.flow.calls > 0 && !on.contains(&b'g');
    for word in words {
        declare_one(shell, word, &on, &off, local)?;
    }
    Ok(0)
}

/// Option characters after `-` and after `+`, and the operands.
type Signed<'a, 'b> = (Vec<u8>, Vec<u8>, &'a [&'b [u8]]);

fn signed_options<'a, 'b>(shell: &mut Shell, words: &'a [&'b [u8]]) -> Result<Signed<'a, 'b>, Fail> {
    let (mut on, mut off) = (Vec::new(), Vec::new());
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        let [prefix @ (b'-' | b'+'), flags @ ..] = word else { break };
        if flags.is_empty() {
            break;
        }
        rest = after;
        if *word == b"--" {
            break;
        }
        for flag in flags {
            let known: &[u8] = if *prefix == b'-' { b"aAfFgilnprux" } else { b"ilnux" };
            if !known.contains(flag) {
                return Err(shell.error(&[b"illegal option ", &[*prefix], &[*flag]]));
            }
            if *prefix == b'-' { on.push(*flag) } else { off.push(*flag) }
        }
    }
    Ok((on, off, rest))
}

/// Declares one variable, as `local` does when `local` is set.
fn declare_one(shell: &mut Shell, word: &[u8], on: &[u8], off: &[u8], local: bool) -> Result<(), Fail> {
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
    let mut name = shell.intern(text);
    let value = equals.map(|at| &word[at + 1..]);
    if local {
        shell.make_local(name);
    }
    if on.contains(&b'n') {
        // A variable that has a value already becomes a reference to what it names.
        let held = shell.value(name).unwrap_or_default().copied();
        shell.make_reference(name, value.unwrap_or(&held))?;
        shell.slot(name).readonly |= on.contains(&b'r');
        return Ok(());
    }
    if off.contains(&b'n') {
        end_reference(shell.slot(name));
    }
    name = shell.resolve(name);
    set_attributes(shell.slot(name), on, off);
    if on.contains(&b'A') || on.contains(&b'a') {
        shell.make_array(name, on.contains(&b'A'))?;
    }
    match value {
        Some(value) => assign(shell, name, subscript, value, append)?,
        None if !shell.slot(name).set => shell.slot(name).attributes |= DECLARED,
        None => {}
    }
    let slot = shell.slot(name);
    slot.readonly |= on.contains(&b'r');
    slot.export |= on.contains(&b'x');
    slot.export &= !off.contains(&b'x');
    Ok(())
}

fn end_reference(slot: &mut Slot) {
    if slot.special == Special::Reference {
        slot.special = Special::None;
        slot.attributes &= !REFERENCE;
    }
}

fn set_attributes(slot: &mut Slot, on: &[u8], off: &[u8]) {
    for (flag, bit) in [(b'i', INTEGER), (b'l', LOWER), (b'u', UPPER)] {
        if on.contains(&flag) {
            // The cases exclude each other.
            slot.attributes &= if bit == INTEGER { !0 } else { !(LOWER | UPPER) };
            slot.attributes |= bit;
        }
        if off.contains(&flag) {
            slot.attributes &= !bit;
        }
    }
}

/// `declare -p`: variables in a form that the shell can read back.
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
        let wanted: Vec<u8> = on.iter().copied().filter(|flag| !b"gp".contains(flag)).collect();
        names = shell.names(|slot| is_declared(slot) && slot.special != Special::Element);
        names.retain(|&name| {
            let flags = attributes(&shell.variables[name.index()]);
            wanted.iter().all(|one| flags.contains(one))
        });
    }
    let mut text = Vec::new();
    for name in names {
        text.extend_from_slice(&declaration(shell, name));
        text.push(b'\n');
    }
    shell.print(&text);
    Ok(status)
}

/// The output of `set`: variables in a form that the shell can read back, and functions.
pub fn list_all(shell: &mut Shell, text: &mut Vec<u8>) {
    for name in shell.names(|slot| (slot.set || slot.array.is_some()) && slot.special != Special::Element) {
        shell.value(name);
        let slot = &shell.variables[name.index()];
        let value = match &slot.array {
            Some(array) => array.show(),
            None => quote::as_needed(&slot.value),
        };
        text.extend_from_slice(&[&shell.symbols.name(name)[..], b"=", &value, b"\n"].concat());
    }
    if !shell.options.posix {
        for name in shell.names(|slot| slot.function.is_some()) {
            if let Some(function) = shell.slot(name).function.clone() {
                text.extend_from_slice(&unparse::function(name, &function, &shell.symbols));
            }
        }
    }
}

fn is_declared(slot: &Slot) -> bool {
    slot.set
        || slot.array.is_some()
        || slot.export
        || slot.readonly
        || slot.attributes & !(FUNCTION | READONLY_FUNCTION) != 0
}

/// `declare -F`: the functions' names; `declare -f`: the functions.
fn functions(shell: &mut Shell, words: &[&[u8]], on: &[u8]) -> Done {
    let bare = on.contains(&b'F');
    let mut text = Vec::new();
    let mut status = 0;
    let mut names = Vec::new();
    for word in words {
        names.push(shell.intern(word));
    }
    if words.is_empty() {
        names = shell.names(|slot| slot.function.is_some());
    }
    for name in names {
        match shell.slot(name).function.clone() {
            None => status = 1,
            Some(function) if !bare => text.extend_from_slice(&unparse::function(name, &function, &shell.symbols)),
            Some(_) => {
                let start: &[u8] = if words.is_empty() { b"declare -f " } else { b"" };
                text.extend_from_slice(&[start, &shell.symbols.name(name)[..], b"\n"].concat());
            }
        }
    }
    shell.print(&text);
    Ok(status)
}
