//! Perl's regular expressions, for `grep -P`: classes, lazy and possessive quantifiers, lookaround, `\K`, named groups, flags.
//!
//! A match is the first that trying in Perl's order finds, not the longest. Without back-references and atomic groups no
//! position in the program is tried twice at a position in the text, so that the time is linear; else the steps are limited:
//! see `Perl::gave_up`. Not supported, and errors: conditions, recursion, `(?|`, lookbehind of varying length, most of `\p`.

mod matcher;
mod parser;
mod program;

use std::cell::Cell;

use program::Program;

/// A compiled expression.
pub struct Perl {
    program: Program,
    utf8: bool,
    gave_up: Cell<bool>,
}

/// How an expression is read.
#[derive(Clone, Copy, Default, Debug)]
pub struct Options {
    /// Upper and lower case are the same.
    pub fold_case: bool,
    /// Characters are those of UTF-8, not bytes.
    pub utf8: bool,
}

impl Perl {
    /// Compiles an expression; the error is the reason.
    pub fn new(pattern: &[u8], options: Options) -> Result<Perl, &'static str> {
        let parsed = parser::parse(pattern, options)?;
        let program = program::compile(&parsed.node, parsed.groups, parsed.sets)?;
        Ok(Perl { program, utf8: options.utf8, gave_up: Cell::new(false) })
    }

    /// The bounds of the first match that begins at `start` or later; what is before is seen by assertions.
    pub fn find_at(&self, text: &[u8], start: usize) -> Option<(usize, usize)> {
        matcher::find(&self.program, text, start, self.utf8, &self.gave_up)
    }

    /// Whether a search was given up because it took too many steps; that is forgotten then.
    pub fn gave_up(&self) -> bool {
        self.gave_up.replace(false)
    }
}

/// What the fuzz target feeds: an expression and, after a NUL, the text.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let (pattern, text) = crate::bytes::split_once(data, 0).unwrap_or((data, b"aab abc\n"));
    for utf8 in [false, true] {
        let Ok(perl) = Perl::new(pattern, Options { utf8, ..Options::default() }) else { continue };
        assert!(perl.find_at(text, 0).is_none_or(|(start, end)| start <= end && end <= text.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pattern: &str, text: &str) -> Option<(usize, usize)> {
        Perl::new(pattern.as_bytes(), Options { utf8: true, ..Options::default() }).unwrap().find_at(text.as_bytes(), 0)
    }

    #[test]
    fn the_first_way_counts_not_the_longest() {
        assert_eq!(find("a|ab", "ab"), Some((0, 1)));
        assert_eq!(find("a+?", "aaa"), Some((0, 1)));
        assert_eq!(find("a{2,3}?b", "aaab"), Some((0, 4)));
        assert_eq!(find("(?:a*)*b", "aaab"), Some((0, 4)));
        assert_eq!(find("a*+a", "aaa"), None);
        assert_eq!(find("(?>a|ab)c", "abc"), None);
    }

    #[test]
    fn looks_around() {
        assert_eq!(find("b(?=c)", "babc"), Some((2, 3)));
        assert_eq!(find("b(?!a)", "babc"), Some((2, 3)));
        assert_eq!(find("(?<=a|xé)b", "bxéb"), Some((4, 5)));
        assert_eq!(find("(?<!a)b", "abb"), Some((2, 3)));
        assert_eq!(find("foo\\Kbar", "foobar"), Some((3, 6)));
    }

    #[test]
    fn refers_to_groups() {
        assert_eq!(find("(.)\\1", "abb"), Some((1, 3)));
        assert_eq!(find("(?<x>.)\\k<x>", "abb"), Some((1, 3)));
        assert_eq!(find("(?i)(a)\\g{-1}", "aA"), Some((0, 2)));
    }

    #[test]
    fn stays_linear_without_back_references() {
        let text = "a".repeat(5000);
        assert_eq!(find("(a*)*(a|aa)+$b", &text), None);
        let perl = Perl::new(b"(a*)*\\1b", Options::default()).unwrap();
        assert_eq!(perl.find_at(text.as_bytes(), 0), None);
        assert!(perl.gave_up());
    }

    #[test]
    fn refuses_what_is_wrong() {
        for pattern in
            ["(", ")", "[a", "a**", "*a", "(?<=a*)b", "\\2(a)", "(?<x>a)(?<x>b)", "(?z)", "\\", "a{2,1}", "(?(1)a)"]
        {
            assert!(Perl::new(pattern.as_bytes(), Options::default()).is_err(), "{pattern}");
        }
    }
}
