//! Completion of commands, variables, files and users, with the quotes that the line has there.

use crate::builtins::commands::commands;
use crate::expand::names_in;
use crate::state::Shell;
use crate::syntax::copied::Copied;
use crate::syntax::symbols::is_name_byte;
use rbox_core::sys::fs;
use rbox_core::term::line::{Completion, Quote};

/// The word at the end of a line.
#[derive(Default)]
struct Word {
    /// Where it begins.
    start: usize,
    /// Its text without the quotes.
    text: Vec<u8>,
    /// Where the last component of its path begins in the line, and in the text.
    name: (usize, usize),
    /// The quote that is open at its end: `'`, `"` or 0.
    quote: u8,
    /// The open quote is in the last component.
    quoted_in_name: bool,
    /// Where the `$` of a parameter is that is not finished.
    parameter: Option<usize>,
    /// It is where a command's name does.
    command: bool,
    /// What completes it is the part after a `=`.
    value: bool,
    /// It begins with a tilde that is not quoted.
    tilde: bool,
}

/// What can complete the end of the line.
pub fn complete(shell: &mut Shell, line: &[u8]) -> Completion {
    let word = last_word(line);
    if let Some(dollar) = word.parameter {
        return variables(shell, line, dollar, word.quote);
    }
    if word.tilde && !word.text.contains(&b'/') {
        return users(&word);
    }
    let names = if word.command && !word.value && !word.text.contains(&b'/') {
        commands(shell, &word.text)
    } else {
        files(shell, &word)
    };
    finish(&word, names)
}

/// Reads the line and returns its last word. `$(` and a backquote begin a new command.
fn last_word(line: &[u8]) -> Word {
    let mut word = Word { command: true, ..Word::default() };
    let mut at = 0;
    while at < line.len() {
        let byte = line[at];
        match (word.quote, byte) {
            (b'\'', b'\'') | (b'"', b'"') => word.quote = 0,
            (0, b'\'' | b'"') => {
                word.quote = byte;
                word.quoted_in_name = true;
            }
            (0 | b'"', b'\\') if at + 1 < line.len() => {
                at += 1;
                word.text.push(line[at]);
            }
            (0 | b'"', b'`') => word = Word { start: at + 1, name: (at + 1, 0), command: true, ..Word::default() },
            (0 | b'"', b'$') if line.get(at + 1) == Some(&b'(') => {
                at += 1;
                word = Word { start: at + 1, name: (at + 1, 0), command: true, ..Word::default() };
            }
            (0 | b'"', b'$') => {
                word.parameter = Some(at);
                word.text.push(byte);
            }
            (0, b' ' | b'\t') => {
                // The words before a command's name are assignments and reserved words such as `if` and `!`.
                let command = match &line[word.start..at] {
                    b"" => word.command,
                    before => word.command && comes_before_command(before),
                };
                word = Word { start: at + 1, name: (at + 1, 0), command, ..Word::default() };
            }
            (0, b';' | b'&' | b'|' | b'(' | b')' | b'\n') => {
                word = Word { start: at + 1, name: (at + 1, 0), command: true, ..Word::default() };
            }
            (0, b'<' | b'>') => word = Word { start: at + 1, name: (at + 1, 0), ..Word::default() },
            // A file can follow in an assignment, and in an option's value.
            (0, b'=') | (0, b':') if byte == b'=' || word.value => {
                word = Word {
                    start: word.start,
                    name: (at + 1, 0),
                    command: word.command,
                    value: true,
                    ..Word::default()
                };
            }
            _ => {
                word.tilde |= word.text.is_empty() && byte == b'~' && word.quote == 0;
                word.text.push(byte);
                if byte == b'/' {
                    word.name = (at + 1, word.text.len());
                    word.quoted_in_name = false;
                }
            }
        }
        if word.parameter.is_some_and(|dollar| at > dollar && !continues_name(&line[dollar + 1..=at])) {
            word.parameter = None;
        }
        at += 1;
    }
    word
}

fn is_assignment(word: &[u8]) -> bool {
    word.iter().position(|&byte| byte == b'=').is_some_and(|at| crate::syntax::symbols::is_name(&word[..at]))
}

fn comes_before_command(word: &[u8]) -> bool {
    is_assignment(word)
        || matches!(
            word,
            b"if"
                | b"then"
                | b"else"
                | b"elif"
                | b"while"
                | b"until"
                | b"do"
                | b"!"
                | b"{"
                | b"time"
                | b"exec"
                | b"command"
                | b"nohup"
                | b"env"
                | b"xargs"
        )
}

/// Whether what is after a `$` may be the beginning of a name, in braces or without.
fn continues_name(text: &[u8]) -> bool {
    text.strip_prefix(b"{").unwrap_or(text).iter().all(|&byte| is_name_byte(byte))
}

fn variables(shell: &Shell, line: &[u8], dollar: usize, quote: u8) -> Completion {
    let braces = line.get(dollar + 1) == Some(&b'{');
    let start = dollar + 1 + usize::from(braces);
    let names = shell.names(|slot| slot.set);
    let names = names.iter().map(|name| shell.symbols.name(*name).copied());
    let names = names.filter(|name| name.starts_with(&line[start..])).collect();
    let tail: &[u8] = match (braces, quote) {
        (true, _) => b"}",
        (false, 0) => b" ",
        _ => b"",
    };
    Completion { start, names, tail, ..Completion::default() }
}

fn users(word: &Word) -> Completion {
    let prefix = &word.text[1..];
    let mut names = Vec::new();
    if let Ok(mut input) = rbox_core::io::Input::open(b"/etc/passwd") {
        while let Ok(Some(line)) = input.line() {
            let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
            if name.starts_with(prefix) && !name.is_empty() {
                names.push([name, b"/"].concat());
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    Completion { start: word.name.0 + 1, names, ..Completion::default() }
}

fn files(shell: &mut Shell, word: &Word) -> Vec<Vec<u8>> {
    let (directory, prefix) = word.text.split_at(word.name.1);
    let directory = match (word.tilde, rbox_core::bytes::split_once(directory, b'/')) {
        (true, Some((user, rest))) => {
            let home = match &user[1..] {
                b"" => shell.get(b"HOME").unwrap_or_default().copied(),
                name => rbox_core::users::User::by_name(name).map(|user| user.home).unwrap_or_default(),
            };
            [&home[..], b"/", rest].concat()
        }
        _ => directory.copied(),
    };
    let mut found = Vec::new();
    for mut name in names_in(&directory) {
        let hidden = name.starts_with(b".") && (!prefix.starts_with(b".") || name == b"." || name == b"..");
        if hidden || !name.starts_with(prefix) {
            continue;
        }
        let path = [&directory[..], &name].concat();
        let stat = fs::stat(&path[..]);
        let is_directory = stat.is_ok_and(|stat| rbox_core::files::kind(&stat) == fs::FileType::Directory);
        if is_directory {
            name.push(b'/');
        } else if word.command && !word.value && !rbox_core::call::is_program(&path) {
            continue;
        }
        found.push(name);
    }
    found
}

/// The names in the quotes that are open.
fn finish(word: &Word, mut names: Vec<Vec<u8>>) -> Completion {
    names.sort_unstable();
    names.dedup();
    let (head, quote, tail): (&[u8], Quote, &[u8]) = match word.quote {
        b'\'' => (b"'", in_single, b"' "),
        b'"' => (b"\"", in_double, b"\" "),
        _ => (b"", bare, b" "),
    };
    let head = if word.quoted_in_name { head } else { b"" };
    Completion { start: word.name.0, head, names, quote: Some(quote), tail }
}

fn escaped(text: &[u8], special: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if special.contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out
}

/// Puts a backslash before what the shell would read as more than text. A tilde is more only where a word begins.
fn bare(name: &[u8]) -> Vec<u8> {
    let mut out = escaped(name, b" \t\\\"'`$&|;()<>*?[]#!{}");
    if out.first() == Some(&b'~') {
        out.insert(0, b'\\');
    }
    out
}

fn in_double(name: &[u8]) -> Vec<u8> {
    escaped(name, b"\\\"`$")
}

/// A single quote cannot are in single quotes: it ends them, is after a backslash, and begins them again.
fn in_single(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    for &byte in name {
        if byte == b'\'' {
            out.extend_from_slice(b"'\\'");
        }
        out.push(byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (usize, String, bool) {
        let word = last_word(line.as_bytes());
        (word.name.0, String::from_utf8_lossy(&word.text).into_owned(), word.command)
    }

    #[test]
    fn finds_the_word_and_whether_it_is_a_command() {
        assert_eq!(read("ec"), (0, "ec".into(), true));
        assert_eq!(read("ls a\\ b"), (3, "a b".into(), false));
        assert_eq!(read("x=1 FOO=/b ca"), (11, "ca".into(), true));
        assert_eq!(read("a; if ! gr"), (8, "gr".into(), true));
        assert_eq!(read("cat <fi"), (5, "fi".into(), false));
        assert_eq!(read("echo \"$(ba"), (8, "ba".into(), true));
        assert_eq!(read("dd if=/de"), (7, "/de".into(), false));
        assert_eq!(read("ls 'dir one/fi"), (12, "dir one/fi".into(), false));
    }

    #[test]
    fn a_parameter_is_open_until_its_name_ends() {
        assert_eq!(last_word(b"echo $HO").parameter, Some(5));
        assert_eq!(last_word(b"echo \"a${HO").parameter, Some(7));
        assert_eq!(last_word(b"echo $HOME/a").parameter, None);
        assert_eq!(last_word(b"echo '$HO").parameter, None);
        assert_eq!(last_word(b"echo \\$HO").parameter, None);
    }

    #[test]
    fn names_are_quoted_as_the_place_wants() {
        assert_eq!(bare(b"a b'c"), b"a\\ b\\'c");
        assert_eq!(in_double(b"a b$'c"), b"a b\\$'c");
        assert_eq!(in_single(b"it's"), b"it'\\''s");
    }
}
