//! Devices.
#![forbid(unsafe_code)]

mod clock;

rbox_core::applets! {
    hwclock: "/sbin/hwclock";
    mdev: "/sbin/mdev";
    rtcwake: "/usr/sbin/rtcwake";
    rx: "/usr/bin/rx";
}

#[cfg(fuzzing)]
pub use mdev::fuzz;
