//! Devices.
#![forbid(unsafe_code)]

mod clock;
mod events;
mod i2c;
mod sysfs;
mod ubi;

rbox_core::applets! {
    acpid: "/sbin/acpid";
    beep: "/usr/bin/beep";
    devmem: "/sbin/devmem";
    hwclock: "/sbin/hwclock";
    i2cdetect: "/usr/sbin/i2cdetect";
    i2cdump: "/usr/sbin/i2cdump";
    i2cget: "/usr/sbin/i2cget";
    i2cset: "/usr/sbin/i2cset";
    i2ctransfer: "/usr/sbin/i2ctransfer";
    lspci: "/usr/bin/lspci";
    lsscsi: "/usr/bin/lsscsi";
    lsusb: "/usr/bin/lsusb";
    makedevs: "/sbin/makedevs";
    mdev: "/sbin/mdev";
    microcom: "/usr/bin/microcom";
    mt: "/bin/mt";
    nanddump: "/usr/sbin/nanddump";
    nandwrite: "/usr/sbin/nandwrite";
    rfkill: "/usr/sbin/rfkill";
    rtcwake: "/usr/sbin/rtcwake";
    rx: "/usr/bin/rx";
    seedrng: "/usr/sbin/seedrng";
    setserial: "/bin/setserial";
    ubiattach: "/usr/sbin/ubiattach";
    ubidetach: "/usr/sbin/ubidetach";
    ubimkvol: "/usr/sbin/ubimkvol";
    ubirename: "/usr/sbin/ubirename";
    ubirmvol: "/usr/sbin/ubirmvol";
    ubirsvol: "/usr/sbin/ubirsvol";
    ubiupdatevol: "/usr/sbin/ubiupdatevol";
    uevent: "/sbin/uevent";
    watchdog: "/sbin/watchdog";
}

#[cfg(fuzzing)]
pub use mdev::fuzz;
