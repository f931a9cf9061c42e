//! The applets of the group editors.
#![forbid(unsafe_code)]

rbox_core::applets! {
    sed: "/bin/sed";
}

#[cfg(fuzzing)]
pub use sed::fuzz as fuzz_sed;
