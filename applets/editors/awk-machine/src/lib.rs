//! The machine of awk: values, arrays, records and the instructions. Its loops are rows of `make bench`, so this is a crate
//! with an opt-level of its own; what reads and compiles programs is in the group `editors`.
#![forbid(unsafe_code)]

pub mod array;
mod builtins;
mod fields;
mod format;
mod input;
mod io;
pub mod machine;
mod operands;
mod output;
pub mod program;
pub mod regexes;
pub mod script;
mod sort;
pub mod special;
mod substitute;
pub mod value;
