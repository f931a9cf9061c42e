//! Kernel modules.
#![forbid(unsafe_code)]

mod config;
mod database;
mod image;
mod load;

rbox_core::applets! {
    depmod: "/sbin/depmod";
    insmod: "/sbin/insmod";
    lsmod: "/sbin/lsmod";
    modinfo: "/sbin/modinfo";
    modprobe: "/sbin/modprobe";
    rmmod: "/sbin/rmmod";
}

#[cfg(fuzzing)]
pub use image::fuzz;
