//! Pages: rows of columns between headers.

use rbox_core::escape;
use rbox_core::prelude::*;
use rbox_core::text;
use rbox_core::text::Right;

use super::source::{Item, Source};

/// How pages look; sizes are in columns or lines.
pub struct Layout {
    pub columns: usize,
    pub merges: bool,
    pub across: bool,
    /// Rows of a page, and the lines that they take with those between them.
    pub rows: usize,
    pub body: usize,
    pub has_header: bool,
    /// Form feeds of the input are printed where there are no headers.
    pub has_pages: bool,
    pub feeds: bool,
    pub doubles: bool,
    pub margin: usize,
    pub width: usize,
    pub separator: Vec<u8>,
    /// Columns begin where their width says; their text is cut to it.
    pub pads: bool,
    pub cuts: bool,
    /// What is after a number, and its digits.
    pub numbers: Option<(u8, usize)>,
    pub expand: Option<(u8, usize)>,
    pub compress: Option<(u8, usize)>,
    pub shows_octal: bool,
    pub shows_control: bool,
    pub utf8: bool,
}

/// The pages of a file, or of files side by side.
pub struct Pages<'a> {
    pub layout: &'a Layout,
    pub first: u64,
    pub last: u64,
    /// The number of the first line that is printed.
    pub start: Option<i64>,
    pub date: Vec<u8>,
    pub text: &'a [u8],
}

/// A line in a column, and its number.
struct Cell {
    text: Vec<u8>,
    number: i64,
}

/// The cells of a page, row by row.
struct Page {
    cells: Vec<Option<Cell>>,
    /// A form feed ended it.
    is_fed: bool,
    /// Its last row did not meet the end of the page or file, so the space of -d is after it too.
    is_open: bool,
}

impl Pages<'_> {
    pub fn print(&self, env: &mut Env, sources: &mut [Source]) -> Result<()> {
        let layout = self.layout;
        let width = layout.column_width()?;
        let (mut page, mut number) = (1, self.start.unwrap_or(1));
        while page <= self.last {
            let content = match layout.merges {
                true => self.merged(sources, &mut number)?,
                false => self.columned(&mut sources[0], &mut number)?,
            };
            let Some(content) = content else { break };
            if page >= self.first {
                self.print_page(env, &content, page, width)?;
            } else if self.start.is_some() {
                number = self.start.unwrap_or(1);
            }
            page += 1;
        }
        if page <= self.first && self.first > 1 {
            let message = text!("starting page number ", self.first, " exceeds page count ", page - 1);
            env.report(&Error::new(message));
        }
        Ok(())
    }

    /// The next page of one file; `None` after the last one.
    fn columned(&self, source: &mut Source, number: &mut i64) -> Result<Option<Page>> {
        let layout = self.layout;
        let most = layout.rows.saturating_mul(layout.columns);
        let (mut lines, mut is_fed) = (Vec::new(), false);
        while lines.len() < most && !is_fed {
            match source.next()? {
                Item::Line(text) => {
                    lines.push(Some(Cell { text, number: *number }));
                    *number += 1;
                }
                Item::Feed => is_fed = true,
                Item::End if lines.is_empty() => return Ok(None),
                Item::End => break,
            }
        }
        if lines.len() == most {
            // A form feed after it ends no other page.
            is_fed = source.skip_feed()? && !source.is_whole;
        }
        if layout.across || layout.columns == 1 {
            let is_open = lines.len() % layout.columns == 0 && source.is_whole;
            return Ok(Some(Page { cells: lines, is_fed, is_open }));
        }
        // The columns have as many lines as each other, the first ones one more.
        let (even, more) = (lines.len() / layout.columns, lines.len() % layout.columns);
        let rows = even + usize::from(more > 0);
        let mut cells = Vec::new();
        for row in 0..rows {
            for column in 0..layout.columns {
                let height = even + usize::from(column < more);
                let at = column * even + column.min(more) + row;
                cells.push(if row < height { lines[at].take() } else { None });
            }
        }
        Ok(Some(Page { cells, is_fed, is_open: lines.len() == most }))
    }

    /// The next page of files side by side.
    fn merged(&self, sources: &mut [Source], number: &mut i64) -> Result<Option<Page>> {
        let (mut cells, mut is_fed) = (Vec::new(), false);
        sources.iter_mut().for_each(|source| source.waits = source.ended);
        for _ in 0..self.layout.rows {
            let start = cells.len();
            for source in &mut *sources {
                let item = if source.waits { Item::End } else { source.next()? };
                source.waits |= !matches!(item, Item::Line(_));
                is_fed |= matches!(item, Item::Feed);
                cells.push(if let Item::Line(text) = item { Some(Cell { text, number: *number }) } else { None });
            }
            if cells[start..].iter().all(Option::is_none) {
                cells.truncate(start);
                break;
            }
            *number += 1;
        }
        let is_open = sources.iter().any(|source| source.is_whole);
        Ok(if cells.is_empty() && !is_fed { None } else { Some(Page { cells, is_fed, is_open }) })
    }

    fn print_page(&self, env: &mut Env, page: &Page, number: u64, width: usize) -> Result<()> {
        let layout = self.layout;
        if layout.has_header {
            let page = text!("Page ", number);
            let free = layout.width.saturating_sub(self.date.len() + self.text.len() + page.len());
            let (left, right) = (free / 2, free - free / 2);
            let margin = vec![b' '; layout.margin];
            let blanks = |count: usize| vec![b' '; count.max(1)];
            env.stdout.write(&text!(
                &margin,
                "\n\n",
                &margin,
                &self.date,
                blanks(left),
                self.text,
                blanks(right),
                page,
                "\n\n\n"
            ))?;
        }
        let (mut lines, mut rows) = (0, 0);
        let mut line = Line { layout, out: Vec::new(), position: 0, blanks: 0 };
        for row in page.cells.chunks(layout.columns) {
            line.out.clear();
            (line.position, line.blanks) = (0, layout.margin);
            line.print_row(row, width);
            line.out.push(b'\n');
            lines += 1;
            rows += 1;
            if layout.doubles && (page.is_open || rows * layout.columns < page.cells.len()) {
                line.out.push(b'\n');
                lines += 1;
            }
            env.stdout.write(&line.out)?;
        }
        if layout.feeds && layout.has_header || page.is_fed && !layout.has_header && layout.has_pages {
            return env.stdout.push(b'\x0c');
        }
        if layout.has_header {
            // The trailer is five empty lines.
            env.stdout.write_repeated(b'\n', layout.body.saturating_sub(lines) + 5)?;
        }
        Ok(())
    }
}

impl Layout {
    /// Columns that a number takes, with what is after it.
    fn number_width(&self) -> usize {
        self.numbers.map_or(0, |(after, digits)| if after == b'\t' { digits / 8 * 8 + 8 } else { digits + 1 })
    }

    /// The width of a column; side by side, numbers are before the first one.
    fn column_width(&self) -> Result<usize> {
        let others = (self.columns - 1) * self.separator.len() + if self.merges { self.number_width() } else { 0 };
        let width = self.width.saturating_sub(others) / self.columns;
        let least = if self.merges || self.numbers.is_none() { 1 } else { self.number_width() + 1 };
        if width < least && self.cuts { Err(Error::new("page width too narrow")) } else { Ok(width) }
    }
}

/// A line that is being printed.
struct Line<'a> {
    layout: &'a Layout,
    out: Vec<u8>,
    /// The column after what is in `out`, and blanks that are not.
    position: usize,
    blanks: usize,
}

impl Line<'_> {
    fn print_row(&mut self, row: &[Option<Cell>], width: usize) {
        let layout = self.layout;
        if layout.compress.is_none() {
            self.flush();
        }
        let number_width = layout.number_width();
        let mut start = layout.margin;
        if layout.merges
            && let Some(cell) = row.iter().flatten().next()
        {
            self.push_number(cell.number);
            start += number_width;
        }
        // Separators that nothing follows are not printed.
        let used = row.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        for (at, cell) in row[..used].iter().enumerate() {
            if at > 0 {
                start += width + layout.separator.len();
                if layout.pads {
                    self.blanks = (start - layout.separator.len()).saturating_sub(self.position);
                }
                for &byte in &layout.separator {
                    self.push(byte, 1);
                }
            }
            // Blanks of the next text are not joined to those of a column without text.
            let is_after_nothing = at > 0 && row[at - 1].is_none();
            if is_after_nothing || cell.as_ref().is_some_and(|cell| cell.text.is_empty()) {
                self.flush();
            }
            let Some(cell) = cell else { continue };
            if !layout.merges {
                self.push_number(cell.number);
            }
            // Numbers are part of the column that is cut.
            let taken = if layout.merges || !layout.cuts { 0 } else { number_width };
            self.push_text(&cell.text, taken, if layout.cuts { width } else { usize::MAX });
        }
    }

    /// The last digits of the number, and what is after it.
    fn push_number(&mut self, number: i64) {
        let Some((after, digits)) = self.layout.numbers else { return };
        let text = text!(Right(number, digits, b' '));
        for &byte in &text[text.len() - digits..] {
            self.push(byte, 1);
        }
        if after == b'\t' && self.layout.columns > 1 {
            (0..self.layout.number_width() - digits).for_each(|_| self.push(b' ', 1));
        } else {
            self.push(after, self.layout.number_width() - digits);
        }
    }

    /// The text as it is shown, from `column` of its own up to `most`.
    fn push_text(&mut self, mut text: &[u8], mut column: usize, most: usize) {
        let layout = self.layout;
        // GNU: a tab that is the first character is as wide as without the number.
        let mut before = core::mem::take(&mut column);
        loop {
            let tab = layout.expand.map_or(b'\t', |(tab, _)| tab);
            let plain = text.iter().take_while(|&&byte| matches!(byte, b'!'..=b'~') && byte != tab).count();
            let plain = plain.min(most.saturating_sub(column + before));
            if plain > 0 {
                column += core::mem::take(&mut before) + plain;
                self.flush();
                self.out.extend_from_slice(&text[..plain]);
                self.position += plain;
                text = &text[plain..];
            }
            let Some((&byte, rest)) = text.split_first() else { return };
            text = rest;
            let (mut shown, mut width) = ([byte; 4], 1);
            let mut length = 1;
            if let Some((_, stop)) = layout.expand.filter(|(tab, _)| *tab == byte) {
                let count = stop - column % stop;
                column += core::mem::take(&mut before);
                let count = count.min(most.saturating_sub(column));
                (0..count).for_each(|_| self.push(b' ', 1));
                column += count;
                continue;
            } else if byte == b'\t' {
                width = 8 - column % 8;
            } else if !(matches!(byte, b' '..=b'~') || layout.utf8 && byte >= 0x80) {
                if layout.shows_control && byte < 0x80 && !layout.shows_octal {
                    (shown[0], shown[1], length) = (b'^', byte ^ 0x40, 2);
                } else if layout.shows_octal || layout.shows_control {
                    shown = escape::octal(byte);
                    length = 4;
                } else {
                    width = 0;
                }
            } else if byte & 0xC0 == 0x80 {
                // A character of UTF-8 is counted once.
                width = 0;
            }
            column += core::mem::take(&mut before);
            for &byte in &shown[..length] {
                if column + width > most {
                    return;
                }
                self.push(byte, width);
                column += width;
            }
            if byte == 8 && length == 1 {
                (column, self.position) = (column.saturating_sub(1), self.position.saturating_sub(1));
            }
        }
    }

    fn push(&mut self, byte: u8, width: usize) {
        if byte == b' ' && self.layout.compress.is_some() {
            self.blanks += 1;
            return;
        }
        self.flush();
        self.out.push(byte);
        self.position += width;
    }

    /// Prints the blanks that wait, as tabs where they reach a stop.
    fn flush(&mut self) {
        let end = self.position + core::mem::take(&mut self.blanks);
        if let Some((tab, stop)) = self.layout.compress {
            while end - self.position > 1 && (self.position / stop + 1) * stop <= end {
                self.out.push(tab);
                self.position = (self.position / stop + 1) * stop;
            }
        }
        self.out.resize(self.out.len() + end - self.position, b' ');
        self.position = end;
    }
}
