//! The last row: the prompt, the status, and lines that are typed there.

use rbox_core::error::Result;
use rbox_core::push;
use rbox_core::term::keys::Key;
use rbox_core::term::screen::{Typed, type_key};
use rbox_core::term::{Shown, clean};
use rbox_core::text;

use super::Less;

const REVERSED: &[u8] = b"\x1b[7m";
const ORDINARY: &[u8] = b"\x1b[m";

/// A row without the sequences that set colours.
pub(super) fn without_colours(row: &[u8]) -> Vec<u8> {
    let row = row.strip_prefix(REVERSED).unwrap_or(row);
    row.strip_suffix(ORDINARY).unwrap_or(row).to_vec()
}

impl Less<'_> {
    /// What the last row says when the file has been shown up to this offset.
    pub(super) fn prompt(&mut self, end: u64, is_end: bool) -> Vec<u8> {
        if !self.message.is_empty() {
            return self.reversed(&self.message.clone());
        }
        if self.help.is_some() {
            return self.reversed(b"HELP -- Press q when done");
        }
        if self.settings.status {
            let status = self.status(end, is_end);
            return self.reversed(&status);
        }
        if !self.is_named {
            let named = self.named(is_end);
            return self.reversed(&named);
        }
        match is_end {
            true => {
                let end = text!("(END)", self.next_file());
                self.reversed(&end)
            }
            false if self.filter.is_some() => b"& :".to_vec(),
            false => b":".to_vec(),
        }
    }

    fn reversed(&self, message: &[u8]) -> Vec<u8> {
        let mut message = clean(message, b"", Shown::Caret);
        // The row must not be wider than the screen.
        while rbox_core::term::width(&message) >= self.screen.columns && !message.is_empty() {
            message.truncate(message.iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or(0));
        }
        text!(REVERSED, message, ORDINARY)
    }

    fn next_file(&self) -> Vec<u8> {
        match self.files.get(self.current + 1) {
            Some(next) => text!(" - next: ", &next.name),
            None => Vec::new(),
        }
    }

    fn named(&self, is_end: bool) -> Vec<u8> {
        let name = &self.files[self.current].name[..];
        let mut text = if name == b"-" { Vec::new() } else { name.to_vec() };
        if self.files.len() > 1 {
            push!(text, " (file ", self.current + 1, " of ", self.files.len(), ")");
        }
        if is_end {
            push!(text, if text.is_empty() { "(END)" } else { " (END)" }, self.next_file());
        }
        if text.is_empty() { b":".to_vec() } else { text }
    }

    /// BusyBox's status line: the name, the lines on the screen, their number, and the part of the file up to there.
    pub(super) fn status(&mut self, end: u64, is_end: bool) -> Vec<u8> {
        let mut text = self.named(false);
        if text == b":" {
            text.clear();
        }
        let size = self.source.size();
        let is_whole = !self.source.is_open_stream();
        if !self.settings.no_count {
            let first = self.source.line_number(self.top);
            let last = if end > self.top { self.source.line_number(end - 1) } else { first };
            push!(text, if text.is_empty() { "lines " } else { " lines " }, first, "-", last);
            if is_whole {
                push!(text, "/", if size > 0 { self.source.line_number(size - 1) } else { 0 });
            }
        } else {
            push!(text, " byte ", end);
            if is_whole {
                push!(text, "/", size);
            }
        }
        match is_end {
            true => push!(text, " (END)", self.next_file()),
            false if is_whole && size > 0 => {
                push!(text, " ", (u128::from(end) * 100 / u128::from(size)) as u64, "%");
            }
            false => {}
        }
        text
    }

    /// The next key. More of a stream is shown as it comes.
    pub(super) fn key(&mut self) -> Result<Key> {
        loop {
            while self.source.is_open_stream() && !self.screen.keys.is_ready() && self.has_space() {
                self.source.wait(None);
                self.draw()?;
            }
            match self.screen.key() {
                Key::Signal => self.draw()?,
                key => return Ok(key),
            }
        }
    }

    /// Whether there are rows at the bottom that a stream has not filled yet.
    fn has_space(&mut self) -> bool {
        self.source.set_patience(0);
        self.bottom().1.is_none()
    }

    /// Asks for a line in the last row. `None` when it was given up.
    pub(super) fn ask(&mut self, prompt: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        loop {
            self.show_line(&text!(prompt, clean(&line, b"", Shown::Caret)))?;
            match self.screen.key() {
                Key::Signal => self.draw()?,
                key => match type_key(&mut line, key) {
                    Typed::More => {}
                    Typed::Done => return Ok(Some(line)),
                    Typed::Cancelled => return Ok(None),
                },
            }
        }
    }

    /// Shows a line that is typed, or its end where it is wider than the screen.
    pub(super) fn show_line(&mut self, line: &[u8]) -> Result<()> {
        let mut rows = self.screen.shown().to_vec();
        if rows.len() < 2 {
            return Ok(());
        }
        let mut shown = line;
        while rbox_core::term::width(shown) >= self.screen.columns && !shown.is_empty() {
            shown = &shown[rbox_core::term::character(shown).1..];
        }
        let last = rows.len() - 1;
        rows[last] = shown.to_vec();
        self.screen.draw(&rows, (last, rbox_core::term::width(shown)))
    }
}
