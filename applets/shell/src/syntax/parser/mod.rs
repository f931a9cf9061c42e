//! The parser: recursive descent over the bytes (XCU 2.3 and 2.10), one complete command a call.

mod array;
mod brace;
mod command;
mod compound;
mod condition;
mod dollar;
mod heredoc;
mod lexer;
mod list;
mod quoting;
mod reader;
mod token;
mod word;

pub use dollar::BAD_SUBSTITUTION;
pub use heredoc::parse_document;
pub use list::next_command;
pub use reader::{Host, Parsed, SyntaxError};
pub use token::is_keyword;
pub use word::escape;
