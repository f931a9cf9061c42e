//! The format of `-y`: both files side by side, with GNU's columns and marks.

use core::ops::Range;

use rbox_core::prelude::*;
use rbox_core::term::character;
use rbox_core::unicode::character_width;

use super::compare::Change;
use super::style::{Side, Style, bare};

/// Where the columns of the output are.
struct Columns<'a> {
    style: &'a Style<'a>,
    /// Columns of each file's lines.
    half: usize,
    /// Where the second file's lines start.
    second: usize,
    utf8: bool,
}

/// Prints both files.
pub fn print(env: &mut Env, style: &Style<'_>, sides: [&Side<'_>; 2], changes: &[Change]) -> Result<()> {
    let tab = if style.expand { 1 } else { style.tab };
    let offset = (style.width + tab + 3) / (2 * tab) * tab;
    let half = offset.saturating_sub(3).min(style.width.saturating_sub(offset));
    let second = if half > 0 { offset } else { style.width };
    let columns = Columns { style, half, second, utf8: env.is_utf8() };
    let (mut x, mut y) = (0, 0);
    for change in changes.iter().filter(|change| !change.ignored) {
        columns.common(env, sides, x..change.old.start, y..change.new.start)?;
        let (mut old, mut new) = (change.old.clone(), change.new.clone());
        loop {
            let (left, right) = (old.next(), new.next());
            let mark = match (left, right) {
                (None, None) => break,
                (Some(_), None) => b'<',
                (None, Some(_)) => b'>',
                (Some(at), Some(to)) => mark_of_pair(sides[0].lines.get(at), sides[1].lines.get(to)),
            };
            let line = |side: usize, at: Option<usize>| at.map(|at| sides[side].lines.get(at));
            columns.row(env, line(0, left), mark, line(1, right))?;
        }
        (x, y) = (change.old.end, change.new.end);
    }
    columns.common(env, sides, x..sides[0].lines.len(), y..sides[1].lines.len())
}

/// Lines of which one has no newline have a mark of their own.
fn mark_of_pair(left: &[u8], right: &[u8]) -> u8 {
    match (bare(left).1, bare(right).1) {
        (false, true) => b'\\',
        (true, false) => b'/',
        _ => b'|',
    }
}

impl Columns<'_> {
    fn common(&self, env: &mut Env, sides: [&Side<'_>; 2], mut old: Range<usize>, mut new: Range<usize>) -> Result<()> {
        if self.style.suppress_common {
            return Ok(());
        }
        loop {
            let line = |side: usize, at: Option<usize>| at.map(|at| sides[side].lines.get(at));
            let (left, right) = (line(0, old.next()), line(1, new.next()));
            match (left, right) {
                (None, None) => return Ok(()),
                (Some(_), Some(_)) if !self.style.left_column => self.row(env, left, b' ', right)?,
                (Some(_), _) => self.row(env, left, b'(', None)?,
                (None, Some(_)) => self.row(env, None, b')', right)?,
            }
        }
    }

    fn row(&self, env: &mut Env, left: Option<&[u8]>, mark: u8, right: Option<&[u8]>) -> Result<()> {
        let mut row = Vec::new();
        let mut at = 0;
        if let Some(line) = left {
            at = self.push_line(&mut row, bare(line).0, 0);
        }
        if mark != b' ' {
            at = self.pad(&mut row, at, (self.half + self.second - 1) / 2) + 1;
            row.push(mark);
        }
        if let Some(line) = right {
            let line = bare(line).0;
            if !line.is_empty() {
                self.pad(&mut row, at, self.second);
                self.push_line(&mut row, line, self.second);
            }
        }
        if left.into_iter().chain(right).any(|line| bare(line).1) {
            row.push(b'\n');
        }
        env.stdout.write(&row)
    }

    /// Blanks or tabs from one column to another one.
    fn pad(&self, row: &mut Vec<u8>, mut from: usize, to: usize) -> usize {
        if !self.style.expand {
            let tab = self.style.tab;
            while from / tab * tab + tab <= to {
                row.push(b'\t');
                from = from / tab * tab + tab;
            }
        }
        row.resize(row.len() + to.saturating_sub(from), b' ');
        from.max(to)
    }

    /// The part of a line that fits a half, which starts at column `start`. The answer is the column where it ends.
    fn push_line(&self, row: &mut Vec<u8>, line: &[u8], start: usize) -> usize {
        let (mut column, mut written, mut rest) = (0, 0, line);
        while let Some(&byte) = rest.first() {
            let length = match byte {
                b'\t' => {
                    let to = column + self.style.tab - column % self.style.tab;
                    if to < self.half {
                        if self.style.expand {
                            row.resize(row.len() + to - written, b' ');
                        } else {
                            self.pad(row, start + written, start + column);
                            row.push(b'\t');
                        }
                        written = to;
                    }
                    column = to;
                    1
                }
                _ => {
                    let (found, length) = if self.utf8 { character(rest) } else { (None, 1) };
                    column += found.map_or(1, character_width);
                    if column <= self.half {
                        row.extend_from_slice(&rest[..length]);
                        written = column;
                    }
                    length
                }
            };
            rest = &rest[length..];
        }
        start + written
    }
}
