//! Rows on the screen: which lines they are parts of, what comes before and after them, and drawing.

use rbox_core::error::Result;
use rbox_core::term::size;
use rbox_core::text;
use rbox_core::text::Right;

use super::row::{Look, Raw, show};
use super::source::Source;
use super::{Less, Settings};

/// Columns of the number of a line, and the blank after it.
const NUMBERS: usize = 8;

/// A row.
struct Row {
    text: Vec<u8>,
    /// Where the next one begins; `None` at the end.
    next: Option<u64>,
}

/// Whether a file fits on the screen with the prompt below it.
pub(super) fn fits(source: &mut Source, settings: &Settings) -> bool {
    let Some((rows, columns)) = size(1) else { return false };
    let columns = columns.saturating_sub(if settings.numbers { NUMBERS } else { 0 }).max(1);
    let look = Look { columns, left: 0, chop: settings.chop, tab: settings.tab, raw: settings.raw };
    let (mut at, mut used) = (0, 0);
    while used < rows.saturating_sub(1) {
        let end = source.line_end(at);
        if end == at {
            return true;
        }
        let line = source.bytes(at, end - at);
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let mut from = 0;
        loop {
            from = show(line, from, &look, &[]).1;
            used += 1;
            if from >= line.len() {
                break;
            }
        }
        at = end;
    }
    used < rows && source.bytes(at, 1).is_empty()
}

impl Less<'_> {
    /// Rows for the file.
    pub(super) fn page(&self) -> usize {
        self.screen.rows - 1
    }

    fn look(&self) -> Look {
        let margin = if self.settings.numbers { NUMBERS } else { 0 };
        let columns = self.screen.columns.saturating_sub(margin).max(1);
        // Columns that are skipped are those of the whole line.
        let chop = self.settings.chop || self.left > 0;
        Look { columns, left: self.left, chop, tab: self.settings.tab, raw: self.settings.raw }
    }

    /// Whether a line is shown: the filter takes it, and it is not one of several empty ones.
    fn is_shown(&mut self, start: u64, end: u64) -> bool {
        if self.settings.squeeze && start >= 2 && self.source.bytes(start - 2, 3) == b"\n\n\n" {
            return false;
        }
        match &self.filter {
            None => true,
            Some(filter) => {
                let line = self.source.bytes(start, end - start);
                filter.is_match(line.strip_suffix(b"\n").unwrap_or(line))
            }
        }
    }

    /// The line that is shown at this offset, where one begins, or after it.
    pub(super) fn shown_from(&mut self, mut start: u64) -> Option<u64> {
        loop {
            if let Some(filter) = &self.filter {
                start = filter.forward(&mut self.source, start)?;
            }
            let end = self.source.line_end(start);
            if end == start {
                return None;
            }
            if self.is_shown(start, end) {
                return Some(start);
            }
            start = end;
        }
    }

    /// The last line that is shown before this offset, where one begins.
    fn shown_before(&mut self, mut end: u64) -> Option<u64> {
        while end > 0 {
            let start = match &self.filter {
                Some(filter) => filter.backward(&mut self.source, end)?,
                None => self.source.line_start(end - 1),
            };
            if self.is_shown(start, end) {
                return Some(start);
            }
            end = start;
        }
        None
    }

    /// The row that begins at an offset, `None` past the end. `finish`: with highlights, for the screen.
    fn row(&mut self, at: u64, finish: bool) -> Option<Row> {
        let start = self.source.line_start(at);
        let end = self.source.line_end(start);
        if end <= at {
            return None;
        }
        let look = self.look();
        let line = self.source.bytes(start, end - start);
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let spans = match &self.search {
            Some(search) if finish && self.highlights => search.pattern.spans(line),
            _ => Vec::new(),
        };
        let from = ((at - start) as usize).min(line.len());
        let (mut text, next) = show(line, from, &look, &spans);
        let (is_last, length) = (next >= line.len(), line.len());
        if finish && self.settings.numbers {
            let number = match from {
                0 => text!(Right(self.source.line_number(start), NUMBERS - 1, b' '), " "),
                _ => vec![b' '; NUMBERS],
            };
            // On a screen that is narrower there is no number.
            let columns = self.screen.columns.saturating_sub(look.columns);
            text = [&number[NUMBERS - columns.min(NUMBERS)..], &text].concat();
        }
        debug_assert!(next <= length);
        let next = if is_last { self.shown_from(end) } else { Some(start + next as u64) };
        Some(Row { text, next })
    }

    /// The row before.
    fn row_before(&mut self, at: u64) -> Option<u64> {
        let start = self.source.line_start(at);
        let mut row = if at > start { start } else { self.shown_before(start)? };
        loop {
            match self.row(row, false)?.next {
                Some(next) if next < at => row = next,
                _ => return Some(row),
            }
        }
    }

    /// Moves down, at most until the last row of the file is at the bottom; `past`: until it is at the top.
    pub(super) fn down(&mut self, count: usize, past: bool) {
        let mut bottom = Some(self.top);
        for _ in 0..if past { 1 } else { self.page() } {
            bottom = bottom.and_then(|at| self.row(at, false)?.next);
        }
        let mut moved = false;
        for _ in 0..count {
            let (Some(at), Some(next)) = (bottom, self.row(self.top, false).and_then(|row| row.next)) else { break };
            bottom = self.row(at, false).and_then(|row| row.next);
            (self.top, moved) = (next, true);
        }
        if !moved {
            self.bell();
        }
    }

    /// Moves up.
    pub(super) fn up(&mut self, count: usize) {
        for moved in 0..count {
            match self.row_before(self.top) {
                Some(row) => self.top = row,
                None if moved == 0 => return self.bell(),
                None => return,
            }
        }
    }

    /// Shows a line at the top.
    pub(super) fn jump(&mut self, line: u64) {
        self.marks[52] = Some((self.current, self.top));
        let shown = self.shown_from(line).or_else(|| self.shown_before(line));
        self.top = shown.unwrap_or(0);
    }

    /// Shows the end.
    pub(super) fn jump_to_end(&mut self) {
        self.marks[52] = Some((self.current, self.top));
        self.top = self.source.size();
        let page = self.page();
        for _ in 0..page {
            match self.row_before(self.top) {
                Some(row) => self.top = row,
                None => break,
            }
        }
    }

    pub(super) fn bell(&mut self) {
        if !self.settings.quiet {
            self.screen.bell();
        }
    }

    /// The offset after the last row on the screen, and the row that follows.
    pub(super) fn bottom(&mut self) -> (u64, Option<u64>) {
        let mut at = self.top;
        for _ in 0..self.page() {
            match self.row(at, false).map(|row| row.next) {
                Some(Some(next)) => at = next,
                _ => return (self.source.size(), None),
            }
        }
        (at, Some(at))
    }

    /// Whether the last row of the file is on the screen.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.bottom().1.is_none() && !self.source.is_open_stream()
    }

    /// Draws the screen.
    pub(super) fn draw(&mut self) -> Result<()> {
        if self.source.is_open_stream() {
            self.source.set_patience(100);
        }
        let (mut rows, mut at, mut end) = (Vec::new(), self.shown_from(self.top), self.top);
        self.top = at.unwrap_or(self.top);
        while rows.len() < self.page() {
            let Some(row) = at.and_then(|at| self.row(at, true)) else { break };
            rows.push(row.text);
            end = row.next.unwrap_or_else(|| self.source.size());
            at = row.next;
        }
        let is_end = at.is_none() && !self.source.is_open_stream();
        if is_end && self.help.is_none() && self.settings.quit_at_end && self.current + 1 == self.files.len() {
            self.ended = Some(Default::default());
        }
        let tilde: &[u8] = if self.settings.no_tildes { b"" } else { b"~" };
        rows.resize(self.page(), tilde.to_vec());
        let prompt = self.prompt(end, is_end);
        let column = rbox_core::term::width(&super::prompt::without_colours(&prompt)).min(self.screen.columns - 1);
        rows.push(prompt);
        let last = rows.len() - 1;
        self.screen.draw(&rows, (last, column))
    }

    /// Whether colours are obeyed; for patterns.
    pub(super) fn raw(&self) -> Raw {
        self.settings.raw
    }
}
