//! What keys do.

use rbox_core::call;
use rbox_core::error::{ExitStatus, Result};
use rbox_core::io::Input;
use rbox_core::pattern::regex::Flags;
use rbox_core::term::keys::Key;
use rbox_core::text;

use super::{Entry, Less, Search};
use crate::pager::row::Raw;
use crate::pager::search::Pattern;
use crate::pager::source::Source;

/// The list of keys.
const HELP: &[u8] = b"\
Keys; N is a number that is typed before a key.

  h H              this list
  q Q :q ZZ        quit

  Moving
  j e Enter Down   down N lines (1)
  k y Up           up N lines (1)
  Space f PageDown down a screen, or N lines
  b PageUp         up a screen, or N lines
  d  u             down, up half a screen; N sets the number of lines
  Left  Right      half a screen to the left, to the right, or N columns
  g < Home         to line N (1)
  G > End          to line N (the last)
  p %              to N percent of the file
  F                to the end, and show what is added to it, until a key is pressed

  Searching
  /PATTERN         to the Nth line on that matches; !PATTERN: that does not match
  ?PATTERN         the same backwards
  n  N             repeat the search, in the other direction
  &PATTERN         show only lines that match; an empty pattern shows all
  Esc u            turn highlights off or on

  Marks
  m LETTER         mark the line at the top
  ' LETTER         go to a mark; '' goes back to before the last jump, '^ to the first line, '$ to the last

  Files
  :e FILE          show another file
  :n  :p  :x       the next, the previous, the first file of the list
  :d               take the file out of the list
  = :f             name, lines and percentage
  R r Ctrl-L       draw the screen again
  -LETTER          change an option: E e I i K M m N n R r S s q ~
  v                edit the file, with VISUAL, EDITOR or vi
  !COMMAND         run a command of the shell
";

/// The most that a number before a key may be.
const MOST: usize = 1 << 28;

impl Less<'_> {
    /// The keys of `+CMD`.
    pub(super) fn press_first(&mut self, pressed: &[u8]) {
        let text = String::from_utf8_lossy(pressed);
        let mut keys = Vec::new();
        for one in text.chars() {
            keys.push(Key::Char(one));
        }
        match pressed.last() {
            Some(b'0'..=b'9') => keys.push(Key::Char('g')),
            Some(_) if matches!(pressed[0], b'/' | b'?' | b'&' | b':') => keys.push(Key::Char('\r')),
            _ => {}
        }
        // A pattern of the command line may be on the first line, too.
        if pressed.starts_with(b"/") {
            if let Ok(pattern) = self.pattern(&pressed[1..]) {
                let found = pattern.forward(&mut self.source, 0);
                self.search = Some(Search { pattern, is_backward: false });
                match found {
                    Some(line) => self.jump(line),
                    None => self.tell(b"No matches found"),
                }
            }
            return;
        }
        self.screen.keys.replay(&keys);
    }

    /// Obeys a key and those that belong to it.
    pub(super) fn obey(&mut self, key: Key) -> Result<()> {
        let mut number = None;
        let mut key = key;
        while let Key::Char(digit @ '0'..='9') = key {
            number = Some((number.unwrap_or(0) * 10 + digit as usize - '0' as usize).min(MOST));
            self.show_line(&text!(":", number.unwrap_or(0)))?;
            key = self.screen.key();
        }
        if self.settings.quit_at_second_end {
            let is_at_end = self.is_at_end();
            let is_down = matches!(key, Key::Down | Key::PageDown | Key::Char(' ' | 'f' | 'j' | 'e' | '\r' | 'd'));
            if is_at_end && self.was_at_end && is_down && self.current + 1 == self.files.len() {
                self.ended = Some(ExitStatus::SUCCESS);
                return Ok(());
            }
            self.was_at_end = is_at_end;
        }
        let count = number.unwrap_or(1);
        let page = number.unwrap_or(self.page());
        match key {
            Key::Hangup => self.ended = Some(ExitStatus::SUCCESS),
            Key::Down => self.down(count, false),
            Key::Up => self.up(count),
            Key::PageDown => self.down(page, false),
            Key::PageUp => self.up(page),
            Key::Home => self.go_to_line(number.unwrap_or(1)),
            Key::End => self.go_to_end(number),
            Key::Right => self.sideways(number, true),
            Key::Left => self.sideways(number, false),
            Key::Char(one) => return self.character(one, number),
            _ => {}
        }
        Ok(())
    }

    fn character(&mut self, one: char, number: Option<usize>) -> Result<()> {
        let count = number.unwrap_or(1);
        let page = number.unwrap_or(self.page());
        match one {
            'q' | 'Q' => self.quit(),
            'Z' if self.screen.key() == Key::Char('Z') => self.quit(),
            'h' | 'H' => self.show_help(),
            '\x03' if self.settings.quit_on_interrupt => self.ended = Some(ExitStatus(2)),
            'j' | 'e' | '\r' | '\n' | '\x05' | '\x0e' => self.down(count, false),
            'J' => self.down(count, true),
            'k' | 'y' | '\x19' | '\x10' | '\x0b' | 'K' | 'Y' => self.up(count),
            ' ' | 'f' | '\x16' | '\x06' | 'z' => self.down(page, false),
            'b' | '\x02' | 'w' => self.up(page),
            'd' | '\x04' | 'u' | '\x15' => self.half_page(one, number),
            'g' | '<' => self.go_to_line(count),
            'G' | '>' => self.go_to_end(number),
            'p' | '%' => self.go_to_percent(number.unwrap_or(0)),
            'F' => return self.follow(),
            '/' | '?' => return self.ask_pattern(one == '?', count),
            'n' | 'N' => self.search_again(one == 'N', count),
            '&' => return self.ask_filter(),
            'm' => return self.mark(),
            '\'' => return self.go_to_mark(),
            ':' => return self.colon(),
            '=' | '\x07' => self.show_status(),
            'R' | 'r' | '\x0c' => {
                self.source.refresh();
                self.screen.forget();
            }
            '-' | '_' => return self.option(one == '-'),
            '!' => return self.shell(),
            'v' => return self.edit(),
            '\x1a' => self.screen.suspend(),
            '\x1b' => return self.escape(number),
            _ => {}
        }
        Ok(())
    }

    fn escape(&mut self, number: Option<usize>) -> Result<()> {
        match self.screen.key() {
            Key::Char('u') => self.highlights = !self.highlights,
            Key::Char('v') => self.up(number.unwrap_or(self.page())),
            Key::Char(' ') => self.down(number.unwrap_or(self.page()), true),
            Key::Char('<') => self.go_to_line(number.unwrap_or(1)),
            Key::Char('>') => self.go_to_end(number),
            Key::Char(')') => self.sideways(number, true),
            Key::Char('(') => self.sideways(number, false),
            _ => {}
        }
        Ok(())
    }

    fn quit(&mut self) {
        match self.help.take() {
            Some((source, top)) => {
                self.source = source;
                self.top = top;
            }
            None => self.ended = Some(ExitStatus::SUCCESS),
        }
    }

    fn show_help(&mut self) {
        if self.help.is_none() {
            let list = Box::new(Source::new(Input::from_bytes(HELP.to_vec()), -1));
            self.help = Some((core::mem::replace(&mut self.source, list), self.top));
            self.top = 0;
        }
    }

    fn half_page(&mut self, one: char, number: Option<usize>) {
        self.half = number.unwrap_or(self.half);
        let count = if self.half == 0 { (self.page() / 2).max(1) } else { self.half };
        match one {
            'd' | '\x04' => self.down(count, false),
            _ => self.up(count),
        }
    }

    fn sideways(&mut self, number: Option<usize>, is_right: bool) {
        let columns = number.unwrap_or((self.screen.columns / 2).max(1));
        self.left = if is_right { self.left.saturating_add(columns) } else { self.left.saturating_sub(columns) };
        // A row that begins within a line is not one when the columns on the left are skipped.
        self.top = self.source.line_start(self.top);
    }

    fn go_to_line(&mut self, number: usize) {
        let line = self.source.line_offset(number as u64);
        self.jump(line);
    }

    fn go_to_end(&mut self, number: Option<usize>) {
        match number {
            Some(number) => self.go_to_line(number),
            None => {
                self.source.refresh();
                self.source.read_all();
                self.jump_to_end();
            }
        }
    }

    fn go_to_percent(&mut self, percent: usize) {
        self.source.read_all();
        let size = self.source.size();
        let at = (u128::from(size) * percent.min(100) as u128 / 100) as u64;
        match at == size {
            true => self.jump_to_end(),
            false => {
                let line = self.source.line_start(at);
                self.jump(line);
            }
        }
    }

    #[inline(never)]
    fn read_what_is_there(&mut self) {
        self.source.refresh();
        while self.source.is_open_stream() && self.source.wait(Some(0)) {}
    }

    /// Shows what is added to the file until a key is pressed.
    fn follow(&mut self) -> Result<()> {
        loop {
            self.read_what_is_there();
            let before = self.source.size();
            self.jump_to_end();
            self.tell(b"Waiting for data... (interrupt to abort)");
            self.draw()?;
            loop {
                self.screen.keys.timeout = Some(if self.source.is_open_stream() { 20 } else { 200 });
                let key = self.screen.key();
                self.screen.keys.timeout = None;
                if !matches!(key, Key::TimedOut | Key::Signal) {
                    self.message.clear();
                    return Ok(());
                }
                self.read_what_is_there();
                if self.source.size() != before || key == Key::Signal {
                    break;
                }
            }
        }
    }

    fn pattern(&self, typed: &[u8]) -> Result<Pattern> {
        let has_upper = typed.iter().any(u8::is_ascii_uppercase);
        let fold = self.settings.fold_always || self.settings.fold && !has_upper;
        let fold = if fold { Flags::FOLD_CASE } else { Flags::NONE };
        Pattern::new(typed, Flags::EXTENDED | fold, self.settings.raw)
    }

    fn ask_pattern(&mut self, is_backward: bool, count: usize) -> Result<()> {
        let Some(typed) = self.ask(if is_backward { b"?" } else { b"/" })? else { return Ok(()) };
        if !typed.is_empty() {
            match self.pattern(&typed) {
                Ok(pattern) => self.search = Some(Search { pattern, is_backward }),
                Err(error) => {
                    self.tell(error.message());
                    return Ok(());
                }
            }
        } else if let Some(search) = &mut self.search {
            search.is_backward = is_backward;
        }
        self.highlights = true;
        self.search_again(false, count);
        Ok(())
    }

    fn search_again(&mut self, is_reversed: bool, count: usize) {
        let Some(search) = &self.search else {
            self.tell(b"No previous search");
            return;
        };
        let mut line = self.source.line_start(self.top);
        for _ in 0..count {
            let found = if search.is_backward != is_reversed {
                search.pattern.backward(&mut self.source, line)
            } else {
                self.source.set_patience(u64::MAX);
                let next = self.source.line_end(line);
                search.pattern.forward(&mut self.source, next)
            };
            match found {
                Some(found) => line = found,
                None => {
                    self.tell(b"No matches found");
                    return;
                }
            }
        }
        self.jump(line);
    }

    fn ask_filter(&mut self) -> Result<()> {
        let Some(typed) = self.ask(b"&/")? else { return Ok(()) };
        self.filter = None;
        if !typed.is_empty() {
            match self.pattern(&typed) {
                Ok(pattern) => self.filter = Some(pattern),
                Err(error) => self.tell(error.message()),
            }
        }
        let line = self.source.line_start(self.top);
        self.source.set_patience(u64::MAX);
        self.jump(line);
        if self.filter.is_some() && self.shown_from(0).is_none() {
            self.filter = None;
            self.tell(b"No matches found");
        }
        Ok(())
    }

    fn slot(one: char) -> Option<usize> {
        match one {
            'a'..='z' => Some(one as usize - 'a' as usize),
            'A'..='Z' => Some(26 + one as usize - 'A' as usize),
            '\'' => Some(52),
            _ => None,
        }
    }

    fn mark(&mut self) -> Result<()> {
        self.show_line(b"Mark: ")?;
        match self.screen.key() {
            Key::Char(one @ ('a'..='z' | 'A'..='Z')) => {
                let slot = Self::slot(one).unwrap_or(52);
                self.marks[slot] = Some((self.current, self.top));
            }
            Key::Char('\x1b' | '\x03') => {}
            _ => self.tell(b"Invalid mark letter"),
        }
        Ok(())
    }

    fn go_to_mark(&mut self) -> Result<()> {
        self.show_line(b"Go to mark: ")?;
        let Key::Char(one) = self.screen.key() else { return Ok(()) };
        match one {
            '^' => self.go_to_line(1),
            '$' => self.go_to_end(None),
            '\x1b' | '\x03' => {}
            _ => match Self::slot(one).map(|slot| self.marks[slot]) {
                Some(Some((file, top))) => {
                    if file != self.current {
                        self.go_to_file(file.min(self.files.len() - 1));
                    }
                    self.marks[52] = Some((self.current, self.top));
                    self.top = top.min(self.source.size());
                }
                Some(None) if one == '\'' => self.go_to_line(1),
                Some(None) => self.tell(b"Mark not set"),
                None => self.tell(b"Invalid mark letter"),
            },
        }
        Ok(())
    }

    fn colon(&mut self) -> Result<()> {
        self.show_line(b" :")?;
        let Key::Char(one) = self.screen.key() else { return Ok(()) };
        match one {
            'q' | 'Q' => self.quit(),
            'n' if self.current + 1 < self.files.len() => self.go_to_file(self.current + 1),
            'p' if self.current > 0 => self.go_to_file(self.current - 1),
            'x' => self.go_to_file(0),
            'n' => self.tell(b"No next file"),
            'p' => self.tell(b"No previous file"),
            'f' => self.show_status(),
            'd' if self.files.len() > 1 => {
                let removed = self.current;
                self.go_to_file(if removed + 1 < self.files.len() { removed + 1 } else { removed - 1 });
                if self.current != removed {
                    self.files.remove(removed);
                    self.current -= usize::from(self.current > removed);
                }
            }
            'e' => {
                if let Some(name) = self.ask(b"Examine: ")?.filter(|name| !name.is_empty()) {
                    self.files.insert(self.current + 1, Entry { name, top: 0 });
                    let before = self.current;
                    self.go_to_file(before + 1);
                    if self.current == before {
                        self.files.remove(before + 1);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn show_status(&mut self) {
        let is_at_end = self.is_at_end();
        let end = self.bottom().0;
        self.message = self.status(end, is_at_end);
    }

    #[inline(never)]
    fn tell_option(&mut self, one: char, is_on: bool) {
        self.message = text!("-", &[one as u8], if is_on { " on" } else { " off" });
    }

    /// Changes an option, or reports it.
    fn option(&mut self, is_change: bool) -> Result<()> {
        self.show_line(if is_change { b"-" } else { b"_" })?;
        let Key::Char(one) = self.screen.key() else { return Ok(()) };
        let settings = &mut self.settings;
        if matches!(one, 'R' | 'r') {
            let wanted = if one == 'R' { Raw::Colours } else { Raw::All };
            if is_change {
                settings.raw = if settings.raw == wanted { Raw::Shown } else { wanted };
            }
            self.tell_option(one, self.settings.raw == wanted);
            return Ok(());
        }
        let flag = match one {
            'E' => &mut settings.quit_at_end,
            'e' => &mut settings.quit_at_second_end,
            'I' => &mut settings.fold_always,
            'i' => &mut settings.fold,
            'K' => &mut settings.quit_on_interrupt,
            'M' | 'm' => &mut settings.status,
            'N' => &mut settings.numbers,
            'n' => &mut settings.no_count,
            'S' => &mut settings.chop,
            's' => &mut settings.squeeze,
            'q' => &mut settings.quiet,
            '~' => &mut settings.no_tildes,
            _ => {
                self.tell(b"There is no such option");
                return Ok(());
            }
        };
        *flag ^= is_change;
        let is_on = *flag;
        self.tell_option(one, is_on);
        self.top = self.source.line_start(self.top);
        Ok(())
    }

    /// Runs a command of the shell.
    fn shell(&mut self) -> Result<()> {
        let Some(line) = self.ask(b"!")? else { return Ok(()) };
        let shell = self.env.shell();
        if line.is_empty() {
            return self.run(&[&shell], false);
        }
        self.run(&[&shell, b"-c", &line], true)
    }

    fn edit(&mut self) -> Result<()> {
        let name = self.files[self.current].name.clone();
        if name == b"-" || self.help.is_some() {
            self.tell(b"Cannot edit standard input");
            return Ok(());
        }
        let vars = &self.env.vars;
        let editor = vars.get("VISUAL").or_else(|| vars.get("EDITOR")).filter(|editor| !editor.is_empty());
        // The variable may have words of its own.
        let line = text!(editor.unwrap_or(b"vi"), " +", self.source.line_number(self.top), " \"$1\"");
        self.run(&[b"sh", b"-c", &line, b"sh", &name], false)?;
        self.go_to_file(self.current);
        Ok(())
    }

    /// Gives the terminal to a command, and waits for a key after it.
    fn run(&mut self, words: &[&[u8]], wait: bool) -> Result<()> {
        self.screen.leave();
        call::run(self.env, words)?;
        if wait {
            self.screen.pause(b"(press a key)");
        }
        self.screen.enter();
        Ok(())
    }
}
