//! Files, folders and their attributes: `open(2)`, `stat(2)`, `rename(2)` and the like, mostly as rustix has them.

pub use rustix::fs::*;
