//! The applets of the group procps.
#![forbid(unsafe_code)]
