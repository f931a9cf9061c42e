//! The applets of the group shell.
#![forbid(unsafe_code)]
