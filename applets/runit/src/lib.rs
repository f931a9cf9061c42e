//! The applets of the group runit.
#![forbid(unsafe_code)]
