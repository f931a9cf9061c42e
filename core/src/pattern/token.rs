//! The elements of a file name pattern (POSIX XCU 2.14.1): characters, `?`, `*` and bracket expressions.

use super::unit;

/// How a pattern is matched. Flags are joined by `|`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Flags(pub(super) u8);

impl Flags {
    /// No flag: single bytes, backslash escapes.
    pub const NONE: Flags = Flags(0);
    /// A dot at the beginning (with `PATHNAME` also after a slash) is matched by a dot in the pattern only.
    pub const PERIOD: Flags = Flags(1);
    /// A slash is matched by a slash in the pattern only.
    pub const PATHNAME: Flags = Flags(2);
    /// Upper and lower case are the same.
    pub const FOLD_CASE: Flags = Flags(4);
    /// A backslash is an ordinary character.
    pub const NO_ESCAPE: Flags = Flags(8);
    /// Characters are those of UTF-8, not bytes.
    pub const UTF8: Flags = Flags(16);

    /// Groups with alternatives, `@(a|b)` and the like, are read in `matches` and `has_magic`.
    pub const EXTENDED: Flags = Flags(32);

    /// These flags without `others`.
    pub(super) fn without(self, others: Flags) -> Flags {
        Flags(self.0 & !others.0)
    }

    /// Whether a flag is among these.
    pub fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }
}

impl std::ops::BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// One element of a pattern.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Token<'a> {
    Unit(u32),
    Any,
    Star,
    /// What is between the brackets, with the `!`.
    Set(&'a [u8]),
}

/// The first token of `pattern` and the number of bytes that it takes.
pub(super) fn next_token(pattern: &[u8], flags: Flags) -> Option<(Token<'_>, usize)> {
    let (token, length) = match *pattern.first()? {
        b'*' => (Token::Star, 1),
        b'?' => (Token::Any, 1),
        b'[' => match bracket_length(pattern, flags) {
            Some(length) => (Token::Set(&pattern[1..length - 1]), length),
            None => (Token::Unit(u32::from(b'[')), 1),
        },
        // POSIX leaves a backslash at the end open; it stands for itself, as in the shells.
        b'\\' if !flags.has(Flags::NO_ESCAPE) && pattern.len() > 1 => {
            let (unit, length) = unit::first(&pattern[1..], flags.has(Flags::UTF8))?;
            (Token::Unit(unit), length + 1)
        }
        _ => {
            let (unit, length) = unit::first(pattern, flags.has(Flags::UTF8))?;
            (Token::Unit(unit), length)
        }
    };
    Some((token, length))
}

/// The length of the bracket expression that `pattern` begins with, or None if the `[` stands for itself.
pub(super) fn bracket_length(pattern: &[u8], flags: Flags) -> Option<usize> {
    let mut at = 1;
    if matches!(pattern.get(at), Some(b'!' | b'^')) {
        at += 1;
    }
    let first = at;
    loop {
        match *pattern.get(at)? {
            b']' if at > first => return Some(at + 1),
            // XCU 2.14.3: a slash before the closing bracket makes the `[` an ordinary character.
            b'/' if flags.has(Flags::PATHNAME) => return None,
            b'\\' if !flags.has(Flags::NO_ESCAPE) => at += 2,
            b'[' => match named_length(&pattern[at..]) {
                Some(length) => at += length,
                None => at += 1,
            },
            _ => at += 1,
        }
    }
}

/// The length of `[:name:]`, `[=x=]` or `[.x.]` at the beginning of `text`.
fn named_length(text: &[u8]) -> Option<usize> {
    let kind = *text.get(1)?;
    if !matches!(kind, b':' | b'=' | b'.') {
        return None;
    }
    let end = text[2..].windows(2).position(|pair| pair == [kind, b']'])?;
    Some(end + 4)
}

/// Whether the character is one of the bracket's, `!` and case counted in.
fn set_contains(set: &[u8], unit: u32, flags: Flags) -> bool {
    let (negated, items) = match set.first() {
        Some(b'!' | b'^') => (true, &set[1..]),
        _ => (false, set),
    };
    let mut found = items_contain(items, unit, flags);
    if !found && flags.has(Flags::FOLD_CASE) {
        found = unit::other_case(unit).is_some_and(|other| items_contain(items, other, flags));
    }
    found != negated
}

fn items_contain(mut items: &[u8], unit: u32, flags: Flags) -> bool {
    while !items.is_empty() {
        if items.starts_with(b"[:")
            && let Some(length) = named_length(items)
        {
            if unit::class_named(&items[2..length - 2]).is_some_and(|class| unit::is_in_class(class, unit)) {
                return true;
            }
            items = &items[length..];
            continue;
        }
        let Some((low, length)) = set_character(items, flags) else {
            return false;
        };
        items = &items[length..];
        let mut high = low;
        // A `-` before the end is itself, not a range.
        if items.len() > 1
            && items[0] == b'-'
            && let Some((end, length)) = set_character(&items[1..], flags)
        {
            high = end;
            items = &items[1 + length..];
        }
        if (low..=high).contains(&unit) {
            return true;
        }
    }
    false
}

/// The character that one end of a range is written as: itself, escaped, `[=x=]` or `[.x.]`.
fn set_character(items: &[u8], flags: Flags) -> Option<(u32, usize)> {
    let utf8 = flags.has(Flags::UTF8);
    if items[0] == b'\\' && items.len() > 1 && !flags.has(Flags::NO_ESCAPE) {
        return unit::first(&items[1..], utf8).map(|(unit, length)| (unit, length + 1));
    }
    if items[0] == b'['
        && let Some(length) = named_length(items)
    {
        // More than one character is a collating element, and no locale of rbox has any: it matches nothing.
        let name = &items[2..length - 2];
        let unit = unit::first(name, utf8).filter(|&(_, taken)| taken == name.len());
        return Some((unit.map_or(u32::MAX, |(unit, _)| unit), length));
    }
    unit::first(items, utf8)
}

/// Whether the token, which is no star, matches the character.
pub(super) fn token_matches(token: Token<'_>, unit: u32, flags: Flags) -> bool {
    let is_slash = unit == u32::from(b'/') && flags.has(Flags::PATHNAME);
    match token {
        Token::Unit(wanted) => {
            wanted == unit || (flags.has(Flags::FOLD_CASE) && unit::other_case(unit) == Some(wanted))
        }
        Token::Any => !is_slash,
        Token::Set(set) => !is_slash && set_contains(set, unit, flags),
        Token::Star => false,
    }
}

/// Which of several matches is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// As in `${x#pattern}` and `${x%pattern}`.
    Shortest,
    /// As in `${x##pattern}`, `${x%%pattern}` and `${x/pattern/string}`.
    Longest,
}
