//! Runs a script on the lines of the input.

use rbox_core::bytes::{append, find_byte};
use rbox_core::io::Input;
use rbox_core::number::Decimal;
use rbox_core::pattern;
use rbox_core::pattern::regex::{Exec, Regex, Span};
use rbox_core::prelude::*;

use crate::unambiguous::{Form, append_unambiguous};

use super::files::{Inputs, Outputs, copy_file, execute, open_reader};
use super::parser::invalid_reference;
use super::program::{Action, Address, Command, End, LAST_USED, Program, RegexId, Substitute, Translation};
use super::skim::Skim;

/// What the command line says about running.
#[derive(Clone, Copy)]
pub struct Manner {
    /// `-n`
    pub quiet: bool,
    /// `N` on the last line prints nothing: POSIX's rule.
    pub posix: bool,
    pub utf8: bool,
    /// The length of a line of `l`; 0 and 1 are without limit.
    pub list_length: usize,
    /// `-u`: each line is written at once.
    pub unbuffered: bool,
}

/// Where a range is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Range {
    Outside,
    /// Up to the line with this number.
    Until(u64),
    /// Up to a line that the second address matches.
    UntilMatch,
    /// It began at a line number and has ended: it does not begin again.
    Closed,
}

/// What is printed at the end of the cycle, or before the next line is read.
enum Queued<'a> {
    Text(&'a [u8]),
    File(&'a [u8]),
    Line(Vec<u8>),
}

/// How a cycle ended.
enum Ending {
    Print,
    Delete,
    /// `D`: the script begins again with what is left.
    Restart,
    Quit {
        status: u8,
        prints: bool,
    },
}

pub struct Machine<'a> {
    program: &'a Program,
    manner: Manner,
    inputs: Inputs<'a>,
    outputs: Outputs,
    space: Vec<u8>,
    hold: Vec<u8>,
    /// Where a new pattern space is made.
    spare: Vec<u8>,
    /// Whether the last line of the hold space had its end in the input.
    hold_has_end: bool,
    spans: Vec<Span>,
    ranges: Vec<Range>,
    queue: Vec<Queued<'a>>,
    readers: Vec<Option<Input>>,
    /// A substitution was made since the last line was read or the last `t`.
    replaced: bool,
    last_regex: RegexId,
    skim: Option<Skim>,
    /// The commands that have run.
    #[cfg(fuzzing)]
    steps: u32,
}

impl<'a> Machine<'a> {
    pub fn new(program: &'a Program, manner: Manner, inputs: Inputs<'a>, outputs: Outputs) -> Self {
        let skim = if manner.unbuffered { None } else { Skim::of(program, manner.quiet, inputs.line_end()) };
        let mut machine = Self {
            program,
            manner,
            inputs,
            outputs,
            space: Vec::new(),
            hold: Vec::new(),
            spare: Vec::new(),
            hold_has_end: true,
            spans: Vec::new(),
            ranges: Vec::new(),
            queue: Vec::new(),
            readers: program.readers.iter().map(|_| None).collect(),
            replaced: false,
            last_regex: LAST_USED,
            skim,
            #[cfg(fuzzing)]
            steps: 0,
        };
        machine.reset_ranges();
        machine
    }

    /// Ranges, the hold space and the files of `R` begin anew with each file where lines are counted anew, as with GNU.
    fn reset_ranges(&mut self) {
        let before = |command: &Command| match command.first {
            Some(Address::Zero) => Range::UntilMatch,
            _ => Range::Outside,
        };
        self.ranges.clear();
        self.ranges.extend(self.program.commands.iter().map(before));
    }

    /// Runs the script on all lines. What was written before an error stays written.
    pub fn run(&mut self, env: &mut Env) -> Outcome {
        self.run_cycles(env).inspect_err(|_| {
            // That error is what is reported.
            let _ = self.outputs.flush(env);
        })
    }

    fn run_cycles(&mut self, env: &mut Env) -> Outcome {
        let mut status = ExitStatus::SUCCESS;
        let mut reads = true;
        loop {
            if reads {
                self.space.clear();
                if let Some(skim) = &mut self.skim {
                    skim.pass(env, &mut self.inputs, &mut self.outputs)?;
                }
                if !self.next_line(env)? {
                    break;
                }
            }
            let ending = self.cycle(env)?;
            if matches!(ending, Ending::Print | Ending::Quit { prints: true, .. }) && !self.manner.quiet {
                self.print(env)?;
            }
            // POSIX: what `a` and `r` ask for waits for the next attempt to read a line, which `D` does not make.
            if !matches!(ending, Ending::Quit { prints: false, .. } | Ending::Restart) {
                self.dump_queue(env)?;
            }
            if self.manner.unbuffered {
                self.outputs.flush(env)?;
            }
            reads = !matches!(ending, Ending::Restart);
            if let Ending::Quit { status: code, .. } = ending {
                status = ExitStatus(code);
                break;
            }
        }
        self.inputs.finish(env, &mut self.outputs)?;
        status.worsen(self.inputs.status);
        Ok(status)
    }

    /// Adds the next line to the pattern space.
    fn next_line(&mut self, env: &mut Env) -> Result<bool> {
        let is_read = self.inputs.read(env, &mut self.outputs, &mut self.space)?;
        // POSIX XCU sed, `t`: since the most recent reading of an input line.
        self.replaced = false;
        if std::mem::take(&mut self.inputs.begins) {
            self.reset_ranges();
            self.hold.clear();
            self.hold_has_end = true;
            self.readers.iter_mut().for_each(|reader| *reader = None);
        }
        Ok(is_read)
    }

    fn is_last(&mut self, env: &mut Env) -> Result<bool> {
        self.inputs.is_last(env, &mut self.outputs)
    }

    fn print(&mut self, env: &mut Env) -> Result<()> {
        self.outputs.main().write_line(env, &self.space, self.inputs.line_end(), self.inputs.has_end)
    }

    fn write(&mut self, env: &mut Env, bytes: &[u8]) -> Result<()> {
        self.outputs.main().write(env, bytes, self.inputs.line_end())
    }

    /// Writes a text of the script, whose last byte is a newline unless it is empty. With `-z` that of `i` and `c` is a
    /// NUL.
    fn write_text(&mut self, env: &mut Env, text: &[u8]) -> Result<()> {
        match text.strip_suffix(b"\n") {
            Some(text) => self.outputs.main().write_line(env, text, self.inputs.line_end(), true),
            None => Ok(()),
        }
    }

    /// The length of the first line of the pattern space, and whether it has its end. `N` and `G` join lines with the byte
    /// that ends them.
    fn first_line(&self) -> (usize, bool) {
        match find_byte(self.inputs.line_end(), &self.space) {
            Some(length) => (length, true),
            None => (self.space.len(), self.inputs.has_end),
        }
    }

    fn cycle(&mut self, env: &mut Env) -> Result<Ending> {
        let program = self.program;
        let mut at = 0;
        while let Some(command) = program.commands.get(at) {
            // A script may loop for ever, and double the pattern space each time.
            #[cfg(fuzzing)]
            {
                self.steps += 1;
                if self.steps > 1000 || self.space.len() > 10_000 {
                    return Ok(Ending::Quit { status: 0, prints: false });
                }
            }
            let is_selected = match command.first {
                None => true,
                Some(first) => self.is_selected(env, at, first, command.end)?,
            };
            if is_selected == command.negated {
                at = if let Action::Block(after) = command.action { after } else { at + 1 };
                continue;
            }
            at += 1;
            match &command.action {
                Action::Block(_) => {}
                Action::Substitute(substitute) => self.substitute(env, substitute)?,
                Action::Print => self.print(env)?,
                Action::Delete => return Ok(Ending::Delete),
                Action::Branch(to) => at = *to,
                Action::BranchIfReplaced(to) => {
                    if std::mem::take(&mut self.replaced) {
                        at = *to;
                    }
                }
                Action::BranchUnlessReplaced(to) => {
                    if !std::mem::take(&mut self.replaced) {
                        at = *to;
                    }
                }
                Action::DeleteLine => match find_byte(self.inputs.line_end(), &self.space) {
                    None => return Ok(Ending::Delete),
                    Some(end) => {
                        self.space.drain(..=end);
                        return Ok(Ending::Restart);
                    }
                },
                Action::Next | Action::NextAppend => {
                    if let Some(ending) = self.next(env, matches!(command.action, Action::NextAppend))? {
                        return Ok(ending);
                    }
                }
                Action::Quit(status) => return Ok(Ending::Quit { status: *status, prints: true }),
                Action::QuitSilently(status) => return Ok(Ending::Quit { status: *status, prints: false }),
                Action::Change(text) => {
                    let in_range = command.end.is_some() && !command.negated;
                    if !in_range || !matches!(self.ranges[at - 1], Range::Until(_) | Range::UntilMatch) {
                        self.write_text(env, text)?;
                    }
                    return Ok(Ending::Delete);
                }
                action => self.act(env, action)?,
            }
        }
        Ok(Ending::Print)
    }

    /// The commands after which the next one follows.
    fn act(&mut self, env: &mut Env, action: &'a Action) -> Result<()> {
        match action {
            Action::LineNumber => {
                let number = Decimal::new(self.inputs.line);
                self.write_text(env, &[number.as_bytes(), b"\n"].concat())
            }
            Action::Append(text) => {
                self.queue.push(Queued::Text(text));
                Ok(())
            }
            Action::Insert(text) => self.write_text(env, text),
            Action::Read(name) => {
                self.queue.push(Queued::File(name));
                Ok(())
            }
            Action::ReadLine(reader) => self.read_line(env, *reader),
            Action::Execute(command) => self.execute(env, command.as_deref()),
            Action::FileName => self.write_text(env, &[self.inputs.name, b"\n"].concat()),
            Action::Get => {
                self.inputs.has_end = self.hold_has_end;
                self.space.clear();
                append(&mut self.space, &self.hold)
            }
            Action::GetAppend => {
                self.inputs.has_end = self.hold_has_end;
                append(&mut self.space, &[self.inputs.line_end()])?;
                append(&mut self.space, &self.hold)
            }
            Action::Hold => {
                self.hold_has_end = self.inputs.has_end;
                self.hold.clear();
                append(&mut self.hold, &self.space)
            }
            Action::HoldAppend => {
                self.hold_has_end = self.inputs.has_end;
                append(&mut self.hold, &[self.inputs.line_end()])?;
                append(&mut self.hold, &self.space)
            }
            Action::Exchange => {
                std::mem::swap(&mut self.space, &mut self.hold);
                std::mem::swap(&mut self.inputs.has_end, &mut self.hold_has_end);
                Ok(())
            }
            Action::List(length) => self.list(env, length.unwrap_or(self.manner.list_length)),
            Action::PrintLine => {
                let (length, has_end) = self.first_line();
                self.outputs.main().write_line(env, &self.space[..length], self.inputs.line_end(), has_end)
            }
            Action::Write(sink) => {
                let end = self.inputs.line_end();
                self.outputs.sinks[*sink].write_line(env, &self.space, end, self.inputs.has_end)
            }
            Action::WriteLine(sink) => {
                let (length, has_end) = self.first_line();
                self.outputs.sinks[*sink].write_line(env, &self.space[..length], self.inputs.line_end(), has_end)
            }
            Action::Translate(table) => self.translate(table),
            Action::Zap => {
                self.space.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn is_selected(&mut self, env: &mut Env, at: usize, first: Address, end: Option<End>) -> Result<bool> {
        let Some(end) = end else { return self.matches(env, first) };
        let line = self.inputs.line;
        match (self.ranges[at], first) {
            (Range::Until(last), _) => {
                if line >= last {
                    self.close(at, first);
                }
                // `n` and `N` may have passed the end: GNU selects such a line after `+N` and `~N`, but not after a number.
                return Ok(line <= last || !matches!(end, End::At(_)));
            }
            (Range::UntilMatch, _) => {
                let End::At(address) = end else { return Ok(true) };
                if self.matches(env, address)? {
                    self.close(at, first);
                }
                return Ok(true);
            }
            (Range::Closed, _) => return Ok(false),
            // Lines may have passed while the command was not reached.
            (Range::Outside, Address::Line(number)) => {
                let is_within = match end {
                    End::At(Address::Line(last)) => line == number || (number..=last).contains(&line),
                    _ => line >= number,
                };
                if !is_within {
                    return Ok(false);
                }
            }
            (Range::Outside, _) => {
                if !self.matches(env, first)? {
                    return Ok(false);
                }
            }
        }
        self.ranges[at] = match end {
            End::At(Address::Line(last)) => Range::Until(last),
            End::At(Address::Last) if self.is_last(env)? => Range::Until(line),
            End::At(_) => Range::UntilMatch,
            End::Plus(count) => Range::Until(line.saturating_add(count)),
            End::Multiple(0) => Range::Until(line),
            End::Multiple(multiple) => Range::Until((line / multiple + 1).saturating_mul(multiple)),
        };
        if matches!(self.ranges[at], Range::Until(last) if last <= line) {
            self.close(at, first);
        }
        Ok(true)
    }

    fn close(&mut self, at: usize, first: Address) {
        let is_once = matches!(first, Address::Line(_) | Address::Zero);
        self.ranges[at] = if is_once { Range::Closed } else { Range::Outside };
    }

    fn matches(&mut self, env: &mut Env, address: Address) -> Result<bool> {
        let line = self.inputs.line;
        Ok(match address {
            Address::Line(number) => line == number,
            Address::Last => self.is_last(env)?,
            Address::Step(first, step) => line >= first && (line - first).is_multiple_of(step),
            Address::Zero => false,
            Address::Regex(id) => {
                let regex = self.regex(id)?;
                let is_match = regex.is_match(&self.space);
                regex.check()?;
                is_match
            }
        })
    }

    /// The expression, which is now the last that was used.
    fn regex(&mut self, id: RegexId) -> Result<&'a Regex> {
        if id != LAST_USED {
            self.last_regex = id;
        }
        self.program.regexes.get(self.last_regex.0 as usize).ok_or_else(|| Error::new("no previous regexp"))
    }

    fn substitute(&mut self, env: &mut Env, substitute: &Substitute) -> Result<()> {
        let regex = self.regex(substitute.regex)?;
        let highest = substitute.template.highest_group();
        if highest > regex.groups() {
            return Err(invalid_reference(highest));
        }
        self.spare.clear();
        let (which, exec) = (substitute.which, Exec::default());
        let count =
            substitute.template.substitute(regex, &self.space, exec, which, &mut self.spans, &mut self.spare)?;
        if count == 0 {
            return Ok(());
        }
        std::mem::swap(&mut self.space, &mut self.spare);
        self.replaced = true;
        if substitute.print && substitute.print_first && substitute.execute {
            self.print(env)?;
        }
        if substitute.execute {
            self.execute(env, None)?;
        }
        if substitute.print && !(substitute.print_first && substitute.execute) {
            self.print(env)?;
        }
        if let Some(sink) = substitute.write {
            let end = self.inputs.line_end();
            self.outputs.sinks[sink].write_line(env, &self.space, end, self.inputs.has_end)?;
        }
        Ok(())
    }

    fn translate(&mut self, table: &Translation) -> Result<()> {
        if table.wide.is_empty() {
            self.space.iter_mut().for_each(|byte| *byte = table.bytes[usize::from(*byte)]);
            return Ok(());
        }
        self.spare.clear();
        let mut at = 0;
        while at < self.space.len() {
            let length = if self.manner.utf8 { pattern::width(&self.space[at..]) } else { 1 };
            let character = &self.space[at..at + length];
            match table.wide.iter().find(|(from, _)| from == character) {
                Some((_, to)) => append(&mut self.spare, to)?,
                None if length == 1 => append(&mut self.spare, &[table.bytes[usize::from(character[0])]])?,
                None => append(&mut self.spare, character)?,
            }
            at += length;
        }
        std::mem::swap(&mut self.space, &mut self.spare);
        Ok(())
    }

    /// `n` and `N`. Without a next line the script ends; GNU's `N` prints the pattern space then, POSIX's does not.
    fn next(&mut self, env: &mut Env, appends: bool) -> Result<Option<Ending>> {
        if self.is_last(env)? {
            let is_dropped = appends && self.manner.posix;
            return Ok(Some(if is_dropped { Ending::Delete } else { Ending::Print }));
        }
        if appends {
            self.dump_queue(env)?;
            append(&mut self.space, &[self.inputs.line_end()])?;
        } else {
            if !self.manner.quiet {
                self.print(env)?;
            }
            self.dump_queue(env)?;
            self.space.clear();
        }
        // The file that followed may be one that cannot be read.
        Ok((!self.next_line(env)?).then_some(Ending::Delete))
    }

    /// Prints what commands have queued.
    fn dump_queue(&mut self, env: &mut Env) -> Result<()> {
        if self.queue.is_empty() {
            return Ok(());
        }
        let end = self.inputs.line_end();
        for queued in std::mem::take(&mut self.queue) {
            match queued {
                Queued::Text(text) => self.write(env, text)?,
                Queued::Line(line) => self.outputs.main().write_line(env, &line, end, true)?,
                Queued::File(name) => {
                    // It may be the file of a `w`.
                    self.outputs.sinks.iter_mut().skip(1).try_for_each(|sink| sink.flush(env))?;
                    copy_file(env, &mut self.outputs, name, end)?;
                }
            }
        }
        Ok(())
    }

    /// `R`: a file that cannot be opened or has ended gives nothing.
    fn read_line(&mut self, env: &mut Env, reader: usize) -> Result<()> {
        let mut open = || open_reader(env, &self.program.readers[reader]);
        let input =
            self.readers[reader].get_or_insert_with(|| open().unwrap_or_else(|_| Input::from_bytes(Vec::new())));
        let end = self.inputs.line_end();
        if let Some(record) = input.record(end)? {
            self.queue.push(Queued::Line(record.strip_suffix(&[end]).unwrap_or(record).to_vec()));
        }
        Ok(())
    }

    /// `e`: the output of a command is printed, or replaces the pattern space which was the command.
    fn execute(&mut self, env: &mut Env, command: Option<&[u8]>) -> Result<()> {
        self.outputs.flush(env)?;
        self.spare.clear();
        match command {
            Some(command) => {
                execute(env, command, &mut self.spare)?;
                self.outputs.main().write(env, &self.spare, self.inputs.line_end())
            }
            None => {
                execute(env, &self.space, &mut self.spare)?;
                if self.spare.last() == Some(&self.inputs.line_end()) {
                    self.spare.pop();
                }
                std::mem::swap(&mut self.space, &mut self.spare);
                Ok(())
            }
        }
    }

    /// `l`: POSIX's escapes, lines folded with a backslash, `$` at the end.
    fn list(&mut self, env: &mut Env, length: usize) -> Result<()> {
        self.spare.clear();
        let form = Form { length, end: self.inputs.line_end(), escapes_dollar: false };
        append_unambiguous(&mut self.spare, &self.space, form)?;
        self.outputs.main().write(env, &self.spare, self.inputs.line_end())
    }
}
