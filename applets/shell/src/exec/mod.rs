//! Execution, the fourth layer: walks the syntax tree (XCU 2.9), with jobs and traps. It imports syntax, state and
//! expansion.

mod compound;
mod condition;
mod coprocess;
pub mod external;
mod foreground;
pub mod job_control;
mod jobs;
mod pipeline;
pub mod redirect;
mod simple;
pub mod substitution;
mod time;
mod trace;
pub mod trap;
mod virtual_subshell;

use crate::state::stream::write_error;
use crate::state::upward::Upward;
use crate::state::{Fail, Run, Shell};
use crate::syntax::ast::Node;
use crate::syntax::input::{Input, Reader};
use crate::syntax::parser;
use rbox_core::sys::{fd, fs, process, signal};
use std::rc::Rc;

/// How much of the stack calls may use, in bytes: the limit less a reserve, at most 64 MiB.
pub fn stack_limit() -> usize {
    let limit = process::getrlimit(process::Resource::Stack).current.unwrap_or(64 << 20);
    (limit.min(64 << 20) as usize).saturating_sub(512 << 10)
}

impl Shell {
    /// Runs a command of any kind.
    pub fn run(&mut self, node: &Node) -> Run {
        if !self.stack_has_space() {
            return Err(self.nesting_error());
        }
        if self.options.bash {
            self.before_command(node)?;
        }
        match node {
            Node::Simple(simple) => {
                let pipes = self.streams.pipe_ends.len();
                let result = self.run_simple(simple, false);
                if self.streams.pipe_ends.len() > pipes {
                    self.close_pipe_ends(pipes);
                }
                self.note_pipe_status();
                result
            }
            Node::Sequence(nodes) => nodes.iter().try_for_each(|node| self.run(node)),
            Node::AndOr(first, rest) => self.run_and_or(first, rest, false),
            Node::Not(inner) => {
                let result = self.run_tested(inner);
                if matches!(result, Ok(()) | Err(Fail::Break(_) | Fail::Continue(_))) {
                    self.status = u8::from(self.status == 0);
                }
                result
            }
            Node::Group(inner) => self.run(inner),
            Node::If(arms, otherwise) => self.run_if(arms, otherwise.as_deref()),
            Node::While(test, body, until) => self.run_while(test, body, *until),
            Node::For(found) => self.run_for(found),
            Node::ArithFor(found) => self.run_arith_for(found),
            Node::Select(found) => self.run_select(found),
            Node::Case(case) => self.run_case(case),
            Node::Function(name, function) => {
                if self.options.bash {
                    function.source.get_or_init(|| self.source());
                }
                function.sourced.set(self.flow.sources > 0);
                self.writable_function(*name)?;
                let slot = self.slot(*name);
                slot.function = Some(Rc::clone(function));
                self.status = 0;
                Ok(())
            }
            Node::Condition(condition, line) => {
                self.location.line = *line;
                self.status = match self.condition(condition) {
                    Ok(result) => u8::from(!result),
                    Err(Fail::Error) if self.options.bash => 2,
                    Err(fail) => return Err(fail),
                };
                self.check_errexit()
            }
            Node::Arith(arith, line) => {
                self.location.line = *line;
                self.status = match self.arith(arith) {
                    Ok(value) => u8::from(value == 0),
                    Err(Fail::Error) if self.options.bash => 1,
                    Err(fail) => return Err(fail),
                };
                self.check_errexit()
            }
            Node::Redirected(inner, redirections) => {
                if let Some(first) = redirections.first().filter(|first| first.line > 0) {
                    self.location.line = first.line;
                }
                let pipes = self.streams.pipe_ends.len();
                let saved = match self.redirect(redirections) {
                    Ok(saved) => saved,
                    Err(fail) => {
                        if matches!(**inner, Node::Subshell(_)) {
                            // In BusyBox they fail in the subshell, as its error.
                            self.status = 2;
                        }
                        return self.after_redirection(fail);
                    }
                };
                let capture = self.suspend_capture(redirections);
                let result = self.run(inner);
                self.resume_capture(capture);
                self.undo_redirections(saved);
                self.close_pipe_ends(pipes);
                result
            }
            Node::Pipeline(pipeline) => self.run_pipeline(pipeline),
            Node::Subshell(body) => self.run_subshell(body),
            Node::Background(body) => self.run_background(body),
            Node::Coprocess(name, body) => self.run_coprocess(*name, body),
            Node::Time(inner, portable) => self.run_time(inner.as_deref(), *portable),
        }
    }

    /// The error of commands that nest too deeply: in a function it is most likely the function's.
    #[cold]
    fn nesting_error(&mut self) -> Fail {
        let in_function = self.flow.calls > 0;
        self.plain_error(if in_function { b"maximum function recursion depth exceeded" } else { b"nested too deeply" })
    }

    /// The file of the commands; `environment` where there is none.
    pub fn source(&self) -> Rc<[u8]> {
        match self.flow.frames.last() {
            Some(frame) => Rc::clone(&frame.source),
            None if self.invocation.named => Rc::from(&self.invocation.arg0[..]),
            None => Rc::from(&b"environment"[..]),
        }
    }

    /// Sets PIPESTATUS after a command that is no pipeline.
    fn note_pipe_status(&mut self) {
        if self.options.bash {
            self.computed.pipe_status.clear();
            self.computed.pipe_status.push(self.status);
        }
    }

    /// Runs a command whose failure is tested: `set -e` ignores it (XCU set, -e).
    pub fn run_tested(&mut self, node: &Node) -> Run {
        self.flow.tested += 1;
        let result = self.run(node);
        self.flow.tested -= 1;
        result
    }

    fn run_and_or(&mut self, first: &Node, rest: &[(bool, Node)], last: bool) -> Run {
        self.run_tested(first)?;
        for (number, (and, node)) in rest.iter().enumerate() {
            if (self.status == 0) != *and {
                continue;
            }
            if number + 1 == rest.len() {
                if last { self.run_last(node)? } else { self.run(node)? }
            } else {
                self.run_tested(node)?;
            }
        }
        Ok(())
    }

    /// Ends the shell after a failure under `set -e`.
    pub fn check_errexit(&mut self) -> Run {
        if self.status != 0 && self.flow.tested == 0 {
            self.run_error_trap()?;
            if self.options.errexit {
                return Err(Fail::Exit);
            }
        }
        if signal::children_changed() {
            self.reap();
        }
        if signal::pending() != 0 {
            self.run_traps()?;
        }
        Ok(())
    }

    /// Reads and runs commands to the end of the input. `last`: the shell ends with it.
    pub fn run_input(&mut self, input: &mut Input, last: bool) -> Run {
        let mut empty = true;
        let mut status = 0;
        // XCU 2.8.1: an interactive shell goes on after an error, with the next line.
        let resumes = last && self.options.interactive;
        loop {
            if resumes {
                self.before_prompt()?;
            } else if last && self.options.interactive {
                self.notify();
            }
            let parsed = parser::next_command(input, self);
            self.location.read_line = input.line;
            // bash shows the text of -c and `eval`, too.
            if matches!(input.reader, Reader::None) && !self.options.bash {
                input.shown = input.at;
            }
            if self.options.history
                && last
                && matches!(input.reader, Reader::Script(_) | Reader::Seekable(_) | Reader::None)
            {
                self.terminal.editor.history.add(input.unshown().trim_ascii_end());
            }
            self.show_input(input);
            if matches!(input.reader, Reader::Terminal) && !matches!(parsed, Ok(None)) {
                // Ctrl-D within a command ends the command only.
                input.ended = false;
            }
            self.log_lines(&parsed);
            let node = match parsed {
                // Ctrl-C within a command drops it, also where the end of the text could have ended it.
                _ if std::mem::take(&mut self.terminal.interrupted) => {
                    input.at = input.buffer.len();
                    input.compact();
                    input.ended = false;
                    continue;
                }
                Ok(Some(node)) => node,
                Ok(None) => {
                    if resumes && !self.options.command && !matches!(input.reader, Reader::Terminal) {
                        // After the prompt that nothing answered.
                        write_error(b"\n");
                    }
                    break;
                }
                Err(error) => {
                    let fail = self.syntax_error(&error);
                    if !resumes {
                        return Err(fail);
                    }
                    input.skip_line();
                    give_back(input);
                    // The status of the shell is that of the error, unless a command follows.
                    empty = false;
                    continue;
                }
            };
            self.variables.resize_with(self.symbols.len(), Default::default);
            give_back(input);
            if matches!(&node, Node::Sequence(nodes) if nodes.is_empty())
                || (self.options.noexec && !self.options.interactive)
            {
                continue;
            }
            empty = false;
            self.terminal.entered += u32::from(resumes);
            let ends = last && input.ended && rest_is_blank(input);
            let result = if ends { self.run_last(&node) } else { self.run(&node) };
            match result {
                Err(Fail::Error) if resumes => self.location.builtin = "",
                // In bash an error drops the rest of the line alone.
                Err(Fail::Error) if last && self.options.bash && !matches!(input.reader, Reader::None) => {
                    self.location.builtin = "";
                    self.check_errexit()?;
                }
                // In a subshell they end it, as the loop is not its own.
                Err(Fail::Break(_) | Fail::Continue(_)) if self.flow.loops == 0 && !self.flow.subshell => {}
                result => result?,
            }
            status = self.status;
        }
        if std::mem::take(&mut self.streams.read_failed) {
            // XCU sh, EXIT STATUS: 128 is for what the shell was to run itself.
            self.status = if last { 128 } else { 2 };
            return Err(Fail::Error);
        }
        if empty {
            self.status = status;
        }
        Ok(())
    }

    /// Adds the lines of a command to the history, unless it is a function and `set -o nolog` keeps these out.
    fn log_lines(&mut self, parsed: &parser::Parsed<Option<Node>>) {
        let lines = std::mem::take(&mut self.terminal.unlogged);
        if !matches!(parsed, Ok(Some(Node::Function(..)))) {
            lines.iter().for_each(|line| self.terminal.editor.history.add(line));
        }
    }

    /// Prints what the parser read since the last call: `set -v`.
    fn show_input(&mut self, input: &mut Input) {
        if self.options.verbose {
            let lines = input.unshown();
            write_error(lines);
            if input.ended && !lines.is_empty() && !lines.ends_with(b"\n") {
                write_error(b"\n");
            }
        }
        input.shown = input.at;
    }

    /// Runs what the shell does last: a program may replace it, unless a trap has to be run in it (XCU 2.12).
    pub fn run_last(&mut self, node: &Node) -> Run {
        if self.has_trap() || self.options.interactive {
            return self.run(node);
        }
        match node {
            Node::Simple(simple) => self.run_simple(simple, true),
            Node::Group(inner) => self.run_last(inner),
            // When nothing follows, the shell and its subshell differ in bash's BASHPID alone.
            Node::Subshell(inner) if !self.options.monitor && (self.flow.subshell || !self.options.bash) => {
                self.become_child();
                self.run_last(inner)
            }
            Node::AndOr(first, rest) => self.run_and_or(first, rest, true),
            Node::Sequence(nodes) => {
                let Some((last, before)) = nodes.split_last() else { return Ok(()) };
                before.iter().try_for_each(|node| self.run(node))?;
                self.run_last(last)
            }
            _ => self.run(node),
        }
    }

    /// Runs a text as commands: `eval`, traps.
    pub fn run_text(&mut self, text: &[u8]) -> Run {
        let mut input = Input::text(text, self.location.line.max(1));
        let read_line = self.location.read_line;
        let result = self.run_input(&mut input, false);
        self.location.read_line = read_line;
        result
    }

    /// What a child process of the shell does: the command, its EXIT trap, the end.
    pub fn end_child(&mut self, result: Run) -> u8 {
        if result == Err(Fail::Error) && self.status == 0 {
            self.status = 2;
        }
        self.run_exit_trap();
        self.status
    }
}

fn rest_is_blank(input: &Input) -> bool {
    input.buffer[input.at..].iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\n'))
}

/// Seeks standard input back over the unread bytes, which the commands may read.
fn give_back(input: &mut Input) {
    if let Reader::Seekable(number) = input.reader {
        let unread = input.take_unread() as i64;
        // The descriptor was seekable when the shell began.
        let _ = fs::seek(fd::borrow(number), fs::SeekFrom::Current(-unread));
    }
}
