//! Completion of commands, variables, files and users.

use crate::builtins;
use crate::expand::names_in;
use crate::shell::Shell;
use rbox_core::sys::fs;

/// The candidates for the word at the end of the text, and where that word starts.
pub fn candidates(shell: &mut Shell, text: &[u8]) -> (usize, Vec<Vec<u8>>) {
    let start = word_start(text);
    let word = unquoted(&text[start..]);
    let before = text[..start].trim_ascii_end();
    let command = matches!(before.last(), None | Some(b';' | b'&' | b'|' | b'(' | b'`'));
    let mut found = if let Some(name) = word.strip_prefix(b"$") {
        variables(shell, name)
    } else if command && !word.contains(&b'/') {
        commands(shell, &word)
    } else {
        files(shell, &word)
    };
    found.sort_unstable();
    found.dedup();
    (start, found)
}

fn word_start(text: &[u8]) -> usize {
    let mut start = 0;
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 1,
            b' ' | b'\t' | b';' | b'&' | b'|' | b'(' | b'<' | b'>' | b'`' | b'=' => start = at + 1,
            _ => {}
        }
        at += 1;
    }
    start
}

fn unquoted(word: &[u8]) -> Vec<u8> {
    crate::expand::pattern::unescape(word)
}

/// Puts a backslash before what the shell would read as more than text.
fn quoted(word: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(word.len());
    for &byte in word {
        if b" \t\\\"'`$&|;()<>*?[]#!{}".contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out
}

fn variables(shell: &Shell, prefix: &[u8]) -> Vec<Vec<u8>> {
    let names = shell.names(|slot| slot.set);
    let names = names.iter().map(|name| shell.symbols.name(*name)).filter(|name| name.starts_with(prefix));
    names.map(|name| [b"$", &name[..]].concat()).collect()
}

fn commands(shell: &mut Shell, prefix: &[u8]) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = builtins::names()
        .filter(|name| name.as_bytes().starts_with(prefix))
        .map(|name| name.as_bytes().to_vec())
        .collect();
    let own = shell.names(|slot| slot.function.is_some() || slot.alias.is_some());
    found.extend(own.iter().map(|name| shell.symbols.name(*name).to_vec()).filter(|name| name.starts_with(prefix)));
    let path = shell.get(b"PATH").unwrap_or_default().to_vec();
    for folder in path.split(|&byte| byte == b':') {
        found.extend(names_in(folder).into_iter().filter(|name| name.starts_with(prefix) && !name.starts_with(b".")));
    }
    found
}

fn files(shell: &mut Shell, word: &[u8]) -> Vec<Vec<u8>> {
    let split = word.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
    let (folder, prefix) = word.split_at(split);
    let mut place = folder.to_vec();
    if let Some(rest) = folder.strip_prefix(b"~/") {
        place = [shell.get(b"HOME").unwrap_or_default(), b"/", rest].concat();
    }
    let mut found = Vec::new();
    for name in names_in(&place) {
        let hidden = name.starts_with(b".") && (!prefix.starts_with(b".") || name == b"." || name == b"..");
        if hidden || !name.starts_with(prefix) {
            continue;
        }
        let path = [&place[..], &name].concat();
        let folder_mark =
            fs::stat(&path[..]).is_ok_and(|stat| fs::FileType::from_raw_mode(stat.st_mode) == fs::FileType::Directory);
        let mut text = if folder.starts_with(b"~") { folder.to_vec() } else { quoted(folder) };
        text.extend_from_slice(&quoted(&name));
        if folder_mark {
            text.push(b'/');
        }
        found.push(text);
    }
    found
}
