//! From text to a syntax tree.

pub mod ast;
pub mod copied;
pub mod input;
pub mod parser;
pub mod quote;
pub mod symbols;
pub mod unparse;
