//! bash's `coproc`: a command in the background, with a pipe to it and one from it.

use crate::array::Array;
use crate::exec::external::Child;
use crate::shell::{Run, Shell};
use crate::symbols::Sym;
use crate::syntax::ast::Node;
use crate::syntax::unparse;
use rbox_core::sys::{AsFd, IntoRawFd, OwnedFd, fd, process};
use rbox_core::text;
use std::rc::Rc;

impl Shell {
    /// Starts the command. `name[0]` is the descriptor to read from it, `name[1]` the one to write to it, `name_PID` its
    /// process.
    pub(super) fn run_coprocess(&mut self, name: Sym, body: &Rc<Node>) -> Run {
        let (their_input, to) = self.pipe()?;
        let (from, their_output) = self.pipe()?;
        let Some(pid) = self.fork_child(0, Child::Background)? else {
            // dup2 fails only when the descriptor is not open, and these are.
            let _ = fd::redirect(their_input.as_fd(), 0);
            let _ = fd::redirect(their_output.as_fd(), 1);
            drop((their_input, their_output, to, from));
            let result = self.run_last(body);
            let status = self.end_child(result);
            process::exit_now(status);
        };
        self.background = Some(pid);
        self.jobs.add(&[pid], vec![unparse::node(body, &self.symbols)], self.options.monitor && !self.subshell);
        let mut array = Box::new(Array::default());
        for end in [from, to] {
            array.push(text!(i64::from(above(end).into_raw_fd())));
        }
        self.writable(name)?;
        self.put_array(name, array);
        let variable = [&self.symbols.name(name)[..], b"_PID"].concat();
        let variable = self.intern(&variable);
        self.set_number(variable, pid.into())?;
        self.status = 0;
        Ok(())
    }
}

/// The descriptor above those that scripts use, closed in programs.
fn above(end: OwnedFd) -> OwnedFd {
    fd::fcntl_dupfd_cloexec(&end, 60).unwrap_or(end)
}
