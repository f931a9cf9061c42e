//! `more`: print files a screen at a time (POSIX XCU more; the options and keys of util-linux and BusyBox).
//!
//! Text goes down the terminal as it would without `more`; going back prints it again. A stream is kept in memory.

use rbox_core::call;
use rbox_core::pattern::regex::Flags;
use rbox_core::prelude::*;
use rbox_core::sys::AsRawFd;
use rbox_core::term::keys::Key;
use rbox_core::term::screen::{Manner, Screen, Typed, type_key};
use rbox_core::term::{Shown, clean};
use rbox_core::{push, text};

use crate::pager::files::{copy_all, open, or_standard_input, terminal};
use crate::pager::row::{Look, Raw, plain, show};
use crate::pager::search::Pattern;
use crate::pager::source::Source;

options! {
    "[-dflcpsu] [-n NUM] [-NUM] [+NUM | +/PATTERN] [FILE]...

Print FILE, or standard input, one screenful at a time. The key h lists the keys.

  -d, --silent      Explain the keys in the prompt, instead of ringing the bell
  -f, --logical     Count lines, not rows of the screen
  -l, --no-pause    Do not stop at form feeds
  -c, --print-over  Draw from the top, each row over the one before
  -p, --clean-print  Clear the screen before each screenful
  -s, --squeeze     Print one empty line for several
  -u, --plain       Print no bold and no underlined text
  -n, --lines=NUM   Print NUM lines at a time
  -NUM              Same as -n NUM

+NUM starts at that line, +/PATTERN at the first line that matches.";
    EXPLAIN = "-d",
    LOGICAL = "-f",
    NO_PAUSE = "-l",
    OVER = "-c",
    CLEAN = "-p",
    SQUEEZE = "-s",
    PLAIN = "-u",
    LINES = "-n",
    NUMBER = "-NUM",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

const KEYS: &[u8] = b"\
Keys; N is a number that is typed before a key.
Space      the next screenful, or N lines
z          the same; N stays the number of lines
Enter j    the next line, or N lines
d Ctrl-D   the next 11 lines, or N from now on
s  f       skip a line, a screenful, or N of them
b Ctrl-B   back a screenful, or N of them
/PATTERN   the next line that matches, or the Nth
n          search again
'          back to where the last search began
=          the number of the line
r          print the rest without stopping
.          repeat the command before
!COMMAND   run a command of the shell
v          edit the file, with VISUAL, EDITOR or vi
:n :p      the next, the previous file, or the Nth
:f         name and line of the file
Ctrl-L     print the screen again
q          quit
";

/// The program at work.
struct More<'e, 'a> {
    env: &'e mut Env,
    args: &'e Args<'a>,
    screen: Screen,
    files: Vec<&'a [u8]>,
    current: usize,
    source: Source,
    /// Where the next line begins, and where the screenful began.
    at: u64,
    top: u64,
    /// Where the last search began.
    searched: u64,
    /// Lines of a screenful, when that was set.
    lines: Option<usize>,
    /// Lines of Ctrl-D.
    half: usize,
    pattern: Option<Pattern>,
    /// The command before, with its number.
    last: (char, Option<usize>),
    ended: bool,
    /// Nothing stops it any more.
    runs: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (mut files, mut start) = (Vec::new(), None);
    for operand in args.operands() {
        match operand.strip_prefix(b"+") {
            Some(rest) => start = Some(rest),
            None => files.push(*operand),
        }
    }
    let lines = match args.last_of(&[LINES, NUMBER]).and_then(|option| args.value(option)) {
        Some(word) => Some(rbox_core::number::parse_in_range(word, 1, 100_000)? as usize),
        None => None,
    };
    let files = or_standard_input(env, files)?;
    let Some(terminal) = terminal(env) else { return copy_all(env, &files) };
    let number = terminal.as_ref().map_or(0, |file| file.as_raw_fd());
    let mut status = ExitStatus::SUCCESS;
    let mut first = None;
    for (index, name) in files.iter().enumerate() {
        match open(env, name, number) {
            Ok(source) => {
                first = Some((index, source));
                break;
            }
            Err(error) => status.worsen(env.warn(error)),
        }
    }
    let Some((current, source)) = first else { return Ok(status) };
    let Some(screen) = Screen::open(terminal, Manner::Lines) else { return copy_all(env, &files) };
    let mut more = More {
        env,
        args,
        screen,
        files,
        current,
        source,
        at: 0,
        top: 0,
        searched: 0,
        lines,
        half: 11,
        pattern: None,
        last: (' ', None),
        ended: false,
        runs: false,
    };
    more.begin(start)?;
    more.go_on()?;
    status.worsen(ExitStatus::from_ok(more.source.failed.is_none()));
    match more.source.failed.take() {
        Some(error) => Err(error),
        None => Ok(status),
    }
}

impl More<'_, '_> {
    /// Goes to where the command line wants to start.
    fn begin(&mut self, start: Option<&[u8]>) -> Result<()> {
        match start {
            Some([b'/', expression @ ..]) => {
                let pattern = Pattern::new(expression, Flags::NONE, Raw::Shown)?;
                match pattern.forward(&mut self.source, 0) {
                    Some(line) => self.at = line,
                    None => self.screen.print(b"Pattern not found\n")?,
                }
                self.pattern = Some(pattern);
            }
            Some(word) => {
                let number = rbox_core::number::parse_decimal(word).ok_or_else(|| rbox_core::number::invalid(word))?;
                self.at = self.source.line_offset(number);
            }
            None => {}
        }
        self.header()
    }

    /// util-linux: the name before each of several files.
    fn header(&mut self) -> Result<()> {
        if self.files.len() > 1 {
            let name = clean(self.files[self.current], b"", Shown::Caret);
            self.screen.print(&text!("::::::::::::::\n", name, "\n::::::::::::::\n"))?;
        }
        Ok(())
    }

    fn page(&self) -> usize {
        self.lines.unwrap_or(self.screen.rows - 1)
    }

    fn go_on(&mut self) -> Result<()> {
        let used = if self.files.len() > 1 { 3 } else { 0 };
        self.print(self.page().saturating_sub(used).max(1))?;
        while !self.ended {
            if self.source.bytes(self.at, 1).is_empty() {
                // The end of a file is no stop, but for its name before the next one.
                match self.current + 1 < self.files.len() {
                    true if self.runs => self.next_file(1)?,
                    true => self.prompt()?,
                    false => break,
                }
            } else if self.runs {
                self.print(usize::MAX)?;
            } else {
                self.prompt()?;
            }
        }
        Ok(())
    }

    /// Prints so many rows, or less: to the end, or through a line with a form feed.
    fn print(&mut self, rows: usize) -> Result<()> {
        let (mut left, mut out) = (rows, Vec::new());
        self.top = self.at;
        if rows >= self.page() && rows != usize::MAX {
            out.extend_from_slice(match () {
                () if self.args.has(CLEAN) => b"\x1b[H\x1b[J",
                () if self.args.has(OVER) => b"\x1b[H",
                () => b"",
            });
        }
        while left > 0 {
            let end = self.source.line_end(self.at);
            if end == self.at {
                break;
            }
            if self.args.has(SQUEEZE) && self.at >= 2 && self.source.bytes(self.at - 2, 3) == b"\n\n\n" {
                self.at = end;
                continue;
            }
            let line = self.source.bytes(self.at, end - self.at);
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let stops = line.contains(&12) && !self.args.has(NO_PAUSE) && rows != usize::MAX;
            let line = if self.args.has(PLAIN) { plain(line, Raw::Shown).0 } else { line.to_vec() };
            let used = self.push_rows(&line, &mut out);
            left = left.saturating_sub(if self.args.has(LOGICAL) { 1 } else { used });
            self.at = end;
            if out.len() > 1 << 16 {
                self.screen.print(&out)?;
                out.clear();
            }
            if stops {
                break;
            }
        }
        self.screen.print(&out)
    }

    /// Adds the rows of a line, and returns how many they are.
    fn push_rows(&self, line: &[u8], out: &mut Vec<u8>) -> usize {
        let look = Look { columns: self.screen.columns, left: 0, chop: false, tab: 8, raw: Raw::Colours };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (mut from, mut used) = (0, 0);
        loop {
            let (row, next) = show(line, from, &look, &[]);
            push!(*out, &row, if self.args.has(OVER) { "\x1b[K\n" } else { "\n" });
            used += 1;
            from = next;
            if from >= line.len() {
                return used;
            }
        }
    }

    /// Shows the prompt, and obeys a key.
    fn prompt(&mut self) -> Result<()> {
        let mut text = b"--More-- ".to_vec();
        let size = self.source.size();
        if self.source.bytes(self.at, 1).is_empty() {
            push!(text, "(Next file: ", clean(self.files[self.current + 1], b"", Shown::Caret), ")");
        } else if !self.source.is_open_stream() && size > 0 {
            push!(text, "(", (u128::from(self.at) * 100 / u128::from(size)) as u64, "% of ", size, " bytes)");
        }
        if self.args.has(EXPLAIN) {
            push!(text, "[Press space to continue, 'q' to quit.]");
        }
        let mut number: Option<usize> = None;
        self.say(&text)?;
        let key = loop {
            match self.screen.key() {
                Key::Char(digit @ '0'..='9') => {
                    number = Some((number.unwrap_or(0) * 10 + digit as usize - '0' as usize).min(1 << 30));
                }
                Key::Signal => self.say(&text)?,
                key => break key,
            }
        };
        self.say(b"")?;
        match key {
            Key::Char('.') => self.obey(self.last.0, self.last.1),
            Key::Char(one) => {
                self.last = (one, number);
                self.obey(one, number)
            }
            Key::Down => self.obey('\r', number),
            Key::PageDown => self.obey(' ', number),
            Key::PageUp | Key::Up => self.obey('b', number),
            Key::Hangup => {
                self.ended = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Shows a text in the row of the prompt.
    fn say(&mut self, message: &[u8]) -> Result<()> {
        self.screen.print(&text!("\r\x1b[K", message))
    }

    fn obey(&mut self, one: char, number: Option<usize>) -> Result<()> {
        let count = number.unwrap_or(1);
        let is_at_end = self.source.bytes(self.at, 1).is_empty();
        match one {
            'q' | 'Q' | '\x03' => self.ended = true,
            ' ' | 'z' | '\r' | '\n' | 'j' | 'd' | '\x04' | 'f' | 's' if is_at_end => return self.next_file(1),
            ' ' => return self.print(number.unwrap_or(self.page())),
            'z' => {
                self.lines = number.or(self.lines);
                return self.print(self.page());
            }
            '\r' | '\n' | 'j' => return self.print(count),
            'd' | '\x04' => {
                self.half = number.unwrap_or(self.half);
                return self.print(self.half);
            }
            's' => return self.skip(count),
            'f' => return self.skip(count.saturating_mul(self.page())),
            'b' | '\x02' => return self.back(count),
            'r' | 'R' => self.runs = true,
            '/' => {
                if let Some(typed) = self.ask(b"/")? {
                    return self.search(&typed, count);
                }
            }
            'n' => return self.search(b"", count),
            '\'' => {
                self.at = self.searched;
                self.screen.print(b"\n")?;
                return self.print(self.page());
            }
            '=' => {
                let number = self.source.line_number(self.at) - 1;
                return self.screen.print(&text!(number, "\n"));
            }
            'h' | '?' => return self.screen.print(KEYS),
            '\x0c' => {
                self.at = self.top;
                self.screen.print(b"\x1b[H\x1b[J")?;
                return self.print(self.page());
            }
            '!' => return self.shell(),
            'v' => return self.edit(),
            ':' => return self.colon(number),
            '\x1a' => self.screen.suspend(),
            _ if self.args.has(EXPLAIN) => return self.screen.print(b"[Press 'h' for instructions.]\n"),
            _ => self.screen.bell(),
        }
        Ok(())
    }

    fn skip(&mut self, lines: usize) -> Result<()> {
        self.screen.print(&text!("...skipping ", lines, " lines\n"))?;
        for _ in 0..lines {
            self.at = self.source.line_end(self.at);
            if self.source.bytes(self.at, 1).is_empty() {
                break;
            }
        }
        self.print(self.page())
    }

    fn back(&mut self, pages: usize) -> Result<()> {
        self.screen.print(&text!("...back ", pages, if pages == 1 { " page\n" } else { " pages\n" }))?;
        for _ in 0..(pages.saturating_add(1)).saturating_mul(self.page()) {
            if self.at == 0 {
                break;
            }
            self.at = self.source.line_start(self.at - 1);
        }
        self.print(self.page())
    }

    /// Asks for a line. `None` when it was given up.
    fn ask(&mut self, prompt: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        loop {
            self.say(&text!(prompt, clean(&line, b"", Shown::Caret)))?;
            match self.screen.key() {
                Key::Signal => {}
                key => match type_key(&mut line, key) {
                    Typed::More => continue,
                    Typed::Done => {
                        self.say(b"")?;
                        return Ok(Some(line));
                    }
                    Typed::Cancelled => return self.say(b"").map(|()| None),
                },
            }
        }
    }

    /// Prints from the next line on that matches; an empty expression is the one before.
    fn search(&mut self, typed: &[u8], count: usize) -> Result<()> {
        if !typed.is_empty() {
            match Pattern::new(typed, Flags::NONE, Raw::Shown) {
                Ok(pattern) => self.pattern = Some(pattern),
                Err(error) => return self.screen.print(&text!(error.message(), "\n")),
            }
        }
        let Some(pattern) = &self.pattern else { return self.screen.print(b"No previous regular expression\n") };
        let mut line = self.at;
        for left in (0..count).rev() {
            match pattern.forward(&mut self.source, line) {
                Some(found) => line = if left > 0 { self.source.line_end(found) } else { found },
                None => return self.screen.print(b"Pattern not found\n"),
            }
        }
        self.searched = self.at;
        self.at = line;
        self.screen.print(b"...skipping\n")?;
        self.print(self.page() - 1)
    }

    fn colon(&mut self, number: Option<usize>) -> Result<()> {
        self.say(b":")?;
        let key = self.screen.key();
        self.say(b"")?;
        match key {
            Key::Char('n') => self.next_file(number.unwrap_or(1)),
            Key::Char('p') => {
                let back = number.unwrap_or(1).min(self.current);
                self.go_to_file(self.current - back)
            }
            Key::Char('f') => {
                let (name, number) = (self.files[self.current], self.source.line_number(self.at) - 1);
                self.screen.print(&text!("\"", clean(name, b"", Shown::Caret), "\" line ", number, "\n"))
            }
            Key::Char('q') => {
                self.ended = true;
                Ok(())
            }
            Key::Char('!') => self.shell(),
            _ => {
                self.screen.bell();
                Ok(())
            }
        }
    }

    fn next_file(&mut self, count: usize) -> Result<()> {
        match self.current + count < self.files.len() {
            true => self.go_to_file(self.current + count),
            false => {
                self.ended = true;
                Ok(())
            }
        }
    }

    fn go_to_file(&mut self, index: usize) -> Result<()> {
        let name = self.files[index];
        self.current = index;
        if name == b"-" {
            return Ok(());
        }
        match open(self.env, name, self.screen.number()) {
            Ok(source) => {
                self.source = source;
                self.at = 0;
                self.header()?;
                self.print(self.page().saturating_sub(3).max(1))
            }
            Err(error) => {
                self.env.warn(error);
                Ok(())
            }
        }
    }

    fn shell(&mut self) -> Result<()> {
        let Some(line) = self.ask(b"!")? else { return Ok(()) };
        let shell = self.env.shell();
        self.screen.print(&text!("!", clean(&line, b"", Shown::Caret), "\n"))?;
        self.screen.leave();
        call::run(self.env, &[&shell, b"-c", &line])?;
        self.screen.enter();
        self.screen.print(b"------------------------\n")
    }

    fn edit(&mut self) -> Result<()> {
        let name = self.files[self.current];
        if name == b"-" {
            return self.screen.print(b"Cannot edit standard input\n");
        }
        let vars = &self.env.vars;
        let editor = vars.get("VISUAL").or_else(|| vars.get("EDITOR")).filter(|editor| !editor.is_empty());
        let line = text!(editor.unwrap_or(b"vi"), " +", self.source.line_number(self.top), " \"$1\"");
        self.screen.leave();
        call::run(self.env, &[b"sh", b"-c", &line, b"sh", name])?;
        self.screen.enter();
        self.screen.print(b"------------------------\n")
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn copies_where_standard_output_is_no_terminal() {
        assert_eq!(try_call(APPLET, &["more", "-"], b"a\nb").stdout, "a\nb");
        assert_eq!(try_call(APPLET, &["more"], b"a\n").stdout, "a\n");
    }

    #[test]
    fn names_a_wrong_number() {
        let ran = try_call(APPLET, &["more", "-n", "0"], b"");
        assert_eq!((ran.status, ran.stderr.as_str()), (1, "more: number 0 is not in 1..100000 range\n"));
    }
}
