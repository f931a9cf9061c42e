//! The applets of the group shell.
#![forbid(unsafe_code)]

mod builtins;
mod exec;
mod expand;
mod interactive;
mod state;
mod syntax;
mod upward;

rbox_core::applets! {
    cttyhack: "/bin/cttyhack";
    sh: "/bin/sh" "/bin/ash" "/bin/hush" "/bin/bash";
}

#[cfg(fuzzing)]
pub use sh::{fuzz_arithmetic, fuzz_parser};
