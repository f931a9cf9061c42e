//! The applets of the group viewers.
#![forbid(unsafe_code)]

mod pager;

rbox_core::applets! {
    hexedit: "/usr/bin/hexedit";
    less: "/usr/bin/less";
    more: "/bin/more";
}

#[cfg(fuzzing)]
pub use less::fuzz as fuzz_less;
