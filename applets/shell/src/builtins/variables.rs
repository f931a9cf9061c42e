//! Builtins over variables: `export`, `readonly`, `local`, `unset`, `alias`, `getopts`, `let`.

use super::operands::options;
use crate::state::builtin::Done;
use crate::state::slot::FUNCTION;
use crate::state::slot::READONLY_FUNCTION;
use crate::state::slot::Special;
use crate::state::stream::write_error;
use crate::state::{Fail, Shell};
use crate::syntax::copied::Copied;
use crate::syntax::symbols::{Sym, is_name};
use rbox_core::escape;
use std::rc::Rc;

/// Splits `name=value` and `name+=value`.
fn assignment<'a>(shell: &mut Shell, word: &'a [u8]) -> Result<(Sym, Option<&'a [u8]>, bool), Fail> {
    let equals = word.iter().position(|&byte| byte == b'=');
    let mut name = &word[..equals.unwrap_or(word.len())];
    let append = equals.is_some() && name.ends_with(b"+");
    if append {
        name = &name[..name.len() - 1];
    }
    if !is_name(name) {
        return Err(shell.error(&[name, b": bad variable name"]));
    }
    let name = shell.intern(name);
    Ok((name, equals.map(|at| &word[at + 1..]), append))
}

fn assign(shell: &mut Shell, name: Sym, value: Option<&[u8]>, append: bool) -> Result<(), Fail> {
    match value {
        Some(value) => crate::expand::assign::assign(shell, name, None, value, append),
        None => Ok(()),
    }
}

fn list(shell: &mut Shell, verb: &str, names: Vec<Sym>) {
    let mut text = Vec::new();
    for name in names {
        if shell.options.bash && !shell.options.posix {
            text.extend_from_slice(&[&crate::state::declaration::declaration(shell, name)[..], b"\n"].concat());
            continue;
        }
        text.extend_from_slice(verb.as_bytes());
        text.push(b' ');
        text.extend_from_slice(shell.symbols.name(name));
        if shell.value(name).is_some() {
            text.push(b'=');
            let quoted = escape::single_quoted(&shell.slot(name).value);
            text.extend_from_slice(&quoted);
        }
        text.push(b'\n');
    }
    shell.print(&text);
}

/// `export [-np] [NAME[=VALUE]...]`, in bash mode `export -f [-n] NAME...`
pub fn export(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, words) = options(shell, words, if shell.options.bash { b"fnp" } else { b"np" })?;
    if flags.contains(&b'f') {
        return set_function_attribute(shell, words, (FUNCTION, !flags.contains(&b'n')));
    }
    if words.is_empty() {
        let names = shell.names(|slot| slot.export);
        list(shell, "export", names);
    }
    for word in words {
        let (name, value, append) = assignment(shell, word)?;
        let name = shell.resolve(name);
        assign(shell, name, value, append)?;
        if shell.slot(name).special == Special::HostName {
            // Programs are given the value that it has now.
            shell.value(name);
        }
        shell.slot(name).export = !flags.contains(&b'n');
    }
    Ok(0)
}

/// Sets or takes away an attribute of functions.
fn set_function_attribute(shell: &mut Shell, words: &[&[u8]], (bit, on): (u8, bool)) -> Done {
    let mut status = 0;
    for word in words {
        let name = shell.intern(word);
        let slot = shell.slot(name);
        if slot.function.is_none() {
            shell.report(&[word, b": not a function"]);
            status = 1;
        } else if on {
            slot.attributes |= bit;
        } else {
            slot.attributes &= !bit;
        }
    }
    Ok(status)
}

/// `readonly [-p] [NAME[=VALUE]...]`, in bash mode `readonly [-aAf] NAME...` too
pub fn readonly(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, words) = options(shell, words, if shell.options.bash { b"aAfp" } else { b"p" })?;
    let array = [b'a', b'A'].into_iter().find(|flag| flags.contains(flag));
    if flags.contains(&b'f') {
        return set_function_attribute(shell, words, (READONLY_FUNCTION, true));
    }
    if words.is_empty() {
        let mut names = shell.names(|slot| slot.readonly);
        names.retain(|&name| {
            array.is_none_or(|one| crate::state::declaration::attributes(shell.slot(name)).contains(&one))
        });
        list(shell, "readonly", names);
    }
    if let Some(flag) = array {
        return super::bash::declare(shell, &[&[&b"-gr"[..], &[b'-', flag]], words].concat());
    }
    for word in words {
        let (name, value, append) = assignment(shell, word)?;
        let name = shell.resolve(name);
        assign(shell, name, value, append)?;
        shell.slot(name).readonly = true;
    }
    Ok(0)
}

/// `local NAME[=VALUE]...`
pub fn local(shell: &mut Shell, words: &[&[u8]]) -> Done {
    if shell.flow.calls == 0 {
        return Err(shell.plain_error(b"not in a function"));
    }
    if words.first().is_some_and(|word| matches!(word, [b'-', _, ..]) || (shell.options.bash && *word != b"-")) {
        // `local -a x`: bash's options are those of declare.
        return super::bash::declare(shell, words);
    }
    for word in words {
        if *word == b"-" {
            shell.save_options();
            continue;
        }
        let (name, value, append) = assignment(shell, word)?;
        if shell.slot(name).readonly {
            let text = shell.symbols.name(name).copied();
            return Err(shell.error(&[&text, b": is read only"]));
        }
        // As in BusyBox, a local variable begins unset.
        if value.is_none() {
            shell.make_local(name);
        } else {
            shell.save(name);
        }
        assign(shell, name, value, append)?;
    }
    Ok(0)
}

/// `unset [-fv] NAME...`
pub fn unset(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, words) = options(shell, words, if shell.options.bash { b"fnv" } else { b"fv" })?;
    for word in words {
        if flags.contains(&b'f') {
            let name = shell.intern(word);
            shell.writable_function(name)?;
            shell.slot(name).function = None;
            continue;
        }
        let (text, subscript) = crate::syntax::symbols::split_subscript(word);
        if !is_name(text) || (subscript.is_some() && !shell.options.bash) {
            return Err(shell.error(&[word, b": bad variable name"]));
        }
        let name = shell.intern(text);
        match subscript {
            // An indexed array loses its elements, an associative one the element with that key.
            Some(b"@" | b"*") if shell.array(name).is_some_and(|array| !array.associative) => {
                shell.writable(name)?;
                shell.put_array(name, Box::default());
            }
            None => {
                let whole = if flags.contains(&b'n') { name } else { shell.resolve(name) };
                if shell.options.bash && !flags.contains(&b'v') && !shell.slot(whole).set {
                    unset_function(shell, whole);
                }
                shell.unset(whole)?;
            }
            Some(subscript) => {
                let key = shell.text_key(name, subscript)?;
                shell.unset_element(name, &key)?;
            }
        }
    }
    Ok(0)
}

/// As in bash, the name of a function alone is that of no variable.
fn unset_function(shell: &mut Shell, name: Sym) {
    let slot = shell.slot(name);
    if slot.array.is_none() {
        slot.function = None;
    }
}

/// `alias [NAME[=VALUE]...]`
pub fn alias(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let words = rbox_core::options::after_dashes(words);
    if words.is_empty() {
        for name in shell.names(|slot| slot.alias.is_some()) {
            show_alias(shell, name);
        }
    }
    let mut status = 0;
    for word in words {
        match word.iter().skip(1).position(|&byte| byte == b'=') {
            Some(at) => {
                let name = shell.intern(&word[..=at]);
                shell.slot(name).alias = Some(Rc::from(&word[at + 2..]));
            }
            None => {
                let name = shell.intern(word);
                if shell.slot(name).alias.is_some() {
                    show_alias(shell, name);
                } else {
                    not_found("alias", word);
                    status = 1;
                }
            }
        }
    }
    Ok(status)
}

/// The message about an alias that there is not; BusyBox's has neither the shell's name nor a line.
fn not_found(builtin: &str, name: &[u8]) {
    let text = [builtin.as_bytes(), b": ", name, b" not found\n"].concat();
    write_error(&text);
}

fn show_alias(shell: &mut Shell, name: Sym) {
    if let Some(value) = shell.slot(name).alias.clone() {
        let start: &[u8] = if shell.options.bash { b"alias " } else { b"" };
        let line = [start, shell.symbols.name(name), b"=", &escape::single_quoted(&value), b"\n"].concat();
        shell.print(&line);
    }
}

/// `unalias [-a] [NAME...]`
pub fn unalias(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, words) = options(shell, words, b"a")?;
    if flags.contains(&b'a') {
        shell.variables.iter_mut().for_each(|slot| slot.alias = None);
    }
    let mut status = 0;
    for word in words {
        let name = shell.intern(word);
        if shell.slot(name).alias.take().is_none() {
            not_found("unalias", word);
            status = 1;
        }
    }
    Ok(status)
}

/// `let EXPRESSION...`
pub fn let_(shell: &mut Shell, words: &[&[u8]]) -> Done {
    if words.is_empty() {
        return Err(shell.plain_error(b"expression expected"));
    }
    let mut last = 0;
    for word in words {
        last = shell.evaluate_text(word, 0)?;
    }
    Ok(u8::from(last == 0))
}

/// `getopts OPTSTRING NAME [ARG...]` (XCU getopts)
pub fn getopts(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let words = rbox_core::options::after_dashes(words);
    let [known, name, arguments @ ..] = words else {
        return Err(shell.plain_error(b"usage: getopts optstring var [arg]"));
    };
    let arguments: Vec<Vec<u8>> = if arguments.is_empty() {
        shell.parameters.positional.to_vec()
    } else {
        arguments.iter().map(|word| word.copied()).collect()
    };
    if !is_name(name) {
        return Err(shell.error(&[name, b": bad variable name"]));
    }
    let name = shell.intern(name);
    let index_name = shell.intern(b"OPTIND");
    let value_name = shell.intern(b"OPTARG");
    let (mut index, mut at) = (shell.parameters.option_index, shell.parameters.option_offset);
    if index > arguments.len() + 1 {
        // bash stays after the last one until OPTIND is assigned.
        (index, at) = (if shell.options.bash { arguments.len() + 1 } else { 1 }, 0);
    }
    let word = arguments.get(index - 1);
    let Some(word) = word.filter(|word| word.len() > 1 && word[0] == b'-' && (at > 0 || *word != b"--")) else {
        if word.is_some_and(|word| word == b"--") {
            index += 1;
        }
        shell.set(name, b"?")?;
        shell.set_number(index_name, index as i64)?;
        shell.unset(value_name)?;
        return Ok(1);
    };
    at = if at == 0 || at >= word.len() { 1 } else { at };
    let flag = word[at];
    at += 1;
    let silent = known.first() == Some(&b':');
    let reports = shell.get(b"OPTERR") != Some(b"0");
    let found = known.iter().position(|&one| one == flag && flag != b':');
    let mut result = vec![flag];
    let mut value: Option<Vec<u8>> = None;
    match found {
        None => {
            result = b"?".copied();
            if silent {
                value = Some(vec![flag]);
            } else if reports {
                complain(b"Illegal option -", flag, b"");
            }
        }
        Some(found) if known.get(found + 1) == Some(&b':') => {
            if at < word.len() {
                value = Some(word[at..].copied());
            } else if let Some(next) = arguments.get(index) {
                value = Some(next.copied());
                index += 1;
            } else if silent {
                result = b":".copied();
                value = Some(vec![flag]);
            } else {
                result = b"?".copied();
                if reports {
                    complain(b"No arg for -", flag, b" option");
                }
            }
            at = word.len();
        }
        Some(_) => {}
    }
    if at >= word.len() {
        index += 1;
        at = 0;
    }
    match value {
        Some(value) => shell.set(value_name, &value)?,
        // XCU getopts leaves it open without an argument: empty in BusyBox and dash, unset in bash.
        None if shell.options.bash || result == b"?" => shell.unset(value_name)?,
        None => shell.set(value_name, b"")?,
    }
    shell.set(name, &result)?;
    // In the middle of a word OPTIND is that of the next one already, as in BusyBox but not in bash; assigning it resets
    // the place.
    shell.set_number(index_name, (index + usize::from(at > 0 && !shell.options.bash)) as i64)?;
    (shell.parameters.option_index, shell.parameters.option_offset) = (index, at);
    Ok(0)
}

fn complain(message: &[u8], flag: u8, end: &[u8]) {
    let text = [message, &[flag], end, b"\n"].concat();
    write_error(&text);
}
