//! The applets of the group viewers.
#![forbid(unsafe_code)]

rbox_core::applets! {}
