//! The applets that read and write archives and compressed files.
#![forbid(unsafe_code)]

rbox_core::applets! {
    tar: "/bin/tar";
}
