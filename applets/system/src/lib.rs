//! The applets of the group system.
#![forbid(unsafe_code)]
