//! Patches in their three formats (POSIX XCU diff): unified, copied context, normal; and git's headers.

use rbox_core::bytes::split_once;
use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::text;

use super::names::{Header, name_after};

/// The format of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Unified,
    Context,
    Normal,
}

/// What a line of a hunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Context,
    Remove,
    Add,
}

/// Lines that replace others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hunk {
    /// The first line in the old and in the new file, counted from 1; the line before, where the hunk has none.
    pub old_start: usize,
    pub new_start: usize,
    /// Each with its newline, which the last one of a file may lack.
    pub lines: Vec<(Kind, Vec<u8>)>,
}

impl Hunk {
    /// How many lines it has of those kinds.
    pub fn count(&self, kinds: &[Kind]) -> usize {
        self.lines.iter().filter(|(kind, _)| kinds.contains(kind)).count()
    }

    /// Makes the opposite of it.
    pub fn reverse(&mut self) {
        core::mem::swap(&mut self.old_start, &mut self.new_start);
        for (kind, _) in &mut self.lines {
            *kind = match kind {
                Kind::Context => Kind::Context,
                Kind::Remove => Kind::Add,
                Kind::Add => Kind::Remove,
            };
        }
        // Lines are removed before others are added.
        for group in self.lines.chunk_by_mut(|(a, _), (b, _)| (*a == Kind::Context) == (*b == Kind::Context)) {
            group.sort_by_key(|(kind, _)| *kind == Kind::Add);
        }
    }
}

/// All that a patch does to one file.
#[derive(Clone, Debug, Default)]
pub struct Patch {
    pub header: Header,
    pub hunks: Vec<Hunk>,
    /// The line of the input where its first hunk is, counted from 1.
    pub line: usize,
}

/// The line before each hunk in copied context begins so.
const STARS: &[u8] = b"***************";

/// The lines of a patch file, and how far they have been read.
pub struct Reader<'a> {
    lines: Vec<&'a [u8]>,
    at: usize,
    only: Option<Format>,
    /// Lines of this patch end with a carriage return that is not theirs.
    strips_returns: bool,
    binary: bool,
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`, in that format if there is one; `binary` keeps carriage returns.
    pub fn new(bytes: &'a [u8], only: Option<Format>, binary: bool) -> Self {
        let lines = bytes.split_inclusive(|&byte| byte == b'\n').collect();
        Self { lines, at: 0, only, strips_returns: false, binary }
    }

    /// Whether all has been read.
    pub fn is_at_end(&self) -> bool {
        self.at >= self.lines.len()
    }

    /// The line `ahead` lines on, without its newline. Empty after the end.
    fn peek(&self, ahead: usize) -> &'a [u8] {
        let line = self.lines.get(self.at + ahead).copied().unwrap_or_default();
        line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line))
    }

    fn malformed(&self) -> Error {
        Error::new(text!("malformed patch at line ", self.at + 1, ": ", self.peek(0)))
    }

    /// The next patch. `None` at the end, where there is nothing but garbage.
    pub fn next(&mut self) -> Result<Option<Patch>> {
        let mut header = Header::default();
        let mut in_git = false;
        while !self.is_at_end() {
            let line = self.peek(0);
            if let Some(format) = self.format_here() {
                return self.patch(format, header).map(Some);
            }
            if line.starts_with(b"diff --git ") {
                if in_git && header.is_whole() {
                    return Ok(Some(Patch { header, hunks: Vec::new(), line: self.at }));
                }
                (header, in_git) = (Header::of_git(&line[b"diff --git ".len()..]), true);
            } else if in_git && header.take_git(line) {
            } else if let Some(name) = line.strip_prefix(b"Index:") {
                header.index = Some(name.trim_ascii().to_vec());
            } else if is_ed_command(line) {
                return Err(Error::new("ed scripts are not supported"));
            }
            self.at += 1;
        }
        Ok((in_git && header.is_whole()).then_some(Patch { header, hunks: Vec::new(), line: self.at }))
    }

    /// The format of the patch whose first line comes next.
    fn format_here(&self) -> Option<Format> {
        let (line, next) = (self.peek(0), self.peek(1));
        let third = self.peek(2);
        let is_unified = line.starts_with(b"--- ") && next.starts_with(b"+++ ") && third.starts_with(b"@@ -")
            || line.starts_with(b"@@ -") && ranges(line).is_some();
        let is_context = line.starts_with(b"*** ") && next.starts_with(b"--- ") && third.starts_with(STARS)
            || line.starts_with(STARS) && next.starts_with(b"*** ");
        let format = if is_unified {
            Format::Unified
        } else if is_context {
            Format::Context
        } else if normal_command(line).is_some() && matches!(next, [b'<' | b'>', b' ' | b'\t', ..] | b"<" | b">") {
            Format::Normal
        } else {
            return None;
        };
        self.only.is_none_or(|only| only == format).then_some(format)
    }

    fn patch(&mut self, format: Format, mut header: Header) -> Result<Patch> {
        let line = self.lines[self.at];
        self.strips_returns = !self.binary && line.ends_with(b"\r\n");
        let (old, new): (&[u8], &[u8]) =
            if format == Format::Unified { (b"--- ", b"+++ ") } else { (b"*** ", b"--- ") };
        if format != Format::Normal && self.peek(0).starts_with(old) && self.peek(1).starts_with(new) {
            header.old = Some(name_after(&self.peek(0)[4..]));
            header.new = Some(name_after(&self.peek(1)[4..]));
            self.at += 2;
        }
        let mut patch = Patch { header, hunks: Vec::new(), line: self.at + 1 };
        loop {
            let hunk = match format {
                Format::Unified if self.peek(0).starts_with(b"@@ -") => self.unified()?,
                Format::Context if self.peek(0).starts_with(STARS) => self.context()?,
                Format::Normal if normal_command(self.peek(0)).is_some() => self.normal()?,
                _ => return Ok(patch),
            };
            patch.hunks.push(hunk);
        }
    }

    /// A line of a hunk, whose first bytes are not its own.
    fn take(&mut self, prefix: usize) -> Vec<u8> {
        let line = self.lines[self.at];
        self.at += 1;
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        let bare = if self.strips_returns { bare.strip_suffix(b"\r").unwrap_or(bare) } else { bare };
        let mut taken = bare.get(prefix..).unwrap_or_default().to_vec();
        taken.push(b'\n');
        if self.peek(0).starts_with(b"\\ ") {
            taken.pop();
            self.at += 1;
        }
        taken
    }

    fn unified(&mut self) -> Result<Hunk> {
        let [(old_start, mut old), (new_start, mut new)] = ranges(self.peek(0)).ok_or_else(|| self.malformed())?;
        let mut hunk = Hunk { old_start, new_start, lines: Vec::new() };
        self.at += 1;
        while old > 0 || new > 0 {
            // Mailers remove the blank of an empty line.
            let kind = match self.lines.get(self.at).and_then(|line| line.first()) {
                Some(b' ' | b'\t' | b'\n' | b'\r') if old > 0 && new > 0 => Kind::Context,
                Some(b'-') if old > 0 => Kind::Remove,
                Some(b'+') if new > 0 => Kind::Add,
                _ => return Err(self.malformed()),
            };
            old -= usize::from(kind != Kind::Add);
            new -= usize::from(kind != Kind::Remove);
            let prefix = usize::from(!self.lines[self.at].starts_with(b"\t"));
            let line = self.take(prefix);
            hunk.lines.push((kind, line));
        }
        Ok(hunk)
    }

    fn normal(&mut self) -> Result<Hunk> {
        let (old, command, new) = normal_command(self.peek(0)).ok_or_else(|| self.malformed())?;
        self.at += 1;
        let mut hunk = Hunk { old_start: old.0, new_start: new.0, lines: Vec::new() };
        let removed = if command == b'a' { 0 } else { old.1 };
        let added = if command == b'd' { 0 } else { new.1 };
        for _ in 0..removed {
            self.normal_line(b'<', Kind::Remove, &mut hunk)?;
        }
        if command == b'c' {
            if self.peek(0) != b"---" {
                return Err(self.malformed());
            }
            self.at += 1;
        }
        for _ in 0..added {
            self.normal_line(b'>', Kind::Add, &mut hunk)?;
        }
        Ok(hunk)
    }

    fn normal_line(&mut self, mark: u8, kind: Kind, hunk: &mut Hunk) -> Result<()> {
        if self.peek(0).first() != Some(&mark) {
            return Err(self.malformed());
        }
        let line = self.take(2);
        hunk.lines.push((kind, line));
        Ok(())
    }

    fn context(&mut self) -> Result<Hunk> {
        self.at += 1;
        let (old_start, old_count) = self.context_range(b"*** ", b" ****")?;
        let old = self.context_lines(old_count, b"-!", b"--- ")?;
        let (new_start, new_count) = self.context_range(b"--- ", b" ----")?;
        let new = self.context_lines(new_count, b"+!", STARS)?;
        let start = self.at;
        // `diff -C0`: a file without lines in the hunk has the number of the line before.
        let changes = |lines: &[(u8, Vec<u8>)]| lines.iter().all(|(mark, _)| *mark != b' ');
        let (no_old, no_new) = (old.is_empty() && changes(&new), new.is_empty() && changes(&old));
        let old_count = if no_old { 0 } else { old_count };
        let new_count = if no_new { 0 } else { new_count };
        let lines = merge(old, new).ok_or_else(|| {
            self.at = start - 1;
            self.malformed()
        })?;
        let hunk = Hunk { old_start, new_start, lines };
        if hunk.count(&[Kind::Context, Kind::Remove]) != old_count
            || hunk.count(&[Kind::Context, Kind::Add]) != new_count
        {
            return Err(self.malformed());
        }
        Ok(hunk)
    }

    /// The first line and the number of lines of one file: `*** 1,3 ****`.
    fn context_range(&mut self, start: &[u8], end: &[u8]) -> Result<(usize, usize)> {
        let range = self.peek(0).strip_prefix(start).map(|line| line.strip_suffix(end).unwrap_or(line));
        let (first, last) = range.and_then(line_range).ok_or_else(|| self.malformed())?;
        self.at += 1;
        Ok((first, if first == 0 { 0 } else { (last + 1).saturating_sub(first) }))
    }

    /// The lines of one file, each with its mark: none where none of them changes.
    fn context_lines(&mut self, count: usize, marks: &[u8], end: &[u8]) -> Result<Vec<(u8, Vec<u8>)>> {
        let mut lines = Vec::new();
        let is_line = |line: &[u8]| {
            (matches!(line, [mark, b' ' | b'\t', ..] | [mark] if marks.contains(mark) || *mark == b' '))
                || line.is_empty()
        };
        while lines.len() < count
            && self.at < self.lines.len()
            && !self.peek(0).starts_with(end)
            && is_line(self.peek(0))
        {
            let mark = self.peek(0).first().copied().unwrap_or(b' ');
            lines.push((mark, self.take(2)));
        }
        Ok(lines)
    }
}

/// The lines of a hunk in copied context, of which one file has none if nothing in it changes. `None` where their
/// context differs.
fn merge(old: Vec<(u8, Vec<u8>)>, new: Vec<(u8, Vec<u8>)>) -> Option<Vec<(Kind, Vec<u8>)>> {
    let mut lines = Vec::new();
    let (no_old, no_new) = (old.is_empty(), new.is_empty());
    let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
    loop {
        while let Some((_, line)) = old.next_if(|(mark, _)| *mark != b' ') {
            lines.push((Kind::Remove, line));
        }
        while let Some((_, line)) = new.next_if(|(mark, _)| *mark != b' ') {
            lines.push((Kind::Add, line));
        }
        match (old.next(), new.next()) {
            (None, None) => return Some(lines),
            (Some((_, line)), Some(_)) => lines.push((Kind::Context, line)),
            (Some((_, line)), None) if no_new => lines.push((Kind::Context, line)),
            (None, Some((_, line))) if no_old => lines.push((Kind::Context, line)),
            _ => return None,
        }
    }
}

/// The most lines that a patch may speak of.
const MOST_LINES: u64 = 1 << 40;

fn number(digits: &[u8]) -> Option<usize> {
    parse_decimal(digits).filter(|&number| number < MOST_LINES).map(|number| number as usize)
}

/// `FIRST,LAST` or `FIRST`.
fn line_range(range: &[u8]) -> Option<(usize, usize)> {
    match split_once(range, b',') {
        Some((first, last)) => Some((number(first)?, number(last)?)),
        None => number(range).map(|line| (line, line)),
    }
}

/// The first lines and numbers of lines of `@@ -1,3 +1,4 @@`.
fn ranges(line: &[u8]) -> Option<[(usize, usize); 2]> {
    let mut words = line.split(|&byte| byte == b' ').skip(1);
    let mut range = |mark: u8| {
        let word = words.next()?.strip_prefix(&[mark])?;
        match split_once(word, b',') {
            Some((start, count)) => Some((number(start)?, number(count)?)),
            None => Some((number(word)?, 1)),
        }
    };
    Some([range(b'-')?, range(b'+')?])
}

/// The first line of some, and their number.
type Range = (usize, usize);

/// The lines of both files, and the command, of `1,2c3`.
fn normal_command(line: &[u8]) -> Option<(Range, u8, Range)> {
    let at = line.iter().position(|byte| matches!(byte, b'a' | b'c' | b'd'))?;
    let range = |word: &[u8]| line_range(word).map(|(first, last)| (first, (last + 1).saturating_sub(first)));
    Some((range(&line[..at])?, line[at], range(&line[at + 1..])?))
}

/// `1,2c`, `3d`, `4a`: what `diff -e` writes.
fn is_ed_command(line: &[u8]) -> bool {
    matches!(line, [range @ .., b'a' | b'c' | b'd'] if line_range(range).is_some())
}
