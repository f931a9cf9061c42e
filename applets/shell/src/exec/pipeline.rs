//! Pipelines, subshells and background commands.

use crate::exec::external::Child;
use crate::shell::{Fail, Run, Shell};
use crate::syntax::ast::{Node, Pipeline};
use crate::syntax::unparse;
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::{self, AsFd, OwnedFd, fd, fs, pipe, process};
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
        let kept = fd::fcntl_dupfd_cloexec(fd::borrow(0), 10).ok();
        if let Some(output) = output {
            let _ = fd::redirect(output.as_fd(), 0);
        }
        let result = self.run(last);
        match kept {
            Some(kept) => drop(fd::redirect(kept.as_fd(), 0)),
            None => drop(fd::close_number(0)),
        }
        let status = self.status;
        let failed = self.wait_foreground(&pids, Vec::new());
        self.pipe_status.push(status);
        self.status = if status == 0 && self.options.pipefail { failed } else { status };
        result?;
        self.check_errexit()
    }

    /// Starts commands of a pipeline. With `piped` the output of the
    /// last one is for who comes after it.
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
                        read_nothing();
                    }
                    // dup2 onto 0 and 1 fails only when the descriptor is not open, and these are.
                    if let Some(input) = input {
                        let _ = fd::redirect(input.as_fd(), 0);
                    }
                    if let Some(output) = output {
                        let _ = fd::redirect(output.as_fd(), 1);
                    }
                    let result = self.run_last(command);
                    let status = self.end_child(result);
                    process::exit_now(status);
                }
            }
            input = next;
        }
        Ok((pids, input))
    }

    pub(super) fn run_subshell(&mut self, body: &Rc<Node>) -> Run {
        // What is in a substitution that runs here has been judged with it; a child would not write into its text.
        let changes = if self.capture.is_some() { Some(true) } else { self.judge(body) };
        if let Some(changes) = changes {
            self.run_quietly(body, changes)?;
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
            None => {
                let result = self.run_last(body);
                let status = self.end_child(result);
                process::exit_now(status)
            }
        }
    }

    pub(super) fn run_background(&mut self, body: &Rc<Node>) -> Run {
        let monitor = self.options.monitor && !self.subshell;
        let kind = if monitor { Child::Background } else { Child::Detached };
        let pids = match &**body {
            Node::Pipeline(pipeline) => self.start_pipeline(&pipeline.commands, kind, false)?.0,
            _ => match self.fork_child(0, kind)? {
                Some(pid) => vec![pid],
                None => {
                    if !monitor {
                        read_nothing();
                    }
                    let result = self.run_last(body);
                    let status = self.end_child(result);
                    process::exit_now(status)
                }
            },
        };
        self.background = pids.last().copied();
        let texts = match &**body {
            Node::Pipeline(pipeline) => unparse::pipeline(pipeline, &self.symbols),
            body => vec![unparse::node(body, &self.symbols)],
        };
        self.jobs.add_background(&pids, texts, monitor);
        if self.options.bash
            && self.options.interactive
            && !self.subshell
            && let (Some(job), Some(pid)) =
                (self.jobs.all.iter().find(|job| job.processes[0].pid == pids[0]), self.background)
        {
            let _ = crate::shell::write_all(2, &text!("[", job.number, "] ", i64::from(pid), "\n"));
        }
        self.status = 0;
        Ok(())
    }

    /// XCU 2.11: without job control a background command ignores SIGINT and SIGQUIT.
    pub(super) fn ignore_keys(&mut self) {
        for number in [2, 3] {
            // Ignored from here on, but not since the shell began: the command may still set traps.
            self.was_ignored(number);
            let _ = signal::set(number as i32, Disposition::Ignore);
        }
    }
}

/// XCU 2.11: without job control a background command reads nothing.
fn read_nothing() {
    if let Ok(null) = fs::open("/dev/null", fs::OFlags::RDONLY | fs::OFlags::CLOEXEC, fs::Mode::empty()) {
        let _ = fd::redirect(null.as_fd(), 0);
    }
}
