//! The regular expressions of awk in the form of the engine, which has others (POSIX XCU awk, Regular Expressions).

use rbox_core::error::Result;
use rbox_core::escape::control;
use rbox_core::pattern::regex::{Flags, Regex};

use awk_machine::regexes::Pattern;
use awk_machine::script::unescape;

/// Compiles an expression of a program or of a string.
pub fn compile(source: &[u8], flags: Flags) -> Result<Pattern> {
    let translated = translated(source);
    let regex = Regex::new(&translated, flags).map_err(|error| error.about(source))?;
    let (mut byte, mut prefix) = (None, None);
    if flags | Flags::FOLD_CASE != flags {
        prefix = translated.strip_prefix(b"^").and_then(literal);
        if let Some([only]) = literal(&translated).as_deref() {
            byte = Some(*only);
        }
    }
    Ok(Pattern { regex, byte, prefix })
}

/// The string that an expression is, if nothing in it means anything else.
fn literal(translated: &[u8]) -> Option<Vec<u8>> {
    let mut literal = Vec::new();
    let mut rest = translated.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => match rest.next() {
                Some(byte) if b"\\^$.[]|()*+?{}".contains(byte) => literal.push(*byte),
                _ => return None,
            },
            byte if b"^$.[]|()*+?{}".contains(byte) => return None,
            byte => literal.push(*byte),
        }
    }
    Some(literal)
}

/// The expression with awk's escapes replaced (POSIX XCU awk, Regular Expressions): `\n`, `\"`, `\/`, `\101`; a byte
/// that means something is then escaped. gawk's `\y` is the engine's `\b`. A brace that begins no interval is literal.
fn translated(source: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(source.len());
    let mut at = 0;
    // The offset in `source` of the first byte of a bracket expression, after `^`, while in one.
    let mut bracket = None;
    while let Some(&byte) = source.get(at) {
        at += 1;
        match byte {
            b'\\' => at += escape(&source[at..], bracket.is_some(), &mut out),
            b'[' if bracket.is_none() => {
                out.push(byte);
                if source.get(at) == Some(&b'^') {
                    out.push(b'^');
                    at += 1;
                }
                bracket = Some(at);
            }
            b'[' if matches!(source.get(at), Some(b':' | b'.' | b'=')) => {
                let end = [source[at], b']'];
                let length = source[at + 1..].windows(2).position(|pair| pair == end).map_or(0, |length| length + 3);
                out.push(b'[');
                out.extend_from_slice(&source[at..at + length]);
                at += length;
            }
            b']' if bracket.is_some_and(|first| at - 1 > first) => {
                bracket = None;
                out.push(byte);
            }
            b'{' if bracket.is_none() && !is_interval(&source[at..], &out) => out.extend_from_slice(b"\\{"),
            _ => out.push(byte),
        }
    }
    out
}

/// Whether what follows a brace is `N}`, `N,}`, `,M}` or `N,M}`, and something is before it to be repeated.
fn is_interval(rest: &[u8], before: &[u8]) -> bool {
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b',').count();
    let commas = rest[..length].iter().filter(|&&byte| byte == b',').count();
    let is_begin = matches!(before, [] | [.., b'(' | b'|' | b'^']) && !before.ends_with(b"\\(");
    length > commas && commas < 2 && rest.get(length) == Some(&b'}') && !is_begin
}

/// Adds what an escape means, and returns its length.
fn escape(rest: &[u8], in_bracket: bool, out: &mut Vec<u8>) -> usize {
    let Some(&first) = rest.first() else {
        // A backslash at the end is literal.
        out.extend_from_slice(b"\\\\");
        return 0;
    };
    let (byte, length) = match first {
        b'0'..=b'7' | b'x' => {
            let mut code = Vec::new();
            let length = unescape(rest, &mut code);
            (code.first().copied().unwrap_or(first), length)
        }
        b'y' if !in_bracket => {
            out.extend_from_slice(b"\\b");
            return 1;
        }
        b'w' | b'W' | b's' | b'S' | b'B' | b'<' | b'>' | b'`' | b'\'' if !in_bracket => {
            out.extend_from_slice(&[b'\\', first]);
            return 1;
        }
        other => (control(other).unwrap_or(other), 1),
    };
    let is_special = if in_bracket { b"\\]^-[".contains(&byte) } else { b"\\^$.[]|()*+?{}".contains(&byte) };
    if is_special {
        out.push(b'\\');
    }
    out.push(byte);
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_cuts_are_for_plain_strings() {
        assert_eq!(literal(b"0\\.0 "), Some(b"0.0 ".to_vec()));
        assert_eq!(literal(b"a\\b"), None);
        assert_eq!(literal(b"ab*"), None);
        let pattern = |source: &[u8]| compile(source, Flags::EXTENDED).expect("an expression");
        assert!(pattern(b"^a\\.").is_match(b"a.b") && !pattern(b"^a\\.").is_match(b"ba.b"));
        assert_eq!(pattern(b"\\.").find_at(b"a.b.", 2), Some((3, 4)));
    }

    #[test]
    fn escapes_are_those_of_awk() {
        for (source, result) in [
            (&b"a\\/b\\\""[..], &b"a/b\""[..]),
            (b"\\.\\052\\x2e", b"\\.\\*\\."),
            (b"\\yfoo\\>", b"\\bfoo\\>"),
            (b"[\\]\\n]", b"[\\]\n]"),
            (b"[^]x]{", b"[^]x]\\{"),
            (b"a{2}b{,c", b"a{2}b\\{,c"),
            (b"[[:alpha:]{]", b"[[:alpha:]{]"),
            (b"end\\", b"end\\\\"),
        ] {
            assert_eq!(translated(source), result);
        }
    }
}
