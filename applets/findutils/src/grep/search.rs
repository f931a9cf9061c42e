//! The search of one input: whole buffers are searched, and lines are cut out only where something matched.

use std::ops::Range;

use rbox_core::bytes::{find_byte, find_byte_back, find_bytes};
use rbox_core::files::same_regular_file;
use rbox_core::io::Input;
use rbox_core::number::Decimal;
use rbox_core::prelude::*;

use super::matcher::Matcher;

/// What is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Report {
    Lines,
    Matches,
    Count,
    /// Names of the files with (true) or without a selected line.
    Names(bool),
    Nothing,
}

/// What is done with a file that has a NUL character near its beginning.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    Text,
    OnlySay,
    WithoutMatch,
}

/// What is before a line.
#[allow(clippy::struct_excessive_bools)]
pub struct Form {
    pub with_name: bool,
    pub number: bool,
    pub offset: bool,
    pub nul_after_name: bool,
    pub color: bool,
}

/// How many lines around a selected one are printed.
#[derive(Clone, Copy)]
pub struct Context {
    pub before: u64,
    pub after: u64,
}

/// A search through all inputs.
pub struct Search {
    matcher: Matcher,
    report: Report,
    pub form: Form,
    context: Context,
    line_end: u8,
    pub invert: bool,
    /// Selected lines after which an input is left.
    pub max: Option<u64>,
    pub binary: Binary,
    pub silent: bool,
    has_selected: bool,
    has_failed: bool,
    /// Lines were printed, so that a gap before the next is marked.
    has_printed: bool,
}

/// Where the search of one input is. Offsets are those in the buffer, until bytes are consumed.
struct Progress<'a> {
    name: &'a [u8],
    /// Selected lines.
    count: u64,
    /// Context lines still to be printed.
    after: u64,
    /// The end of the last line that was printed.
    printed: usize,
    /// The number of line ends before `numbered`.
    lines: u64,
    numbered: usize,
    /// Bytes of the input before the buffer.
    consumed: u64,
    /// What was before `printed` was not printed.
    gap: bool,
    is_binary: bool,
}

const MATCH_COLOR: &[u8] = b"\x1b[01;31m\x1b[K";
const NAME_COLOR: &[u8] = b"\x1b[35m\x1b[K";
const NUMBER_COLOR: &[u8] = b"\x1b[32m\x1b[K";
const SEPARATOR_COLOR: &[u8] = b"\x1b[36m\x1b[K";
const END_COLOR: &[u8] = b"\x1b[m\x1b[K";

impl Search {
    pub fn new(matcher: Matcher, report: Report, form: Form, context: Context, line_end: u8) -> Search {
        let context = if report == Report::Lines { context } else { Context { before: 0, after: 0 } };
        Search {
            matcher,
            report,
            form,
            context,
            line_end,
            invert: false,
            max: None,
            binary: Binary::Text,
            silent: false,
            has_selected: false,
            has_failed: false,
            has_printed: false,
        }
    }

    /// Reports an error that does not stop the search.
    pub fn fail(&mut self, env: &mut Env, error: Error) -> Result<()> {
        if error.is_output() {
            return Err(error);
        }
        self.has_failed = true;
        if !self.silent {
            env.report(&error);
        }
        Ok(())
    }

    /// Whether the answer is known already.
    pub fn is_done(&self) -> bool {
        self.report == Report::Nothing && self.has_selected
    }

    /// POSIX XCU grep, EXIT STATUS; with `-q` a selected line counts more than an error.
    pub fn status(&self) -> ExitStatus {
        if self.has_failed && !self.is_done() {
            return ExitStatus(2);
        }
        ExitStatus::from_ok(self.has_selected)
    }

    /// Names a directory where names of what does not match are wanted.
    pub fn directory(&mut self, env: &mut Env, name: &[u8]) -> Result<()> {
        if self.report == Report::Names(false) { self.name_file(env, name) } else { Ok(()) }
    }

    fn name_file(&mut self, env: &mut Env, name: &[u8]) -> Result<()> {
        self.has_selected = true;
        self.write_name(env, name)?;
        env.stdout.push(if self.form.nul_after_name { 0 } else { b'\n' })
    }

    /// Searches one input and prints what is to be printed of it.
    pub fn input(&mut self, env: &mut Env, input: &mut Input, name: &[u8]) -> Result<()> {
        let mut progress = Progress {
            name,
            count: 0,
            after: 0,
            printed: 0,
            lines: 0,
            numbered: 0,
            consumed: 0,
            gap: true,
            is_binary: false,
        };
        let prints_lines =
            matches!(self.report, Report::Lines | Report::Matches) && self.max != Some(0) && self.max != Some(1);
        if let (true, Some(from), Some(to)) = (prints_lines, input.fd(), env.stdout.fd())
            && same_regular_file(from, to)
        {
            return Err(Error::parts(&[b"input file '", name, b"' is also the output"]));
        }
        input.fill_for(&mut env.stdout)?;
        if self.binary != Binary::Text && self.line_end != 0 {
            progress.is_binary = find_byte(0, input.buffered()).is_some();
        }
        if !(progress.is_binary && self.binary == Binary::WithoutMatch) {
            self.read(env, input, &mut progress)?;
        }
        let is_selected = progress.count > 0;
        match self.report {
            Report::Names(wanted) => {
                if is_selected == wanted {
                    return self.name_file(env, name);
                }
            }
            Report::Count => {
                self.has_selected |= is_selected;
                if self.form.with_name {
                    self.write_name(env, name)?;
                    self.write_separator(env, b":", self.form.nul_after_name)?;
                }
                env.stdout.write_number(progress.count)?;
                return env.stdout.push(b'\n');
            }
            Report::Nothing => self.has_selected |= is_selected,
            Report::Lines | Report::Matches => {
                self.has_selected |= is_selected;
                if progress.is_binary && is_selected {
                    return env.stdout.write(&[b"Binary file ", name, b" matches\n"].concat());
                }
            }
        }
        Ok(())
    }

    fn read(&mut self, env: &mut Env, input: &mut Input, progress: &mut Progress<'_>) -> Result<()> {
        let mut searched = 0;
        let mut looked = 0;
        loop {
            let data = input.buffered();
            let whole = find_byte_back(self.line_end, &data[looked..]).map_or(searched, |at| looked + at + 1);
            looked = data.len();
            if whole > searched {
                if !self.part(env, data, searched..whole, progress)? {
                    // POSIX XCU 1.4: the next reader of the stream begins after the last line that was selected.
                    input.consume(progress.printed);
                    return Ok(());
                }
                searched = whole;
                let kept = self.kept(data, whole, progress.printed);
                self.count_lines(data, kept, progress);
                input.consume(kept);
                progress.consumed += kept as u64;
                progress.gap |= kept > progress.printed;
                progress.printed = progress.printed.saturating_sub(kept);
                progress.numbered -= kept.min(progress.numbered);
                searched -= kept;
                looked -= kept;
            }
            if !input.fill_more_for(&mut env.stdout)? {
                let data = input.buffered();
                if searched < data.len() {
                    self.part(env, data, searched..data.len(), progress)?;
                }
                if self.matcher.gave_up() {
                    return Err(Error::parts(&[progress.name, b": regular expression too complex"]));
                }
                return Ok(());
            }
        }
    }

    /// The beginning of the lines before `end` that may yet be printed as context.
    fn kept(&self, data: &[u8], end: usize, printed: usize) -> usize {
        let mut kept = end;
        for _ in 0..self.context.before {
            if kept <= printed {
                break;
            }
            kept = find_byte_back(self.line_end, &data[..kept - 1]).map_or(0, |at| at + 1);
        }
        kept
    }

    /// Searches whole lines; false when the rest of the input does not matter.
    fn part(&mut self, env: &mut Env, data: &[u8], part: Range<usize>, progress: &mut Progress<'_>) -> Result<bool> {
        let mut at = part.start;
        while at < part.end {
            let is_full = self.max.is_some_and(|max| progress.count >= max);
            if is_full && progress.after == 0 {
                return Ok(false);
            }
            let found = if is_full { None } else { self.matcher.find_line(&data[..part.end], at, self.line_end) };
            // The line with its end.
            let line = match found {
                Some(line) => line.start..(line.end + 1).min(part.end),
                None => part.end..part.end,
            };
            let others = at..line.start;
            at = line.end;
            let goes_on = if self.invert && !is_full {
                self.select_all(env, data, others, progress)? && {
                    self.print_after(env, data, line, progress)?;
                    true
                }
            } else {
                if progress.after > 0 {
                    self.print_after(env, data, others, progress)?;
                }
                line.is_empty() || self.select(env, data, line, progress)?
            };
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Selects every line of the range.
    fn select_all(
        &mut self,
        env: &mut Env,
        data: &[u8],
        lines: Range<usize>,
        progress: &mut Progress<'_>,
    ) -> Result<bool> {
        if lines.is_empty() {
            return Ok(true);
        }
        let is_plain = !self.form.with_name && !self.form.number && !self.form.offset && !self.form.color;
        let is_bulk = self.max.is_none() && !progress.is_binary;
        if is_bulk
            && (self.report == Report::Count
                || (self.report == Report::Lines && is_plain && self.context.before + self.context.after == 0))
        {
            let text = &data[lines.clone()];
            progress.count += find_bytes(self.line_end, text).count() as u64;
            progress.count += u64::from(text.last() != Some(&self.line_end));
            if self.report == Report::Lines {
                self.write_ended(env, text)?;
            }
            return Ok(true);
        }
        let mut at = lines.start;
        while at < lines.end {
            let end = find_byte(self.line_end, &data[at..lines.end]).map_or(lines.end, |length| at + length + 1);
            if self.max.is_some_and(|max| progress.count >= max) {
                self.print_after(env, data, at..lines.end, progress)?;
                return Ok(progress.after > 0);
            }
            if !self.select(env, data, at..end, progress)? {
                return Ok(false);
            }
            at = end;
        }
        Ok(true)
    }

    /// Counts a line and prints it; false when no more is to be known of this input.
    fn select(&mut self, env: &mut Env, data: &[u8], line: Range<usize>, progress: &mut Progress<'_>) -> Result<bool> {
        progress.count += 1;
        if progress.is_binary || self.report != Report::Lines {
            progress.printed = line.end;
        }
        if progress.is_binary {
            return Ok(false);
        }
        match self.report {
            Report::Nothing | Report::Names(_) => return Ok(false),
            Report::Count => return Ok(true),
            Report::Matches if self.invert => return Ok(true),
            Report::Matches => return self.print_matches(env, data, line, progress).map(|()| true),
            Report::Lines => {}
        }
        if self.context.before + self.context.after > 0 {
            self.print_before(env, data, line.start, progress)?;
            progress.after = self.context.after;
        }
        self.print(env, data, line, b":", progress)?;
        Ok(true)
    }

    fn print_before(&mut self, env: &mut Env, data: &[u8], end: usize, progress: &mut Progress<'_>) -> Result<()> {
        let mut start = self.kept(data, end, progress.printed).max(progress.printed);
        if (start > progress.printed || progress.gap) && self.has_printed {
            if self.form.color {
                env.stdout.write(concat!("\x1b[36m\x1b[K", "--", "\x1b[m\x1b[K", "\n").as_bytes())?;
            } else {
                env.stdout.write(b"--\n")?;
            }
        }
        while start < end {
            let next = find_byte(self.line_end, &data[start..end]).map_or(end, |length| start + length + 1);
            self.print(env, data, start..next, b"-", progress)?;
            start = next;
        }
        Ok(())
    }

    /// Prints as many of the lines as the context after the last selected line asks for.
    fn print_after(
        &mut self,
        env: &mut Env,
        data: &[u8],
        lines: Range<usize>,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        let mut at = lines.start;
        while progress.after > 0 && at < lines.end {
            let end = find_byte(self.line_end, &data[at..lines.end]).map_or(lines.end, |length| at + length + 1);
            self.print(env, data, at..end, b"-", progress)?;
            progress.after -= 1;
            at = end;
        }
        Ok(())
    }

    /// Prints a line; `separator` is `:` for a selected one and `-` for context.
    fn print(
        &mut self,
        env: &mut Env,
        data: &[u8],
        line: Range<usize>,
        separator: &[u8],
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        self.print_prefix(env, data, line.start, line.start, separator, progress)?;
        let text = &data[line.clone()];
        let is_selected = separator == b":";
        if self.form.color && is_selected != self.invert {
            self.print_colored(env, text)?;
        } else {
            self.write_ended(env, text)?;
        }
        progress.printed = line.end;
        progress.gap = false;
        self.has_printed = true;
        Ok(())
    }

    /// Writes lines, with the end that the last one of a file may lack.
    fn write_ended(&self, env: &mut Env, text: &[u8]) -> Result<()> {
        env.stdout.write(text)?;
        if text.last() == Some(&self.line_end) { Ok(()) } else { env.stdout.push(self.line_end) }
    }

    fn print_colored(&self, env: &mut Env, line: &[u8]) -> Result<()> {
        let text = line.strip_suffix(&[self.line_end]).unwrap_or(line);
        let mut at = 0;
        for found in self.matcher.matches(text) {
            env.stdout.write(&text[at..found.start])?;
            env.stdout.write(&[MATCH_COLOR, &text[found.clone()], END_COLOR].concat())?;
            at = found.end;
        }
        env.stdout.write(&text[at..])?;
        env.stdout.push(self.line_end)
    }

    fn print_matches(
        &mut self,
        env: &mut Env,
        data: &[u8],
        line: Range<usize>,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        let text = &data[line.clone()];
        let text = text.strip_suffix(&[self.line_end]).unwrap_or(text);
        for found in self.matcher.matches(text) {
            self.print_prefix(env, data, line.start, line.start + found.start, b":", progress)?;
            if self.form.color {
                env.stdout.write(&[MATCH_COLOR, &text[found], END_COLOR].concat())?;
            } else {
                env.stdout.write(&text[found])?;
            }
            env.stdout.push(self.line_end)?;
        }
        Ok(())
    }

    /// Brings the number of lines up to `end`.
    fn count_lines(&self, data: &[u8], end: usize, progress: &mut Progress<'_>) {
        if self.form.number && end > progress.numbered {
            progress.lines += find_bytes(self.line_end, &data[progress.numbered..end]).count() as u64;
            progress.numbered = end;
        }
    }

    fn print_prefix(
        &self,
        env: &mut Env,
        data: &[u8],
        line: usize,
        offset: usize,
        separator: &[u8],
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        if self.form.with_name {
            self.write_name(env, progress.name)?;
            self.write_separator(env, separator, self.form.nul_after_name)?;
        }
        if self.form.number {
            self.count_lines(data, line, progress);
            self.write_number(env, progress.lines + 1, separator)?;
        }
        if self.form.offset {
            self.write_number(env, progress.consumed + offset as u64, separator)?;
        }
        Ok(())
    }

    fn write_number(&self, env: &mut Env, number: u64, separator: &[u8]) -> Result<()> {
        let digits = Decimal::new(number);
        if !self.form.color {
            env.stdout.write(digits.as_bytes())?;
            return env.stdout.write(separator);
        }
        env.stdout.write(&[NUMBER_COLOR, digits.as_bytes(), END_COLOR].concat())?;
        self.write_separator(env, separator, false)
    }

    fn write_name(&self, env: &mut Env, name: &[u8]) -> Result<()> {
        if !self.form.color {
            return env.stdout.write(name);
        }
        env.stdout.write(&[NAME_COLOR, name, END_COLOR].concat())
    }

    fn write_separator(&self, env: &mut Env, separator: &[u8], is_nul: bool) -> Result<()> {
        if is_nul {
            return env.stdout.push(0);
        }
        if !self.form.color {
            return env.stdout.write(separator);
        }
        env.stdout.write(&[SEPARATOR_COLOR, separator, END_COLOR].concat())
    }
}
