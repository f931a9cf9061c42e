//! The form of a line that the command `l` of sed and ed prints (POSIX XCU sed, ed).

use rbox_core::bytes::append;
use rbox_core::escape::{control_name, octal};
use rbox_core::prelude::*;

/// How `l` prints.
#[derive(Clone, Copy)]
pub struct Form {
    /// The length of a folded line with its backslash; 0 and 1 are without limit.
    pub length: usize,
    /// The byte at the end of each line.
    pub end: u8,
    /// A `$` is escaped, as in ed.
    pub escapes_dollar: bool,
}

/// Adds `line` to `out`: escapes for what is not printed, lines folded with a backslash, `$` at the end.
pub fn append_unambiguous(out: &mut Vec<u8>, line: &[u8], form: Form) -> Result<()> {
    let width = if form.length > 1 { form.length - 1 } else { usize::MAX };
    let mut column = 0;
    for &byte in line {
        let code = octal(byte);
        let (plain, named) = ([byte], [b'\\', control_name(byte).unwrap_or(byte)]);
        let shown: &[u8] = match byte {
            b'\\' | 7..=13 => &named,
            b'$' if form.escapes_dollar => &named,
            b' '..=b'~' => &plain,
            _ => &code,
        };
        if column + shown.len() > width && column > 0 {
            append(out, &[b'\\', form.end])?;
            column = 0;
        }
        append(out, shown)?;
        column += shown.len();
    }
    append(out, &[b'$', form.end])
}
