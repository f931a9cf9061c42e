//! Documents made from the usage texts: the manual page and the shells' completion rules.

pub mod completion;
pub mod man;
