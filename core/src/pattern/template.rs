//! Replacements: what `s/regex/REPLACEMENT/` of sed, ed and vi and `gensub` of awk put in place of a match.
//!
//! POSIX XCU sed: `&` is the match, `\1` to `\9` are its groups, a backslash makes any other character literal. GNU's
//! `\0` is the match too, and its `\U`, `\L`, `\u`, `\l` and `\E` change the case of what follows.

use super::regex::{Exec, Regex, Span};
use super::unit;
use crate::bytes::append;
use crate::error::Result;
use crate::unicode;

/// A change of the case of what follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Case {
    /// `\U`: upper case, until another of the first three.
    Upper,
    /// `\L`: lower case.
    Lower,
    /// `\E`: as it is.
    Same,
    /// `\u`: the next character alone, in upper case.
    NextUpper,
    /// `\l`: the next character alone, in lower case.
    NextLower,
}

impl Case {
    /// The change that a letter after a backslash asks for.
    pub fn of(letter: u8) -> Option<Case> {
        Some(match letter {
            b'U' => Case::Upper,
            b'L' => Case::Lower,
            b'E' => Case::Same,
            b'u' => Case::NextUpper,
            b'l' => Case::NextLower,
            _ => return None,
        })
    }
}

#[derive(Clone, Copy, Debug)]
enum Part {
    /// Bytes of `literal`, from the end of those before up to this offset.
    Literal(usize),
    Group(u8),
    Case(Case),
}

/// A replacement, read once. What is never pushed is empty.
#[derive(Clone, Default, Debug)]
pub struct Template {
    literal: Vec<u8>,
    parts: Vec<Part>,
    /// The highest number of a group.
    highest: u8,
}

/// Which matches are replaced.
#[derive(Clone, Copy, Debug)]
pub struct Which {
    /// The first of them, counted from 1.
    pub first: u64,
    /// Whether those after it are replaced too.
    pub all: bool,
}

impl Template {
    /// Adds bytes that stand for themselves.
    pub fn push_literal(&mut self, bytes: &[u8]) {
        self.literal.extend_from_slice(bytes);
        match self.parts.last_mut() {
            Some(Part::Literal(end)) => *end = self.literal.len(),
            _ => self.parts.push(Part::Literal(self.literal.len())),
        }
    }

    /// Adds what the group of this number matched, 0 for the whole match.
    pub fn push_group(&mut self, number: u8) {
        self.highest = self.highest.max(number);
        self.parts.push(Part::Group(number));
    }

    /// Adds a change of case.
    pub fn push_case(&mut self, case: Case) {
        self.parts.push(Part::Case(case));
    }

    /// Reads the common syntax: `&`, `\0` to `\9`, `\n`, the changes of case; another character after a backslash is
    /// itself.
    pub fn parse(text: &[u8]) -> Template {
        let mut template = Template::default();
        let mut at = 0;
        while at < text.len() {
            let length = match text[at..] {
                [b'&', ..] => {
                    template.push_group(0);
                    1
                }
                [b'\\', digit @ b'0'..=b'9', ..] => {
                    template.push_group(digit - b'0');
                    2
                }
                [b'\\', b'n', ..] => {
                    template.push_literal(b"\n");
                    2
                }
                [b'\\', byte, ..] => {
                    match Case::of(byte) {
                        Some(case) => template.push_case(case),
                        None => template.push_literal(&[byte]),
                    }
                    2
                }
                _ => {
                    template.push_literal(&text[at..=at]);
                    1
                }
            };
            at += length;
        }
        template
    }

    /// The highest number of a group that is asked for; 0 if there is none.
    pub fn highest_group(&self) -> usize {
        usize::from(self.highest)
    }

    /// Adds the replacement of the match with these groups in `text` to `out`. The error is `out of memory`.
    ///
    /// A group that took no part is empty. `utf8` says what a character is, for the changes of case.
    pub fn append(&self, out: &mut Vec<u8>, text: &[u8], spans: &[Span], utf8: bool) -> Result<()> {
        let mut start = 0;
        let (mut case, mut next) = (Case::Same, None);
        for part in &self.parts {
            let inserted = match *part {
                Part::Literal(end) => &self.literal[std::mem::replace(&mut start, end)..end],
                Part::Group(number) => match spans.get(usize::from(number)) {
                    Some(&Some((from, to))) => &text[from..to],
                    _ => continue,
                },
                Part::Case(change @ (Case::NextUpper | Case::NextLower)) => {
                    next = Some(change);
                    continue;
                }
                Part::Case(change) => {
                    (case, next) = (change, None);
                    continue;
                }
            };
            if case == Case::Same && next.is_none() {
                append(out, inserted)?;
            } else if !inserted.is_empty() {
                append_in_case(out, inserted, next.take().unwrap_or(case), case, utf8)?;
            }
        }
        Ok(())
    }

    /// Adds `text` to `out` with the matches of `regex` replaced; how many were. When there is none, `out` is as it was.
    ///
    /// `spans` is memory for the groups, kept from one call to the next. The error is `out of memory`, or that
    /// back-references made the search too complex.
    pub fn substitute(
        &self,
        regex: &Regex,
        text: &[u8],
        exec: Exec,
        which: Which,
        spans: &mut Vec<Span>,
        out: &mut Vec<u8>,
    ) -> Result<u64> {
        spans.resize(self.highest_group() + 1, None);
        let (mut count, mut replaced, mut copied) = (0, 0, 0);
        for bounds in regex.matches(text, 0, exec) {
            count += 1;
            if count < which.first {
                continue;
            }
            append(out, &text[copied..bounds.0])?;
            regex.groups_in(text, bounds, exec, spans);
            self.append(out, text, spans, regex.is_utf8())?;
            copied = bounds.1;
            replaced += 1;
            if !which.all {
                break;
            }
        }
        regex.check()?;
        if replaced > 0 {
            append(out, &text[copied..])?;
        }
        Ok(replaced)
    }
}

/// Adds what is inserted, its first character in the case `first` and the others in the case `rest`.
fn append_in_case(out: &mut Vec<u8>, inserted: &[u8], first: Case, rest: Case, utf8: bool) -> Result<()> {
    let (mut at, mut case) = (0, first);
    while let Some((unit, length)) = unit::first(&inserted[at..], utf8) {
        let other = match case {
            Case::Upper | Case::NextUpper => unicode::to_upper(unit),
            Case::Lower | Case::NextLower => unicode::to_lower(unit),
            Case::Same => None,
        };
        match other.and_then(char::from_u32) {
            Some(c) => append(out, c.encode_utf8(&mut [0; 4]).as_bytes())?,
            None => append(out, &inserted[at..at + length])?,
        }
        at += length;
        case = rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::regex::Flags;

    fn replace(pattern: &str, replacement: &str, text: &str, first: u64, all: bool) -> (u64, String) {
        let regex = Regex::new(pattern.as_bytes(), Flags::EXTENDED | Flags::UTF8).unwrap();
        let mut out = Vec::new();
        let count = Template::parse(replacement.as_bytes())
            .substitute(&regex, text.as_bytes(), Exec::default(), Which { first, all }, &mut Vec::new(), &mut out)
            .unwrap();
        (count, String::from_utf8(out).unwrap())
    }

    #[test]
    fn puts_the_match_and_its_groups() {
        assert_eq!(replace("(a)(b)?", "[\\2\\1&\\0]\\n\\&\\\\", "xac", 1, false), (1, "x[aaa]\n&\\c".into()));
        assert_eq!(replace("a", "", "aba", 1, true), (2, "b".into()));
    }

    #[test]
    fn replaces_the_matches_that_are_asked_for() {
        assert_eq!(replace("a", "x", "aaaa", 2, false), (1, "axaa".into()));
        assert_eq!(replace("a", "x", "aaaa", 2, true), (3, "axxx".into()));
        assert_eq!(replace("a", "x", "aaaa", 5, true), (0, String::new()));
        assert_eq!(replace("b*", "-", "abc", 1, true), (3, "-a-c-".into()));
    }

    #[test]
    fn changes_the_case() {
        let change = |replacement| replace("(.*)-(.*)", replacement, "éa-Bc", 1, false).1;
        assert_eq!(change("\\U\\1x\\E\\1"), "ÉAXéa");
        assert_eq!(change("\\u\\1\\l\\2"), "Éabc");
        assert_eq!(change("\\L\\u\\1\\2"), "Éabc");
        assert_eq!(change("\\u\\L\\2"), "bc");
        assert_eq!(replace("(x?)(a)", "\\u\\1\\2", "a", 1, false).1, "A");
    }

    #[test]
    fn says_that_a_search_was_given_up() {
        let regex = Regex::new(b"(a*)*(a*)*(a*)*\\1b", Flags::EXTENDED).unwrap();
        let text = ["a".repeat(60).as_bytes(), b"cb"].concat();
        let which = Which { first: 1, all: false };
        let template = Template::parse(b"x");
        let result = template.substitute(&regex, &text, Exec::default(), which, &mut Vec::new(), &mut Vec::new());
        assert_eq!(result.unwrap_err().message(), b"regular expression too complex");
    }
}
