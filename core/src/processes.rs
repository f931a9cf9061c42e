//! Processes as proc(5) shows them: the one reader of /proc.

pub mod machine;

use crate::bytes;
use crate::error::{Error, Result};
use crate::number::{Decimal, parse_decimal};
use crate::sys::fs::{self, Mode, OFlags};
use crate::sys::{Errno, fd};
use crate::term::{Shown, clean};

/// Ticks of the clock a second in /proc: USER_HZ, 100 on every machine that Linux runs on here.
pub const TICKS: u64 = 100;

/// One process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// Its file's name, at most 15 bytes.
    pub name: Vec<u8>,
    /// `R`, `S`, `D`, `Z`, `T` and so on.
    pub state: u8,
    /// Its parent's number.
    pub parent: i32,
    /// Its group.
    pub group: i32,
    /// Its session.
    pub session: i32,
    /// Its terminal's device number, 0 for none.
    pub tty: u32,
    /// The foreground group of its terminal, -1 for none.
    pub foreground: i32,
    /// Ticks of user time.
    pub user_time: u64,
    /// Ticks of system time.
    pub system_time: u64,
    /// From -20 to 19.
    pub nice: i64,
    /// How many threads it has.
    pub threads: u64,
    /// Ticks after the machine's start at which it was started.
    pub started: u64,
    /// Bytes of virtual memory.
    pub virtual_size: u64,
    /// Pages in memory.
    pub resident_pages: u64,
}

impl Process {
    /// Reads the text of /proc/PID/stat. The name may hold any byte, so it ends at the last parenthesis.
    pub fn parse(stat: &[u8]) -> Option<Self> {
        let open = bytes::find_byte(b'(', stat)?;
        let close = bytes::find_byte_back(b')', stat).filter(|&close| close > open)?;
        let fields: Vec<&[u8]> = bytes::words(&stat[close + 1..]).collect();
        // proc(5) counts from 1 and the state is field 3.
        let field = |number: usize| fields.get(number - 3).copied();
        let signed = |number: usize| {
            let word = field(number)?;
            match word.strip_prefix(b"-") {
                Some(digits) => Some(-i64::try_from(parse_decimal(digits)?).ok()?),
                None => i64::try_from(parse_decimal(word)?).ok(),
            }
        };
        let unsigned = |number: usize| parse_decimal(field(number)?);
        let id = |number: usize| i32::try_from(signed(number)?).ok();
        Some(Self {
            pid: i32::try_from(parse_decimal(stat[..open].trim_ascii())?).ok()?,
            name: stat[open + 1..close].to_vec(),
            state: *field(3)?.first()?,
            parent: id(4)?,
            group: id(5)?,
            session: id(6)?,
            tty: signed(7)? as u32,
            foreground: id(8)?,
            user_time: unsigned(14)?,
            system_time: unsigned(15)?,
            nice: signed(19)?,
            threads: unsigned(20)?,
            started: unsigned(22)?,
            virtual_size: unsigned(23)?,
            resident_pages: unsigned(24)?,
        })
    }

    /// The process of that number; `None` when there is none.
    pub fn read(pid: i32) -> Option<Self> {
        Self::parse(&read_file(pid, "stat")?)
    }

    /// The words it was started with; none for a thread of the kernel or a zombie.
    pub fn words(&self) -> Vec<Vec<u8>> {
        let text = read_file(self.pid, "cmdline").unwrap_or_default();
        let text = text.strip_suffix(b"\0").unwrap_or(&text);
        if text.is_empty() { Vec::new() } else { text.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect() }
    }

    /// The owner's user and group numbers, in effect.
    pub fn owner(&self) -> Option<(u32, u32)> {
        let stat = fs::stat(file(self.pid, "")).ok()?;
        Some((stat.st_uid, stat.st_gid))
    }

    /// The file's name, safe for a terminal.
    pub fn shown_name(&self) -> Vec<u8> {
        clean(&self.name, b"", Shown::As(b'?'))
    }

    /// The words with blanks between them, and for control characters; `[name]` for a process without words. The file's name
    /// comes first, in braces, where the first word hides it, unless `plain`.
    pub fn command_line(&self, words: &[Vec<u8>], plain: bool) -> Vec<u8> {
        let Some(first) = words.first() else { return [b"[", &self.shown_name()[..], b"]"].concat() };
        let line = clean(&words.join(&b' '), b"", Shown::As(b' '));
        let first = bytes::base_name(first.strip_prefix(b"-").unwrap_or(first));
        if plain || first.starts_with(&self.name) || self.name.is_empty() {
            return line;
        }
        // As BusyBox has it.
        [b"{", &self.shown_name()[..], b"} ", &line].concat()
    }

    /// Ticks of user and system time.
    pub fn total_time(&self) -> u64 {
        self.user_time.saturating_add(self.system_time)
    }

    /// True when it goes by `name`: as its file, or as its first word without directories.
    pub fn is_named(&self, name: &[u8]) -> bool {
        if self.name == name {
            return true;
        }
        // The kernel cuts names to 15 bytes; scripts and links have their own name in the first word.
        let words = self.words();
        let first = words.first().map(|word| word.strip_prefix(b"-").unwrap_or(word));
        first.is_some_and(|word| {
            word == name || (!name.contains(&b'/') && bytes::base_name(word) == name && !word.is_empty())
        })
    }
}

fn file(pid: i32, name: &str) -> Vec<u8> {
    [b"/proc/", Decimal::new(pid as u64).as_bytes(), b"/", name.as_bytes()].concat()
}

/// The content of /proc/PID/`name`; `None` when the process has gone.
pub fn read_file(pid: i32, name: &str) -> Option<Vec<u8>> {
    read_path(&file(pid, name)).ok()
}

/// The content of a file of /proc. The error names the file.
pub fn read_path(path: &[u8]) -> Result<Vec<u8>> {
    let failed = |errno| Error::cannot("open", path, errno);
    let file = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(failed)?;
    // Most are short, and there may be 100,000: a larger buffer would take longer to make than the file to read.
    let (mut text, mut length) = (Vec::new(), 0);
    loop {
        if text.len() == length {
            bytes::reserve(&mut text, length.max(1024))?;
            text.resize(text.capacity(), 0);
        }
        match fd::read(&file, &mut text[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::on(path, errno)),
        }
    }
    text.truncate(length);
    Ok(text)
}

/// The numbers of all processes, ascending.
pub fn all() -> Result<Vec<i32>> {
    numbers_in(b"/proc")
}

/// The numbers of the threads of a process; none when it has gone.
pub fn threads_of(pid: i32) -> Vec<i32> {
    numbers_in(&file(pid, "task")).unwrap_or_default()
}

fn numbers_in(directory: &[u8]) -> Result<Vec<i32>> {
    let entries = crate::files::list_at(directory).map_err(|errno| Error::cannot("open", directory, errno))?;
    let number = |entry: &crate::files::Entry| parse_decimal(&entry.name).and_then(|pid| i32::try_from(pid).ok());
    let mut pids: Vec<i32> = entries.iter().filter_map(number).collect();
    pids.sort_unstable();
    Ok(pids)
}

/// The processes that go by `name`, ascending.
pub fn named(name: &[u8]) -> Result<Vec<i32>> {
    Ok(all()?.into_iter().filter(|pid| Process::read(*pid).is_some_and(|process| process.is_named(name))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_blanks_and_parentheses() {
        let stat = b"12 (a) b (c) S 1 12 12 1025 -1 4194560 1 2 3 4 50 60 0 0 20 -5 3 0 777 8192 2 0 0";
        let process = Process::parse(stat).expect("a whole line");
        assert_eq!((process.name.as_slice(), process.state, process.parent), (&b"a) b (c"[..], b'S', 1));
        assert_eq!((process.tty, process.foreground, process.nice), (1025, -1, -5));
        assert_eq!((process.user_time, process.started, process.resident_pages), (50, 777, 2));
    }

    #[test]
    fn a_text_of_another_form_is_no_process() {
        for text in [&b""[..], b"1 )(", b"1 (a) S", b"x (a) S 1 1 1 1 1"] {
            assert_eq!(Process::parse(text), None);
        }
    }
}
