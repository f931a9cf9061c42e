//! The machine of awk: values, arrays, records and the instructions. Its loops are rows of `make bench`, so this is a crate
//! with an opt-level of its own; what reads and compiles programs is in the group `editors`, and so is what no loop waits
//! for (`seldom`).
#![forbid(unsafe_code)]

pub mod array;
pub mod builtins;
pub mod fields;
mod format;
mod input;
pub mod io;
pub mod machine;
mod operands;
mod output;
pub mod program;
pub mod regexes;
pub mod script;
pub mod seldom;
pub mod special;
pub mod substitute;
pub mod value;
