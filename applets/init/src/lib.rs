//! The applets of the group init.
#![forbid(unsafe_code)]
