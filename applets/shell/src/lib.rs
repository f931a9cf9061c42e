//! The applets of the group shell.
#![forbid(unsafe_code)]

mod arith;
mod array;
mod builtins;
mod copied;
mod exec;
mod expand;
mod interactive;
mod quote;
mod reference;
mod shell;
mod source;
mod symbols;
mod syntax;
mod variables;

rbox_core::applets! {
    cttyhack: "/bin/cttyhack";
    sh: "/bin/sh" "/bin/ash" "/bin/bash";
}

#[cfg(fuzzing)]
pub use sh::{fuzz_arithmetic, fuzz_parser};
