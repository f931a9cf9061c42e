//! `set` and `umask`.

use super::Done;
use crate::state::{Fail, Options, Shell, Special};
use crate::syntax::copied::Copied;
use rbox_core::escape;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::push;
use rbox_core::sys::{fs, process};
use rbox_core::text::Left;
use std::rc::Rc;

/// Options in the order of the listing: letter (0 is none) and name.
const NAMES: Names = names! {
    "errexit" = b'e', "noglob" = b'f', "ignoreeof" = b'I', "monitor" = b'm', "noexec" = b'n', "xtrace" = b'x', "verbose" = b'v', "noclobber" = b'C', "allexport" = b'a', "notify" = b'b', "nounset" = b'u', "errtrace" = b'E', "functrace" = b'T', "vi" = 0, "pipefail" = 0, "nolog" = 0, "posix" = 0, "histexpand" = b'H', "history" = 0, "bash" = 0,
};

/// bash's options that the shell has always, or never: 1 or 0.
const FIXED: Names = names! {
    "hashall" = 1, "interactive-comments" = 1, "keyword" = 0, "onecmd" = 0, "physical" = 0, "privileged" = 0,
};

fn field<'a>(options: &'a mut Options, name: &str) -> Option<&'a mut bool> {
    // In the order of NAMES.
    Some(match NAMES.iter().position(|(known, _)| known == name)? {
        0 => &mut options.errexit,
        1 => &mut options.noglob,
        2 => &mut options.ignoreeof,
        3 => &mut options.monitor,
        4 => &mut options.noexec,
        5 => &mut options.xtrace,
        6 => &mut options.verbose,
        7 => &mut options.noclobber,
        8 => &mut options.allexport,
        9 => &mut options.notify,
        10 => &mut options.nounset,
        11 => &mut options.errtrace,
        12 => &mut options.functrace,
        13 => &mut options.vi,
        14 => &mut options.pipefail,
        15 => &mut options.nolog,
        16 => &mut options.posix,
        17 => &mut options.histexpand,
        18 => &mut options.history,
        _ => &mut options.bash,
    })
}

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
        super::bash::begin(shell);
    }
    if name == "monitor" {
        crate::interactive::set_monitor(shell, on);
    }
    true
}

/// The names of all options of bash mode.
pub fn option_names() -> impl Iterator<Item = &'static str> {
    let own = NAMES.iter().map(|(name, _)| name).filter(|name| *name != "bash");
    own.chain(FIXED.iter().map(|(name, _)| name))
}

/// Options that are there in bash mode alone.
fn is_of_bash(name: &str) -> bool {
    matches!(name, "posix" | "histexpand" | "history")
}

/// The options that are on, as SHELLOPTS has them.
pub fn options_on(shell: &mut Shell) -> Vec<u8> {
    let mut all = vec![&b"hashall"[..], b"interactive-comments"];
    if !shell.options.nobraces {
        all.push(b"braceexpand");
    }
    if shell.options.interactive && !shell.options.vi {
        all.push(b"emacs");
    }
    for (name, _) in NAMES.iter() {
        if name != "bash" && field(&mut shell.options, name).is_some_and(|on| *on) {
            all.push(name.as_bytes());
        }
    }
    all.sort_unstable();
    all.join(&b':')
}

/// Whether an option is on; none when there is no such option.
pub fn option_by_name(shell: &mut Shell, name: &[u8]) -> Option<bool> {
    match name {
        b"emacs" => return Some(!shell.options.vi),
        b"braceexpand" => return Some(!shell.options.nobraces),
        _ => {}
    }
    let (name, _) = NAMES.iter().find(|(known, _)| known.as_bytes() == name)?;
    field(&mut shell.options, name).map(|on| *on)
}

impl Shell {
    /// Sets an option by its letter; false when there is none.
    pub fn set_option(&mut self, letter: u8, on: bool) -> bool {
        match NAMES.name_of(letter.into()).filter(|_| letter != 0) {
            Some(name) if !is_of_bash(name) || self.options.bash => set_option_by_name(self, name.as_bytes(), on),
            // XCU set: -h may speed up the search for commands and may be on always; where a command was found is
            // always remembered here.
            _ => match letter {
                b'B' if self.options.bash => set_option_by_name(self, b"braceexpand", on),
                letter => letter == b'h',
            },
        }
    }

    /// The value of `$-`.
    pub fn option_letters(&mut self) -> Vec<u8> {
        let mut letters = Vec::new();
        // The order is BusyBox's.
        let order = if self.options.bash { &b"abefimnuvxCEHTcs"[..] } else { b"TEubaCvxcsnmiIfe" };
        for &letter in order {
            let on = match letter {
                b'c' => self.options.command,
                b's' => self.options.stdin,
                b'i' => self.options.interactive,
                letter => {
                    NAMES.name_of(letter.into()).and_then(|name| field(&mut self.options, name)).is_some_and(|on| *on)
                }
            };
            if on {
                letters.push(letter);
            }
        }
        if self.options.bash {
            let at = letters.iter().take_while(|letter| **letter < b'h' && letter.is_ascii_lowercase()).count();
            letters.insert(at, b'h');
            if !self.options.nobraces {
                let at =
                    letters.iter().take_while(|letter| letter.is_ascii_lowercase() && !b"cs".contains(letter)).count();
                letters.insert(at, b'B');
            }
        }
        letters
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
        for &letter in &word[1..] {
            if letter == b'o' {
                let Some((name, rest)) = words.split_first() else {
                    list_options(shell, on);
                    return Ok(0);
                };
                words = rest;
                if !set_option_by_name(shell, name, on) {
                    let sign: &[u8] = if on { b"-" } else { b"+" };
                    shell.report(&[b"illegal option ", sign, b"o ", name]);
                    // BusyBox's status, but as for a letter the end of a shell that is not interactive (XCU 2.8.1).
                    shell.status = 1;
                    return Err(Fail::Error);
                }
            } else if !shell.set_option(letter, on) {
                return Err(shell.error(&[b"illegal option ", &word[..1], &[letter]]));
            }
        }
    }
    if operands || !words.is_empty() {
        shell.positional = Rc::new(words.iter().map(|word| word.copied()).collect());
        if !shell.options.bash {
            // As in BusyBox and dash, `getopts` begins anew with other parameters.
            (shell.option_index, shell.option_at) = (1, 0);
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
    let (letters, words) = super::options(shell, words, if shell.options.bash { b"Sp" } else { b"S" })?;
    let old = process::umask(fs::Mode::empty());
    process::umask(old);
    let bits = old.as_raw_mode();
    let Some(word) = words.first() else {
        let text = if letters.contains(&b'S') { symbolic(!bits & 0o777) } else { octal(bits) };
        // bash's `umask -p`: such that the shell reads it back.
        if letters.contains(&b'p') {
            shell.print(if letters.contains(&b'S') { b"umask -S " } else { b"umask " });
        }
        shell.print(&text);
        return Ok(0);
    };
    // XCU umask: a symbolic mode says what is allowed, where an omitted class is all of them.
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
                .map(|(_, letter)| *letter),
        );
    }
    text.push(b'\n');
    text
}
