//! The applets of the group networking.
#![forbid(unsafe_code)]
