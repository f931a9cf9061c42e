//! The applets of the group editors.
#![forbid(unsafe_code)]

rbox_core::applets! {
    vi: "/bin/vi";
}

#[cfg(fuzzing)]
pub use vi::fuzz as fuzz_vi;
