//! `ulimit` (XCU ulimit), with the letters of BusyBox.

use super::Done;
use crate::shell::{Shell, write_all};
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::sys::{error_text, process};

/// What `ulimit` knows: the text of each limit, and its letter.
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

/// The unit in bytes of a limit, by its letter, and what the kernel calls it.
fn limit_of(letter: u64) -> Option<(u64, process::Resource)> {
    Some(match u8::try_from(letter).ok()? {
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
struct Wanted<'a> {
    hard: bool,
    soft: bool,
    all: bool,
    /// Letters, each with the value that it is to be set to.
    limits: Vec<(u8, Option<&'a [u8]>)>,
}

/// `ulimit [-HSa] [-cdefilmnqrstuvx [LIMIT]]... [LIMIT]`
pub fn ulimit(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let Some(mut wanted) = read_words(words) else { return Ok(1) };
    if wanted.all {
        let line = |(text, letter): (&str, u64)| Some(format!("{text}{}", value_of(letter, wanted.hard)?));
        let text: String = LIMITS.iter().filter_map(line).collect();
        shell.print(text.as_bytes());
        return Ok(0);
    }
    if wanted.limits.is_empty() {
        wanted.limits.push((b'f', None));
    }
    let labelled = wanted.limits.len() > 1;
    for &(letter, value) in &wanted.limits {
        if let Some(value) = value {
            if let Err(message) = set(&wanted, letter, value) {
                let _ = write_all(2, &[&shell.called[..], b": ", &message, b"\n"].concat());
                return Ok(1);
            }
        } else if let Some(value) = value_of(letter.into(), wanted.hard) {
            let label = LIMITS.name_of(letter.into()).filter(|_| labelled).unwrap_or_default();
            shell.print(format!("{label}{value}").as_bytes());
        }
    }
    Ok(0)
}

/// Reads all options before any limit is set; `None` where one is not known, which has been told.
fn read_words<'a>(words: &[&'a [u8]]) -> Option<Wanted<'a>> {
    let mut wanted = Wanted { hard: false, soft: false, all: false, limits: Vec::new() };
    let mut words = words.iter().peekable();
    while let Some(&word) = words.next() {
        let [b'-', letters @ ..] = word else {
            // A value without a letter is that of the size of files.
            wanted.limits.push((b'f', Some(word)));
            break;
        };
        if letters == b"-" {
            break;
        }
        for (at, &letter) in letters.iter().enumerate() {
            match letter {
                b'H' => wanted.hard = true,
                b'S' => wanted.soft = true,
                b'a' => wanted.all = true,
                letter if limit_of(letter.into()).is_some() => {
                    // The value is the rest of the word, or the next one.
                    let rest = &letters[at + 1..];
                    let value = if rest.is_empty() {
                        words.next_if(|next| !next.starts_with(b"-")).copied()
                    } else {
                        Some(rest)
                    };
                    wanted.limits.push((letter, value));
                    break;
                }
                letter => {
                    let _ = write_all(2, &[b"ulimit: invalid option -- '", &[letter][..], b"'\n"].concat());
                    return None;
                }
            }
        }
    }
    Some(wanted)
}

/// The value of a limit as it is shown, with a newline.
fn value_of(letter: u64, hard: bool) -> Option<String> {
    let (unit, resource) = limit_of(letter)?;
    let limit = process::getrlimit(resource);
    Some(match if hard { limit.maximum } else { limit.current } {
        Some(value) => format!("{}\n", value / unit),
        None => "unlimited\n".to_string(),
    })
}

fn set(wanted: &Wanted<'_>, letter: u8, word: &[u8]) -> Result<(), Vec<u8>> {
    let Some((unit, resource)) = limit_of(letter.into()) else { return Ok(()) };
    let value = match word {
        b"unlimited" => None,
        number => match rbox_core::number::parse_decimal(number).and_then(|value| value.checked_mul(unit)) {
            None => return Err([b"invalid number '", word, b"'"].concat()),
            value => value,
        },
    };
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
