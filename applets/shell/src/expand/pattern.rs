//! Patterns (XCU 2.14): matching, and the shortest or longest end of a text that matches.

/// Whether the pattern matches all of the text.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut pos) = (0, 0);
    // The last `*`: where the pattern goes on after it, and how much text it has taken.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if at < pattern.len() {
            if pattern[at] == b'*' {
                at += 1;
                star = Some((at, pos));
                continue;
            }
            if pos < text.len()
                && let Some((length, taken)) = one(&pattern[at..], &text[pos..])
            {
                at += length;
                pos += taken;
                continue;
            }
        } else if pos == text.len() {
            return true;
        }
        match star {
            Some((after, taken)) if taken < text.len() => {
                let taken = taken + width(&text[taken..]);
                star = Some((after, taken));
                (at, pos) = (after, taken);
            }
            _ => return false,
        }
    }
}

/// Bytes of the character that begins the text: one when it is not UTF-8.
pub fn width(text: &[u8]) -> usize {
    let length = match text.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return 1,
    };
    match text.get(..length) {
        Some(character) if std::str::from_utf8(character).is_ok() => length,
        _ => 1,
    }
}

fn character(text: &[u8]) -> u32 {
    let length = width(text);
    std::str::from_utf8(&text[..length]).ok().and_then(|text| text.chars().next()).map_or(u32::from(text[0]), u32::from)
}

/// Matches one element that is not `*`: its length, and the length of the text it takes.
fn one(pattern: &[u8], text: &[u8]) -> Option<(usize, usize)> {
    match pattern[0] {
        b'?' => Some((1, width(text))),
        b'[' => match bracket(pattern, character(text)) {
            Some((length, true)) => Some((length, width(text))),
            Some((_, false)) => None,
            None => (text[0] == b'[').then_some((1, 1)),
        },
        b'\\' if pattern.len() > 1 => (pattern[1] == text[0]).then_some((2, 1)),
        byte => (byte == text[0]).then_some((1, 1)),
    }
}

/// The length of the bracket expression and whether it holds the character; `None` when it does not end.
fn bracket(pattern: &[u8], wanted: u32) -> Option<(usize, bool)> {
    let mut at = 1;
    let negated = matches!(pattern.get(1), Some(b'!' | b'^'));
    at += usize::from(negated);
    let first = at;
    let mut found = false;
    loop {
        let byte = *pattern.get(at)?;
        if byte == b']' && at > first {
            return Some((at + 1, found != negated));
        }
        if byte == b'[' && pattern.get(at + 1) == Some(&b':') {
            let rest = &pattern[at + 2..];
            if let Some(end) = rest.windows(2).position(|two| two == b":]") {
                found |= in_class(&rest[..end], wanted);
                at += end + 4;
                continue;
            }
        }
        let (low, next) = element(pattern, at)?;
        at = next;
        if pattern.get(at) == Some(&b'-') && !matches!(pattern.get(at + 1), None | Some(b']')) {
            let (high, next) = element(pattern, at + 1)?;
            at = next;
            found |= (low..=high).contains(&wanted);
        } else {
            found |= low == wanted;
        }
    }
}

fn element(pattern: &[u8], at: usize) -> Option<(u32, usize)> {
    let at = at + usize::from(pattern.get(at) == Some(&b'\\') && at + 1 < pattern.len());
    let rest = pattern.get(at..).filter(|rest| !rest.is_empty())?;
    Some((character(rest), at + width(rest)))
}

fn in_class(name: &[u8], wanted: u32) -> bool {
    let Some(character) = char::from_u32(wanted) else { return false };
    match name {
        b"alnum" => character.is_ascii_alphanumeric(),
        b"alpha" => character.is_ascii_alphabetic(),
        b"blank" => character == ' ' || character == '\t',
        b"cntrl" => character.is_ascii_control(),
        b"digit" => character.is_ascii_digit(),
        b"graph" => character.is_ascii_graphic(),
        b"lower" => character.is_ascii_lowercase(),
        b"print" => character == ' ' || character.is_ascii_graphic(),
        b"punct" => character.is_ascii_punctuation(),
        b"space" => character.is_ascii_whitespace() || character == '\x0b',
        b"upper" => character.is_ascii_uppercase(),
        b"xdigit" => character.is_ascii_hexdigit(),
        _ => false,
    }
}

/// Whether the pattern has an active character.
pub fn is_active(pattern: &[u8]) -> bool {
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            b'*' | b'?' | b'[' => return true,
            b'\\' => at += 1,
            _ => {}
        }
        at += 1;
    }
    false
}

/// The pattern without its backslashes.
pub fn unescape(pattern: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(pattern.len());
    let mut at = 0;
    while at < pattern.len() {
        if pattern[at] == b'\\' && at + 1 < pattern.len() {
            at += 1;
        }
        text.push(pattern[at]);
        at += 1;
    }
    text
}

/// The length of the prefix of the text that the pattern matches.
pub fn prefix(pattern: &[u8], text: &[u8], longest: bool) -> Option<usize> {
    // `*literal`, the common case, is a search.
    if let [b'*', rest @ ..] = pattern
        && !is_active(rest)
        && !rest.contains(&b'\\')
        && !rest.is_empty()
    {
        let mut places = text.windows(rest.len());
        let found = if longest { places.rposition(|part| part == rest) } else { places.position(|part| part == rest) };
        return found.map(|at| at + rest.len());
    }
    let fits = |&end: &usize| matches(pattern, &text[..end]);
    if longest { (0..=text.len()).rev().find(fits) } else { (0..=text.len()).find(fits) }
}

/// The start of the suffix of the text that the pattern matches.
pub fn suffix(pattern: &[u8], text: &[u8], longest: bool) -> Option<usize> {
    if let [rest @ .., b'*'] = pattern
        && !is_active(rest)
        && !rest.contains(&b'\\')
        && !rest.is_empty()
    {
        let mut places = text.windows(rest.len());
        return if longest { places.position(|part| part == rest) } else { places.rposition(|part| part == rest) };
    }
    let fits = |&start: &usize| matches(pattern, &text[start..]);
    if longest { (0..=text.len()).find(fits) } else { (0..=text.len()).rev().find(fits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_the_standard_says() {
        assert!(matches(b"*.c", b"a.b.c"));
        assert!(matches(b"[a-c]?[!x]", b"bzy"));
        assert!(!matches(b"[]]", b"a"));
        assert!(matches(b"[[:digit:]]*", b"1x"));
        assert!(matches(b"\\*", b"*"));
        assert!(matches(b"[a", b"[a"));
    }

    #[test]
    fn trims_both_ends() {
        assert_eq!(prefix(b"*/", b"a/b/c", true), Some(4));
        assert_eq!(prefix(b"*/", b"a/b/c", false), Some(2));
        assert_eq!(suffix(b".*", b"a.b.c", true), Some(1));
        assert_eq!(suffix(b".*", b"a.b.c", false), Some(3));
    }
}
