//! The applets of the group editors.
#![forbid(unsafe_code)]

rbox_core::applets! {
    cmp: "/usr/bin/cmp";
    diff: "/usr/bin/diff";
}

#[cfg(fuzzing)]
pub use diff::fuzz as fuzz_diff;
