//! Syntax, the first layer: from text to a syntax tree and back. It imports core alone; what the parser asks of the shell
//! is the trait `parser::Host`.

pub mod ast;
pub mod copied;
pub mod expression;
pub mod input;
pub mod parser;
pub mod quote;
pub mod symbols;
pub mod unparse;
