//! The terminal, as far as listings need it.

use crate::env::Env;
use crate::sys::{fd, termios};

/// Columns of the terminal that standard output is; COLUMNS, or 80, where it is none.
pub fn columns(env: &Env) -> usize {
    let named = || env.vars.get("COLUMNS").and_then(crate::number::parse_decimal);
    match termios::tcgetwinsize(fd::borrow(1)) {
        Ok(size) if size.ws_col > 0 => size.ws_col.into(),
        _ => named().filter(|columns| (1..=10_000).contains(columns)).unwrap_or(80) as usize,
    }
}

/// Columns that a name takes on a terminal: characters of UTF-8 count one, bytes that are none count one each.
pub fn width(text: &[u8]) -> usize {
    text.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}
