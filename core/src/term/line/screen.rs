//! Drawing a line after its prompt: only what changed, over as many rows as it takes.

use crate::io::write_all;
use crate::number::Decimal;
use crate::sys::fd;
use crate::term::{display_width, window};

/// A position below and right of where the prompt began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Position {
    row: usize,
    column: usize,
}

/// What the terminal shows of the line. It is drawn on standard error, where POSIX has the prompt (XCU sh, PS1).
#[derive(Debug, Default)]
pub struct Screen {
    columns: usize,
    /// The prompt's last row and the line, as they were written.
    display: Vec<u8>,
    /// How many bytes of it are before the cursor, and where that is.
    before: usize,
    cursor: Position,
}

/// Writes to the terminal.
pub fn print(text: &[u8]) {
    // A dead terminal shows at the next read.
    let _ = write_all(fd::borrow(2), text);
}

/// How a line is shown: control characters as `^X`, what is no text as `?`.
pub fn visible(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match crate::term::character(&text[at..]) {
            (Some(one), length) if one < ' ' || one == '\x7f' => {
                out.extend_from_slice(&[b'^', text[at] ^ 64]);
                at += length;
            }
            // C1 control characters would be obeyed by some terminals.
            (None, length) | (Some('\u{80}'..='\u{9f}'), length) => {
                out.push(b'?');
                at += length;
            }
            (_, length) => {
                out.extend_from_slice(&text[at..at + length]);
                at += length;
            }
        }
    }
    out
}

impl Screen {
    /// Asks the terminal for its width; true when it is another one than before.
    pub fn measure(&mut self) -> bool {
        let before = core::mem::replace(&mut self.columns, window(0).filter(|columns| *columns > 1).unwrap_or(80));
        before != self.columns
    }

    /// Columns of the terminal.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Forgets what was drawn: the cursor is at the beginning of a row.
    pub fn forget(&mut self) {
        self.display.clear();
        self.before = 0;
        self.cursor = Position::default();
    }

    /// Where the cursor is after the first `end` bytes of a display. A full row puts it on the next one.
    fn position(&self, display: &[u8], end: usize) -> Position {
        let mut position = Position::default();
        let mut at = 0;
        while at < end {
            let (length, width) = display_width(&display[at..]);
            if position.column + width > self.columns {
                position = Position { row: position.row + 1, column: 0 };
            }
            position.column += width;
            at += length;
        }
        if position.column >= self.columns {
            position = Position { row: position.row + 1, column: 0 };
        }
        position
    }

    /// Shows the line after the prompt's last row, with the cursor before the byte `at`.
    pub fn show(&mut self, prompt: &[u8], text: &[u8], at: usize) {
        let display = [prompt, &visible(text)].concat();
        let mut same = self.display.iter().zip(&display).take_while(|(a, b)| a == b).count();
        while same > 0 && display.get(same).is_some_and(|byte| byte & 0xc0 == 0x80) {
            same -= 1;
        }
        if same < prompt.len() {
            same = 0;
        }
        let end = self.position(&display, display.len());
        let old_end = self.position(&self.display, self.display.len());
        let mut out = Vec::new();
        if same < display.len() || same < self.display.len() {
            self.go(self.position(&display, same), &mut out);
            out.extend_from_slice(&display[same..]);
            // A terminal waits with the wrap until the next character comes: make it, and not by a newline, which a
            // terminal that wraps anew at another width would keep.
            if same < display.len() && end.column == 0 && end.row > 0 {
                out.extend_from_slice(b" \r");
            }
            if (old_end.row, old_end.column) > (end.row, end.column) {
                out.extend_from_slice(b"\x1b[J");
            }
            self.cursor = end;
        }
        self.before = prompt.len() + visible(&text[..at]).len();
        self.go(self.position(&display, self.before), &mut out);
        self.display = display;
        print(&out);
    }

    /// Goes to the row after the line.
    pub fn leave(&mut self) {
        let mut out = Vec::new();
        let end = self.position(&self.display, self.display.len());
        self.go(end, &mut out);
        if end.column > 0 || end.row == 0 {
            out.extend_from_slice(b"\r\n");
        }
        print(&out);
        self.forget();
    }

    /// Wipes the line and its prompt's last row, from where the terminal has put them at its present width.
    pub fn erase(&mut self) {
        self.cursor = self.position(&self.display, self.before);
        let mut out = Vec::new();
        self.go(Position::default(), &mut out);
        out.extend_from_slice(b"\r\x1b[J");
        print(&out);
        self.forget();
    }

    /// Moves the cursor.
    fn go(&mut self, to: Position, out: &mut Vec<u8>) {
        let from = core::mem::replace(&mut self.cursor, to);
        match to.row.cmp(&from.row) {
            core::cmp::Ordering::Less => sequence(out, from.row - to.row, b'A'),
            core::cmp::Ordering::Greater => sequence(out, to.row - from.row, b'B'),
            core::cmp::Ordering::Equal => {}
        }
        let (from, to) = (from.column, to.column);
        if to == 0 && from > 0 {
            out.push(b'\r');
        } else if to < from && from - to < 4 {
            out.resize(out.len() + from - to, 8);
        } else if to < from {
            sequence(out, from - to, b'D');
        } else if to > from {
            sequence(out, to - from, b'C');
        }
    }
}

fn sequence(out: &mut Vec<u8>, count: usize, letter: u8) {
    out.extend_from_slice(b"\x1b[");
    out.extend_from_slice(Decimal::new(count as u64).as_bytes());
    out.push(letter);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_shown_as_signs() {
        assert_eq!(visible(b"a\x01\x7f\xff\xc2\x85b"), b"a^A^???b");
        assert_eq!(visible("é".as_bytes()), "é".as_bytes());
    }

    #[test]
    fn wide_characters_do_not_straddle_rows() {
        let screen = Screen { columns: 5, ..Screen::default() };
        let display = "abcd漢x".as_bytes();
        assert_eq!(screen.position(display, 4), Position { row: 0, column: 4 });
        assert_eq!(screen.position(display, 7), Position { row: 1, column: 2 });
        assert_eq!(screen.position(b"abcde", 5), Position { row: 1, column: 0 });
    }
}
