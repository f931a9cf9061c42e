//! The applets of the group calc.
#![forbid(unsafe_code)]

mod functions;
mod number;
mod radix;

rbox_core::applets! {
    bc: "/usr/bin/bc";
    dc: "/usr/bin/dc";
}

#[cfg(fuzzing)]
pub use {bc::fuzz as fuzz_bc, dc::fuzz as fuzz_dc};
