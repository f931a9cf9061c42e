//! Command substitution (XCU 2.6.3) and process substitution.

use crate::exec::external::Child;
use crate::state::stream::read_all;
use crate::state::{Fail, Shell};
use crate::syntax::ast::{CommandSub, Node, RedirectFd, RedirectKind, Word};
use rbox_core::sys::{self, AsFd, OwnedFd, pipe, process};
use rbox_core::text;
use std::rc::Rc;

/// The output of the commands without its last newlines.
pub fn substitute(shell: &mut Shell, command: &CommandSub) -> Result<Vec<u8>, Fail> {
    let Some(body) = &command.body else { return Ok(Vec::new()) };
    if shell.options.bash
        && let Some(file) = only_file(body)
    {
        let path = shell.expand_one(file)?;
        return shell.file_text(&path);
    }
    // bash's substitutions go on after a failure, unless `shopt -s inherit_errexit` or POSIX is asked for.
    let errexit = shell.options.errexit;
    shell.options.errexit &= !shell.options.bash || shell.options.inherit_errexit;
    let output = match shell.subshell_effect(body) {
        Some(changes) => shell.substitute_here(body, changes),
        None => shell.substitute_in_child(body),
    };
    shell.options.errexit = errexit;
    let mut output = output?;
    // XCU 2.6.3: newlines at the end go; a NUL byte cannot be in a word.
    while output.last() == Some(&b'\n') {
        output.pop();
    }
    output.retain(|&byte| byte != 0);
    Ok(output)
}

/// `<(commands)` and `>(commands)`: the path of a pipe's end.
pub fn process_substitution(shell: &mut Shell, body: &Rc<Node>, writes: bool) -> Result<Vec<u8>, Fail> {
    let (reader, writer) = shell.pipe()?;
    let (own_end, other_end, number) = if writes { (writer, reader, 0) } else { (reader, writer, 1) };
    let Some(pid) = shell.fork_child(0, Child::Background)? else {
        drop(own_end);
        // Another substitution's pipe would not end while this one has it too.
        shell.close_pipe_ends(0);
        shell.be_child(body, true, &mut [(Some(other_end), number)])
    };
    drop(other_end);
    if shell.options.bash {
        shell.flow.background = Some(pid);
    }
    // Above the descriptors that scripts use.
    let number = shell
        .streams
        .descriptors
        .add(own_end.as_fd(), 60)
        .map_err(|errno| shell.error(&[b"pipe: ", sys::error_text(errno).as_bytes()]))?;
    shell.streams.pipe_ends.push(number);
    Ok(text!("/dev/fd/", i64::from(number)))
}

impl Shell {
    /// bash's `$(<file)`: what the file holds.
    fn file_text(&mut self, path: &[u8]) -> Result<Vec<u8>, Fail> {
        let flags = sys::fs::OFlags::RDONLY | sys::fs::OFlags::CLOEXEC;
        let mut text = match sys::fs::open(path, flags, sys::fs::Mode::empty()) {
            Ok(opened) => read_all(opened.as_fd()),
            Err(errno) => {
                self.report(&[b"can't open ", path, b": ", sys::error_text(errno).as_bytes()]);
                self.flow.substitution_status = Some(1);
                return Ok(Vec::new());
            }
        };
        while text.last() == Some(&b'\n') {
            text.pop();
        }
        text.retain(|&byte| byte != 0);
        self.flow.substitution_status = Some(0);
        Ok(text)
    }

    fn substitute_here(&mut self, body: &Node, changes: bool) -> Result<Vec<u8>, Fail> {
        let outer = self.streams.capture.replace(Vec::new());
        let before = self.status;
        let result = self.run_virtual_subshell(body, changes);
        let output = std::mem::replace(&mut self.streams.capture, outer).unwrap_or_default();
        self.flow.substitution_status = Some(std::mem::replace(&mut self.status, before));
        result.map(|()| output)
    }

    fn substitute_in_child(&mut self, body: &Rc<Node>) -> Result<Vec<u8>, Fail> {
        let (reader, writer) = self.pipe()?;
        // The substitution belongs to the shell's own job.
        let monitor = std::mem::take(&mut self.options.monitor);
        let forked = self.fork_child(0, Child::Background);
        self.options.monitor = monitor;
        let Some(pid) = forked? else {
            drop(reader);
            self.be_child(body, true, &mut [(Some(writer), 1)])
        };
        drop(writer);
        let output = read_all(reader.as_fd());
        drop(reader);
        let status = process::wait_for(pid).map_or(127, process::Change::status);
        // `$?` stays that of the last pipeline (XCU 2.5.2): a substitution's status counts only where there is no command.
        self.flow.substitution_status = Some(status);
        Ok(output)
    }

    /// A pipe: the end to read from, and the end to write to.
    pub fn pipe(&mut self) -> Result<(OwnedFd, OwnedFd), Fail> {
        pipe::pipe_with(pipe::PipeFlags::CLOEXEC)
            .map_err(|errno| self.error(&[b"pipe: ", sys::error_text(errno).as_bytes()]))
    }

    /// Closes the pipes of process substitutions, all but the first `count`.
    pub fn close_pipe_ends(&mut self, count: usize) {
        for number in self.streams.pipe_ends.split_off(count) {
            // It was open until now, unless the command closed it.
            let _ = self.streams.descriptors.close(number);
        }
    }
}

/// The word of a command that is `<word` and nothing more.
fn only_file(body: &Node) -> Option<&Word> {
    match body {
        Node::Simple(simple) if simple.words.is_empty() && simple.assigns.is_empty() => match &*simple.redirections {
            [one] if one.kind == RedirectKind::Read && one.fd == RedirectFd::Default => Some(&one.word),
            _ => None,
        },
        _ => None,
    }
}
