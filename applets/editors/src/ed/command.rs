//! The commands of `ed`.

use std::rc::Rc;

use rbox_core::pattern::regex::{Exec, Regex};
use rbox_core::pattern::template::{Template, Which};
use rbox_core::prelude::*;
use rbox_core::text;

use crate::unambiguous::{Form, append_unambiguous};

use super::address::{Addresses, Cursor};
use super::buffer::Line;
use super::{Editor, Flow};

/// What `s` did last.
#[derive(Clone)]
pub struct Substitution {
    regex: Rc<Regex>,
    template: Template,
    /// The replacement as it was written, for `%`.
    replacement: Vec<u8>,
    which: Which,
}

/// How the current line is printed after a command.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Suffix {
    prints: bool,
    lists: bool,
    numbers: bool,
}

impl Suffix {
    fn is_any(self) -> bool {
        self.prints || self.lists || self.numbers
    }

    fn take(&mut self, byte: u8) -> bool {
        match byte {
            b'p' => self.prints = true,
            b'l' => self.lists = true,
            b'n' => self.numbers = true,
            _ => return false,
        }
        true
    }
}

fn error(message: &str) -> Error {
    Error::new(message)
}

impl Editor {
    /// Carries out one command line.
    pub fn command(&mut self, env: &mut Env, line: &[u8]) -> Result<Flow> {
        let mut cursor = Cursor::new(line);
        let addresses = self.addresses(&mut cursor)?;
        cursor.skip_blanks();
        let Some(name) = cursor.next() else {
            let current = self.buffer.current();
            let (_, last) = addresses.or(current + 1, current + 1);
            return self.print(env, last, last, Suffix { prints: true, ..Suffix::default() }).map(|()| Flow::Next);
        };
        let is_warned = std::mem::take(&mut self.is_warned);
        match name {
            b'q' | b'e' if !is_warned && self.buffer.modified => {
                self.is_warned = true;
                return Err(error("Warning: buffer modified"));
            }
            b'q' | b'Q' => {
                self.no_addresses(addresses)?;
                self.end(&mut cursor)?;
                return Ok(Flow::Quit);
            }
            b'w' | b'W' => return self.write_command(env, &mut cursor, addresses, name),
            b'g' | b'v' | b'G' | b'V' => return self.global(env, &mut cursor, addresses, name),
            b'e' | b'E' | b'f' | b'r' | b'!' => self.file_command(env, &mut cursor, addresses, name)?,
            b'h' | b'H' | b'P' => self.toggle(env, &mut cursor, addresses, name)?,
            b'p' | b'l' | b'n' => {
                let mut suffix = self.suffix(&mut cursor)?;
                suffix.take(name);
                let (first, last) = self.range(addresses, self.buffer.current(), self.buffer.current())?;
                self.print(env, first, last, suffix)?;
            }
            b'z' => self.scroll(env, &mut cursor, addresses)?,
            b'=' => {
                let suffix = self.suffix(&mut cursor)?;
                let (_, last) = addresses.or(0, self.buffer.len());
                env.stdout.write(&text!(last, "\n"))?;
                self.print_current(env, suffix)?;
            }
            b'#' => {}
            _ => self.change(env, &mut cursor, addresses, name)?,
        }
        Ok(Flow::Next)
    }

    /// The commands that change lines or marks.
    fn change(&mut self, env: &mut Env, cursor: &mut Cursor<'_>, addresses: Addresses, name: u8) -> Result<()> {
        let current = self.buffer.current();
        if name == b's' {
            return self.substitute(env, cursor, addresses);
        }
        let mut target = 0;
        if name == b'k' {
            target = usize::from(
                cursor.next().filter(u8::is_ascii_lowercase).ok_or_else(|| error("Invalid mark character"))?,
            );
        } else if matches!(name, b'm' | b't') {
            target = match self.address(cursor)? {
                Some(target) => target,
                None => current,
            };
        }
        let suffix = self.suffix(cursor)?;
        match name {
            b'a' | b'i' => {
                let (_, at) = addresses.or(current, current);
                let lines = self.read_text(env)?;
                self.remember();
                let after = if name == b'i' { at.saturating_sub(1) } else { at };
                self.add(after, lines, at);
            }
            b'c' => {
                let (first, last) = addresses.or(current, current);
                // POSIX XCU ed: the address 0 is that of the first line.
                let (first, last) =
                    self.range(Addresses { first: Some(first.max(1)), last: Some(last.max(1)) }, 1, 1)?;
                let lines = self.read_text(env)?;
                self.remember();
                self.buffer.remove(first, last);
                let next = self.buffer.current();
                self.add(first - 1, lines, next);
            }
            b'd' => {
                let (first, last) = self.range(addresses, current, current)?;
                self.remember();
                self.buffer.remove(first, last);
            }
            b'j' => self.join(addresses)?,
            b'k' => {
                let (_, at) = self.range(addresses, current, current)?;
                self.buffer.mark(target as u8, at);
            }
            b'm' => self.move_lines(addresses, target)?,
            b't' => {
                let (first, last) = self.range(addresses, current, current)?;
                let copies = self.buffer.lines(first, last).iter().map(|line| Line::from(&line[..])).collect();
                self.remember();
                self.buffer.insert(target, copies);
            }
            b'u' => {
                self.no_addresses(addresses)?;
                if !self.buffer.undo() {
                    return Err(error("Nothing to undo"));
                }
            }
            _ => return Err(error("Unknown command")),
        }
        self.print_current(env, suffix)
    }

    /// Adds lines; without any, the line `otherwise` becomes the current one.
    fn add(&mut self, after: usize, lines: Vec<Line>, otherwise: usize) {
        if lines.is_empty() {
            self.buffer.set_current(otherwise);
        } else {
            self.buffer.insert(after, lines);
        }
    }

    /// `u` after `g` undoes all that its commands did.
    fn remember(&mut self) {
        if !self.in_list {
            self.buffer.remember();
        }
    }

    /// The range of a command that needs lines.
    fn range(&self, addresses: Addresses, first: usize, last: usize) -> Result<(usize, usize)> {
        let (first, last) = addresses.or(first, last);
        if first == 0 || first > last || last > self.buffer.len() {
            return Err(error("Invalid address"));
        }
        Ok((first, last))
    }

    fn no_addresses(&self, addresses: Addresses) -> Result<()> {
        if addresses.last.is_some() { Err(error("Unexpected address")) } else { Ok(()) }
    }

    fn end(&self, cursor: &mut Cursor<'_>) -> Result<()> {
        if cursor.peek().is_some() { Err(error("Invalid command suffix")) } else { Ok(()) }
    }

    fn suffix(&self, cursor: &mut Cursor<'_>) -> Result<Suffix> {
        let mut suffix = Suffix::default();
        while let Some(byte) = cursor.next() {
            if !suffix.take(byte) {
                return Err(error("Invalid command suffix"));
            }
        }
        Ok(suffix)
    }

    /// Prints lines and makes the last of them the current one.
    fn print(&mut self, env: &mut Env, first: usize, last: usize, suffix: Suffix) -> Result<()> {
        if first == 0 || last > self.buffer.len() {
            return Err(error("Invalid address"));
        }
        let mut shown = Vec::new();
        for (line, number) in self.buffer.lines(first, last).iter().zip(first..) {
            if suffix.numbers {
                env.stdout.write(&text!(number, "\t"))?;
            }
            if suffix.lists {
                shown.clear();
                append_unambiguous(&mut shown, line, Form { length: 72, end: b'\n', escapes_dollar: true })?;
                env.stdout.write(&shown)?;
                continue;
            }
            env.stdout.write(line)?;
            env.stdout.push(b'\n')?;
        }
        self.buffer.set_current(last);
        Ok(())
    }

    fn print_current(&mut self, env: &mut Env, suffix: Suffix) -> Result<()> {
        if !suffix.is_any() {
            return Ok(());
        }
        self.print(env, self.buffer.current(), self.buffer.current(), suffix)
    }

    /// The lines up to a single period.
    fn read_text(&mut self, env: &mut Env) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        while let Some(line) = self.read_line(env)? {
            if line == b"." {
                break;
            }
            lines.push(Line::from(line));
        }
        Ok(lines)
    }

    fn join(&mut self, addresses: Addresses) -> Result<()> {
        let current = self.buffer.current();
        let (first, last) = self.range(addresses, current, current + 1)?;
        if first == last {
            return Ok(());
        }
        self.remember();
        let joined = self.buffer.remove(first, last).concat();
        self.buffer.insert(first - 1, vec![Line::from(joined)]);
        Ok(())
    }

    fn move_lines(&mut self, addresses: Addresses, target: usize) -> Result<()> {
        let current = self.buffer.current();
        let (first, last) = self.range(addresses, current, current)?;
        if (first..last).contains(&target) {
            return Err(error("Invalid destination"));
        }
        self.remember();
        let lines = self.buffer.remove(first, last);
        let target = if target >= last { target - lines.len() } else { target };
        self.buffer.insert(target, lines);
        Ok(())
    }

    /// `z`: prints a window of lines.
    fn scroll(&mut self, env: &mut Env, cursor: &mut Cursor<'_>, addresses: Addresses) -> Result<()> {
        if let Some(count) = cursor.number().filter(|&count| count > 0) {
            self.window = usize::try_from(count).unwrap_or(usize::MAX);
        }
        let mut suffix = self.suffix(cursor)?;
        suffix.prints = true;
        let next = self.buffer.current() + 1;
        let (_, first) = addresses.or(next, next);
        let (first, _) = self.range(Addresses { first: Some(first), last: Some(first) }, first, first)?;
        let last = first.saturating_add(self.window - 1).min(self.buffer.len());
        self.print(env, first, last, suffix)
    }

    /// `h`, `H` and `P`: about errors and the prompt.
    fn toggle(&mut self, env: &mut Env, cursor: &mut Cursor<'_>, addresses: Addresses, name: u8) -> Result<()> {
        self.no_addresses(addresses)?;
        let suffix = self.suffix(cursor)?;
        match name {
            b'P' => self.is_prompting = !self.is_prompting,
            b'H' => self.explains = !self.explains,
            _ => {}
        }
        if (name == b'h' || name == b'H' && self.explains) && !self.message.is_empty() {
            env.stdout.write(&[&self.message, &b"\n"[..]].concat())?;
        }
        self.print_current(env, suffix)
    }

    /// The file name after a command; without one the remembered one.
    fn file_name(&mut self, cursor: &mut Cursor<'_>) -> Result<Vec<u8>> {
        let is_apart = matches!(cursor.peek(), None | Some(b' ' | b'\t'));
        cursor.skip_blanks();
        match cursor.rest() {
            _ if !is_apart => Err(error("Unexpected command suffix")),
            [] => self.path.clone().ok_or_else(|| error("No current filename")),
            [b'!', command @ ..] => Ok([b"!", &self.expand(command)?[..]].concat()),
            name => Ok(name.to_vec()),
        }
    }

    /// A command of the shell, `%` in it being the file name and `!` at its beginning the last command.
    fn expand(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut rest = command;
        if let [b'!', others @ ..] = command {
            if self.last_command.is_empty() {
                return Err(error("No previous command"));
            }
            out.extend_from_slice(&self.last_command);
            rest = others;
        }
        while let [byte, others @ ..] = rest {
            rest = others;
            match (*byte, others) {
                (b'\\', [b'%', others @ ..]) => {
                    out.push(b'%');
                    rest = others;
                }
                (b'%', _) => out.extend_from_slice(self.path.as_ref().ok_or_else(|| error("No current filename"))?),
                (byte, _) => out.push(byte),
            }
        }
        self.last_command.clone_from(&out);
        Ok(out)
    }

    fn file_command(&mut self, env: &mut Env, cursor: &mut Cursor<'_>, addresses: Addresses, name: u8) -> Result<()> {
        if name == b'!' {
            self.no_addresses(addresses)?;
            let words = cursor.rest();
            let command = self.expand(words)?;
            if command != words && !self.silent {
                env.stdout.write(&[&command, &b"\n"[..]].concat())?;
            }
            return self.shell(env, &command);
        }
        let file = self.file_name(cursor)?;
        match name {
            b'r' => {
                let (_, after) = addresses.or(0, self.buffer.len());
                let lines = self.read(env, &file)?;
                self.remember();
                self.add(after, lines, self.buffer.current());
                self.remember_path(&file, false);
                Ok(())
            }
            b'f' => {
                self.no_addresses(addresses)?;
                if file.starts_with(b"!") {
                    return Err(error("Invalid redirection"));
                }
                self.path = Some(file.clone());
                env.stdout.write(&[&file, &b"\n"[..]].concat())
            }
            _ => {
                self.no_addresses(addresses)?;
                self.edit(env, &file)
            }
        }
    }

    /// `w`, `W` and `wq`.
    fn write_command(
        &mut self,
        env: &mut Env,
        cursor: &mut Cursor<'_>,
        addresses: Addresses,
        name: u8,
    ) -> Result<Flow> {
        let quits = name == b'w' && cursor.take(b'q');
        let file = self.file_name(cursor)?;
        let (first, last) = addresses.or(1.min(self.buffer.len()), self.buffer.len());
        if first == 0 && last > 0 || first > last {
            return Err(error("Invalid address"));
        }
        let size = self.write(env, &file, first, last, name == b'W')?;
        self.remember_path(&file, false);
        if !self.silent {
            env.stdout.write(&text!(size, "\n"))?;
        }
        if (first <= 1 && last == self.buffer.len()) && !file.starts_with(b"!") {
            self.buffer.modified = false;
        }
        Ok(if quits { Flow::Quit } else { Flow::Next })
    }

    /// The template of `s` up to the delimiter; an escaped newline goes on in the next line. Whether the delimiter was there.
    fn replacement(&mut self, env: &mut Env, cursor: &mut Cursor<'_>, delimiter: u8) -> Result<(Vec<u8>, Vec<u8>)> {
        let (mut text, mut is_closed) = cursor.delimited(delimiter, false);
        let mut flags = cursor.rest().to_vec();
        while !is_closed && ends_with_backslash(&text) {
            let Some(line) = self.read_line(env)? else { break };
            text.push(b'\n');
            let mut next = Cursor::new(&line);
            let (more, closed) = next.delimited(delimiter, false);
            text.extend_from_slice(&more);
            is_closed = closed;
            flags = next.rest().to_vec();
        }
        if !is_closed {
            // POSIX XCU ed: without the delimiter the line is printed.
            flags = b"p".to_vec();
        }
        Ok((text, flags))
    }

    fn substitute(&mut self, env: &mut Env, cursor: &mut Cursor<'_>, addresses: Addresses) -> Result<()> {
        let current = self.buffer.current();
        let (first, last) = self.range(addresses, current, current)?;
        let (mut substitution, flags) = match cursor.peek() {
            None | Some(b'g' | b'p' | b'l' | b'n' | b'0'..=b'9') => {
                let last = self.last_substitution.clone().ok_or_else(|| error("No previous substitution"))?;
                (last, cursor.rest().to_vec())
            }
            Some(b' ' | b'\n' | b'\\') => return Err(error("Invalid pattern delimiter")),
            Some(delimiter) => {
                cursor.next();
                let (regex, is_closed) = self.pattern(cursor, delimiter)?;
                if !is_closed {
                    return Err(error("Missing pattern delimiter"));
                }
                let (mut replacement, flags) = self.replacement(env, cursor, delimiter)?;
                if replacement == b"%" {
                    let last = self.last_substitution.as_ref().ok_or_else(|| error("No previous substitution"))?;
                    replacement.clone_from(&last.replacement);
                }
                let template = Template::parse(&replacement);
                let which = Which { first: 1, all: false };
                (Substitution { regex, template, replacement, which }, flags)
            }
        };
        let mut suffix = Suffix::default();
        let mut flags = Cursor::new(&flags);
        while let Some(byte) = flags.peek() {
            if byte.is_ascii_digit() {
                substitution.which.first =
                    flags.number().filter(|&count| count > 0).ok_or_else(|| error("Invalid command suffix"))?;
                continue;
            }
            if byte == b'g' {
                substitution.which.all = true;
            } else if !suffix.take(byte) {
                return Err(error("Invalid command suffix"));
            }
            flags.next();
        }
        if substitution.template.highest_group() > substitution.regex.groups() {
            return Err(error("Invalid back reference"));
        }
        self.last_substitution = Some(substitution.clone());
        self.replace_lines(&substitution, first, last)?;
        self.print_current(env, suffix)
    }

    fn replace_lines(&mut self, substitution: &Substitution, first: usize, last: usize) -> Result<()> {
        let (mut spans, mut out) = (Vec::new(), Vec::new());
        let (mut number, mut last, mut is_changed) = (first, last, false);
        while number <= last {
            out.clear();
            let line = self.buffer.line(number).clone();
            let Substitution { regex, template, which, .. } = substitution;
            if template.substitute(regex, &line, Exec::default(), *which, &mut spans, &mut out)? == 0 {
                number += 1;
                continue;
            }
            if !std::mem::replace(&mut is_changed, true) {
                self.remember();
            }
            let lines: Vec<Line> = out.split(|&byte| byte == b'\n').map(Line::from).collect();
            let count = lines.len();
            self.buffer.remove(number, number);
            self.buffer.insert(number - 1, lines);
            number += count;
            last += count - 1;
        }
        // In `g` a line may lack the match.
        if is_changed || self.in_list { Ok(()) } else { Err(error("No match")) }
    }

    /// `g`, `v`, `G` and `V`: marks the lines first, then runs the commands on each that is still there.
    fn global(&mut self, env: &mut Env, cursor: &mut Cursor<'_>, addresses: Addresses, name: u8) -> Result<Flow> {
        if self.in_list {
            return Err(error("Cannot nest global commands"));
        }
        let (first, last) = self.range(addresses, 1, self.buffer.len())?;
        let delimiter = match cursor.next() {
            None | Some(b' ' | b'\n' | b'\\') => return Err(error("Invalid pattern delimiter")),
            Some(delimiter) => delimiter,
        };
        let (regex, _) = self.pattern(cursor, delimiter)?;
        let mut marked = Vec::new();
        for number in first..=last {
            if self.matches(&regex, number)? == matches!(name, b'g' | b'G') {
                marked.push(self.buffer.line(number).clone());
            }
        }
        let is_interactive = matches!(name, b'G' | b'V');
        let mut list = Vec::new();
        let mut suffix = Suffix { prints: true, ..Suffix::default() };
        if is_interactive {
            suffix = self.suffix(cursor)?;
            suffix.prints |= !suffix.is_any();
        } else {
            list = self.read_list(env, cursor)?;
        }
        self.buffer.remember();
        for line in marked {
            let Some(number) = self.buffer.number_of(&line, self.buffer.current()) else { continue };
            self.buffer.set_current(number);
            if is_interactive {
                self.print(env, number, number, suffix)?;
                let Some(mut answer) = self.read_list_line(env)? else { return Err(error("Unexpected end-of-file")) };
                if answer.is_empty() {
                    continue;
                }
                if answer == [b"&"] {
                    answer.clone_from(&list);
                    if answer.is_empty() {
                        return Err(error("No previous command"));
                    }
                }
                list = answer;
            }
            if let Flow::Quit = self.run_list(env, &list)? {
                return Ok(Flow::Quit);
            }
        }
        Ok(Flow::Next)
    }

    /// The commands of `g`; a backslash at the end of a line joins the next. None are `p`.
    fn read_list(&mut self, env: &mut Env, cursor: &mut Cursor<'_>) -> Result<Vec<Vec<u8>>> {
        let mut list = vec![cursor.rest().to_vec()];
        while let Some(line) = list.last_mut()
            && ends_with_backslash(line)
        {
            line.pop();
            let Some(next) = self.read_line(env)? else { break };
            list.push(next);
        }
        if list == [b""] {
            list = vec![b"p".to_vec()];
        }
        Ok(list)
    }

    /// A command for `G`; `None` at the end of the input.
    fn read_list_line(&mut self, env: &mut Env) -> Result<Option<Vec<Vec<u8>>>> {
        let Some(line) = self.read_line(env)? else { return Ok(None) };
        if line.is_empty() {
            return Ok(Some(Vec::new()));
        }
        self.read_list(env, &mut Cursor::new(&line)).map(Some)
    }

    fn run_list(&mut self, env: &mut Env, list: &[Vec<u8>]) -> Result<Flow> {
        self.list.extend(list.iter().cloned());
        self.in_list = true;
        while let Some(command) = self.list.pop_front() {
            if let Flow::Quit = self.command(env, &command)? {
                return Ok(Flow::Quit);
            }
        }
        self.in_list = false;
        Ok(Flow::Next)
    }
}

/// Whether the last character is a backslash that no other one escapes.
fn ends_with_backslash(text: &[u8]) -> bool {
    text.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}
