//! `read` (XCU read): one line, split by IFS into variables.

use crate::state::Shell;
use crate::state::builtin::Done;
use crate::state::stream::is_seekable;
use crate::state::stream::read_once;
use crate::state::stream::take_byte;
use crate::state::stream::write_error;
use crate::syntax::copied::Copied;
use rbox_core::daemon::uptime_milliseconds;
use rbox_core::pattern::sequence_length;
use rbox_core::signals::SIGTSTP;
use rbox_core::sys::event::{PollFd, PollFlags, Timespec, poll};
use rbox_core::sys::signal::{self, SignalSet};
use rbox_core::sys::{BorrowedFd, Errno, fd, fs, termios};

/// What the options ask for.
struct Wanted {
    raw: bool,
    silent: bool,
    delimiter: u8,
    /// The limit in characters; the flag is set when the delimiter does not end them (-N).
    count: Option<(u32, bool)>,
    /// Milliseconds.
    timeout: Option<u64>,
    fd: i32,
    prompt: Vec<u8>,
    /// `-a`: all fields go into this array.
    array: Option<Vec<u8>>,
    utf8: bool,
}

impl Wanted {
    fn is_terminal(&self) -> bool {
        fd::named(self.fd).is_ok_and(termios::isatty)
    }
}

/// `read [-rs] [-d DELIM] [-n N] [-N N] [-p PROMPT] [-t SECONDS] [-u FD] [NAME...]`
pub fn read(shell: &mut Shell, words: &[&[u8]]) -> Done {
    let mut wanted = Wanted {
        raw: false,
        silent: false,
        delimiter: b'\n',
        count: None,
        timeout: None,
        fd: 0,
        prompt: Vec::new(),
        array: None,
        utf8: shell.computed.utf8,
    };
    let mut words = words;
    while let Some((word, rest)) = words.split_first() {
        if word.len() < 2 || word[0] != b'-' {
            break;
        }
        words = rest;
        if *word == b"--" {
            break;
        }
        let mut at = 1;
        while let Some(&flag) = word.get(at) {
            at += 1;
            match flag {
                b'r' => wanted.raw = true,
                b's' => wanted.silent = true,
                // bash's line editing: the terminal has its own.
                b'e' if shell.options.bash && !wanted.is_terminal() => {}
                b'i' if shell.options.bash && !wanted.is_terminal() => {
                    words = words.get(1..).unwrap_or_default();
                }
                b'd' | b'n' | b'N' | b't' | b'u' | b'p' | b'a' => {
                    let value = if at < word.len() {
                        &word[at..]
                    } else {
                        let Some((value, rest)) = words.split_first() else {
                            return Err(shell.error(&[b"no arg for -", &[flag], b" option"]));
                        };
                        words = rest;
                        value
                    };
                    take_value(shell, flag, value, &mut wanted)?;
                    break;
                }
                _ => return Err(shell.error(&[b"illegal option -", &[flag]])),
            }
        }
    }
    let is_target = |shell: &Shell, name: &[u8]| {
        let base = if shell.options.bash { crate::syntax::symbols::split_subscript(name).0 } else { name };
        crate::syntax::symbols::is_name(base)
    };
    if let Some(name) = words.iter().find(|name| !is_target(shell, name)) {
        let text = [&shell.invocation.name[..], b": read: '", name, b"': bad variable name\n"].concat();
        write_error(&text);
        return Ok(1);
    }
    let Ok(file) = shell.streams.descriptors.named(wanted.fd) else { return Ok(1) };
    if wanted.timeout == Some(0) {
        // Nothing is read: the status is 0 when there is something to read.
        let ready = poll(&mut [PollFd::from_borrowed_fd(file, PollFlags::IN)], Some(&Timespec::default()));
        return Ok(u8::from(!matches!(ready, Ok(1))));
    }
    let (line, escaped, status) = take_line(&wanted, file);
    if let Some(array) = &wanted.array {
        assign_array(shell, array, &line, &escaped)?;
        return Ok(status);
    }
    assign(shell, words, &line, &escaped, wanted.count.is_some_and(|(_, exact)| exact))?;
    Ok(status)
}

fn take_value(shell: &mut Shell, flag: u8, value: &[u8], wanted: &mut Wanted) -> Result<(), crate::state::Fail> {
    match flag {
        b'd' => wanted.delimiter = value.first().copied().unwrap_or(0),
        // 0 is no limit, as in BusyBox.
        b'n' => {
            wanted.count =
                Some(count_of(shell, value, b"invalid count")?).filter(|&count| count > 0).map(|count| (count, false))
        }
        b'N' => wanted.count = Some((count_of(shell, value, b"invalid count")?, true)),
        b'u' => wanted.fd = count_of(shell, value, b"invalid file descriptor")? as i32,
        b'p' => wanted.prompt = value.copied(),
        b'a' => wanted.array = Some(value.copied()),
        _ => {
            let Some(seconds) = rbox_core::sys::float::parse_all(value).filter(|seconds| *seconds >= 0.0) else {
                return Err(shell.plain_error(b"invalid timeout"));
            };
            wanted.timeout = Some((seconds * 1000.0) as u64);
        }
    }
    Ok(())
}

fn count_of(shell: &mut Shell, word: &[u8], complaint: &[u8]) -> Result<u32, crate::state::Fail> {
    let count = rbox_core::number::parse_decimal(word).and_then(|number| u32::try_from(number).ok());
    count.ok_or_else(|| shell.plain_error(complaint))
}

/// Bytes of a descriptor: in blocks where unread bytes can be given back by a seek, else one by one.
struct Bytes {
    file: BorrowedFd<'static>,
    seekable: bool,
    block: Vec<u8>,
    at: usize,
    /// When time is over, as `milliseconds`: the whole line must come before.
    deadline: Option<u64>,
}

impl Bytes {
    fn next(&mut self) -> Result<Option<u8>, u8> {
        if !self.seekable {
            return take_byte(self.file, self.deadline);
        }
        if self.at == self.block.len() {
            self.block.resize(512, 0);
            let got = read_once(self.file, &mut self.block);
            self.block.truncate(got);
            self.at = 0;
            if got == 0 {
                return Ok(None);
            }
        }
        self.at += 1;
        Ok(Some(self.block[self.at - 1]))
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        let unread = self.block.len() - self.at;
        if unread > 0 {
            // It was seekable when reading began.
            let _ = fs::seek(self.file, fs::SeekFrom::Current(-(unread as i64)));
        }
    }
}

fn take_line(wanted: &Wanted, file: BorrowedFd<'static>) -> (Vec<u8>, Vec<bool>, u8) {
    let terminal = (wanted.silent || wanted.count.is_some()) && termios::isatty(file);
    let before = if terminal { termios::tcgetattr(file).ok() } else { None };
    if let Some(before) = &before {
        let mut changed = before.clone();
        if wanted.silent {
            changed.local_modes.remove(termios::LocalModes::ECHO);
        }
        if wanted.count.is_some() {
            changed.local_modes.remove(termios::LocalModes::ICANON);
        }
        // It fails only when the terminal is gone, which the read reports.
        let _ = termios::tcsetattr(file, termios::OptionalActions::Drain, &changed);
    }
    if !wanted.prompt.is_empty() && termios::isatty(file) {
        write_error(&wanted.prompt);
    }
    let result = collect(wanted, file);
    if let Some(before) = &before {
        // It fails only when the terminal is gone.
        let _ = termios::tcsetattr(file, termios::OptionalActions::Drain, before);
    }
    result
}

/// The line, which of its bytes were quoted by a backslash, and the status.
fn collect(wanted: &Wanted, file: BorrowedFd<'static>) -> (Vec<u8>, Vec<bool>, u8) {
    let mut bytes = Bytes {
        file,
        seekable: wanted.timeout.is_none() && is_seekable(file),
        block: Vec::new(),
        at: 0,
        deadline: wanted.timeout.map(|limit| uptime_milliseconds().saturating_add(limit)),
    };
    if !bytes.seekable && bytes.deadline.is_none() && termios::isatty(file) {
        // Ctrl-C ends the wait also when it was pressed just before.
        let interrupted = || signal::wait_readable(file, None) == Err(Errno::INTR);
        while interrupted() {
            if signal::take(SignalSet::of(&[SIGTSTP])) == SignalSet::default() {
                return (Vec::new(), Vec::new(), 1);
            }
        }
    }
    let (mut line, mut escaped) = (Vec::new(), Vec::new());
    let mut quoted = false;
    // Characters that began, and bytes that the last one still needs.
    let (mut characters, mut missing) = (0, 0);
    loop {
        if wanted.count.is_some_and(|(count, _)| characters >= count && missing == 0) {
            return (line, escaped, 0);
        }
        let before = line.len();
        let byte = match bytes.next() {
            Ok(Some(byte)) => byte,
            Ok(None) => return (line, escaped, 1),
            Err(status) => return (line, escaped, status),
        };
        let exact = wanted.count.is_some_and(|(_, exact)| exact);
        if quoted {
            quoted = false;
            if byte != b'\n' {
                line.push(byte);
                escaped.push(true);
            }
        } else if byte == b'\\' && !wanted.raw {
            quoted = true;
        } else if byte == wanted.delimiter && !exact {
            return (line, escaped, 0);
        } else if byte != 0 {
            line.push(byte);
            escaped.push(false);
        }
        if line.len() > before {
            if missing > 0 && byte & 0xC0 == 0x80 {
                missing -= 1;
            } else {
                characters += 1;
                missing = if wanted.utf8 { sequence_length(byte) - 1 } else { 0 };
            }
        }
    }
}

/// `read -a`: each field is an element.
fn assign_array(shell: &mut Shell, name: &[u8], line: &[u8], escaped: &[bool]) -> Result<(), crate::state::Fail> {
    if !crate::syntax::symbols::is_name(name) {
        return Err(shell.error(&[name, b": bad variable name"]));
    }
    let ifs = shell.computed.ifs.copied();
    let fields = Fields { line, escaped, ifs: &ifs };
    let mut at = fields.skip_white(0);
    let mut items = Vec::new();
    while at < line.len() {
        let end = fields.end(at);
        items.push((None, line[at..end].copied()));
        at = fields.skip_separator(end);
    }
    let name = shell.intern(name);
    shell.assign_list(name, items, false)
}

/// Gives each name its field, the last one the rest (XCU read, XCU 2.6.5).
fn assign(
    shell: &mut Shell,
    names: &[&[u8]],
    line: &[u8],
    escaped: &[bool],
    whole: bool,
) -> Result<(), crate::state::Fail> {
    let Some((last, first)) = names.split_last() else {
        let reply = shell.intern(b"REPLY");
        return shell.set(reply, line);
    };
    if whole {
        return give(shell, first.first().unwrap_or(last), line);
    }
    let ifs = shell.computed.ifs.clone();
    let fields = Fields { line, escaped, ifs: &ifs };
    let mut at = fields.skip_white(0);
    for name in first {
        let end = fields.end(at);
        give(shell, name, &line[at..end])?;
        at = fields.skip_separator(end);
    }
    let mut end = line.len();
    while end > at && fields.is_white(end - 1) {
        end -= 1;
    }
    // One separator that ends the last field goes too, when the rest is a single field.
    let stop = fields.end(at);
    if stop < end && fields.skip_separator(stop) >= end {
        end = stop;
    }
    give(shell, last, &line[at..end])
}

/// Assigns a variable, or in bash mode an element of an array.
fn give(shell: &mut Shell, name: &[u8], value: &[u8]) -> Result<(), crate::state::Fail> {
    if name.ends_with(b"]") {
        return shell.set_by_text(name, value);
    }
    let name = shell.intern(name);
    shell.set(name, value)
}

/// A line whose unescaped bytes of IFS part it (XCU 2.6.5).
struct Fields<'a> {
    line: &'a [u8],
    escaped: &'a [bool],
    ifs: &'a [u8],
}

impl Fields<'_> {
    #[inline(always)]
    fn is_separator(&self, at: usize) -> bool {
        !self.escaped[at] && self.ifs.contains(&self.line[at])
    }

    /// Whether the byte is IFS white space.
    fn is_white(&self, at: usize) -> bool {
        matches!(self.line[at], b' ' | b'\t' | b'\n') && self.is_separator(at)
    }

    /// Where the field that begins at `at` ends.
    fn end(&self, mut at: usize) -> usize {
        while at < self.line.len() && !self.is_separator(at) {
            at += 1;
        }
        at
    }

    fn skip_white(&self, mut at: usize) -> usize {
        while at < self.line.len() && self.is_white(at) {
            at += 1;
        }
        at
    }

    /// Where the field after a separator begins: white space with at most one other byte of IFS in it.
    fn skip_separator(&self, at: usize) -> usize {
        let at = self.skip_white(at);
        if at < self.line.len() && self.is_separator(at) { self.skip_white(at + 1) } else { at }
    }
}

/// Bytes up to a delimiter and whether it was there; `None` at the end.
pub fn read_until(number: i32, delimiter: u8) -> Option<(Vec<u8>, bool)> {
    let file = fd::named(number).ok()?;
    let mut line = Vec::new();
    loop {
        match take_byte(file, None) {
            Ok(Some(byte)) if byte == delimiter => return Some((line, true)),
            Ok(Some(byte)) => line.push(byte),
            _ if line.is_empty() => return None,
            _ => return Some((line, false)),
        }
    }
}
