//! Patterns (XCU 2.14) as the shell uses them: core's, with the characters of UTF-8.

use rbox_core::pattern::glob::{self, Extent};

pub use glob::{Flags, unescape};
pub use rbox_core::pattern::{decode, other_case, width};

/// Whether the pattern matches all of the text.
pub fn matches(pattern: &[u8], text: &[u8], flags: Flags) -> bool {
    glob::matches(pattern, text, flags | Flags::UTF8)
}

/// Whether the pattern has an active character.
pub fn is_active(pattern: &[u8], flags: Flags) -> bool {
    glob::has_magic(pattern, flags | Flags::UTF8)
}

fn extent(longest: bool) -> Extent {
    if longest { Extent::Longest } else { Extent::Shortest }
}

/// The length of the prefix of the text that the pattern matches.
pub fn prefix(pattern: &[u8], text: &[u8], longest: bool, flags: Flags) -> Option<usize> {
    glob::prefix(pattern, text, extent(longest), flags | Flags::UTF8)
}

/// The start of the suffix of the text that the pattern matches.
pub fn suffix(pattern: &[u8], text: &[u8], longest: bool, flags: Flags) -> Option<usize> {
    glob::suffix(pattern, text, extent(longest), flags | Flags::UTF8)
}
