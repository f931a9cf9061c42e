//! Descriptions of names: `type`, `command -v` and `command -V`.

use super::operands::options;
use crate::state::Shell;
use crate::state::builtin::Done;
use crate::syntax::copied::Copied;
use crate::syntax::{parser, unparse};
use rbox_core::bytes::join_path;
use rbox_core::call::is_program;
use rbox_core::escape;

/// `type NAME...`
pub fn type_(shell: &mut Shell, words: &[&[u8]]) -> Done {
    if shell.options.bash {
        return type_bash(shell, words);
    }
    if let Some((first, rest)) = words.split_first()
        && first.starts_with(b"-")
        && *first != b"--"
    {
        // As in BusyBox, `type -p` is `command -v`; the other options are bash's.
        return if *first == b"-p" { describe_all(shell, rest) } else { type_bash(shell, words) };
    }
    let words = rbox_core::options::after_dashes(words);
    let mut status = 0;
    for word in words {
        let sym = shell.intern(word);
        let text: Vec<u8> = if crate::syntax::parser::is_keyword(word) {
            b" is a shell keyword".copied()
        } else if let Some(value) = shell.slot(sym).alias.clone() {
            [b" is an alias for ", &value[..]].concat()
        } else if shell.slot(sym).function.is_some() {
            b" is a function".copied()
        } else if let Some(builtin) = shell.builtin_of(sym) {
            if builtin.special { b" is a special shell builtin".copied() } else { b" is a shell builtin".copied() }
        } else if let Some(path) = describe(shell, word) {
            [b" is ", &path[..]].concat()
        } else {
            status = 127;
            b": not found".copied()
        };
        shell.print(&[word, &text[..], b"\n"].concat());
    }
    Ok(status)
}

/// bash's `type [-afptP] NAME...`
fn type_bash(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, words) = options(shell, words, b"afptP")?;
    let has = |flag: u8| flags.contains(&flag);
    let path = has(b'p') || has(b'P');
    let mut status = 0;
    for word in words {
        let mut found = Vec::new();
        if !has(b'P') {
            found = kinds(shell, word, has(b'f'));
        }
        files(shell, word, &mut found);
        if !has(b'a') {
            found.truncate(1);
        }
        if found.is_empty() {
            status = 1;
            if !has(b't') && !path {
                shell.report(&[word, b": not found"]);
            }
        }
        for (kind, text) in found {
            let (before, middle, end): (&[u8], &[u8], &[u8]) = match kind {
                _ if has(b't') => (kind.as_bytes(), b"", b""),
                "file" if path => (&text, b"", b""),
                _ if path => continue,
                "file" => (word, b" is ", &text),
                "alias" => (word, b" is aliased to ", &text),
                "function" => (word, b" is a function\n", text.trim_ascii_end()),
                _ => (word, b" is a shell ", kind.as_bytes()),
            };
            shell.print(&[before, middle, end, b"\n"].concat());
        }
    }
    Ok(status)
}

/// What a name is: the word for it, and the alias's value, the function's text or the program's path.
type Kind = (&'static str, Vec<u8>);

fn kinds(shell: &mut Shell, word: &[u8], no_functions: bool) -> Vec<Kind> {
    let name = shell.intern(word);
    let mut found: Vec<Kind> = Vec::new();
    let aliases = shell.options.expand_aliases || shell.options.interactive;
    if let Some(value) = &shell.slot(name).alias
        && aliases
    {
        found.push(("alias", [b"`", &value[..], b"'"].concat()));
    }
    if parser::is_keyword(word) || word == b"time" || word == b"coproc" {
        found.push(("keyword", Vec::new()));
    }
    if let Some(function) = shell.slot(name).function.clone()
        && !no_functions
    {
        found.push(("function", unparse::function(name, &function, &shell.symbols)));
    }
    if shell.builtin_of(name).is_some() {
        found.push(("builtin", Vec::new()));
    }
    found
}

/// Adds the programs of that name, in the order of PATH.
fn files(shell: &mut Shell, word: &[u8], found: &mut Vec<Kind>) {
    let path = shell.get(b"PATH").unwrap_or_default().copied();
    for directory in path.split(|&byte| byte == b':') {
        let file = if word.contains(&b'/') { word.copied() } else { join_path(directory, word) };
        if is_program(&file) {
            found.push(("file", file));
        }
        if word.contains(&b'/') {
            return;
        }
    }
}

/// What `command -v` prints for a name; `None` when it is nothing.
fn describe(shell: &mut Shell, name: &[u8]) -> Option<Vec<u8>> {
    if crate::syntax::parser::is_keyword(name) {
        return Some(name.copied());
    }
    let sym = shell.intern(name);
    let aliases = !shell.options.bash || shell.options.expand_aliases || shell.options.interactive;
    if let Some(value) = shell.slot(sym).alias.clone().filter(|_| aliases) {
        return Some([b"alias ", name, b"=", &escape::single_quoted(&value)].concat());
    }
    if shell.slot(sym).function.is_some() || shell.builtin_of(sym).is_some() {
        return Some(name.copied());
    }
    let path = shell.find_program(name)?;
    rbox_core::call::is_program(&path).then(|| path.copied())
}

/// `command -v NAME...`
pub fn describe_all(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let mut status = 0;
    for word in words {
        match describe(shell, word) {
            Some(text) => shell.print(&[&text[..], b"\n"].concat()),
            None => status = 127,
        }
    }
    Ok(status)
}

/// `command -v` in bash mode: it succeeds when one of the names is found.
pub fn describe_any(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let mut status = 1;
    for word in words {
        if let Some(text) = describe(shell, word) {
            status = 0;
            shell.print(&[&text[..], b"\n"].concat());
        }
    }
    Ok(status)
}
