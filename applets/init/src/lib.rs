//! The first process, and the commands that tell it to stop the machine.
#![forbid(unsafe_code)]

rbox_core::applets! {
    halt: "/sbin/halt" "/sbin/poweroff" "/sbin/reboot";
    init: "/sbin/init" "/linuxrc";
}

#[cfg(fuzzing)]
pub use init::fuzz;
