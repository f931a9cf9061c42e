//! The applets of the group coreutils.
#![forbid(unsafe_code)]
