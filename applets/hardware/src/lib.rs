//! Devices.
#![forbid(unsafe_code)]

mod clock;
mod events;
mod sysfs;

rbox_core::applets! {
    acpid: "/sbin/acpid";
    beep: "/usr/bin/beep";
    devmem: "/sbin/devmem";
    hwclock: "/sbin/hwclock";
    lspci: "/usr/bin/lspci";
    lsscsi: "/usr/bin/lsscsi";
    lsusb: "/usr/bin/lsusb";
    makedevs: "/sbin/makedevs";
    mdev: "/sbin/mdev";
    microcom: "/usr/bin/microcom";
    mt: "/bin/mt";
    rfkill: "/usr/sbin/rfkill";
    rtcwake: "/usr/sbin/rtcwake";
    rx: "/usr/bin/rx";
    seedrng: "/usr/sbin/seedrng";
    setserial: "/bin/setserial";
    uevent: "/sbin/uevent";
    watchdog: "/sbin/watchdog";
}

#[cfg(fuzzing)]
pub use mdev::fuzz;
