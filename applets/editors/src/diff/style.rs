//! How differences are shown, and what a line looks like in all formats.

use rbox_core::pattern::regex::Regex;
use rbox_core::prelude::*;
use rbox_core::time::{Moment, Zone, format};

use super::compare::Change;
use super::lines::{Lines, Rules};

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Normal,
    Unified,
    Context,
    Ed,
    ForwardEd,
    Rcs,
    SideBySide,
}

/// All that options say about one pair of files.
pub struct Style<'a> {
    pub format: Format,
    /// Lines of context.
    pub context: usize,
    pub rules: Rules,
    pub strip_cr: bool,
    pub ignore_blank: bool,
    pub ignore_matching: Option<Regex>,
    /// What the lines that hunks are named after match.
    pub function: Option<Regex>,
    pub minimal: bool,
    pub text: bool,
    pub brief: bool,
    pub report_same: bool,
    pub expand: bool,
    pub initial_tab: bool,
    /// Columns between tab stops.
    pub tab: usize,
    /// Columns of the side-by-side format.
    pub width: usize,
    pub left_column: bool,
    pub suppress_common: bool,
    pub color: bool,
    pub labels: Vec<&'a [u8]>,
    pub zone: Zone,
}

/// One of the two files.
pub struct Side<'a> {
    /// What headers call it.
    pub name: &'a [u8],
    pub modified: Moment,
    pub lines: Lines<'a>,
}

/// The colours of GNU's diff.
pub const RED: &[u8] = b"\x1b[31m";
pub const GREEN: &[u8] = b"\x1b[32m";
pub const CYAN: &[u8] = b"\x1b[36m";
pub const BOLD: &[u8] = b"\x1b[1m";
const PLAIN: &[u8] = b"\x1b[0m";

impl Style<'_> {
    /// Writes a part of a line between the sequences of a color.
    pub fn part(&self, env: &mut Env, color: &[u8], part: &[u8]) -> Result<()> {
        if !self.color {
            return env.stdout.write(part);
        }
        env.stdout.write(color)?;
        env.stdout.write(part)?;
        env.stdout.write(PLAIN)
    }

    /// Writes a line of the output in a color; `line` has no newline.
    pub fn colored(&self, env: &mut Env, color: &[u8], line: &[u8]) -> Result<()> {
        self.part(env, color, line)?;
        env.stdout.push(b'\n')
    }

    /// Writes a line of a file after `lead`, whose blank is a tab with `-T`.
    pub fn line(&self, env: &mut Env, color: &[u8], lead: &[u8], line: &[u8]) -> Result<()> {
        let colored = self.color && !color.is_empty();
        if colored {
            env.stdout.write(color)?;
        }
        match (lead, self.initial_tab) {
            ([b' ', ..], true) => env.stdout.write(b"\t")?,
            ([mark, ..], true) => env.stdout.write(&[*mark, b'\t'])?,
            _ => env.stdout.write(lead)?,
        }
        let (bare, ends) = bare(line);
        match self.expand {
            true => env.stdout.write(&expanded(bare, self.tab))?,
            false if ends && !colored => return env.stdout.write(line),
            false => env.stdout.write(bare)?,
        }
        if colored {
            env.stdout.write(PLAIN)?;
        }
        env.stdout.write(if ends { b"\n" } else { b"\n\\ No newline at end of file\n" })
    }

    /// The name and the time in the header of a file, or its label.
    pub fn header(&self, mark: &[u8], side: &Side<'_>, index: usize) -> Vec<u8> {
        if let Some(label) = self.labels.get(index) {
            return [mark, b" ", label].concat();
        }
        // POSIX XCU diff has this form for -c in the POSIX locale, and for -u this one.
        let pattern: &[u8] = match self.format {
            Format::Context => b"%a %b %e %H:%M:%S %Y",
            _ => b"%Y-%m-%d %H:%M:%S.%N %z",
        };
        [mark, b" ", side.name, b"\t", &format(pattern, side.modified, &self.zone)].concat()
    }

    /// The line before `until` that a hunk is named after, as the header shows it. `known` has where the search ended
    /// last and what it found.
    pub fn function_before(&self, lines: &Lines<'_>, until: usize, known: &mut (usize, Option<usize>)) -> Vec<u8> {
        let Some(regex) = &self.function else { return Vec::new() };
        let found = (known.0..until).rev().find(|&at| regex.is_match(bare(lines.get(at)).0));
        *known = (until, found.or(known.1));
        let Some(at) = known.1 else { return Vec::new() };
        let line = bare(lines.get(at)).0.trim_ascii_start();
        [b" ", line[..line.len().min(40)].trim_ascii_end()].concat()
    }

    /// Finds the changes that do not matter.
    pub fn ignore(&self, changes: &mut [Change], keys: [&Lines<'_>; 2], sides: [&Side<'_>; 2]) {
        if !self.ignore_blank && self.ignore_matching.is_none() {
            return;
        }
        let is_ignored = |file: usize, at: usize| {
            (self.ignore_blank && keys[file].get(at) == b"\n")
                || self.ignore_matching.as_ref().is_some_and(|regex| regex.is_match(bare(sides[file].lines.get(at)).0))
        };
        for change in changes {
            change.ignored =
                change.old.clone().all(|at| is_ignored(0, at)) && change.new.clone().all(|at| is_ignored(1, at));
        }
    }
}

/// A line without its newline, and whether it has one.
pub fn bare(line: &[u8]) -> (&[u8], bool) {
    line.strip_suffix(b"\n").map_or((line, false), |bare| (bare, true))
}

/// A line with blanks instead of tabs.
fn expanded(line: &[u8], tab: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len());
    for &byte in line {
        match byte {
            b'\t' => out.resize(out.len() + tab - out.len() % tab, b' '),
            byte => out.push(byte),
        }
    }
    out
}
