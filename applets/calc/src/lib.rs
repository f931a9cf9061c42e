//! The applets of the group calc.
#![forbid(unsafe_code)]

rbox_core::applets! {}
