//! Pipelines, subshells and background commands.

use crate::shell::{Fail, Run, Shell};
use crate::syntax::ast::{Node, Pipeline};
use crate::syntax::unparse;
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::{self, AsFd, OwnedFd, fd, fs, pipe, process};
use std::rc::Rc;

impl Shell {
    pub(super) fn run_pipeline(&mut self, pipeline: &Pipeline) -> Run {
        if let Some(run) = self.run_short_pipeline(pipeline) {
            return run;
        }
        let pids = self.start_pipeline(pipeline, true, false)?;
        let texts = if self.options.monitor { unparse::pipeline(pipeline, &self.symbols) } else { Vec::new() };
        self.status = self.wait_foreground(&pids, texts);
        self.check_errexit()
    }

    /// Starts the commands of a pipeline. `detached`: in the background without job control.
    fn start_pipeline(&mut self, pipeline: &Pipeline, foreground: bool, detached: bool) -> Result<Vec<i32>, Fail> {
        let mut pids: Vec<i32> = Vec::new();
        let mut input: Option<OwnedFd> = None;
        let count = pipeline.commands.len();
        for (number, command) in pipeline.commands.iter().enumerate() {
            let mut output = None;
            let mut next = None;
            if number + 1 < count {
                match pipe::pipe_with(pipe::PipeFlags::CLOEXEC) {
                    Ok((reader, writer)) => (next, output) = (Some(reader), Some(writer)),
                    Err(errno) => return Err(self.error(&[b"pipe: ", sys::error_text(errno).as_bytes()])),
                }
            }
            let group = pids.first().copied().unwrap_or(0);
            match self.fork_child(group, foreground)? {
                Some(pid) => pids.push(pid),
                None => {
                    drop(next);
                    if detached {
                        self.leave_terminal(number == 0);
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
        Ok(pids)
    }

    pub(super) fn run_subshell(&mut self, body: &Rc<Node>) -> Run {
        if let Some(changes) = self.judge(body) {
            self.run_quietly(body, changes)?;
            return self.check_errexit();
        }
        match self.fork_child(0, true)? {
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
        let pids = match &**body {
            Node::Pipeline(pipeline) => self.start_pipeline(pipeline, false, !monitor)?,
            _ => match self.fork_child(0, false)? {
                Some(pid) => vec![pid],
                None => {
                    if !monitor {
                        self.leave_terminal(true);
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
        self.status = 0;
        Ok(())
    }

    /// `time`: runs and tells the times of the clock, the user and the system.
    pub(super) fn run_time(&mut self, inner: Option<&Node>) -> Run {
        let start = std::time::Instant::now();
        let result = match inner {
            Some(inner) => self.run(inner),
            None => Ok(()),
        };
        let spent = start.elapsed();
        let text =
            format!("real\t{}m {}.{:02}s\n", spent.as_secs() / 60, spent.as_secs() % 60, spent.subsec_millis() / 10);
        let _ = crate::shell::write_all(2, text.as_bytes());
        result
    }

    /// XCU 2.11: without job control a background command reads nothing and ignores SIGINT and SIGQUIT.
    /// `reads`: its standard input is the shell's.
    fn leave_terminal(&mut self, reads: bool) {
        for number in [2, 3] {
            // Ignored from here on, but not since the shell began: the command may still set traps.
            self.was_ignored(number);
            let _ = signal::set(number as i32, Disposition::Ignore);
        }
        if !reads {
            return;
        }
        if let Ok(null) = fs::open("/dev/null", fs::OFlags::RDONLY | fs::OFlags::CLOEXEC, fs::Mode::empty()) {
            let _ = fd::redirect(null.as_fd(), 0);
        }
    }
}
