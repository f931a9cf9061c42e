//! Builtins that tell: `type`, `hash`, `help`, `times`.

use super::Done;
use crate::state::Shell;
use crate::syntax::copied::Copied;
use rbox_core::escape;
use rbox_core::push;
use rbox_core::text::Right;

/// What `command -v` prints for a name; `None` when it is nothing.
pub fn describe(shell: &mut Shell, name: &[u8]) -> Option<Vec<u8>> {
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

/// `type NAME...`
pub fn type_(shell: &mut Shell, words: &[&[u8]]) -> Done {
    if shell.options.bash {
        return super::bash::type_(shell, words);
    }
    if let Some((first, rest)) = words.split_first()
        && first.starts_with(b"-")
        && *first != b"--"
    {
        // As in BusyBox, `type -p` is `command -v`; the other options are bash's.
        return if *first == b"-p" { describe_all(shell, rest) } else { super::bash::type_(shell, words) };
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

/// `hash [-r] [NAME...]`
pub fn hash(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (letters, words) = super::options(shell, words, b"r")?;
    if letters.contains(&b'r') {
        shell.variables.iter_mut().for_each(|slot| slot.path = None);
        return Ok(0);
    }
    if words.is_empty() {
        for name in shell.names(|slot| slot.path.is_some()) {
            if let Some(path) = shell.slot(name).path.clone() {
                shell.print(&[&path[..], b"\n"].concat());
            }
        }
    }
    let mut status = 0;
    for word in words {
        let name = shell.intern(word);
        let known = super::find(word).is_some() || shell.slot(name).function.is_some();
        if !known && shell.find_program(word).is_none() {
            shell.report(&[word, b": not found"]);
            status = 1;
        }
    }
    Ok(status)
}

/// `help`
pub fn help(shell: &mut Shell, _: &[&[u8]]) -> Done {
    let mut text = String::from("Built-in commands:\n------------------\n");
    let mut column = 0;
    for name in super::names(shell.options.bash) {
        if column + name.len() + 1 > 60 {
            text.push('\n');
            column = 0;
        }
        text.push(if column == 0 { '\t' } else { ' ' });
        text.push_str(name);
        column += name.len() + 1;
    }
    text.push_str("\n\n");
    shell.print(text.as_bytes());
    Ok(0)
}

/// `times`: user and system time of the shell and of its children.
pub fn times(shell: &mut Shell, _: &[&[u8]]) -> Done {
    let ticks = rbox_core::sys::job::times();
    let mut text = Vec::new();
    for (number, ticks) in ticks.into_iter().enumerate() {
        let thousandths = Right(ticks % 100 * 10, 3, b'0');
        let end = if number % 2 == 0 { " " } else { "\n" };
        push!(text, ticks / 6000, "m", ticks / 100 % 60, ".", thousandths, "s", end);
    }
    shell.print(&text);
    Ok(0)
}
