//! bash's `coproc`: a command in the background, with a pipe to it and one from it.

use crate::exec::external::Child;
use crate::state::array::Array;
use crate::state::{Run, Shell};
use crate::syntax::ast::Node;
use crate::syntax::symbols::Sym;
use crate::syntax::unparse;
use rbox_core::sys::{AsFd, error_text};
use rbox_core::text;
use std::rc::Rc;

impl Shell {
    /// Starts the command. `name[0]` is the descriptor to read from it, `name[1]` the one to write to it, `name_PID` its
    /// process.
    pub(super) fn run_coprocess(&mut self, name: Sym, body: &Rc<Node>) -> Run {
        let (their_input, to) = self.pipe()?;
        let (from, their_output) = self.pipe()?;
        let Some(pid) = self.fork_child(0, Child::Background)? else {
            drop((to, from));
            self.be_child(body, false, &mut [(Some(their_input), 0), (Some(their_output), 1)])
        };
        self.flow.background = Some(pid);
        self.jobs.add(&[pid], vec![unparse::node(body, &self.symbols)], self.options.monitor && !self.flow.subshell);
        let mut array = Box::new(Array::default());
        for end in [from, to] {
            let number = self
                .streams
                .descriptors
                .add(end.as_fd(), 60)
                .map_err(|errno| self.error(&[b"coproc: ", error_text(errno).as_bytes()]))?;
            array.push(text!(i64::from(number)));
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
