//! What `less` and `more` share: the file or stream, its rows, and patterns.

pub(crate) mod files;
pub(crate) mod row;
pub(crate) mod search;
pub(crate) mod source;
