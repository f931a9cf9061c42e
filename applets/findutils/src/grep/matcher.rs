//! What finds the lines: POSIX's regular expressions, which are searched for in whole blocks, or Perl's, line by line.

use std::ops::Range;

use rbox_core::bytes::find_byte;
use rbox_core::pattern;
use rbox_core::pattern::perl::{Options, Perl};
use rbox_core::pattern::regex::{Exec, Regex};
use rbox_core::prelude::*;

pub enum Matcher {
    Posix(Box<Regex>),
    Perl(Perl),
}

impl Matcher {
    /// The expression of `-P`. Whole words (`-w`) or lines (`-x`) are parts of it.
    pub fn perl(pattern: &[u8], options: Options, word: bool, line: bool) -> Result<Matcher> {
        let wrapped = match (word, line) {
            (_, true) => [b"^(?:", pattern, b")$"].concat(),
            (true, _) => [b"(?<!\\w)(?:", pattern, b")(?!\\w)"].concat(),
            _ => pattern.to_vec(),
        };
        let error = |reason: &str| Error::parts(&[b"bad regex '", pattern, b"': ", reason.as_bytes()]);
        // The pattern must be right by itself: `a)(b` is not.
        Perl::new(pattern, options).and_then(|_| Perl::new(&wrapped, options)).map(Matcher::Perl).map_err(error)
    }

    /// The first line with a match from `start` on, where a line begins; without its end.
    pub fn find_line(&self, text: &[u8], start: usize, line_end: u8) -> Option<Range<usize>> {
        let perl = match self {
            Matcher::Posix(regex) => return regex.find_line(text, start),
            Matcher::Perl(perl) => perl,
        };
        let mut at = start;
        while at < text.len() {
            let end = find_byte(line_end, &text[at..]).map_or(text.len(), |length| at + length);
            if perl.find_at(&text[at..end], 0).is_some() {
                return Some(at..end);
            }
            at = end + 1;
        }
        None
    }

    /// The matches in a line that are not empty.
    pub fn matches<'a>(&'a self, line: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut posix = match self {
            Matcher::Posix(regex) => Some(regex.matches(line, 0, Exec::default())),
            Matcher::Perl(_) => None,
        };
        let mut at = 0;
        std::iter::from_fn(move || {
            let Matcher::Perl(perl) = self else {
                return posix.as_mut()?.find(|(start, end)| start < end).map(|(start, end)| start..end);
            };
            loop {
                let (start, end) = perl.find_at(line, at)?;
                // An empty match, which `\K` may have made of one that ends here.
                at = if end > at { end } else { at + pattern::width(line.get(at..)?).max(1) };
                if start < end {
                    return Some(start..end);
                }
            }
        })
    }

    /// Whether a search was given up because it took too many steps; that is forgotten then.
    pub fn gave_up(&self) -> bool {
        match self {
            Matcher::Posix(regex) => regex.gave_up(),
            Matcher::Perl(perl) => perl.gave_up(),
        }
    }
}
