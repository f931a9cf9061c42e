//! The applets of the group login.
#![forbid(unsafe_code)]
