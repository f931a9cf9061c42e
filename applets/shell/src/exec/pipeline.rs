//! Pipelines, subshells and background commands.

use crate::exec::external::Child;
use crate::state::stream::write_error;
use crate::state::traps::set_disposition;
use crate::state::{Fail, Run, Shell};
use crate::syntax::ast::{Node, Pipeline};
use crate::syntax::unparse;
use rbox_core::sys::signal::Disposition;
use rbox_core::sys::{self, OwnedFd, fd, fs, pipe, process};
use rbox_core::text;
use std::rc::Rc;

impl Shell {
    pub(super) fn run_pipeline(&mut self, pipeline: &Pipeline) -> Run {
        if let Some(run) = self.run_short_pipeline(pipeline) {
            return run;
        }
        if self.options.lastpipe && !self.options.monitor {
            return self.run_pipeline_here(pipeline);
        }
        let (pids, _) = self.start_pipeline(&pipeline.commands, Child::Foreground, false)?;
        let texts = if self.options.monitor { unparse::pipeline(pipeline, &self.symbols) } else { Vec::new() };
        self.status = self.wait_foreground(&pids, texts);
        self.check_errexit()
    }

    /// `shopt -s lastpipe`: the last command runs in the shell itself.
    fn run_pipeline_here(&mut self, pipeline: &Pipeline) -> Run {
        let Some((last, before)) = pipeline.commands.split_last() else { return Ok(()) };
        let (pids, output) = self.start_pipeline(before, Child::Foreground, true)?;
        // The last command may wait for others, and then meet the end of these.
        let job = self.jobs.add(&pids, Vec::new(), false);
        let mut saved = Vec::new();
        if let Some(output) = output {
            saved.push(self.replace(output, 0)?);
        }
        let result = self.run(last);
        self.undo_redirections(saved);
        let status = self.status;
        let failed = self.wait_job(job);
        self.computed.pipe_status.push(status);
        self.status = if status == 0 && self.options.pipefail { failed } else { status };
        result?;
        self.check_errexit()
    }

    /// Starts commands of a pipeline. With `piped` the output of the
    /// last one is returned as a pipe.
    fn start_pipeline(
        &mut self,
        commands: &[Rc<Node>],
        kind: Child,
        piped: bool,
    ) -> Result<(Vec<i32>, Option<OwnedFd>), Fail> {
        let mut pids: Vec<i32> = Vec::new();
        let mut input: Option<OwnedFd> = None;
        let count = commands.len() + usize::from(piped);
        for (number, command) in commands.iter().enumerate() {
            let mut output = None;
            let mut next = None;
            if number + 1 < count {
                match pipe::pipe_with(pipe::PipeFlags::CLOEXEC) {
                    Ok((reader, writer)) => (next, output) = (Some(reader), Some(writer)),
                    Err(errno) => return Err(self.error(&[b"pipe: ", sys::error_text(errno).as_bytes()])),
                }
            }
            if self.options.bash && !self.options.functrace {
                // The trap DEBUG is the shell's, which a child would not have.
                self.before_command(command)?;
            }
            let group = pids.first().copied().unwrap_or(0);
            match self.fork_child(group, kind)? {
                Some(pid) => pids.push(pid),
                None => {
                    drop(next);
                    if kind == Child::Detached && number == 0 {
                        input = read_nothing();
                    }
                    self.be_child(command, false, &mut [(input, 0), (output, 1)])
                }
            }
            input = next;
        }
        Ok((pids, input))
    }

    /// What a forked child does: standard streams are exchanged, the command runs, with nothing to do after it.
    ///
    /// `nested`: a subshell in it is one more level, as it is not where the shell forked for the very same.
    pub fn be_child(&mut self, command: &Node, nested: bool, streams: &mut [(Option<OwnedFd>, i32)]) -> ! {
        for (file, number) in streams {
            if let Some(Err(errno)) = file.take().map(|file| fd::install(file, *number)) {
                self.report(&[sys::error_text(errno).as_bytes()]);
                process::exit_now(126);
            }
        }
        let result = self.run_as_child(command, nested);
        let status = self.end_child(result);
        process::exit_now(status)
    }

    /// Runs the command of a child. Groups, subshells and redirections need no process and no way back of their own.
    fn run_as_child(&mut self, command: &Node, nested: bool) -> Run {
        match command {
            Node::Group(inner) => self.run_as_child(inner, true),
            Node::Subshell(inner) => {
                self.flow.depth += u32::from(nested);
                self.run_as_child(inner, true)
            }
            Node::Redirected(inner, redirections) if matches!(**inner, Node::Group(_) | Node::Subshell(_)) => {
                if let Some(first) = redirections.first().filter(|first| first.line > 0) {
                    self.location.line = first.line;
                }
                match self.redirect_for_good(redirections) {
                    Ok(()) => self.run_as_child(inner, nested),
                    Err(fail) => {
                        if matches!(**inner, Node::Subshell(_)) {
                            // In BusyBox they fail in the subshell, as its error.
                            self.status = 2;
                        }
                        self.after_redirection(fail)
                    }
                }
            }
            command => self.run_last(command),
        }
    }

    pub(super) fn run_subshell(&mut self, body: &Rc<Node>) -> Run {
        // A substitution that runs here was checked with all that is in it; a child could not write to its capture.
        let changes = if self.streams.capture.is_some() { Some(true) } else { self.subshell_effect(body) };
        if let Some(changes) = changes {
            self.run_virtual_subshell(body, changes)?;
            return self.check_errexit();
        }
        match self.fork_child(0, Child::Foreground)? {
            Some(pid) => {
                let mut texts = Vec::new();
                if self.options.monitor {
                    texts.push([b"(", &unparse::node(body, &self.symbols)[..], b")"].concat());
                }
                self.status = self.wait_foreground(&[pid], texts);
                self.check_errexit()
            }
            None => self.be_child(body, true, &mut []),
        }
    }

    pub(super) fn run_background(&mut self, body: &Rc<Node>) -> Run {
        let monitor = self.options.monitor && !self.flow.subshell;
        let kind = if monitor { Child::Background } else { Child::Detached };
        let pids = match &**body {
            Node::Pipeline(pipeline) => self.start_pipeline(&pipeline.commands, kind, false)?.0,
            _ => match self.fork_child(0, kind)? {
                Some(pid) => vec![pid],
                None => {
                    let input = if monitor { None } else { read_nothing() };
                    self.be_child(body, false, &mut [(input, 0)])
                }
            },
        };
        self.flow.background = pids.last().copied();
        let texts = match &**body {
            Node::Pipeline(pipeline) => unparse::pipeline(pipeline, &self.symbols),
            body => vec![unparse::node(body, &self.symbols)],
        };
        self.add_background(&pids, texts, monitor);
        if self.options.bash
            && self.options.interactive
            && !self.flow.subshell
            && let (Some(job), Some(pid)) =
                (self.jobs.all.iter().find(|job| job.processes[0].pid == pids[0]), self.flow.background)
        {
            write_error(&text!("[", job.number, "] ", i64::from(pid), "\n"));
        }
        self.status = 0;
        Ok(())
    }

    /// XCU 2.11: without job control a background command ignores SIGINT and SIGQUIT.
    pub(super) fn ignore_keys(&mut self) {
        for number in [2, 3] {
            // Ignored from here on, but not since the shell began: the command may still set traps.
            self.was_ignored(number);
            set_disposition(number as i32, Disposition::Ignore);
        }
    }
}

/// XCU 2.11: without job control a background command reads nothing.
fn read_nothing() -> Option<OwnedFd> {
    // A system without /dev/null keeps its standard input.
    fs::open("/dev/null", fs::OFlags::RDONLY | fs::OFlags::CLOEXEC, fs::Mode::empty()).ok()
}
