//! Devices.
#![forbid(unsafe_code)]

rbox_core::applets! {
    mdev: "/sbin/mdev";
    rx: "/usr/bin/rx";
}

#[cfg(fuzzing)]
pub use mdev::fuzz;
