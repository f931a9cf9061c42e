//! What no loop waits for: the crate that makes the machine has it, and is compiled for size.

use std::rc::Rc;

use rbox_core::error::Result;
use rbox_core::sys::Errno;

use crate::machine::{Flow, Machine};
use crate::program::To;
use crate::regexes::Compiler;
use crate::value::{Text, Value};

/// The keys of an array.
pub type Keys = Vec<Rc<Text>>;

/// The index of what was opened, or why it could not be.
pub type Opened = core::result::Result<usize, Errno>;

/// The functions that the machine does not have itself.
#[derive(Clone, Copy)]
pub struct Seldom {
    /// A function of the language, by its number, with so many arguments from a slot on.
    pub function: fn(&mut Machine<'_>, u8, usize, usize) -> Result<Value>,
    /// The keys of an array in the order of a name.
    pub order: fn(&mut Machine<'_>, usize, &[u8]) -> Result<Keys>,
    /// Compiles a regular expression.
    pub regex: Compiler,
    /// A special variable was assigned to.
    pub changed: fn(&mut Machine<'_>, u32) -> Result<()>,
    /// Opens the next file among the operands.
    pub open_next: fn(&mut Machine<'_>) -> Result<Option<Flow>>,
    /// Opens the output of a redirection: its index.
    pub open_output: fn(&mut Machine<'_>, To, &[u8]) -> Result<usize>,
    /// Opens the input of `getline`: its index.
    pub open_input: fn(&mut Machine<'_>, bool, &[u8]) -> Result<Opened>,
}
