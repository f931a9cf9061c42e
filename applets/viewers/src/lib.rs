//! The applets of the group viewers.
#![forbid(unsafe_code)]

rbox_core::applets! {
    less: "/usr/bin/less";
}

#[cfg(fuzzing)]
pub use less::fuzz as fuzz_less;
