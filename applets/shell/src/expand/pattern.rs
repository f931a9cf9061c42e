//! Patterns (XCU 2.14) as the shell uses them: core's, with the characters of UTF-8.

use rbox_core::pattern::glob::{self, Extent, Flags, Glob};

pub use glob::unescape;
pub use rbox_core::pattern::width;

/// Whether the pattern matches all of the text.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    glob::matches(pattern, text, Flags::UTF8)
}

/// Whether the pattern has an active character.
pub fn is_active(pattern: &[u8]) -> bool {
    glob::has_magic(pattern, Flags::UTF8)
}

fn extent(longest: bool) -> Extent {
    if longest { Extent::Longest } else { Extent::Shortest }
}

/// The length of the prefix of the text that the pattern matches.
pub fn prefix(pattern: &[u8], text: &[u8], longest: bool) -> Option<usize> {
    Glob::new(pattern, Flags::UTF8).prefix(text, extent(longest))
}

/// The start of the suffix of the text that the pattern matches.
pub fn suffix(pattern: &[u8], text: &[u8], longest: bool) -> Option<usize> {
    Glob::new(pattern, Flags::UTF8).suffix(text, extent(longest))
}
