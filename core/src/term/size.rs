//! The size of a terminal: TIOCGWINSZ (`ioctl_tty(2)`).

use crate::env::Env;
use crate::sys::{fd, termios};

/// Columns of the terminal that standard output is; COLUMNS, or 80, where it is none.
pub fn columns(env: &Env) -> usize {
    let named = || env.vars.get("COLUMNS").and_then(crate::number::parse_decimal);
    let named = || named().filter(|columns| (1..=10_000).contains(columns)).map(|columns| columns as usize);
    window(1).or_else(named).unwrap_or(80)
}

/// Columns of the terminal that a descriptor is. `None` where it is none, or does not know (a serial line).
pub fn window(number: i32) -> Option<usize> {
    size(number).map(|(_, columns)| columns)
}

/// Rows and columns of the terminal that a descriptor is, `None` as for `window`. Rows may be 0.
pub fn size(number: i32) -> Option<(usize, usize)> {
    let size = fd::named(number).and_then(termios::tcgetwinsize).ok()?;
    (size.ws_col > 0).then_some((size.ws_row.into(), size.ws_col.into()))
}
