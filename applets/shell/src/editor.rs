//! Line editing with emacs keys: moving, killing, history with search, completion.
//!
//! The line is drawn anew after each key from where the prompt began, so that wrapping and wide input need no state
//! beyond the terminal's width. A terminal that cannot be put in raw mode, or is called `dumb`, reads plain lines.

use crate::shell::write_all;
use rbox_core::sys::{Errno, fd, termios};

/// What the user typed.
pub enum Line {
    Text(Vec<u8>),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D on an empty line.
    End,
}

/// Gives the candidates for the word that ends at the cursor, and where that word starts.
pub type Completer<'a> = &'a mut dyn FnMut(&[u8]) -> (usize, Vec<Vec<u8>>);

struct Editor<'a> {
    prompt: &'a [u8],
    history: &'a [Vec<u8>],
    text: Vec<u8>,
    /// Byte place of the cursor.
    at: usize,
    /// Row of the cursor below the prompt's first row.
    row: usize,
    killed: Vec<u8>,
    /// Place in the history; its length stands for the new line.
    entry: usize,
    /// The new line, kept while the history is looked at.
    draft: Vec<u8>,
}

/// Reads a line; `None` when the terminal cannot be edited on.
pub fn read_line(prompt: &[u8], history: &[Vec<u8>], complete: Completer<'_>) -> Option<Line> {
    let before = termios::tcgetattr(fd::borrow(0)).ok()?;
    let mut raw = before.clone();
    raw.local_modes.remove(termios::LocalModes::ICANON | termios::LocalModes::ECHO | termios::LocalModes::ISIG);
    raw.input_modes.remove(termios::InputModes::ICRNL | termios::InputModes::INLCR);
    raw.special_codes[termios::SpecialCodeIndex::VMIN] = 1;
    raw.special_codes[termios::SpecialCodeIndex::VTIME] = 0;
    termios::tcsetattr(fd::borrow(0), termios::OptionalActions::Drain, &raw).ok()?;
    let mut editor = Editor {
        prompt,
        history,
        text: Vec::new(),
        at: 0,
        row: 0,
        killed: Vec::new(),
        entry: history.len(),
        draft: Vec::new(),
    };
    print(&prompt.split(|&byte| byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]));
    editor.row = prompt.iter().filter(|&&byte| byte == b'\n').count();
    let line = editor.edit(complete);
    print(b"\r\n");
    // It took the settings before.
    let _ = termios::tcsetattr(fd::borrow(0), termios::OptionalActions::Drain, &before);
    Some(line)
}

fn print(text: &[u8]) {
    // A dead terminal shows at the next read.
    let _ = write_all(2, text);
}

fn key() -> Option<u8> {
    let mut byte = [0];
    loop {
        match fd::read(fd::borrow(0), &mut byte) {
            Ok(1) => return Some(byte[0]),
            Err(Errno::INTR) => {}
            _ => return None,
        }
    }
}

impl Editor<'_> {
    fn edit(&mut self, complete: Completer<'_>) -> Line {
        loop {
            match key() {
                None => return Line::End,
                Some(b'\r' | b'\n') => return self.accept(),
                Some(3) => {
                    print(b"^C");
                    return Line::Interrupted;
                }
                Some(4) if self.text.is_empty() => return Line::End,
                Some(4) => self.delete(self.at, self.next(self.at)),
                Some(9) => self.complete(&mut *complete),
                Some(18) => {
                    if let Some(line) = self.search() {
                        return line;
                    }
                }
                Some(27) => self.escape(),
                Some(byte) if self.append(byte) => continue,
                Some(byte) => self.control(byte),
            }
            self.draw();
        }
    }

    /// Adds a character at the end of the line and shows only it; false where that is not enough.
    fn append(&mut self, byte: u8) -> bool {
        let used = width(self.prompt.rsplit(|&byte| byte == b'\n').next().unwrap_or_default()) + width(&self.text);
        if !(32..127).contains(&byte) || self.at < self.text.len() || (used + 1).is_multiple_of(columns()) {
            return false;
        }
        self.insert(&[byte]);
        print(&[byte]);
        true
    }

    /// Ends the line where it stands.
    fn accept(&mut self) -> Line {
        if self.at < self.text.len() {
            self.at = self.text.len();
            self.draw();
        }
        Line::Text(std::mem::take(&mut self.text))
    }

    fn control(&mut self, byte: u8) {
        match byte {
            1 => self.at = 0,
            2 => self.at = self.previous(self.at),
            5 => self.at = self.text.len(),
            6 => self.at = self.next(self.at),
            8 | 127 => self.delete(self.previous(self.at), self.at),
            11 => self.kill(self.at, self.text.len()),
            12 => {
                print(b"\x1b[H\x1b[J");
                self.row = 0;
            }
            14 => self.recall(true),
            16 => self.recall(false),
            20 => self.transpose(),
            21 => self.kill(0, self.at),
            23 => self.kill(self.word_start(), self.at),
            25 => {
                let killed = self.killed.clone();
                self.insert(&killed);
            }
            byte if byte >= 32 => self.insert(&[byte]),
            _ => {}
        }
    }

    /// Keys that begin with an escape: xterm's and the Linux console's.
    fn escape(&mut self) {
        let Some(first) = key() else { return };
        match first {
            b'b' => self.at = self.word_start(),
            b'f' => self.at = self.word_end(),
            b'd' => self.kill(self.at, self.word_end()),
            8 | 127 => self.kill(self.word_start(), self.at),
            b'[' | b'O' => self.sequence(),
            _ => {}
        }
    }

    fn sequence(&mut self) {
        let mut number = 0usize;
        let mut modified = false;
        loop {
            match key() {
                Some(digit @ b'0'..=b'9') if !modified => {
                    number = number.saturating_mul(10) + usize::from(digit - b'0')
                }
                Some(b'0'..=b'9') => {}
                Some(b';') => modified = true,
                Some(letter) => return self.sequence_end(letter, number, modified),
                None => return,
            }
        }
    }

    fn sequence_end(&mut self, letter: u8, number: usize, modified: bool) {
        match (letter, number) {
            (b'A', _) => self.recall(false),
            (b'B', _) => self.recall(true),
            (b'C', _) if modified => self.at = self.word_end(),
            (b'D', _) if modified => self.at = self.word_start(),
            (b'C', _) => self.at = self.next(self.at),
            (b'D', _) => self.at = self.previous(self.at),
            (b'H', _) | (b'~', 1 | 7) => self.at = 0,
            (b'F', _) | (b'~', 4 | 8) => self.at = self.text.len(),
            (b'~', 3) => self.delete(self.at, self.next(self.at)),
            _ => {}
        }
    }

    fn insert(&mut self, text: &[u8]) {
        self.text.splice(self.at..self.at, text.iter().copied());
        self.at += text.len();
    }

    fn delete(&mut self, start: usize, end: usize) {
        self.text.drain(start..end);
        self.at = start;
    }

    fn kill(&mut self, start: usize, end: usize) {
        self.killed = self.text[start..end].to_vec();
        self.delete(start, end);
    }

    /// Exchanges the characters around the cursor.
    fn transpose(&mut self) {
        let middle = if self.at == self.text.len() { self.previous(self.at) } else { self.at };
        let (start, end) = (self.previous(middle), self.next(middle));
        if start < middle && middle < end {
            self.text[start..end].rotate_left(middle - start);
            self.at = end;
        }
    }

    fn previous(&self, at: usize) -> usize {
        let mut at = at.saturating_sub(1);
        while at > 0 && self.text[at] & 0xc0 == 0x80 {
            at -= 1;
        }
        at
    }

    fn next(&self, at: usize) -> usize {
        let mut at = (at + 1).min(self.text.len());
        while at < self.text.len() && self.text[at] & 0xc0 == 0x80 {
            at += 1;
        }
        at
    }

    fn word_start(&self) -> usize {
        let mut at = self.at;
        while at > 0 && self.text[at - 1] == b' ' {
            at -= 1;
        }
        while at > 0 && self.text[at - 1] != b' ' {
            at -= 1;
        }
        at
    }

    fn word_end(&self) -> usize {
        let mut at = self.at;
        while at < self.text.len() && self.text[at] == b' ' {
            at += 1;
        }
        while at < self.text.len() && self.text[at] != b' ' {
            at += 1;
        }
        at
    }

    /// Goes through the history.
    fn recall(&mut self, newer: bool) {
        let entry = if newer { self.entry + 1 } else { self.entry.wrapping_sub(1) };
        if entry > self.history.len() {
            return;
        }
        if self.entry == self.history.len() {
            self.draft = self.text.clone();
        }
        self.entry = entry;
        self.text = self.history.get(entry).unwrap_or(&self.draft).clone();
        self.at = self.text.len();
    }

    /// Ctrl-R: searches backwards as the user types. A line when it was accepted.
    fn search(&mut self) -> Option<Line> {
        let mut wanted = Vec::new();
        let mut from = self.history.len();
        loop {
            let found = |from: usize| {
                self.history[..from]
                    .iter()
                    .rposition(|line| line.windows(wanted.len().max(1)).any(|part| part == wanted))
            };
            let entry = if wanted.is_empty() { None } else { found(from) };
            if let Some(entry) = entry {
                self.text = self.history[entry].clone();
                self.at = self.text.len();
                self.entry = entry;
            }
            let prompt = [b"(reverse-i-search)'", &wanted[..], b"': "].concat();
            self.draw_behind(&prompt);
            match key() {
                Some(18) => from = entry.unwrap_or(from),
                Some(8 | 127) => {
                    wanted.pop();
                    from = self.history.len();
                }
                Some(b'\r' | b'\n') => {
                    self.draw();
                    return Some(self.accept());
                }
                Some(3) => return Some(Line::Interrupted),
                Some(byte) if byte >= 32 => {
                    wanted.push(byte);
                    from = self.history.len();
                }
                Some(27) => {
                    self.escape();
                    return None;
                }
                _ => return None,
            }
        }
    }

    /// Tab: extends the word as far as all candidates agree, or shows them.
    fn complete(&mut self, complete: Completer<'_>) {
        let (start, candidates) = complete(&self.text[..self.at]);
        let Some(first) = candidates.first() else {
            print(b"\x07");
            return;
        };
        let mut common = first.len();
        for one in &candidates[1..] {
            common = first.iter().zip(one).take(common).take_while(|(a, b)| a == b).count();
        }
        let common = first[..common].to_vec();
        if common.len() > self.at - start || candidates.len() == 1 {
            self.text.splice(start..self.at, common.iter().copied());
            self.at = start + common.len();
            if candidates.len() == 1 && !common.ends_with(b"/") {
                self.insert(b" ");
            }
            return;
        }
        print(b"\r\n");
        for one in candidates.iter().take(200) {
            print(one);
            print(b"  ");
        }
        print(b"\r\n");
        self.row = 0;
    }

    fn draw(&mut self) {
        self.draw_behind(self.prompt);
    }

    fn draw_behind(&mut self, prompt: &[u8]) {
        let columns = columns();
        let mut out = Vec::new();
        if self.row > 0 {
            out.extend_from_slice(format!("\x1b[{}A", self.row).as_bytes());
        }
        out.extend_from_slice(b"\r\x1b[J");
        out.extend_from_slice(&prompt.split(|&byte| byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]));
        for &byte in &self.text {
            match byte {
                0..=31 => out.extend_from_slice(&[b'^', byte + 64]),
                _ => out.push(byte),
            }
        }
        let behind = prompt.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
        let lines = prompt.iter().filter(|&&byte| byte == b'\n').count();
        let start = width(behind);
        let end = start + width(&self.text);
        let cursor = start + width(&self.text[..self.at]);
        // At the last column a terminal waits with the wrap: make it.
        if end > 0 && end.is_multiple_of(columns) {
            out.extend_from_slice(b"\r\n");
        }
        if cursor < end {
            let up = end / columns - cursor / columns;
            if up > 0 {
                out.extend_from_slice(format!("\x1b[{up}A").as_bytes());
            }
            out.push(b'\r');
            if !cursor.is_multiple_of(columns) {
                out.extend_from_slice(format!("\x1b[{}C", cursor % columns).as_bytes());
            }
        }
        self.row = lines + cursor / columns;
        print(&out);
    }
}

/// The terminal's width in columns: 80 when it does not say.
fn columns() -> usize {
    match termios::tcgetwinsize(fd::borrow(0)) {
        Ok(size) if size.ws_col > 1 => usize::from(size.ws_col),
        _ => 80,
    }
}

/// Columns that a text takes; escape sequences take none, East Asian wide characters two.
fn width(text: &[u8]) -> usize {
    let mut columns = 0;
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        let length = crate::expand::pattern::width(&text[at..]);
        if byte == 27 && text.get(at + 1) == Some(&b'[') {
            at += 2;
            while at < text.len() && !(0x40..=0x7e).contains(&text[at]) {
                at += 1;
            }
            at += 1;
            continue;
        }
        let wide = length >= 3
            && std::str::from_utf8(&text[at..at + length]).ok().and_then(|one| one.chars().next()).is_some_and(is_wide);
        columns += if wide || byte < 32 { 2 } else { 1 };
        at += length;
    }
    columns
}

fn is_wide(character: char) -> bool {
    matches!(u32::from(character), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_columns() {
        assert_eq!(width(b"ab"), 2);
        assert_eq!(width(b"\x1b[1;31mab\x1b[0m"), 2);
        assert_eq!(width("é漢".as_bytes()), 3);
        assert_eq!(width(b"\x01"), 2);
    }
}
