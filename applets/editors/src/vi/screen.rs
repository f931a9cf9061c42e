//! The screen: which lines are on it, columns of characters, scrolling, drawing, and lines that are typed in the last row.

use rbox_core::push;
use rbox_core::term::keys::Key;
use rbox_core::term::screen::{Typed, type_key};
use rbox_core::term::{Shown, clean, width};
use rbox_core::text;
use rbox_core::text::{Hex, Right};
use rbox_core::unicode::character_width;

use super::settings::{LIST, NUMBER};
use super::{Editor, Mode};

/// Columns of the number of a line, and the blank after it.
const NUMBERS: usize = 8;

impl Editor<'_> {
    /// Rows for the text.
    pub(super) fn rows(&self) -> usize {
        self.screen.rows - 1
    }

    /// Columns that the character at an offset takes, in a column.
    fn cell_width(&self, at: usize, column: usize) -> usize {
        match self.text().byte(at) {
            b' '..=b'~' => 1,
            b'\t' if !self.options.flags[LIST] => self.options.tab_stop - column % self.options.tab_stop,
            b'\n' => 1,
            0..32 | 127 => 2,
            _ => match self.text().character(at).0 {
                None | Some('\u{80}'..='\u{9f}') => 4,
                Some(one) => character_width(one),
            },
        }
    }

    /// Goes on from an offset and its column, to the offset `to` or to before the cell that has the column `wanted`.
    fn walk(&self, mut at: usize, mut column: usize, to: usize, wanted: usize) -> (usize, usize) {
        while at < to && column < wanted {
            // Printable ASCII, which most lines are, is one column a byte.
            let (first, second) = self.text().parts(at, to);
            let bytes = if first.is_empty() { second } else { first };
            let bytes = &bytes[..bytes.len().min(wanted - column)];
            let plain = bytes.iter().position(|byte| !(b' '..=b'~').contains(byte)).unwrap_or(bytes.len());
            (at, column) = (at + plain, column + plain);
            if at == to || column == wanted {
                break;
            }
            let width = self.cell_width(at, column);
            if column + width > wanted {
                break;
            }
            (at, column) = (at + self.text().character(at).1, column + width);
        }
        // What combines with the last character belongs to it.
        while at < to && at > 0 && self.cell_width(at, column) == 0 {
            at += self.text().character(at).1;
        }
        (at, column)
    }

    /// The column, from 0, of an offset in its line.
    pub(super) fn column_of(&self, at: usize) -> usize {
        let start = self.text().line_start(at);
        // Of a long line the part that was measured last need not be measured again.
        let (known, known_column) = self.measured.get();
        let (mut offset, mut column) = match start <= known && known <= at {
            true => (known, known_column),
            false => (start, 0),
        };
        (offset, column) = self.walk(offset, column, at, usize::MAX);
        debug_assert!(offset >= at);
        if at - start > 1024 {
            self.measured.set((at, column));
        }
        column
    }

    /// The character of a line that has a column, or its last one.
    pub(super) fn at_column(&self, line: usize, wanted: usize) -> usize {
        let end = self.text().line_end(line);
        if wanted == usize::MAX {
            return self.text().on_line(end);
        }
        let at = self.walk(line, 0, end, wanted).0;
        self.text().on_line(at)
    }

    /// Shows what is at an offset. An ordinary character is left to the caller.
    fn push_cell(&self, at: usize, column: usize, out: &mut Vec<u8>) {
        match self.text().byte(at) {
            byte @ b' '..=b'~' => out.push(byte),
            b'\t' if !self.options.flags[LIST] => out.resize(out.len() + self.cell_width(at, column), b' '),
            byte @ (0..32 | 127) => out.extend_from_slice(&[b'^', byte ^ 64]),
            _ => match self.text().character(at) {
                (None | Some('\u{80}'..='\u{9f}'), length) => {
                    push!(*out, "<", Hex(self.text().byte(at + length - 1).into()), ">");
                }
                (_, length) => out.extend_from_slice(&self.text().copy(at, at + length)),
            },
        }
    }

    /// Adds a row: the part of a line that the screen has.
    fn line_row(&self, line: usize, columns: usize, selected: Option<(usize, usize)>, out: &mut Vec<u8>) {
        let (mut at, mut column) = self.walk(line, 0, self.text().line_end(line), self.left);
        let (left, right) = (self.left, self.left + columns);
        let mut reversed = false;
        while column < right {
            let is_end = self.text().byte(at) == b'\n';
            let is_selected = selected.is_some_and(|(from, to)| from <= at && at < to);
            let cell = self.cell_width(at, column);
            if is_selected != reversed && column + cell > left && (!is_end || is_selected) {
                push!(*out, if is_selected { "\x1b[7m" } else { "\x1b[m" });
                reversed = is_selected;
            }
            if is_end {
                if self.options.flags[LIST] && column >= left {
                    out.push(b'$');
                } else if is_selected && column >= left {
                    out.push(b' ');
                }
                break;
            }
            if column >= left && column + cell <= right {
                self.push_cell(at, column, out);
            } else if column + cell > left {
                // Of a wide character or a tab only a part is on the screen.
                let from = column.max(left);
                out.resize(out.len() + (column + cell).min(right) - from, b' ');
            }
            column += cell;
            at += self.text().character(at).1;
        }
        if reversed {
            push!(*out, "\x1b[m");
        }
    }

    /// Chooses the part of the text that is on the screen, so that the cursor is in it.
    fn follow_cursor(&mut self, columns: usize) -> usize {
        let rows = self.rows();
        let top = self.text().line_start(self.top.min(self.text().len() - 1));
        let (first, line) = (self.text().line_number(top), self.text().line_number(self.cursor));
        // A jump of more than half a screen puts the line in the middle.
        let wanted = if line < first {
            if first - line > rows / 2 { line.saturating_sub(rows / 2) } else { line }
        } else if line >= first + rows {
            let past = line - (first + rows - 1);
            if past > rows / 2 { line.saturating_sub(rows / 2) } else { first + past }
        } else {
            first
        };
        self.top = self.text().line_offset(wanted);
        let column = self.column_of(self.cursor);
        // In command mode the cursor is on the last column of a tab.
        let is_tab = self.text().byte(self.cursor) == b'\t' && self.mode == Mode::Command;
        let column = if is_tab { column + self.cell_width(self.cursor, column) - 1 } else { column };
        if column < self.left {
            self.left = if column < columns { 0 } else { column.saturating_sub(columns / 2) };
        } else if column >= self.left + columns {
            self.left = column.saturating_sub(columns / 2).max(column + 1 - columns);
        }
        column
    }

    /// Columns for numbers of lines.
    fn margin(&self) -> usize {
        if self.options.flags[NUMBER] { NUMBERS.min(self.screen.columns - 1) } else { 0 }
    }

    /// Chooses what is on the screen after a command, also where nothing is drawn before the next one.
    pub(super) fn settle(&mut self) {
        self.follow_cursor(self.screen.columns - self.margin());
    }

    /// Draws the screen. A terminal that is gone shows at the next key.
    pub(super) fn draw(&mut self) {
        let margin = self.margin();
        let columns = self.screen.columns - margin;
        let column = self.follow_cursor(columns);
        let selected = self.visual.map(|_| self.selected()).map(|object| (object.from, object.to));
        let (mut rows, mut line) = (Vec::new(), Some(self.top));
        let first = self.text().line_number(self.top);
        let mut cursor = 0;
        while rows.len() < self.rows() {
            let Some(start) = line else {
                rows.push(b"~".to_vec());
                continue;
            };
            if start <= self.cursor {
                cursor = rows.len();
            }
            let mut row = Vec::new();
            if margin > 0 {
                push!(row, Right(first + rows.len() + 1, NUMBERS - 1, b' '), " ");
                row.drain(..NUMBERS - margin);
            }
            self.line_row(start, columns, selected, &mut row);
            rows.push(row);
            line = self.text().next_line(start);
        }
        rows.push(self.last_row());
        // Reported by the next key, as a terminal that hung up.
        let _ = self.screen.draw(&rows, (cursor, margin + column - self.left));
    }

    fn last_row(&self) -> Vec<u8> {
        if !self.message.is_empty() {
            let message = self.cut(&self.message);
            return if self.is_failure { text!("\x1b[7m", message, "\x1b[m") } else { message };
        }
        let mode = match (self.mode, self.visual) {
            (Mode::Insert, _) => "I ",
            (Mode::Replace, _) => "R ",
            (_, Some((_, true))) => "V ",
            (_, Some(_)) => "v ",
            _ => "- ",
        };
        self.cut(&text!(mode, self.status()))
    }

    /// BusyBox's status: the file, what became of it, the line, the number of lines, and the part of the text above.
    pub(super) fn status(&self) -> Vec<u8> {
        let (line, lines) = (self.text().line_number(self.cursor) + 1, self.text().lines());
        let mut status = match &self.file.name {
            Some(name) => name.clone(),
            None => b"No file".to_vec(),
        };
        push!(status, if self.is_read_only { " [Readonly]" } else { "" });
        push!(status, if self.document.is_modified() { " [Modified]" } else { "" });
        push!(status, " ", line, "/", lines, " ", line * 100 / lines, "%");
        status
    }

    /// A text without control characters, as much as the row has space for.
    fn cut(&self, message: &[u8]) -> Vec<u8> {
        let mut message = clean(message, b"", Shown::Caret);
        while width(&message) >= self.screen.columns && !message.is_empty() {
            message.truncate(message.iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or(0));
        }
        message
    }

    /// Asks for a line in the last row. `None` when it was given up. Up and Down recall lines of before.
    pub(super) fn ask(&mut self, prompt: &[u8], initial: &[u8]) -> Option<Vec<u8>> {
        let mut line = initial.to_vec();
        let kind = prompt[0];
        let mut entry = self.history.len();
        loop {
            if self.queue.is_empty() && !self.screen.keys.is_ready() {
                self.show_line(&text!(prompt, clean(&line, b"", Shown::Caret)));
            }
            match self.raw_key() {
                Key::Signal => self.draw(),
                Key::Up => {
                    let mut before = entry;
                    while before > 0 {
                        before -= 1;
                        let (other, found) = &self.history[before];
                        if *other == kind {
                            entry = before;
                            line.clone_from(found);
                            break;
                        }
                    }
                }
                Key::Down => {
                    line.clear();
                    entry = (entry + 1).min(self.history.len());
                    while let Some((other, found)) = self.history.get(entry) {
                        if *other == kind {
                            line.clone_from(found);
                            break;
                        }
                        entry += 1;
                    }
                }
                Key::Char('\x16') => {
                    if let Key::Char(one) = self.raw_key() {
                        super::push_character(&mut line, one);
                    }
                }
                key => match type_key(&mut line, key) {
                    Typed::More => {}
                    Typed::Cancelled => return None,
                    Typed::Done => {
                        // So many lines are enough for one session.
                        if self.history.len() >= 100 {
                            self.history.remove(0);
                        }
                        self.history.push((kind, line.clone()));
                        return Some(line);
                    }
                },
            }
        }
    }

    fn show_line(&mut self, line: &[u8]) {
        if self.screen.shown().len() != self.screen.rows {
            self.draw();
        }
        let mut rows = self.screen.shown().to_vec();
        let mut shown = line;
        while width(shown) >= self.screen.columns && !shown.is_empty() {
            shown = &shown[rbox_core::term::character(shown).1..];
        }
        let last = rows.len() - 1;
        rows[last] = shown.to_vec();
        // As in `draw`.
        let _ = self.screen.draw(&rows, (last, width(shown)));
    }

    /// Moves the text by lines; the cursor stays on the screen.
    pub(super) fn scroll(&mut self, lines: usize, is_down: bool) {
        self.settle();
        let top = self.text().line_number(self.top);
        let last = self.text().lines() - 1;
        let new = if is_down { top.saturating_add(lines).min(last) } else { top.saturating_sub(lines) };
        self.top = self.text().line_offset(new);
        let line = self.text().line_number(self.cursor);
        let wanted = line.clamp(new, new + self.rows() - 1);
        if wanted != line {
            let column = self.want.unwrap_or_else(|| self.column_of(self.cursor));
            (self.want, self.keeps_column) = (Some(column), true);
            self.cursor = self.at_column(self.text().line_offset(wanted), column);
        }
    }

    /// Moves by screens, two lines of which stay (POSIX XCU vi, control-F).
    pub(super) fn page(&mut self, times: usize, is_down: bool) {
        let lines = self.rows().saturating_sub(2).max(1).saturating_mul(times);
        self.scroll(lines, is_down);
        let line = if is_down { self.top } else { self.text().line_start(self.cursor) };
        self.cursor = self.text().first_nonblank(line);
    }

    pub(super) fn half_page(&mut self, is_down: bool, count: Option<usize>) {
        self.half = count.unwrap_or(self.half);
        let lines = if self.half > 0 { self.half } else { (self.rows() / 2).max(1) };
        let line = self.text().line_number(self.cursor);
        let wanted = if is_down { (line + lines).min(self.text().lines() - 1) } else { line.saturating_sub(lines) };
        if wanted == line {
            return self.bell();
        }
        self.scroll(lines, is_down);
        self.go_to_line(wanted + 1);
    }

    /// `z`: puts the line at the top (Enter, `t`), in the middle (`.`, `z`) or at the bottom (`-`, `b`).
    pub(super) fn scroll_to(&mut self, count: Option<usize>) {
        let Key::Char(how) = self.key() else { return self.bell() };
        if let Some(number) = count {
            self.go_to_line(number);
        }
        let line = self.text().line_number(self.cursor);
        let above = match how {
            '\r' | '\n' | 't' => 0,
            '.' | 'z' => self.rows() / 2,
            '-' | 'b' => self.rows() - 1,
            _ => return self.bell(),
        };
        self.top = self.text().line_offset(line.saturating_sub(above));
        if matches!(how, '\r' | '\n' | '.' | '-') {
            self.cursor = self.text().first_nonblank(self.cursor);
        }
    }
}
