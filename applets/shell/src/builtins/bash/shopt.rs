//! `shopt`: bash's options of behaviour.

use crate::builtins::operands;
use crate::builtins::options::{list_options, set_option_by_name};
use crate::state::builtin::Done;
use crate::state::{Shell, options, shopt};

/// `shopt [-opqsu] [NAME...]`
pub fn shopt(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, words) = operands::options(shell, words, b"opqsu")?;
    let has = |flag: u8| flags.contains(&flag);
    let change = if has(b's') { Some(true) } else { has(b'u').then_some(false) };
    if has(b'o') && (words.is_empty() || change.is_some()) {
        return set_options(shell, words, change);
    }
    let mut all = Vec::new();
    for name in shopt::names() {
        all.push(name.as_bytes());
    }
    let mut text = Vec::new();
    let mut status = 0;
    for word in if words.is_empty() { &all } else { words } {
        let Some(on) = state(shell, word, has(b'o')) else {
            shell.report(&[word, b": invalid shell option name"]);
            status = 1;
            continue;
        };
        match change {
            Some(wanted) if !words.is_empty() => status |= switch(shell, word, on, wanted),
            Some(wanted) if wanted != on => {}
            _ => {
                status |= u8::from(!on && !words.is_empty());
                show(word, on, has(b'p'), has(b'o'), &mut text);
            }
        }
    }
    if !has(b'q') {
        shell.print(&text);
    }
    Ok(status)
}

fn show(name: &[u8], on: bool, again: bool, set: bool, text: &mut Vec<u8>) {
    if again {
        let command: &[u8] = match (set, on) {
            (true, true) => b"set -o ",
            (true, false) => b"set +o ",
            (false, true) => b"shopt -s ",
            (false, false) => b"shopt -u ",
        };
        text.extend_from_slice(&[command, name, b"\n"].concat());
        return;
    }
    text.extend_from_slice(name);
    text.resize(text.len() + 15usize.saturating_sub(name.len()), b' ');
    text.extend_from_slice(if on { b"\ton\n" } else { b"\toff\n" });
}

/// Whether an option is on; `None` when there is no such option. `set`: one of `set -o`.
fn state(shell: &mut Shell, name: &[u8], set: bool) -> Option<bool> {
    if set { options::is_on(&mut shell.options, name) } else { shopt::is_on(&mut shell.options, name) }
}

fn switch(shell: &mut Shell, name: &[u8], on: bool, wanted: bool) -> u8 {
    match shopt::field(&mut shell.options, name) {
        Some(option) => *option = wanted,
        None if on == wanted => {}
        None => {
            shell.report(&[name, b": not supported"]);
            return 1;
        }
    }
    0
}

/// `shopt -o`: the options of `set`.
fn set_options(shell: &mut Shell, words: &[&[u8]], change: Option<bool>) -> Done {
    if words.is_empty() {
        list_options(shell, true);
    }
    let mut status = 0;
    for word in words {
        if !set_option_by_name(shell, word, change == Some(true)) {
            shell.report(&[word, b": invalid option name"]);
            status = 1;
        }
    }
    Ok(status)
}
