//! Command substitution (XCU 2.6.3) and process substitution.

use crate::builtins;
use crate::shell::{Fail, Shell, read_number};
use crate::syntax::ast::{CommandSub, Node, ParamOp, Part, Word};
use rbox_core::applet::Isolation;
use rbox_core::sys::{self, AsFd, AsRawFd, IntoRawFd, OwnedFd, fd, pipe, process};
use std::rc::Rc;

impl Shell {
    /// The output of the commands without its last newlines.
    pub(super) fn substitute(&mut self, command: &CommandSub) -> Result<Vec<u8>, Fail> {
        let Some(body) = &command.body else { return Ok(Vec::new()) };
        let mut output =
            if self.is_quiet(body) { self.substitute_here(body)? } else { self.substitute_in_child(body)? };
        // XCU 2.6.3: newlines at the end go; a NUL byte cannot be in a word.
        while output.last() == Some(&b'\n') {
            output.pop();
        }
        output.retain(|&byte| byte != 0);
        Ok(output)
    }

    /// Whether nobody can tell that a command ran in this process: one builtin or applet that leaves the shell as it
    /// was, with words that change nothing.
    fn is_quiet(&mut self, body: &Node) -> bool {
        let Node::Simple(simple) = body else { return false };
        let Some(name) = simple.name else { return false };
        if !simple.assigns.is_empty() || !simple.redirections.is_empty() || !simple.words.iter().all(word_is_quiet) {
            return false;
        }
        if self.options.xtrace || self.slot(name).function.is_some() {
            return false;
        }
        let text = Rc::clone(self.symbols.name(name));
        if let Some(builtin) = builtins::find(&text) {
            return builtin.pure;
        }
        let Some(id) = self.registry.find(&text) else { return false };
        !self.must_fork()
            && self.registry.form(id).isolation == Isolation::Inline
            && self.find_program(&text).is_some_and(|path| self.is_own(&path))
    }

    fn substitute_here(&mut self, body: &Node) -> Result<Vec<u8>, Fail> {
        let outer = self.capture.replace(Vec::new());
        let errexit = std::mem::take(&mut self.options.errexit);
        let (line, builtin, before) = (self.line, self.builtin, self.status);
        let result = self.run(body);
        self.line = line;
        self.builtin = builtin;
        self.options.errexit = errexit;
        let output = std::mem::replace(&mut self.capture, outer).unwrap_or_default();
        self.substitution_status = Some(std::mem::replace(&mut self.status, before));
        match result {
            Ok(()) | Err(Fail::Error) => Ok(output),
            Err(other) => Err(other),
        }
    }

    fn substitute_in_child(&mut self, body: &Rc<Node>) -> Result<Vec<u8>, Fail> {
        let (reader, writer) = self.pipe()?;
        // The substitution belongs to the shell's own job.
        let monitor = std::mem::take(&mut self.options.monitor);
        let forked = self.fork_child(0, false);
        self.options.monitor = monitor;
        let Some(pid) = forked? else {
            drop(reader);
            // Both are open, so dup2 cannot fail.
            let _ = fd::redirect(writer.as_fd(), 1);
            drop(writer);
            let result = self.run_last(body);
            let status = self.end_child(result);
            process::exit_now(status);
        };
        drop(writer);
        let mut output = Vec::new();
        let mut block = [0; 4096];
        loop {
            let got = read_number(reader.as_raw_fd(), &mut block);
            if got == 0 {
                break;
            }
            output.extend_from_slice(&block[..got]);
        }
        drop(reader);
        let status = process::wait_for(pid).map_or(127, process::Change::status);
        // `$?` stays that of the last pipeline (XCU 2.5.2): a substitution's status counts only where there is no command.
        self.substitution_status = Some(status);
        Ok(output)
    }

    fn pipe(&mut self) -> Result<(OwnedFd, OwnedFd), Fail> {
        pipe::pipe_with(pipe::PipeFlags::CLOEXEC)
            .map_err(|errno| self.error(&[b"pipe: ", sys::error_text(errno).as_bytes()]))
    }

    /// `<(commands)` and `>(commands)`: the path of a pipe's end.
    pub(super) fn process_substitution(&mut self, body: &Rc<Node>, writes: bool) -> Result<Vec<u8>, Fail> {
        let (reader, writer) = self.pipe()?;
        let (ours, theirs, number) = if writes { (writer, reader, 0) } else { (reader, writer, 1) };
        if self.fork_child(0, false)?.is_none() {
            drop(ours);
            let _ = fd::redirect(theirs.as_fd(), number);
            let result = self.run_last(body);
            let status = self.end_child(result);
            process::exit_now(status);
        }
        drop(theirs);
        let number = ours.into_raw_fd();
        let _ = fd::fcntl_setfd(fd::borrow(number), fd::FdFlags::empty());
        Ok(format!("/dev/fd/{number}").into_bytes())
    }
}

fn word_is_quiet(word: &Word) -> bool {
    match word {
        Word::Literal(_) => true,
        Word::Parts(parts) | Word::Declaration(parts) => parts.iter().all(part_is_quiet),
    }
}

/// Whether an expansion neither assigns nor fails.
fn part_is_quiet(part: &Part) -> bool {
    match part {
        Part::Literal(_) | Part::Quoted(_) | Part::Tilde(_) => true,
        Part::Param(param) => match &param.op {
            ParamOp::Plain | ParamOp::Length | ParamOp::Trim(..) => true,
            ParamOp::Default(b'-' | b'+', _, word) => word_is_quiet(word),
            _ => false,
        },
        Part::Command(_) => true,
        Part::Arith(..) | Part::Process(..) | Part::List(_) => false,
    }
}
