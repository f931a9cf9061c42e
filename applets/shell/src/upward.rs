//! The calls upwards (`state::upward`), bound to the functions that answer them. With `sh` it is above all layers.

use crate::state::builtin::{Builtin, Done};
use crate::state::upward::Upward;
use crate::state::{Fail, Run, Shell};
use crate::syntax::ast::{CommandSub, Node};
use crate::syntax::symbols::Sym;
use crate::{builtins, exec, expand, interactive};
use std::rc::Rc;

impl Upward for Shell {
    fn referenced_element(&mut self, name: Sym) -> Option<Vec<u8>> {
        expand::element::referenced(self, name)
    }

    fn substitute(&mut self, command: &CommandSub) -> Result<Vec<u8>, Fail> {
        exec::substitution::substitute(self, command)
    }

    fn process_substitution(&mut self, body: &Rc<Node>, writes: bool) -> Result<Vec<u8>, Fail> {
        exec::substitution::process_substitution(self, body, writes)
    }

    fn run_builtin(&mut self, builtin: Builtin, operands: &[&[u8]]) -> Done {
        builtins::run(self, builtin, operands)
    }

    fn before_prompt(&mut self) -> Run {
        interactive::before_prompt(self)
    }
}
