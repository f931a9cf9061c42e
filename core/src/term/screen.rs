//! A full screen: its size, its keys, and rows that are drawn where they differ from what is shown (ECMA-48).

use super::keys::{Key, Keys};
use super::raw::Raw;
use super::{size, width};
use crate::error::Result;
use crate::io::Output;
use crate::signals::{SIGINT, SIGTSTP, SIGWINCH};
use crate::sys::signal::{self, Disposition, SignalSet};
use crate::sys::signal_queue::{SIGCONT, SIGHUP, SIGQUIT, SIGTERM};
use crate::sys::{AsRawFd, OwnedFd};
use crate::{push, text};

/// The signals that a program with a full screen notes: those that change the size, and those after which the terminal
/// must be as it was.
const NOTED: [i32; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGCONT, SIGWINCH];

/// What a program does with the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It draws on a screen of its own (xterm's alternate screen), after which the one before is back.
    Alternate,
    /// It draws on the screen that is there.
    Whole,
    /// It prints lines.
    Lines,
}

/// A terminal in raw mode. Dropping it restores the mode, the screen and the handling of signals.
pub struct Screen {
    /// The keys.
    pub keys: Keys,
    /// Rows of the terminal, at least 2.
    pub rows: usize,
    /// Columns of the terminal, at least 1.
    pub columns: usize,
    output: Output,
    /// The rows as they are on the terminal; empty when that is not known.
    shown: Vec<Vec<u8>>,
    raw: Option<Raw>,
    manner: Manner,
    before: Vec<(i32, Disposition)>,
    /// A signal has ended the program: there are no more keys.
    ended: bool,
    /// The terminal, when it is not standard input.
    terminal: Option<OwnedFd>,
}

impl Screen {
    /// The screen that is standard output, with keys from `terminal` or from standard input. `None` when those are none.
    pub fn open(terminal: Option<OwnedFd>, manner: Manner) -> Option<Screen> {
        let number = terminal.as_ref().map_or(0, |file| file.as_raw_fd());
        let raw = Raw::enter(number)?;
        let before = NOTED
            .into_iter()
            // What nohup ignores stays ignored.
            .filter(|&signal| !crate::sys::job::is_ignored(signal))
            .filter_map(|signal| Some((signal, signal::set(signal, Disposition::Note).ok()?)))
            .collect();
        let mut keys = Keys::of(number);
        keys.lone_escape = true;
        keys.special[2] = raw.special()[2];
        drop(raw);
        let output = Output::standard(1);
        let (rows, columns, shown) = (2, 1, Vec::new());
        let mut screen =
            Screen { keys, rows, columns, output, shown, raw: None, manner, before, ended: false, terminal };
        screen.enter();
        Some(screen)
    }

    /// A screen in memory, of that size, on which these keys are pressed before the terminal hangs up: for tests.
    pub fn memory(pressed: &[Key], rows: usize, columns: usize) -> Screen {
        let mut keys = Keys::of(-1);
        keys.replay(pressed);
        let (output, shown, before) = (Output::memory(), Vec::new(), Vec::new());
        Screen {
            keys,
            rows,
            columns,
            output,
            shown,
            raw: None,
            manner: Manner::Whole,
            before,
            ended: false,
            terminal: None,
        }
    }

    /// What the terminal shows, row by row.
    pub fn shown(&self) -> &[Vec<u8>] {
        &self.shown
    }

    /// The descriptor of the terminal that has the keys.
    pub fn number(&self) -> i32 {
        self.terminal.as_ref().map_or(0, |file| file.as_raw_fd())
    }

    /// Takes the terminal, again after `leave`.
    pub fn enter(&mut self) {
        if self.output.fd().is_none() {
            return;
        }
        self.raw = Raw::enter(self.number());
        if self.manner == Manner::Alternate {
            // A dead terminal shows at the next drawing or key.
            let _ = self.output.write(b"\x1b[?1049h");
        }
        self.measure();
        self.forget();
    }

    /// Gives the terminal to others as it was, with the cursor in the last row.
    pub fn leave(&mut self) {
        if self.raw.is_none() {
            return;
        }
        let mut end = Vec::new();
        if self.manner != Manner::Lines {
            push!(end, "\x1b[", self.rows, ";1H\x1b[K");
        }
        if self.manner == Manner::Alternate {
            push!(end, "\x1b[?1049l");
        }
        // A dead terminal has nothing to restore.
        let _ = self.output.write(&end).and_then(|()| self.output.flush());
        self.raw = None;
    }

    /// Prints a line on the terminal that was left, and waits for a key there.
    pub fn pause(&mut self, line: &[u8]) {
        let _raw = Raw::enter(self.number());
        // A dead terminal shows at the key.
        let _ = self.output.write(line).and_then(|()| self.output.flush());
        while self.key() == Key::Signal {}
        // As above.
        let _ = self.output.write(b"\r\n");
    }

    /// Stops the process group, as Ctrl-Z does, until it is continued.
    pub fn suspend(&mut self) {
        self.leave();
        // Group 0 is the process's own: the call cannot fail.
        let _ = signal::kill(0, SIGTSTP);
        self.enter();
    }

    /// Looks at the signals that came, after `Key::Signal`. One that ends the program is returned.
    pub fn signal(&mut self) -> Option<i32> {
        let came: Vec<i32> = signal::take(SignalSet::of(&NOTED)).numbers().collect();
        if came.contains(&SIGCONT) {
            // The shell has used the terminal meanwhile.
            self.raw = None;
            self.enter();
        }
        if came.contains(&SIGWINCH) {
            self.measure();
            self.forget();
        }
        came.into_iter().find(|signal| matches!(*signal, SIGHUP | SIGTERM))
    }

    fn measure(&mut self) {
        let found = size(1).or_else(|| size(self.number()));
        let (rows, columns) = found.unwrap_or((24, 80));
        (self.rows, self.columns) = (rows.max(2), columns.max(1));
    }

    /// The terminal may show anything: the next drawing draws all rows.
    pub fn forget(&mut self) {
        self.shown.clear();
    }

    /// Prints text where the cursor is.
    pub fn print(&mut self, text: &[u8]) -> Result<()> {
        self.output.write(text)?;
        self.output.flush()
    }

    /// Rings the bell.
    pub fn bell(&mut self) {
        // A dead terminal shows at the next drawing or key.
        let _ = self.output.write(b"\x07").and_then(|()| self.output.flush());
    }

    /// The next key; a signal that only changes the size is `Key::Signal`, one that ends the program is `Key::Hangup`.
    pub fn key(&mut self) -> Key {
        if self.ended {
            return Key::Hangup;
        }
        match self.keys.read() {
            Key::Signal => {
                self.ended = self.signal().is_some();
                if self.ended { Key::Hangup } else { Key::Signal }
            }
            key => key,
        }
    }

    /// Shows these rows, none wider than the screen, with the cursor at a row and a column from 0. The last row does not
    /// scroll with the others.
    pub fn draw(&mut self, rows: &[Vec<u8>], cursor: (usize, usize)) -> Result<()> {
        let mut out = Vec::new();
        if self.shown.len() != rows.len() {
            out.extend_from_slice(b"\x1b[m\x1b[H\x1b[J");
            self.shown = vec![Vec::new(); rows.len()];
        }
        self.scroll(rows, &mut out);
        for (at, (old, new)) in self.shown.iter_mut().zip(rows).enumerate() {
            if old == new {
                continue;
            }
            // The part before the first change stays, where each byte of it is a column.
            let is_plain = |row: &[u8]| row.is_ascii() && !row.contains(&27);
            let (is_plain, mut same) = (is_plain(old) && is_plain(new), 0);
            if is_plain {
                same = old.iter().zip(new).take_while(|(old, new)| old == new).count();
            }
            push!(out, "\x1b[", at + 1, ";", same + 1, "H");
            // Before the text: after a full row the cursor is still on its last column.
            if width(&old[same..]) > 0 && !(is_plain && new.len() >= old.len()) {
                out.extend_from_slice(b"\x1b[K");
            }
            out.extend_from_slice(&new[same..]);
            old.clone_from(new);
        }
        push!(out, "\x1b[", cursor.0 + 1, ";", cursor.1 + 1, "H");
        if self.output.fd().is_none() {
            return Ok(());
        }
        self.output.write(&out)?;
        self.output.flush()
    }

    /// Where the rows to be drawn are the shown ones further up, lets the terminal scroll.
    fn scroll(&mut self, rows: &[Vec<u8>], out: &mut Vec<u8>) {
        let body = rows.len() - 1;
        if body < 3 || self.shown[0] == rows[0] || self.shown[..body].iter().all(Vec::is_empty) {
            return;
        }
        let moved = |count: &usize| self.shown[*count..body] == rows[..body - count];
        if let Some(count) = (1..=body / 2).find(moved) {
            out.extend_from_slice(&text!("\x1b[", rows.len(), ";1H\x1b[K"));
            out.resize(out.len() + count, b'\n');
            self.shown.drain(..count);
            // The last row was erased before it moved up.
            self.shown[body - count].clear();
            self.shown.resize(rows.len(), Vec::new());
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
        for &(signal, before) in &self.before {
            // It was set before, so it can be set back.
            let _ = signal::set(signal, before);
        }
    }
}

/// What a key does to a line that is typed after a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It goes on.
    More,
    /// It is whole.
    Done,
    /// It was given up: escape, Ctrl-C, or an erasing key in an empty line.
    Cancelled,
}

/// Adds a key to a line that is typed in the last row.
pub fn type_key(line: &mut Vec<u8>, key: Key) -> Typed {
    match key {
        Key::Char('\r' | '\n') => return Typed::Done,
        Key::Char('\x1b' | '\x03') | Key::Hangup => return Typed::Cancelled,
        Key::Char('\x08' | '\x7f') if line.is_empty() => return Typed::Cancelled,
        Key::Char('\x08' | '\x7f') => {
            let end = line.iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or(0);
            line.truncate(end);
        }
        Key::Char('\x15') => line.clear(),
        Key::Char('\x17') => {
            while line.last() == Some(&b' ') {
                line.pop();
            }
            let end = line.iter().rposition(|&byte| byte == b' ').map_or(0, |at| at + 1);
            line.truncate(end);
        }
        Key::Char(one) => line.extend_from_slice(one.encode_utf8(&mut [0; 4]).as_bytes()),
        Key::Byte(byte) => line.push(byte),
        _ => {}
    }
    Typed::More
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_drawn() {
        let rows = |all: &[&str]| all.iter().map(|row| row.as_bytes().to_vec()).collect::<Vec<_>>();
        let mut screen = Screen::memory(&[], 5, 20);
        screen.draw(&rows(&["one", "two", "three", "four", ":"]), (4, 1)).expect("memory");
        assert_eq!(screen.shown(), rows(&["one", "two", "three", "four", ":"]));
        let (mut out, next) = (Vec::new(), rows(&["two", "three", "four", "five", ":"]));
        screen.scroll(&next, &mut out);
        assert_eq!(out, b"\x1b[5;1H\x1b[K\n");
        assert_eq!(screen.shown(), rows(&["two", "three", "four", "", ""]));
    }

    #[test]
    fn a_line_is_typed_erased_and_given_up() {
        let mut line = Vec::new();
        for one in "ab é\x7f".chars() {
            assert_eq!(type_key(&mut line, Key::Char(one)), Typed::More);
        }
        assert_eq!((line.as_slice(), type_key(&mut line.clone(), Key::Char('\r'))), (&b"ab "[..], Typed::Done));
        type_key(&mut line, Key::Char('\x17'));
        assert_eq!((line.as_slice(), type_key(&mut Vec::new(), Key::Char('\x7f'))), (&b""[..], Typed::Cancelled));
    }
}
