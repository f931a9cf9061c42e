//! Codings of bytes.

pub mod base;
