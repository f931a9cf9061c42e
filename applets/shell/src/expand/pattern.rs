//! Patterns (XCU 2.14) as the shell uses them: core's, with the characters of the locale.

use rbox_core::pattern::glob::{self, Extent};

pub use glob::{Flags, has_magic as is_active, matches, unescape};
pub use rbox_core::pattern::decode;

/// Bytes of the first character of a text that is not empty.
pub fn width(text: &[u8], utf8: bool) -> usize {
    if utf8 { rbox_core::pattern::width(text) } else { 1 }
}

fn extent(longest: bool) -> Extent {
    if longest { Extent::Longest } else { Extent::Shortest }
}

/// The length of the prefix of the text that the pattern matches.
pub fn prefix(pattern: &[u8], text: &[u8], longest: bool, flags: Flags) -> Option<usize> {
    glob::prefix(pattern, text, extent(longest), flags)
}

/// The start of the suffix of the text that the pattern matches.
pub fn suffix(pattern: &[u8], text: &[u8], longest: bool, flags: Flags) -> Option<usize> {
    glob::suffix(pattern, text, extent(longest), flags)
}
