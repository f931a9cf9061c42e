//! The applets of the group findutils.
#![forbid(unsafe_code)]
