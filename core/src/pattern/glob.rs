//! File name patterns: POSIX XCU 2.14 and fnmatch(), for `case`, pathname expansion, `${x#pattern}`, `find -name`.
//!
//! A pattern is read where it is, token by token: nothing is compiled for a plain match. A character that the
//! shell has quoted comes with a backslash before it. Going back to the last `*` alone is enough, since an earlier
//! one could only give that `*` a later start; so a match costs at most pattern times text.

use std::ops::Range;

pub use super::token::{Extent, Flags};
use super::token::{Token, next_token, token_matches};
use super::{extended, unit};

/// Whether the text at `at` begins with a dot that only a dot may match.
fn is_hidden_at(text: &[u8], at: usize, flags: Flags) -> bool {
    flags.has(Flags::PERIOD)
        && text.get(at) == Some(&b'.')
        && (at == 0 || (flags.has(Flags::PATHNAME) && text[at - 1] == b'/'))
}

/// Whether a byte of a pattern is an ASCII character that stands for itself.
fn is_ordinary(byte: u8) -> bool {
    byte < 0x80 && !matches!(byte, b'*' | b'?' | b'[' | b'\\')
}

/// What the first token of a pattern does with the first character of a text.
enum Step {
    /// A star: bytes of the pattern.
    Star(usize),
    /// It matches: bytes of the pattern and of the text.
    Taken(usize, usize),
    Fails,
}

fn step(pattern: &[u8], text: &[u8], is_hidden: bool, flags: Flags) -> Step {
    let Some((token, length)) = next_token(pattern, flags) else { return Step::Fails };
    if is_hidden && !matches!(token, Token::Unit(_)) {
        return Step::Fails;
    }
    if token == Token::Star {
        return Step::Star(length);
    }
    match unit::first(text, flags.has(Flags::UTF8)) {
        Some((unit, taken)) if token_matches(token, unit, flags) => Step::Taken(length, taken),
        _ => Step::Fails,
    }
}

/// Whether the pattern matches the whole text.
pub fn matches(pattern: &[u8], text: &[u8], flags: Flags) -> bool {
    if flags.has(Flags::EXTENDED) && extended::has_group(pattern) {
        return extended::matches(pattern, text, flags);
    }
    let folds = flags.has(Flags::FOLD_CASE);
    let (mut at, mut pos) = (0, 0);
    // After the last star: where the pattern goes on, and up to where the star reaches.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        // Most of most patterns: characters that match themselves alone.
        let mut wanted = pattern.get(at).copied();
        while let Some(byte) = wanted
            && text.get(pos) == Some(&byte)
            && is_ordinary(byte)
        {
            (at, pos) = (at + 1, pos + 1);
            wanted = pattern.get(at).copied();
        }
        match wanted {
            None if pos == text.len() => return true,
            None => {}
            Some(byte) if is_ordinary(byte) && !folds => {}
            Some(_) => match step(&pattern[at..], &text[pos..], is_hidden_at(text, pos, flags), flags) {
                Step::Star(length) => {
                    at += length;
                    if at == pattern.len() && !flags.has(Flags::PATHNAME) {
                        return true;
                    }
                    retry = Some((at, pos));
                    continue;
                }
                Step::Taken(length, taken) => {
                    (at, pos) = (at + length, pos + taken);
                    continue;
                }
                Step::Fails => {}
            },
        }
        let Some((after, reached)) = retry else { return false };
        let Some(reached) = extend_star(&pattern[after..], text, reached, flags) else { return false };
        retry = Some((after, reached));
        (at, pos) = (after, reached);
    }
}

/// Lets a star that reaches up to `reached` take more, as far as `rest`, the pattern after it, may begin to match.
fn extend_star(rest: &[u8], text: &[u8], reached: usize, flags: Flags) -> Option<usize> {
    let (unit, taken) = unit::first(&text[reached..], flags.has(Flags::UTF8))?;
    if flags.has(Flags::PATHNAME) {
        return (unit != u32::from(b'/')).then_some(reached + taken);
    }
    match rest.first() {
        // An ASCII byte is never part of a longer character.
        Some(&byte) if is_ordinary(byte) && !flags.has(Flags::FOLD_CASE) => {
            let from = reached + taken;
            memchr::memchr(byte, &text[from..]).map(|at| from + at)
        }
        _ => Some(reached + taken),
    }
}

/// Whether the pattern has a character that matches more than itself.
pub fn has_magic(pattern: &[u8], flags: Flags) -> bool {
    if flags.has(Flags::EXTENDED) && extended::has_group(pattern) {
        return true;
    }
    let mut at = 0;
    while let Some((token, length)) = next_token(&pattern[at..], flags) {
        if !matches!(token, Token::Unit(_)) {
            return true;
        }
        at += length;
    }
    false
}

/// The only text that a pattern without magic matches: the pattern without its backslashes.
pub fn unescape(pattern: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(pattern.len());
    let mut bytes = pattern.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => text.push(*bytes.next().unwrap_or(&byte)),
            _ => text.push(byte),
        }
    }
    text
}

/// Puts a backslash before every character that means something in a pattern.
pub fn escape(text: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::with_capacity(text.len());
    for &byte in text {
        if matches!(byte, b'*' | b'?' | b'[' | b']' | b'\\' | b'-' | b'!' | b'^') {
            pattern.push(b'\\');
        }
        pattern.push(byte);
    }
    pattern
}

/// The end of the prefix of `text` that the pattern matches.
pub fn prefix(pattern: &[u8], text: &[u8], extent: Extent, flags: Flags) -> Option<usize> {
    if flags.has(Flags::EXTENDED) && extended::has_group(pattern) {
        return extended::prefix(pattern, text, extent, flags);
    }
    Glob::new(pattern, flags).prefix(text, extent)
}

/// The start of the suffix of `text` that the pattern matches.
pub fn suffix(pattern: &[u8], text: &[u8], extent: Extent, flags: Flags) -> Option<usize> {
    if flags.has(Flags::EXTENDED) && extended::has_group(pattern) {
        return extended::suffix(pattern, text, extent, flags);
    }
    Glob::new(pattern, flags).suffix(text, extent)
}

/// A pattern for finding inside a text.
///
/// One pass over the text with the set of the positions in the pattern that are reached: text times pattern at worst.
pub struct Glob<'a> {
    /// The pattern cut up; left empty when it is a plain text with a star at most.
    tokens: Vec<Token<'a>>,
    flags: Flags,
    plain: Option<(Star, &'a [u8])>,
}

/// Where the only star of a pattern is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Star {
    Nowhere,
    Before,
    After,
}

impl<'a> Glob<'a> {
    /// Reads the pattern; there is no wrong one. `PERIOD` and `PATHNAME` have no meaning here.
    pub fn new(pattern: &'a [u8], flags: Flags) -> Glob<'a> {
        let flags = flags.without(Flags::PERIOD | Flags::PATHNAME);
        let plain = plain_text(pattern, flags);
        let mut tokens = Vec::new();
        let mut at = 0;
        while plain.is_none()
            && let Some((token, length)) = next_token(&pattern[at..], flags)
        {
            if token != Token::Star || tokens.last() != Some(&Token::Star) {
                tokens.push(token);
            }
            at += length;
        }
        Glob { tokens, flags, plain }
    }

    /// The end of the prefix of `text` that the pattern matches.
    pub fn prefix(&self, text: &[u8], extent: Extent) -> Option<usize> {
        if let Some((star, plain)) = self.plain {
            let end = match star {
                Star::Before => return Some(find_plain(text, plain, extent == Extent::Longest)? + plain.len()),
                Star::After if extent == Extent::Longest => text.len(),
                _ => plain.len(),
            };
            return text.starts_with(plain).then_some(end);
        }
        let utf8 = self.flags.has(Flags::UTF8);
        let tokens = self.tokens.iter().copied();
        run(tokens, self.flags, extent, |pos| unit::first(&text[pos..], utf8))
    }

    /// The start of the suffix of `text` that the pattern matches.
    pub fn suffix(&self, text: &[u8], extent: Extent) -> Option<usize> {
        if let Some((star, plain)) = self.plain {
            let start = match star {
                Star::After => return find_plain(text, plain, extent == Extent::Shortest),
                Star::Before if extent == Extent::Longest => 0,
                _ => text.len().saturating_sub(plain.len()),
            };
            return text.ends_with(plain).then_some(start);
        }
        let utf8 = self.flags.has(Flags::UTF8);
        let tokens = self.tokens.iter().rev().copied();
        let back = run(tokens, self.flags, extent, |pos| unit::last(&text[..text.len() - pos], utf8))?;
        Some(text.len() - back)
    }

    /// The first match that begins at `start` or later, the longest of those.
    pub fn find(&self, text: &[u8], start: usize) -> Option<Range<usize>> {
        let utf8 = self.flags.has(Flags::UTF8);
        let mut at = start;
        loop {
            // Nothing can begin where the pattern's first character is not.
            if let Some(first) = self.first_byte() {
                at += memchr::memchr(first, text.get(at..)?)?;
            }
            if let Some(end) = self.prefix(text.get(at..)?, Extent::Longest) {
                return Some(at..at + end);
            }
            // The rest of the text holds the match of a leading star, if there is any.
            if self.tokens.first() == Some(&Token::Star) || matches!(self.plain, Some((Star::Before, _))) {
                return None;
            }
            at += unit::first(&text[at..], utf8)?.1;
        }
    }

    /// The byte that every match begins with.
    fn first_byte(&self) -> Option<u8> {
        match (self.plain, self.tokens.first()) {
            (Some((Star::Nowhere | Star::After, plain)), _) => plain.first().copied(),
            (None, Some(Token::Unit(unit @ 0..0x80))) if !self.flags.has(Flags::FOLD_CASE) => Some(*unit as u8),
            _ => None,
        }
    }
}

/// What a pattern is that means nothing but a text with one star at most, at an end: the common ones.
fn plain_text(pattern: &[u8], flags: Flags) -> Option<(Star, &[u8])> {
    let (star, text) = match pattern {
        [b'*', text @ ..] => (Star::Before, text),
        [text @ .., b'*'] => (Star::After, text),
        text => (Star::Nowhere, text),
    };
    // ASCII alone: its bytes are never part of a longer character.
    let usable = !text.is_empty() && !flags.has(Flags::FOLD_CASE) && text.iter().all(|&byte| is_ordinary(byte));
    usable.then_some((star, text))
}

fn find_plain(text: &[u8], plain: &[u8], last: bool) -> Option<usize> {
    match (plain, last) {
        (&[byte], false) => memchr::memchr(byte, text),
        (&[byte], true) => memchr::memrchr(byte, text),
        (_, false) => memchr::memmem::find(text, plain),
        (_, true) => memchr::memmem::rfind(text, plain),
    }
}

/// Feeds characters to the tokens; how many bytes the shortest or longest match takes.
fn run<'a>(
    tokens: impl Iterator<Item = Token<'a>>,
    flags: Flags,
    extent: Extent,
    next: impl Fn(usize) -> Option<(u32, usize)>,
) -> Option<usize> {
    let tokens: Vec<Token<'a>> = tokens.collect();
    // reached[i]: the tokens before i have matched what was read.
    let mut reached = vec![false; tokens.len() + 1];
    reached[0] = true;
    let mut following = vec![false; tokens.len() + 1];
    let (mut pos, mut found) = (0, None);
    loop {
        let mut alive = false;
        for i in 0..tokens.len() {
            alive |= reached[i];
            if reached[i] && tokens[i] == Token::Star {
                reached[i + 1] = true;
            }
        }
        if reached[tokens.len()] {
            found = Some(pos);
            if extent == Extent::Shortest {
                return found;
            }
        }
        let Some((unit, length)) = next(pos).filter(|_| alive) else {
            return found;
        };
        following.fill(false);
        for (i, &token) in tokens.iter().enumerate().filter(|&(i, _)| reached[i]) {
            if token == Token::Star {
                following[i] = true;
            } else if token_matches(token, unit, flags) {
                following[i + 1] = true;
            }
        }
        std::mem::swap(&mut reached, &mut following);
        pos += length;
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let Some((&flags, rest)) = data.split_first() else { return };
    let (flags, middle) = (Flags::of_bits(flags), rest.len() / 2);
    let (pattern, text) = rest.split_at(middle);
    matches(pattern, text, flags);
    // Only a panic counts.
    let _ = (has_magic(pattern, flags), unescape(pattern));
    assert!(matches(&escape(text), text, Flags::NONE));
    let glob = Glob::new(pattern, flags);
    if let Some(found) = glob.find(text, 0) {
        assert!(found.start <= found.end && found.end <= text.len());
    }
    for extent in [Extent::Shortest, Extent::Longest] {
        assert!(glob.prefix(text, extent).is_none_or(|length| length <= text.len()));
        assert!(glob.suffix(text, extent).is_none_or(|start| start <= text.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(pattern: &str, text: &str) -> bool {
        matches(pattern.as_bytes(), text.as_bytes(), Flags::NONE)
    }

    #[test]
    fn matches_stars_and_question_marks() {
        assert!(plain("", ""));
        assert!(!plain("", "a"));
        assert!(plain("*", ""));
        assert!(plain("a*b*c", "aXbbYcc"));
        assert!(!plain("a*b*c", "aXbbYcd"));
        assert!(plain("?.c", "a.c"));
        assert!(!plain("?", ""));
        assert!(plain("*.tar.*", "x.tar.tar.gz"));
    }

    #[test]
    fn stays_fast_with_many_stars() {
        let text = "a".repeat(5000);
        assert!(!plain(&("a*".repeat(200) + "b"), &text));
    }

    #[test]
    fn matches_brackets() {
        for (pattern, text, expected) in [
            ("[abc]", "b", true),
            ("[!abc]", "b", false),
            ("[^abc]", "d", true),
            ("[a-cx-z]", "y", true),
            ("[]a]", "]", true),
            ("[!]a]", "]", false),
            ("[a-]", "-", true),
            ("[-a]", "-", true),
            ("[[:digit:]-]x", "7x", true),
            ("[[:alpha:][:digit:]]", "7", true),
            ("[[:nosuch:]]", "n", false),
            ("[[=a=]b]", "a", true),
            ("[[.-.]]", "-", true),
            ("[[.a.]-c]", "b", true),
            ("[\\]]", "]", true),
            ("[\\a-c]", "b", true),
            ("[", "[", true),
            ("[ab", "[ab", true),
            ("[a", "a", false),
            ("[]", "[]", true),
            ("[z-a]", "m", false),
        ] {
            assert_eq!(plain(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn takes_escaped_characters_literally() {
        assert!(plain("\\*", "*"));
        assert!(!plain("\\*", "a"));
        assert!(plain("a\\", "a\\"));
        assert!(plain("\\[a]", "[a]"));
        assert!(matches(b"\\*", b"\\abc", Flags::NO_ESCAPE));
        assert!(has_magic(b"a*", Flags::NONE));
        assert!(!has_magic(b"a\\*[", Flags::NONE));
        assert_eq!(unescape(b"a\\*\\\\b\\"), b"a*\\b\\");
        assert_eq!(escape(b"a*[x]"), b"a\\*\\[x\\]");
    }

    #[test]
    fn guards_leading_dots_and_slashes() {
        let both = Flags::PERIOD | Flags::PATHNAME;
        for (pattern, text, flags, expected) in [
            ("*", ".a", Flags::PERIOD, false),
            ("*.a", ".a", Flags::PERIOD, false),
            ("?a", ".a", Flags::PERIOD, false),
            ("[.]a", ".a", Flags::PERIOD, false),
            (".*", ".a", Flags::PERIOD, true),
            ("*", "a.b", Flags::PERIOD, true),
            ("*/b", "a/.b", Flags::PERIOD, false),
            ("*b", "a/.b", Flags::PERIOD, true),
            ("*", "a/b", Flags::PATHNAME, false),
            ("*/*", "a/b", Flags::PATHNAME, true),
            ("a?b", "a/b", Flags::PATHNAME, false),
            ("a[/]b", "a/b", Flags::PATHNAME, false),
            ("a[/]b", "a[/]b", Flags::PATHNAME, true),
            ("*/*", "a/.b", both, false),
            ("*/.*", "a/.b", both, true),
            ("*b*/c", "aab/x/c", Flags::PATHNAME, false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes(), flags), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn folds_case_and_reads_utf8() {
        assert!(matches(b"*.TXT", b"a.txt", Flags::FOLD_CASE));
        assert!(matches(b"[A-C]", b"b", Flags::FOLD_CASE));
        assert!(matches("É?".as_bytes(), "éà".as_bytes(), Flags::FOLD_CASE | Flags::UTF8));
        assert!(matches("?".as_bytes(), "é".as_bytes(), Flags::UTF8));
        assert!(!matches("?".as_bytes(), "é".as_bytes(), Flags::NONE));
        assert!(matches("[à-é]".as_bytes(), "è".as_bytes(), Flags::UTF8));
        assert!(matches(b"?x", b"\xE9x", Flags::UTF8));
    }

    #[test]
    fn finds_prefixes_and_suffixes() {
        use Extent::{Longest, Shortest};
        let path = b"/usr/local/lib.so.1";
        for (pattern, prefix, suffix) in [
            (&b"*/"[..], (Some(1), Some(11)), (None, None)),
            (b"/*", (Some(1), Some(19)), (Some(10), Some(0))),
            (b"*", (Some(0), Some(19)), (Some(19), Some(0))),
            (b".*", (None, None), (Some(17), Some(14))),
            (b"*[.l]", (Some(6), Some(18)), (None, None)),
            (b".*?", (None, None), (Some(17), Some(14))),
            (b"/*/l*i", (Some(13), Some(13)), (None, None)),
            (b"*.[0-9]", (Some(19), Some(19)), (Some(17), Some(0))),
            (b"", (Some(0), Some(0)), (Some(19), Some(19))),
        ] {
            let glob = Glob::new(pattern, Flags::NONE);
            let name = String::from_utf8_lossy(pattern);
            assert_eq!((glob.prefix(path, Shortest), glob.prefix(path, Longest)), prefix, "{name}");
            assert_eq!((glob.suffix(path, Shortest), glob.suffix(path, Longest)), suffix, "{name}");
        }
        let glob = Glob::new(b"??", Flags::UTF8);
        assert_eq!(glob.suffix("aéb".as_bytes(), Shortest), Some(1));
    }

    #[test]
    fn finds_the_first_longest_match() {
        let find = |pattern: &[u8], text: &[u8], start| {
            Glob::new(pattern, Flags::NONE).find(text, start).map(|found| (found.start, found.end))
        };
        assert_eq!(find(b"a*b", b"xxaabab", 0), Some((2, 7)));
        assert_eq!(find(b"[0-9]", b"ab12", 0), Some((2, 3)));
        assert_eq!(find(b"[0-9]", b"ab12", 3), Some((3, 4)));
        assert_eq!(find(b"z", b"ab12", 0), None);
        assert_eq!(find(b"*z", b"ab12", 0), None);
        assert_eq!(find(b"", b"ab", 1), Some((1, 1)));
    }
}
