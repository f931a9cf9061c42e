//! Rows on the screen: which lines they are parts of, what comes before and after them, and drawing.

use rbox_core::error::Result;
use rbox_core::term::size;
use rbox_core::text::Right;
use rbox_core::{push, text};

use super::{Less, Settings};
use crate::pager::row::{Look, next_row, show};
use crate::pager::source::Source;

/// Columns of the number of a line, and the blank after it.
const NUMBERS: usize = 8;

/// The rows of a file, when they fit on the screen with the prompt below them.
pub(super) fn whole(source: &mut Source, settings: &Settings) -> Option<Vec<u8>> {
    let (rows, columns) = size(1)?;
    let columns = columns.saturating_sub(if settings.numbers { NUMBERS } else { 0 }).max(1);
    let look = Look { columns, left: 0, chop: settings.chop, tab: settings.tab, raw: settings.raw };
    let (mut at, mut used, mut number, mut out) = (0, 0, 0usize, Vec::new());
    loop {
        let end = source.line_end(at);
        if end == at {
            return Some(out);
        }
        number += 1;
        if settings.squeeze && at >= 2 && source.bytes(at - 2, 3) == b"\n\n\n" {
            at = end;
            continue;
        }
        let line = source.bytes(at, end - at);
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut from = 0;
        loop {
            if settings.numbers && from == 0 {
                push!(out, Right(number, NUMBERS - 1, b' '), " ");
            } else if settings.numbers {
                out.resize(out.len() + NUMBERS, b' ');
            }
            let (row, next) = show(line, from, &look, &[]);
            push!(out, row, "\n");
            (from, used) = (next, used + 1);
            if used >= rows {
                return None;
            }
            if from >= line.len() {
                break;
            }
        }
        at = end;
    }
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
            let line_end = self.source.line_end(start);
            if self.is_shown(start, line_end) {
                return Some(start);
            }
            end = start;
        }
        None
    }

    /// The line that has an offset, without its newline; where it begins and ends. `None` past the end.
    fn line(&mut self, at: u64) -> Option<(&[u8], u64, u64)> {
        let start = self.source.line_start(at);
        let end = self.source.line_end(start);
        if end <= at {
            return None;
        }
        let line = self.source.bytes(start, end - start);
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        Some((line.strip_suffix(b"\r").unwrap_or(line), start, end))
    }

    /// Where the row begins that follows the one at an offset; `None` at the end.
    fn below(&mut self, at: u64) -> Option<u64> {
        let look = self.look();
        let (line, start, end) = self.line(at)?;
        let next = next_row(line, ((at - start) as usize).min(line.len()), &look);
        if next >= line.len() { self.shown_from(end) } else { Some(start + next as u64) }
    }

    /// The row that begins at an offset, and where the next one begins. `None` past the end.
    fn row(&mut self, at: u64) -> Option<(Vec<u8>, Option<u64>)> {
        let look = self.look();
        let (search, has_highlights) = (self.search.take(), self.highlights);
        let shown = self.line(at).map(|(line, start, _)| {
            let spans =
                search.as_ref().filter(|_| has_highlights).map_or(Vec::new(), |search| search.pattern.spans(line));
            let from = ((at - start) as usize).min(line.len());
            (show(line, from, &look, &spans).0, start)
        });
        self.search = search;
        let (mut text, start) = shown?;
        if self.settings.numbers {
            let number = match at - start {
                0 => text!(Right(self.source.line_number(start), NUMBERS - 1, b' '), " "),
                _ => vec![b' '; NUMBERS],
            };
            // On a screen that is narrower there is no number.
            let columns = self.screen.columns.saturating_sub(look.columns);
            text = [&number[NUMBERS - columns.min(NUMBERS)..], &text].concat();
        }
        Some((text, self.below(at)))
    }

    /// The row that is so many rows above the one at an offset, or the first one; and how many rows that is.
    fn above(&mut self, mut at: u64, count: usize) -> (u64, usize) {
        let look = self.look();
        let mut left = count;
        while left > 0 {
            let mut start = self.source.line_start(at);
            if start == at {
                let Some(before) = self.shown_before(at) else { break };
                start = before;
            }
            let Some((line, ..)) = self.line(start) else { break };
            let (mut rows, mut from, limit) = (Vec::new(), 0, (at - start) as usize);
            while from < limit && (from < line.len() || from == 0) {
                rows.push(start + from as u64);
                from = next_row(line, from, &look).max(from + 1);
            }
            at = rows[rows.len().saturating_sub(left)];
            left -= rows.len().min(left);
        }
        (at, count - left)
    }

    /// Moves down, at most until the last row of the file is at the bottom; `past`: until it is at the top.
    pub(super) fn down(&mut self, count: usize, past: bool) {
        let mut bottom = Some(self.top);
        for _ in 0..if past { 1 } else { self.page() } {
            bottom = bottom.and_then(|at| self.below(at));
        }
        let mut moved = false;
        for _ in 0..count {
            let (Some(at), Some(next)) = (bottom, self.below(self.top)) else { break };
            bottom = self.below(at);
            (self.top, moved) = (next, true);
        }
        if !moved {
            self.bell();
        }
    }

    /// Moves up.
    pub(super) fn up(&mut self, count: usize) {
        match self.above(self.top, count) {
            (_, 0) => self.bell(),
            (row, _) => self.top = row,
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
        self.top = self.above(self.source.size(), self.page()).0;
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
            match self.below(at) {
                Some(next) => at = next,
                None => return (self.source.size(), None),
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
            let Some((row, next)) = at.and_then(|at| self.row(at)) else { break };
            rows.push(row);
            end = next.unwrap_or_else(|| self.source.size());
            at = next;
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
}
