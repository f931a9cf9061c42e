//! The applets that read and write archives and compressed files.
#![forbid(unsafe_code)]

mod data;
mod filter;

rbox_core::applets! {
    ar: "/usr/bin/ar";
    cpio: "/bin/cpio";
    tar: "/bin/tar";
}
