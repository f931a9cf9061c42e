//! The applets of the group console.
#![forbid(unsafe_code)]
