//! The matches in a text, one after the other.

use super::{Exec, Regex};
use crate::pattern::unit;

/// Iterates over the matches from an offset on; see `Regex::matches`.
pub struct Matches<'a> {
    regex: &'a Regex,
    text: &'a [u8],
    exec: Exec,
    /// Where the next search begins; past the end of the text when all is done.
    at: usize,
    /// The end of the match before.
    end: Option<usize>,
}

impl Regex {
    /// The bounds of all matches that begin at `start` or later, each after the one before.
    ///
    /// POSIX XCU sed, `s///g`: the matches do not overlap, and an empty string directly after a match is none. What
    /// is before `start` is seen by `^`, `\<` and `\b`.
    pub fn matches<'a>(&'a self, text: &'a [u8], start: usize, exec: Exec) -> Matches<'a> {
        Matches { regex: self, text, exec, at: start, end: None }
    }
}

impl Iterator for Matches<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        loop {
            let (start, end) = self.regex.find_at(self.text, self.at, self.exec)?;
            let follows = self.end == Some(start);
            self.at = end;
            if start == end {
                // Nothing else begins here; the end of the text is followed by an offset that ends the search.
                self.at += unit::first(&self.text[end..], self.regex.is_utf8()).map_or(1, |(_, length)| length);
                if follows {
                    continue;
                }
            }
            self.end = Some(end);
            return Some((start, end));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::regex::Flags;

    fn all(pattern: &str, text: &str, flags: Flags) -> Vec<(usize, usize)> {
        Regex::new(pattern.as_bytes(), flags).unwrap().matches(text.as_bytes(), 0, Exec::default()).collect()
    }

    #[test]
    fn an_empty_string_after_a_match_is_none() {
        assert_eq!(all("a*", "baac", Flags::NONE), [(0, 0), (1, 3), (4, 4)]);
        assert_eq!(all("x*", "", Flags::NONE), [(0, 0)]);
        assert_eq!(all("b*", "abb", Flags::NONE), [(0, 0), (1, 3)]);
    }

    #[test]
    fn anchors_look_at_what_is_before() {
        assert_eq!(all("^a", "aaa", Flags::NONE), [(0, 1)]);
        assert_eq!(all("\\<", "ab cd", Flags::NONE), [(0, 0), (3, 3)]);
        assert_eq!(all("^", "a\nb", Flags::NEWLINE), [(0, 0), (2, 2)]);
    }

    #[test]
    fn empty_matches_are_between_characters() {
        assert_eq!(all("", "é", Flags::UTF8), [(0, 0), (2, 2)]);
        assert_eq!(all("x*", "é", Flags::UTF8), [(0, 0), (2, 2)]);
        assert_eq!(all("", "é", Flags::NONE), [(0, 0), (1, 1), (2, 2)]);
    }
}
