//! State, the second layer: what a shell knows. It imports the syntax alone; what it needs from the layers above is in
//! `Upward`.

pub mod array;
pub mod builtin;
pub mod declaration;
pub mod directory;
mod elements;
mod function;
pub mod initial;
pub mod jobs;
mod message;
pub mod options;
mod reference;
mod script;
mod shell;
pub mod shopt;
pub mod slot;
pub mod stream;
pub mod traps;
pub mod upward;
pub mod variables;

pub use shell::{Computed, Fail, Flow, Frame, Invocation, Location, Parameters, Run, Shell, Streams, Terminal, Traps};
