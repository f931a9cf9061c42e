//! Patterns: file name patterns (`glob`) and regular expressions (`regex`).
//!
//! Both work on bytes. Where a pattern is asked for in UTF-8, a well-formed sequence is one character; a byte that
//! belongs to none is a character of its own, a member of no class, matched by `?`, `.` and negated brackets. So a
//! file name or a line in another encoding still matches `*` and `.*` in whole.

mod extended;
pub mod glob;
pub mod perl;
pub mod regex;
pub mod template;
mod token;
mod unit;

pub use unit::{decode, sequence_length};

/// Bytes of the first character of a text in UTF-8: 1 for a byte that belongs to none, 0 for an empty text.
pub fn width(text: &[u8]) -> usize {
    unit::first(text, true).map_or(0, |(_, length)| length)
}

/// Whether the locale asks for UTF-8, from the values of LC_ALL, LC_CTYPE and LANG.
///
/// POSIX XBD 8.2: the first that is set and not empty decides. Unset, "C" and "POSIX" mean single bytes.
pub fn is_utf8_locale<'a>(values: impl IntoIterator<Item = Option<&'a [u8]>>) -> bool {
    let Some(name) = values.into_iter().flatten().find(|value| !value.is_empty()) else {
        return false;
    };
    let ends = |suffix: &[u8]| {
        let codeset = name.split(|&b| b == b'@').next().unwrap_or(name);
        codeset.len() >= suffix.len() && codeset[codeset.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
    };
    ends(b"utf-8") || ends(b"utf8")
}

#[cfg(test)]
mod tests {
    use super::is_utf8_locale;

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        assert!(is_utf8_locale([None, Some(&b"fr_BE.UTF-8"[..]), Some(&b"C"[..])]));
        assert!(is_utf8_locale([Some(&b""[..]), None, Some(&b"de_DE.utf8@euro"[..])]));
        assert!(!is_utf8_locale([Some(&b"C"[..]), None, Some(&b"C.UTF-8"[..])]));
        assert!(!is_utf8_locale([None, None, None]));
    }
}
