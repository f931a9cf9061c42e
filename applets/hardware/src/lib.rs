//! Devices.
#![forbid(unsafe_code)]

rbox_core::applets! {
    mdev: "/sbin/mdev";
}

#[cfg(fuzzing)]
pub use mdev::fuzz;
