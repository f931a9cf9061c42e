//! The applets of the group editors.
#![forbid(unsafe_code)]

mod unambiguous;

rbox_core::applets! {
    awk: "/usr/bin/awk";
    cmp: "/usr/bin/cmp";
    diff: "/usr/bin/diff";
    ed: "/bin/ed";
    patch: "/usr/bin/patch";
    sed: "/bin/sed";
    vi: "/bin/vi";
}

#[cfg(fuzzing)]
pub use awk::fuzz as fuzz_awk;
#[cfg(fuzzing)]
pub use diff::fuzz as fuzz_diff;
#[cfg(fuzzing)]
pub use ed::fuzz as fuzz_ed;
#[cfg(fuzzing)]
pub use patch::fuzz as fuzz_patch;
#[cfg(fuzzing)]
pub use sed::fuzz as fuzz_sed;
#[cfg(fuzzing)]
pub use vi::fuzz as fuzz_vi;
