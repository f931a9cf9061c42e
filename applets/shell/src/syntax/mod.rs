//! From text to a syntax tree.

pub mod ast;
pub mod input;
pub mod parser;
pub mod unparse;
