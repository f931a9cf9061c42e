//! What the layers below ask of those above them: the only calls upwards.
//!
//! A layer imports the layers below it. Substitutions run commands, though, and commands are builtins; those few calls are
//! declared here and bound to their functions in `crate::upward`, above all layers.

use crate::state::builtin::{Builtin, Done};
use crate::state::{Fail, Run};
use crate::syntax::ast::{CommandSub, Node};
use crate::syntax::symbols::Sym;
use std::rc::Rc;

/// The calls upwards, which `Shell` implements.
pub trait Upward {
    /// From state to expansion: the value of the element that a name reference such as `a[1]` leads to; `None` when it is
    /// unset.
    fn referenced_element(&mut self, name: Sym) -> Option<Vec<u8>>;
    /// From expansion to execution: the output of a command substitution, without its last newlines.
    fn substitute(&mut self, command: &CommandSub) -> Result<Vec<u8>, Fail>;
    /// From expansion to execution: starts the commands of `<(...)`, or of `>(...)` when `writes` is set; the path of the
    /// shell's end of the pipe.
    fn process_substitution(&mut self, body: &Rc<Node>, writes: bool) -> Result<Vec<u8>, Fail>;
    /// From execution to the builtins: runs one with its operands.
    fn run_builtin(&mut self, builtin: Builtin, operands: &[&[u8]]) -> Done;
    /// From execution to the interactive layer: traps, reports on jobs and PROMPT_COMMAND, before a command is asked for.
    fn before_prompt(&mut self) -> Run;
}
