//! The applets of the group editors.
#![forbid(unsafe_code)]

mod unambiguous;

rbox_core::applets! {
    ed: "/bin/ed";
    sed: "/bin/sed";
}

#[cfg(fuzzing)]
pub use ed::fuzz as fuzz_ed;
#[cfg(fuzzing)]
pub use sed::fuzz as fuzz_sed;
