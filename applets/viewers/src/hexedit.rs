//! `hexedit`: show and change the bytes of a file or device of any size (BusyBox's applet, the keys of hexedit(1)).
//!
//! What is changed is kept until it is written; the file is read where it is looked at, and never grows.

use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, FileType, Mode, OFlags};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd};
use rbox_core::term::keys::Key;
use rbox_core::term::screen::{Manner, Screen, Typed, type_key};
use rbox_core::term::{Shown, clean, width};
use rbox_core::text::{Hex, Right};
use rbox_core::{push, text};

options! {
    "FILE

Show the bytes of FILE in hexadecimal and change them.

Hexadecimal digits change the byte at the cursor, Tab goes to the characters and back. Arrows, Home, End,
PageUp and PageDown move, < and > go to the ends, Enter to an offset, / searches, n again, u takes the
last change back. Ctrl-W writes, Ctrl-X writes and quits, Ctrl-C quits without writing. On the side of the
characters < > / n u are characters."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// Bytes of a row.
const ROW: u64 = 16;
/// Bytes that are searched at once.
const STEP: u64 = 1 << 16;

/// The program at work.
struct Editor {
    screen: Screen,
    file: OwnedFd,
    name: Vec<u8>,
    is_read_only: bool,
    size: u64,
    /// Changed bytes, by offset.
    changes: Vec<(u64, u8)>,
    /// What each change replaced, newest last: a changed byte before, or `None` for the file's.
    undo: Vec<(u64, Option<u8>)>,
    top: u64,
    cursor: u64,
    /// The second digit of the byte is next.
    is_low: bool,
    /// The cursor is among the characters.
    in_text: bool,
    pattern: Vec<u8>,
    message: Vec<u8>,
}

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let name = args.operands_between(1, 1)?[0];
    let (file, is_read_only) = match fs::open(name, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) {
        Ok(file) => (file, false),
        Err(Errno::ACCESS | Errno::ROFS | Errno::PERM) => {
            let file = fs::open(name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
            (file.map_err(|errno| Error::cannot("open", name, errno))?, true)
        }
        Err(errno) => return Err(Error::cannot("open", name, errno)),
    };
    let stat = fs::fstat(&file).map_err(|errno| Error::on(name, errno))?;
    let size = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => stat.st_size as u64,
        FileType::BlockDevice => fs::seek(&file, fs::SeekFrom::End(0)).map_err(|errno| Error::on(name, errno))?,
        _ => return Err(Error::parts(&[name, b": not a regular file or block device"])),
    };
    let Some(screen) = Screen::open(None, Manner::Alternate) else {
        return Err(Error::new("standard input is no terminal"));
    };
    let editor = Editor {
        screen,
        file,
        name: name.to_vec(),
        is_read_only,
        size,
        changes: Vec::new(),
        undo: Vec::new(),
        top: 0,
        cursor: 0,
        is_low: false,
        in_text: false,
        pattern: Vec::new(),
        message: Vec::new(),
    };
    editor.go_on()
}

impl Editor {
    fn go_on(mut self) -> Outcome {
        loop {
            self.draw()?;
            let key = self.screen.key();
            if key != Key::Signal {
                self.message.clear();
            }
            match key {
                Key::Hangup | Key::Char('\x03') => return Ok(ExitStatus::SUCCESS),
                Key::Char('\x18') => {
                    if self.write() {
                        return Ok(ExitStatus::SUCCESS);
                    }
                }
                Key::Char('\x1a') => self.screen.suspend(),
                key => self.obey(key)?,
            }
        }
    }

    fn rows(&self) -> u64 {
        self.screen.rows as u64 - 1
    }

    fn go(&mut self, at: u64) {
        self.cursor = at.min(self.size.saturating_sub(1));
        self.is_low = false;
    }

    fn obey(&mut self, key: Key) -> Result<()> {
        let (at, page) = (self.cursor, self.rows() * ROW);
        match key {
            Key::Left => self.go(at.saturating_sub(1)),
            Key::Right => self.go(at.saturating_add(1)),
            Key::Up if at >= ROW => self.go(at - ROW),
            Key::Down if at + ROW < self.size => self.go(at + ROW),
            Key::PageUp | Key::Char('\x02') => self.go(if at >= page { at - page } else { at % ROW }),
            Key::PageDown | Key::Char('\x06') if at + page < self.size => self.go(at + page),
            Key::PageDown | Key::Char('\x06') => self.go(u64::MAX),
            Key::Home => self.go(at / ROW * ROW),
            Key::End => self.go(at / ROW * ROW + ROW - 1),
            Key::Char('\t') => (self.in_text, self.is_low) = (!self.in_text, false),
            Key::Char('\x0c') => self.screen.forget(),
            Key::Char('\x17') => {
                self.write();
            }
            Key::Char('\x08' | '\x7f') => self.undo(),
            Key::Char('\r' | '\n') => return self.ask_offset(),
            Key::Char(one) if self.in_text && one >= ' ' => {
                for byte in one.encode_utf8(&mut [0; 4]).bytes() {
                    self.change(self.cursor, byte);
                    self.go(self.cursor.saturating_add(1));
                }
            }
            Key::Char(one) if one.is_ascii_hexdigit() => self.digit(one.to_digit(16).unwrap_or(0) as u8),
            Key::Char('<') => self.go(0),
            Key::Char('>') => self.go(u64::MAX),
            Key::Char('u') => self.undo(),
            Key::Char('/') => return self.ask_pattern(),
            Key::Char('n') => self.search(),
            _ => {}
        }
        Ok(())
    }

    fn digit(&mut self, digit: u8) {
        let now = self.bytes(self.cursor, 1).first().copied().unwrap_or(0);
        if self.is_low {
            self.change(self.cursor, now & 0xf0 | digit);
            self.go(self.cursor.saturating_add(1));
        } else {
            self.change(self.cursor, now & 0x0f | digit << 4);
            self.is_low = true;
        }
    }

    fn change(&mut self, at: u64, byte: u8) {
        if self.is_read_only || at >= self.size {
            self.message = if self.is_read_only { b"The file is read only".to_vec() } else { b"No space".to_vec() };
            return;
        }
        let before = match self.changes.binary_search_by_key(&at, |change| change.0) {
            Ok(found) => Some(core::mem::replace(&mut self.changes[found].1, byte)),
            Err(place) => {
                self.changes.insert(place, (at, byte));
                None
            }
        };
        self.undo.push((at, before));
    }

    fn undo(&mut self) {
        let Some((at, before)) = self.undo.pop() else { return self.screen.bell() };
        if let Ok(found) = self.changes.binary_search_by_key(&at, |change| change.0) {
            match before {
                Some(byte) => self.changes[found].1 = byte,
                None => drop(self.changes.remove(found)),
            }
        }
        self.go(at);
    }

    /// The bytes from an offset on, as they are changed.
    fn bytes(&mut self, from: u64, length: u64) -> Vec<u8> {
        let length = length.min(self.size.saturating_sub(from)) as usize;
        let (mut bytes, mut filled) = (vec![0; length], 0);
        while filled < length {
            match fd::pread(self.file.as_fd(), &mut bytes[filled..], from + filled as u64) {
                // The file is shorter than it was.
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(errno) => {
                    self.message = Error::from(errno).message().to_vec();
                    break;
                }
            }
        }
        bytes.truncate(filled);
        let first = self.changes.partition_point(|change| change.0 < from);
        for &(at, byte) in self.changes[first..].iter().take_while(|change| change.0 < from + filled as u64) {
            bytes[(at - from) as usize] = byte;
        }
        bytes
    }

    /// Writes what was changed. False after a failure, which is reported; what is not written stays changed.
    fn write(&mut self) -> bool {
        while let Some(&(at, byte)) = self.changes.last() {
            match fd::pwrite(self.file.as_fd(), &[byte], at) {
                Ok(1) => drop(self.changes.pop()),
                Err(Errno::INTR) => {}
                Ok(_) => break,
                Err(errno) => {
                    self.message = text!("can't write: ", Error::from(errno).message());
                    return false;
                }
            }
        }
        self.undo.clear();
        self.message = b"Written".to_vec();
        true
    }

    fn draw(&mut self) -> Result<()> {
        let page = self.rows() * ROW;
        if self.cursor < self.top {
            self.top = self.cursor / ROW * ROW;
        } else if self.cursor >= self.top + page {
            self.top = self.cursor / ROW * ROW + ROW - page;
        }
        let digits = if self.size > 1 << 32 { 12 } else { 8 };
        let bytes = self.bytes(self.top, page);
        let mut rows: Vec<Vec<u8>> = Vec::new();
        for (index, chunk) in bytes.chunks(ROW as usize).enumerate() {
            let mut row = text!(Right(Hex(self.top + index as u64 * ROW), digits, b'0'), " ");
            for at in 0..ROW as usize {
                push!(row, if at % 8 == 0 { "  " } else { " " });
                match chunk.get(at) {
                    Some(byte) => push!(row, Right(Hex((*byte).into()), 2, b'0')),
                    None => push!(row, "  "),
                }
            }
            push!(row, "  ");
            row.extend(chunk.iter().map(|byte| if (b' '..=b'~').contains(byte) { *byte } else { b'.' }));
            row.truncate(self.screen.columns);
            rows.push(row);
        }
        rows.resize(self.rows() as usize, Vec::new());
        rows.push(self.status());
        let (row, column) = ((self.cursor - self.top) / ROW, (self.cursor % ROW) as usize);
        let start = digits + 1;
        let column = match self.in_text {
            true => start + 3 * ROW as usize + 4 + column,
            false => start + 2 + 3 * column + column / 8 + usize::from(self.is_low),
        };
        self.screen.draw(&rows, (row as usize, column.min(self.screen.columns - 1)))
    }

    fn status(&self) -> Vec<u8> {
        let mut status = clean(&self.name, b"", Shown::Caret);
        if !self.message.is_empty() {
            status.clone_from(&self.message);
        } else {
            push!(status, if self.is_read_only { " [Readonly]" } else { "" });
            push!(status, if self.changes.is_empty() { "" } else { " [Modified]" });
            push!(status, " 0x", Hex(self.cursor), "/0x", Hex(self.size));
        }
        while width(&status) >= self.screen.columns && !status.is_empty() {
            status.truncate(status.iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or(0));
        }
        status
    }

    /// Asks for a line in the last row. `None` when it was given up.
    fn ask(&mut self, prompt: &str) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        loop {
            self.message = text!(prompt, clean(&line, b"", Shown::Caret));
            self.draw()?;
            match self.screen.key() {
                Key::Signal => {}
                key => match type_key(&mut line, key) {
                    Typed::More => {}
                    Typed::Done => break,
                    Typed::Cancelled => {
                        self.message.clear();
                        return Ok(None);
                    }
                },
            }
        }
        self.message.clear();
        Ok(Some(line))
    }

    fn ask_offset(&mut self) -> Result<()> {
        let Some(line) = self.ask("Go to offset: ")? else { return Ok(()) };
        match rbox_core::number::parse_c(&line).and_then(|offset| u64::try_from(offset).ok()) {
            Some(offset) if offset < self.size => self.go(offset),
            _ => self.message = text!("No such offset: ", clean(&line, b"", Shown::Caret)),
        }
        Ok(())
    }

    /// Asks for pairs of hexadecimal digits, or for text after a quote, and searches after the cursor.
    fn ask_pattern(&mut self) -> Result<()> {
        let Some(line) = self.ask("Search (hex, or \"text): ")? else { return Ok(()) };
        match bytes_of(&line) {
            Some(pattern) if !pattern.is_empty() => {
                self.pattern = pattern;
                self.search();
            }
            _ => self.message = text!("No bytes: ", clean(&line, b"", Shown::Caret)),
        }
        Ok(())
    }

    fn search(&mut self) {
        let more = self.pattern.len() as u64;
        let mut at = self.cursor + 1;
        while more > 0 && at + more <= self.size {
            let block = self.bytes(at, STEP + more);
            if let Some(found) = rbox_core::bytes::find(&block, &self.pattern) {
                return self.go(at + found as u64);
            }
            at += STEP;
        }
        self.message = b"Not found".to_vec();
    }
}

/// The bytes of pairs of hexadecimal digits, blanks between them, or of text after a quote.
fn bytes_of(line: &[u8]) -> Option<Vec<u8>> {
    if let [b'"', text @ ..] = line {
        return Some(text.strip_suffix(b"\"").unwrap_or(text).to_vec());
    }
    let digits: Vec<u8> = line.iter().copied().filter(|byte| *byte != b' ').collect();
    let pair =
        |pair: &[u8]| rbox_core::number::parse_radix(pair, 16).filter(|_| pair.len() == 2).map(|byte| byte as u8);
    digits.chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_hexadecimal_or_text() {
        assert_eq!(bytes_of(b"de ad0A"), Some(vec![0xde, 0xad, 0x0a]));
        assert_eq!(bytes_of(b"\"a b"), Some(b"a b".to_vec()));
        assert_eq!((bytes_of(b"abc"), bytes_of(b"xy")), (None, None));
    }
}
