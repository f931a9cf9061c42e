//! `ulimit` (XCU ulimit): the limits of the shell and of what it starts.

use crate::state::Shell;
use crate::state::builtin::Done;
use crate::state::stream::write_error;

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::number::{Decimal, parse_decimal};
use rbox_core::sys::{error_text, process};

/// The limits: the text of each, and its option character.
const LIMITS: Names = names! {
    "core file size (blocks)         (-c) " = b'c',
    "data seg size (kb)              (-d) " = b'd',
    "scheduling priority             (-e) " = b'e',
    "file size (blocks)              (-f) " = b'f',
    "pending signals                 (-i) " = b'i',
    "max locked memory (kb)          (-l) " = b'l',
    "max memory size (kb)            (-m) " = b'm',
    "open files                      (-n) " = b'n',
    "POSIX message queues (bytes)    (-q) " = b'q',
    "real-time priority              (-r) " = b'r',
    "stack size (kb)                 (-s) " = b's',
    "cpu time (seconds)              (-t) " = b't',
    "max user processes              (-u) " = b'u',
    "virtual memory (kb)             (-v) " = b'v',
    "file locks                      (-x) " = b'x',
};

/// The unit in bytes of a limit, by its option character, and what the kernel calls it.
fn limit_of(flag: u64) -> Option<(u64, process::Resource)> {
    Some(match u8::try_from(flag).ok()? {
        b'c' => (512, process::Resource::Core),
        b'd' => (1024, process::Resource::Data),
        b'e' => (1, process::Resource::Nice),
        b'f' => (512, process::Resource::Fsize),
        b'i' => (1, process::Resource::Sigpending),
        b'l' => (1024, process::Resource::Memlock),
        b'm' => (1024, process::Resource::Rss),
        b'n' => (1, process::Resource::Nofile),
        b'q' => (1, process::Resource::Msgqueue),
        b'r' => (1, process::Resource::Rtprio),
        b's' => (1024, process::Resource::Stack),
        b't' => (1, process::Resource::Cpu),
        b'u' => (1, process::Resource::Nproc),
        b'v' => (1024, process::Resource::As),
        b'x' => (1, process::Resource::Locks),
        _ => return None,
    })
}

/// What the options ask for.
#[derive(Default)]
struct Wanted<'a> {
    hard: bool,
    soft: bool,
    all: bool,
    /// The option characters of limits, each with its new value.
    limits: Vec<(u8, Option<&'a [u8]>)>,
}

/// `ulimit [-HSa] [-cdefilmnqrstuvx [LIMIT]]... [LIMIT]`
pub fn ulimit(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let mut wanted = Wanted::default();
    let words = match read_options(words, &mut wanted) {
        Ok(words) => words,
        Err(flag) => {
            write_error(&[&b"ulimit: invalid option -- '"[..], &[flag], b"'\n"].concat());
            return Ok(1);
        }
    };
    if wanted.all {
        for (text, flag) in LIMITS.iter() {
            show(shell, &wanted, flag as u8, text);
        }
        return Ok(0);
    }
    // As in BusyBox, operands are sizes of files.
    wanted.limits.extend(words.iter().map(|word| (b'f', Some(*word))));
    if wanted.limits.is_empty() {
        wanted.limits.push((b'f', None));
    }
    let several = wanted.limits.len() > 1;
    for &(flag, value) in &wanted.limits {
        if let Some(value) = value {
            if let Err(message) = set(&wanted, flag, value) {
                write_error(&[&shell.invocation.name[..], b": ", &message, b"\n"].concat());
                return Ok(1);
            }
            continue;
        }
        let text = LIMITS.name_of(flag.into()).filter(|_| several).unwrap_or_default();
        show(shell, &wanted, flag, text);
    }
    Ok(0)
}

/// Reads the options, where a limit's value may be in the same word or in the next; the words after them, or an unknown
/// option character.
fn read_options<'a, 'b>(words: &'b [&'a [u8]], wanted: &mut Wanted<'a>) -> Result<&'b [&'a [u8]], u8> {
    let mut words = words;
    while let Some((word, rest)) = words.split_first().filter(|(word, _)| word.len() > 1 && word[0] == b'-') {
        words = rest;
        if *word == b"--" {
            break;
        }
        for (at, &flag) in word.iter().enumerate().skip(1) {
            match flag {
                b'H' => wanted.hard = true,
                b'S' => wanted.soft = true,
                b'a' => wanted.all = true,
                _ if limit_of(flag.into()).is_none() => return Err(flag),
                _ => {
                    let mut value = Some(&word[at + 1..]).filter(|value| !value.is_empty());
                    if value.is_none() && rest.first().is_some_and(|next| next.first() != Some(&b'-')) {
                        value = words.first().copied();
                        words = &words[1..];
                    }
                    wanted.limits.push((flag, value));
                    break;
                }
            }
        }
    }
    Ok(words)
}

fn show(shell: &mut Shell, wanted: &Wanted<'_>, flag: u8, text: &str) {
    let Some((unit, resource)) = limit_of(flag.into()) else { return };
    let limit = process::getrlimit(resource);
    match if wanted.hard { limit.maximum } else { limit.current } {
        Some(value) => shell.print(&[text.as_bytes(), Decimal::new(value / unit).as_bytes(), b"\n"].concat()),
        None => shell.print(&[text.as_bytes(), b"unlimited\n"].concat()),
    }
}

/// Sets a limit; the error is its message.
fn set(wanted: &Wanted<'_>, flag: u8, word: &[u8]) -> Result<(), Vec<u8>> {
    let Some((unit, resource)) = limit_of(flag.into()) else { return Ok(()) };
    let mut value = None;
    if word != b"unlimited" {
        value = parse_decimal(word).and_then(|value| value.checked_mul(unit));
        if value.is_none() {
            return Err([b"invalid number '", word, b"'"].concat());
        }
    }
    let mut limit = process::getrlimit(resource);
    if wanted.soft || !wanted.hard {
        limit.current = value;
    }
    if wanted.hard || !wanted.soft {
        limit.maximum = value;
    }
    process::setrlimit(resource, limit)
        .map_err(|errno| [b"error setting limit: ", error_text(errno).as_bytes()].concat())
}
