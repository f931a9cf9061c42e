//! `set` and `umask`.

use crate::state::builtin::Done;
use crate::state::options::{FIXED, NAMES, field, is_of_bash};
use crate::state::slot::Special;
use crate::state::{Fail, Shell};
use crate::syntax::copied::Copied;
use rbox_core::escape;
use rbox_core::push;
use rbox_core::sys::{fs, process};
use rbox_core::text::Left;
use std::rc::Rc;

/// Sets an option by its long name; false when there is none.
pub fn set_option_by_name(shell: &mut Shell, name: &[u8], on: bool) -> bool {
    if name == b"emacs" {
        // POSIX has no such option; ksh, bash and dash do. The editor has one set of keys or the other.
        shell.options.vi = !on;
        return true;
    }
    if shell.options.bash {
        if name == b"braceexpand" {
            shell.options.nobraces = !on;
            return true;
        }
        if FIXED.number_of(name) == Some(u64::from(on)) {
            return true;
        }
    }
    let Some((name, _)) = NAMES.iter().find(|(known, _)| known.as_bytes() == name) else { return false };
    if is_of_bash(name) && !shell.options.bash {
        return false;
    }
    if let Some(option) = field(&mut shell.options, name) {
        *option = on;
    }
    if name == "bash" && on {
        // Where the mode is switched on in a script, aliases count as before.
        shell.options.expand_aliases = true;
        crate::state::initial::begin_bash(shell);
    }
    if name == "monitor" {
        crate::exec::job_control::set_monitor(shell, on);
    }
    true
}

impl Shell {
    /// Sets an option by its option character; false when there is none.
    pub fn set_option(&mut self, flag: u8, on: bool) -> bool {
        match NAMES.name_of(flag.into()).filter(|_| flag != 0) {
            Some(name) if !is_of_bash(name) || self.options.bash => set_option_by_name(self, name.as_bytes(), on),
            // XCU set: -h may speed up the search for commands and may be on always; where a command was found is
            // always remembered here.
            _ => match flag {
                b'B' if self.options.bash => set_option_by_name(self, b"braceexpand", on),
                flag => flag == b'h',
            },
        }
    }
}

/// `set [-abCefhmnuvx] [-o OPTION] [--] [WORD...]`
pub fn set(shell: &mut Shell, words: &[&[u8]]) -> Done {
    if words.is_empty() {
        list_variables(shell);
        return Ok(0);
    }
    let mut words = words;
    let mut operands = false;
    while let Some((word, rest)) = words.split_first() {
        let on = match word.first() {
            Some(b'-') => true,
            Some(b'+') => false,
            _ => break,
        };
        words = rest;
        if word.len() == 1 {
            if !on {
                continue;
            }
            // A single dash ends the options and switches off -x and -v.
            shell.options.xtrace = false;
            shell.options.verbose = false;
            operands = !rest.is_empty();
            break;
        }
        if *word == b"--" {
            operands = true;
            break;
        }
        for &flag in &word[1..] {
            if flag == b'o' {
                let Some((name, rest)) = words.split_first() else {
                    list_options(shell, on);
                    return Ok(0);
                };
                words = rest;
                if !set_option_by_name(shell, name, on) {
                    let prefix: &[u8] = if on { b"-" } else { b"+" };
                    shell.report(&[b"illegal option ", prefix, b"o ", name]);
                    // BusyBox's status, but as for an option character the end of a shell that is not interactive (XCU 2.8.1).
                    shell.status = 1;
                    return Err(Fail::Error);
                }
            } else if !shell.set_option(flag, on) {
                return Err(shell.error(&[b"illegal option ", &word[..1], &[flag]]));
            }
        }
    }
    if operands || !words.is_empty() {
        shell.parameters.positional = Rc::new(words.iter().map(|word| word.copied()).collect());
        if !shell.options.bash {
            // As in BusyBox and dash, `getopts` starts again with other parameters.
            (shell.parameters.option_index, shell.parameters.option_offset) = (1, 0);
        }
    }
    Ok(0)
}

fn list_variables(shell: &mut Shell) {
    let mut text = Vec::new();
    if shell.options.bash {
        super::bash::list_all(shell, &mut text);
        shell.print(&text);
        return;
    }
    for name in shell.names(|slot| slot.set && slot.special != Special::Random) {
        text.extend_from_slice(shell.symbols.name(name));
        text.push(b'=');
        let quoted = escape::single_quoted(shell.value(name).unwrap_or_default());
        text.extend_from_slice(&quoted);
        text.push(b'\n');
    }
    shell.print(&text);
}

/// `set -o` and `set +o`.
pub fn list_options(shell: &mut Shell, readable: bool) {
    let mut text = Vec::new();
    for (name, _) in NAMES.iter() {
        let on = field(&mut shell.options, name).is_some_and(|on| *on);
        // The listing is BusyBox's as long as these are off.
        if matches!(name, "bash" | "functrace" | "nolog") && !on || is_of_bash(name) && !shell.options.bash {
            continue;
        }
        if readable {
            push!(text, Left(name, 16), if on { "on\n" } else { "off\n" });
        } else {
            push!(text, if on { "set -o " } else { "set +o " }, name, "\n");
        }
    }
    shell.print(&text);
}

/// `umask [-S] [MODE]`
pub fn umask(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let (flags, words) = super::operands::options(shell, words, if shell.options.bash { b"Sp" } else { b"S" })?;
    let old = process::umask(fs::Mode::empty());
    process::umask(old);
    let bits = old.as_raw_mode();
    let Some(word) = words.first() else {
        let text = if flags.contains(&b'S') { symbolic(!bits & 0o777) } else { octal(bits) };
        // bash's `umask -p`: in a form that the shell can read back.
        if flags.contains(&b'p') {
            shell.print(if flags.contains(&b'S') { b"umask -S " } else { b"umask " });
        }
        shell.print(&text);
        return Ok(0);
    };
    // XCU umask: a symbolic mode names the permissions that are allowed; an omitted class means all.
    let new = match word.first() {
        Some(b'0'..=b'9') => rbox_core::mode::apply(word, 0, false, 0),
        _ => rbox_core::mode::apply(word, !bits & 0o777, false, 0).map(|allowed| !allowed & 0o777),
    };
    match new {
        Ok(new) => {
            process::umask(fs::Mode::from_raw_mode(new & 0o777));
            Ok(0)
        }
        Err(_) => Err(shell.error(&[b"illegal mode: ", word])),
    }
}

fn octal(bits: u32) -> Vec<u8> {
    let digit = |shift: u32| b'0' + (bits >> shift & 7) as u8;
    vec![b'0', digit(6), digit(3), digit(0), b'\n']
}

fn symbolic(allowed: u32) -> Vec<u8> {
    let mut text = Vec::new();
    for (class, shift) in [("u=", 6), (",g=", 3), (",o=", 0)] {
        push!(text, class);
        text.extend(
            [(4, b'r'), (2, b'w'), (1, b'x')]
                .iter()
                .filter(|(bit, _)| allowed >> shift & bit != 0)
                .map(|(_, flag)| *flag),
        );
    }
    text.push(b'\n');
    text
}
