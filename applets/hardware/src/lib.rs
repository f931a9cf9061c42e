//! The applets of the group hardware.
#![forbid(unsafe_code)]
