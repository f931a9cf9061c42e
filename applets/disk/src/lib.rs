//! Disks and filesystems.
#![forbid(unsafe_code)]

rbox_core::applets! {
    mount: "/bin/mount";
    umount: "/bin/umount";
}
