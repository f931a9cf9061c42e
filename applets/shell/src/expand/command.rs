//! Command substitution (XCU 2.6.3) and process substitution.

use crate::shell::{Fail, Shell, read_number};
use crate::syntax::ast::{CommandSub, Node};
use rbox_core::sys::{self, AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, fd, pipe, process};
use std::rc::Rc;

impl Shell {
    /// The output of the commands without its last newlines.
    pub(super) fn substitute(&mut self, command: &CommandSub) -> Result<Vec<u8>, Fail> {
        let Some(body) = &command.body else { return Ok(Vec::new()) };
        let mut output = match self.judge(body) {
            Some(changes) => self.substitute_here(body, changes)?,
            None => self.substitute_in_child(body)?,
        };
        // XCU 2.6.3: newlines at the end go; a NUL byte cannot be in a word.
        while output.last() == Some(&b'\n') {
            output.pop();
        }
        output.retain(|&byte| byte != 0);
        Ok(output)
    }

    fn substitute_here(&mut self, body: &Node, changes: bool) -> Result<Vec<u8>, Fail> {
        let outer = self.capture.replace(Vec::new());
        let before = self.status;
        let result = self.run_quietly(body, changes);
        let output = std::mem::replace(&mut self.capture, outer).unwrap_or_default();
        self.substitution_status = Some(std::mem::replace(&mut self.status, before));
        result.map(|()| output)
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
        let output = read_all(reader.as_fd());
        drop(reader);
        let status = process::wait_for(pid).map_or(127, process::Change::status);
        // `$?` stays that of the last pipeline (XCU 2.5.2): a substitution's status counts only where there is no command.
        self.substitution_status = Some(status);
        Ok(output)
    }

    pub fn pipe(&mut self) -> Result<(OwnedFd, OwnedFd), Fail> {
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

/// All that comes out of a pipe.
pub fn read_all(reader: BorrowedFd<'_>) -> Vec<u8> {
    let mut output = Vec::new();
    let mut block = [0; 4096];
    loop {
        let got = read_number(reader.as_raw_fd(), &mut block);
        if got == 0 {
            return output;
        }
        output.extend_from_slice(&block[..got]);
    }
}
