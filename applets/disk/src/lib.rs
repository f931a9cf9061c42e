//! The applets of the group disk.
#![forbid(unsafe_code)]
