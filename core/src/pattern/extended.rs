//! Patterns with alternatives, as ksh and bash have them: `?(a|b)`, `*(a|b)`, `+(a|b)`, `@(a|b)`, `!(a|b)`.
//!
//! What a part of the pattern reaches in the text is a set of positions. So a match costs at most pattern times the
//! cube of the text, whatever is nested in what.

use super::token::{Extent, Flags, Token, bracket_length, next_token, token_matches};
use super::unit;

/// How deep groups may nest; a deeper one matches nothing.
const MAX_DEPTH: u32 = 64;

/// For each position in the text, its end among them, whether it is reached.
type Reached = Vec<bool>;

/// Whether the pattern has a group.
pub fn has_group(pattern: &[u8]) -> bool {
    let mut at = 0;
    while at < pattern.len() {
        if group_length(&pattern[at..]).is_some() {
            return true;
        }
        at += element_length(&pattern[at..]);
    }
    false
}

/// Whether the pattern matches the whole text.
pub fn matches(pattern: &[u8], text: &[u8], flags: Flags) -> bool {
    Matcher { text, flags }.from(pattern, 0)[text.len()]
}

/// The end of the prefix of `text` that the pattern matches.
pub fn prefix(pattern: &[u8], text: &[u8], extent: Extent, flags: Flags) -> Option<usize> {
    let reached = Matcher { text, flags }.from(pattern, 0);
    let is_reached = |is: &bool| *is;
    match extent {
        Extent::Shortest => reached.iter().position(is_reached),
        Extent::Longest => reached.iter().rposition(is_reached),
    }
}

/// The start of the suffix of `text` that the pattern matches.
pub fn suffix(pattern: &[u8], text: &[u8], extent: Extent, flags: Flags) -> Option<usize> {
    let matcher = Matcher { text, flags };
    let mut starts = matcher.offsets(0);
    if extent == Extent::Shortest {
        starts.reverse();
    }
    starts.into_iter().find(|&start| matcher.from(pattern, start)[text.len()])
}

/// The length of the bracket expression, escaped character or single byte that a pattern begins with.
fn element_length(pattern: &[u8]) -> usize {
    match pattern.first() {
        Some(b'\\') if pattern.len() > 1 => 2,
        Some(b'[') => bracket_length(pattern, Flags::NONE).unwrap_or(1),
        _ => 1,
    }
}

/// The length of the group that a pattern begins with.
fn group_length(pattern: &[u8]) -> Option<usize> {
    let [b'?' | b'*' | b'+' | b'@' | b'!', b'(', ..] = pattern else { return None };
    let (mut at, mut depth) = (2, 1);
    while depth > 0 {
        match pattern.get(at)? {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        at += element_length(&pattern[at..]);
    }
    Some(at)
}

/// The alternatives of a group's inside.
fn alternatives(inner: &[u8]) -> Vec<&[u8]> {
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    while at < inner.len() {
        if inner[at] == b'|' {
            found.push(&inner[start..at]);
            start = at + 1;
        }
        at += group_length(&inner[at..]).unwrap_or_else(|| element_length(&inner[at..]));
    }
    found.push(&inner[start..]);
    found
}

struct Matcher<'a> {
    text: &'a [u8],
    flags: Flags,
}

impl Matcher<'_> {
    fn none(&self) -> Reached {
        vec![false; self.text.len() + 1]
    }

    /// What the pattern reaches from one position.
    fn from(&self, pattern: &[u8], start: usize) -> Reached {
        let mut reached = self.none();
        reached[start] = true;
        self.sequence(pattern, reached, 0)
    }

    fn character(&self, offset: usize) -> Option<(u32, usize)> {
        unit::first(&self.text[offset..], self.flags.has(Flags::UTF8))
    }

    /// Where characters begin, from a position on, and the end.
    fn offsets(&self, start: usize) -> Vec<usize> {
        let mut found = vec![start];
        let mut offset = start;
        while let Some((_, length)) = self.character(offset) {
            offset += length;
            found.push(offset);
        }
        found
    }

    fn sequence(&self, pattern: &[u8], mut reached: Reached, depth: u32) -> Reached {
        let mut at = 0;
        while at < pattern.len() && reached.contains(&true) {
            if let Some(length) = group_length(&pattern[at..]) {
                reached = self.group(pattern[at], &pattern[at + 2..at + length - 1], reached, depth);
                at += length;
            } else if let Some((token, length)) = next_token(&pattern[at..], self.flags) {
                reached = self.token(token, &reached);
                at += length;
            }
        }
        reached
    }

    fn token(&self, token: Token<'_>, reached: &Reached) -> Reached {
        let mut after = self.none();
        for offset in (0..reached.len()).filter(|&offset| reached[offset]) {
            if token == Token::Star {
                self.offsets(offset).into_iter().for_each(|end| after[end] = true);
                break;
            }
            if let Some((unit, length)) = self.character(offset)
                && token_matches(token, unit, self.flags)
            {
                after[offset + length] = true;
            }
        }
        after
    }

    fn group(&self, kind: u8, inner: &[u8], reached: Reached, depth: u32) -> Reached {
        if depth == MAX_DEPTH {
            return self.none();
        }
        match kind {
            b'@' => self.once(inner, &reached, depth),
            b'?' => joined(self.once(inner, &reached, depth), &reached),
            b'!' => self.anything_but(inner, &reached, depth),
            _ => {
                let mut all = if kind == b'*' { reached.clone() } else { self.none() };
                let mut fresh = reached;
                while fresh.contains(&true) {
                    fresh = self.once(inner, &fresh, depth);
                    for (fresh, known) in fresh.iter_mut().zip(&mut all) {
                        *fresh &= !*known;
                        *known |= *fresh;
                    }
                }
                all
            }
        }
    }

    fn once(&self, inner: &[u8], reached: &Reached, depth: u32) -> Reached {
        let each = |pattern: &[u8]| self.sequence(pattern, reached.clone(), depth + 1);
        alternatives(inner).into_iter().fold(self.none(), |all, pattern| joined(all, &each(pattern)))
    }

    fn anything_but(&self, inner: &[u8], reached: &Reached, depth: u32) -> Reached {
        let mut after = self.none();
        for start in (0..reached.len()).filter(|&offset| reached[offset]) {
            let mut single = self.none();
            single[start] = true;
            let not = self.once(inner, &single, depth);
            self.offsets(start).into_iter().filter(|&end| !not[end]).for_each(|end| after[end] = true);
        }
        after
    }
}

fn joined(mut all: Reached, more: &Reached) -> Reached {
    all.iter_mut().zip(more).for_each(|(one, more)| *one |= more);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_match_their_alternatives() {
        for (pattern, text, expected) in [
            ("?(foo)", "", true),
            ("?(foo)", "foofoo", false),
            ("*(foo)", "foofoo", true),
            ("+(foo)", "", false),
            ("+(foo|bar)x", "foobarx", true),
            ("@(a|b*)c", "bxyc", true),
            ("!(foo)", "foo", false),
            ("!(foo)", "foobar", true),
            ("!(*.c|*.h)", "a.h", false),
            ("a!(b)c", "abc", false),
            ("a!(b)c", "abbc", true),
            ("*(*(a)|b)", "aabab", true),
            ("@(a\\|b)", "a|b", true),
            ("@([|)])", ")", true),
            ("+([0-9])", "123", true),
            ("+(a", "+(a", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes(), Flags::NONE), expected, "{pattern} {text}");
        }
        assert!(matches("+(?)é".as_bytes(), "éé".as_bytes(), Flags::UTF8));
        assert!(!matches("@(?)".as_bytes(), "éé".as_bytes(), Flags::UTF8));
    }

    #[test]
    fn prefixes_and_suffixes_are_shortest_or_longest() {
        use Extent::{Longest, Shortest};
        assert_eq!(prefix(b"*( )", b"  a", Longest, Flags::NONE), Some(2));
        assert_eq!(prefix(b"*( )", b"  a", Shortest, Flags::NONE), Some(0));
        assert_eq!(suffix(b".@(gz|tar*)", b"f.tar.gz", Longest, Flags::NONE), Some(1));
        assert_eq!(suffix(b".@(gz|tar*)", b"f.tar.gz", Shortest, Flags::NONE), Some(5));
        assert_eq!(suffix(b"+(x)", b"ab", Shortest, Flags::NONE), None);
    }

    #[test]
    fn nested_stars_end_soon() {
        let text = "a".repeat(200);
        assert!(!matches(b"*(*(*(a)))b", text.as_bytes(), Flags::NONE));
        let deep = "@(".repeat(5000) + &")".repeat(5000);
        assert!(!matches(deep.as_bytes(), b"a", Flags::NONE));
    }
}
