//! The kernel's side of the system.
#![forbid(unsafe_code)]

rbox_core::applets! {
    dmesg: "/bin/dmesg";
}
