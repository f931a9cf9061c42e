//! Backslash escapes, as echo, printf, `$'...'` and prompts have them, and quoting such that a shell reads a text back.

/// Whose escapes are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `echo -e` and printf's `%b`: `\0NNN`, and `\c` ends all output.
    Echo,
    /// printf's format: `\NNN`, `\"`, and `\c`.
    Format,
    /// `$'...'` (POSIX.1-2024, XCU 2.2.4): also `\cX`, `\uXXXX` and quotes.
    Dollar,
    /// bash's `echo -e` and `%b`: those of `Echo`, and `\uXXXX`.
    WideEcho,
    /// bash's printf: those of `Format`, and `\uXXXX`.
    WideFormat,
    /// PS1: what the shell does not know for itself there.
    Prompt,
}

/// What an escape stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// A byte.
    Byte(u8),
    /// A character, to be written in UTF-8.
    Character(char),
    /// The end of all output.
    End,
    /// Nothing: the backslash and what follows it stand for themselves.
    None,
}

/// The control characters that C names after a backslash, from 7 on.
const CONTROLS: &[u8; 7] = b"abtnvfr";

/// The control character that C writes as a backslash and this character.
pub fn control(name: u8) -> Option<u8> {
    CONTROLS.iter().position(|&known| known == name).map(|at| at as u8 + 7)
}

/// The character that C writes after a backslash for this control character.
pub fn control_name(byte: u8) -> Option<u8> {
    CONTROLS.get(usize::from(byte).checked_sub(7)?).copied()
}

/// The byte as a backslash and three octal digits.
pub fn octal(byte: u8) -> [u8; 4] {
    [b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]
}

/// The text with `%` and two hexadecimal digits replaced by the byte that they mean (RFC 3986, 2.1).
pub fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let (mut decoded, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| text[at] == b'%');
        let code = digits.and_then(|digits| crate::number::parse_radix(digits, 16));
        decoded.push(code.map_or(text[at], |code| code as u8));
        at += if code.is_some() { 3 } else { 1 };
    }
    decoded
}

/// Reads the escape after a backslash, from `at` on, and moves `at` to its end. A text's end is no escape.
pub fn read(text: &[u8], at: &mut usize, style: Style) -> Escape {
    let Some(&letter) = text.get(*at) else { return Escape::None };
    let start = *at;
    *at += 1;
    let dollar = style == Style::Dollar;
    let wide = matches!(style, Style::WideEcho | Style::WideFormat);
    let byte = match letter {
        b'e' => 27,
        b'E' if dollar || wide || style == Style::Prompt => 27,
        b'\\' => b'\\',
        b'"' if matches!(style, Style::Dollar | Style::Format | Style::WideFormat) => b'"',
        b'\'' | b'?' if dollar => letter,
        b'c' if !matches!(style, Style::Dollar | Style::Prompt) => return Escape::End,
        b'c' if dollar && *at < text.len() => {
            let character = text[*at];
            // XCU 2.2.4: a backslash is doubled here too; the control characters are stty(1)'s, whose `^?` is DEL.
            *at += if text[*at..].starts_with(b"\\\\") { 2 } else { 1 };
            if character == b'?' { 127 } else { character & 0x1f }
        }
        b'x' if text.get(*at).is_some_and(u8::is_ascii_hexdigit) => digits(text, at, 16, 2) as u8,
        b'u' | b'U' if (dollar || wide) && text.get(*at).is_some_and(u8::is_ascii_hexdigit) => {
            let code = digits(text, at, 16, if letter == b'u' { 4 } else { 8 });
            return Escape::Character(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        b'0' if matches!(style, Style::Echo | Style::WideEcho) => digits(text, at, 8, 3) as u8,
        b'0'..=b'7' => {
            *at = start;
            digits(text, at, 8, 3) as u8
        }
        // `\t` is the time in a prompt.
        _ => match control(letter).filter(|_| letter != b't' || style != Style::Prompt) {
            Some(byte) => byte,
            None => {
                *at = start;
                return Escape::None;
            }
        },
    };
    Escape::Byte(byte)
}

/// Adds the text with its escapes replaced. True when `\c` ended the output.
pub fn unescape(text: &[u8], style: Style, out: &mut Vec<u8>) -> bool {
    let mut at = 0;
    while let Some(length) = crate::bytes::find_byte(b'\\', &text[at..]) {
        out.extend_from_slice(&text[at..at + length]);
        at += length + 1;
        match read(text, &mut at, style) {
            Escape::Byte(byte) => out.push(byte),
            Escape::Character(character) => {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Escape::End => return true,
            Escape::None => {
                out.push(b'\\');
                // What follows stands for itself, a second backslash too.
                out.extend(text.get(at));
                at = text.len().min(at + 1);
            }
        }
    }
    out.extend_from_slice(&text[at..]);
    false
}

/// Up to `most` digits of the base from `at` on.
fn digits(text: &[u8], at: &mut usize, base: u32, most: usize) -> u32 {
    let mut value = 0u32;
    for _ in 0..most {
        let Some(digit) = text.get(*at).and_then(|&byte| char::from(byte).to_digit(base)) else { break };
        value = value.wrapping_mul(base).wrapping_add(digit);
        *at += 1;
    }
    value
}

/// The bytes that the inside of `$'...'` stands for.
pub fn dollar_single(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    unescape(text, Style::Dollar, &mut out);
    // A NUL byte ends the text, as no argument can hold one.
    if let Some(end) = crate::bytes::find_byte(0, &out) {
        out.truncate(end);
    }
    out
}

/// The text in single quotes, in BusyBox's form: `'it'"'"'s'`, and a pair of quotes before a quote at the start.
pub fn single_quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    let mut rest = text;
    loop {
        let plain = rest.iter().position(|&byte| byte == b'\'').unwrap_or(rest.len());
        if plain > 0 || out.is_empty() {
            out.push(b'\'');
            out.extend_from_slice(&rest[..plain]);
            out.push(b'\'');
        }
        rest = &rest[plain..];
        let quotes = rest.iter().take_while(|&&byte| byte == b'\'').count();
        if quotes == 0 {
            return out;
        }
        out.push(b'"');
        out.extend_from_slice(&rest[..quotes]);
        out.push(b'"');
        rest = &rest[quotes..];
        if rest.is_empty() {
            return out;
        }
    }
}

/// The text as `set -x` shows it: quoted only when it must be.
pub fn quoted_if_needed(text: &[u8]) -> Vec<u8> {
    let plain = |&byte: &u8| byte.is_ascii_alphanumeric() || b"_-+./,:@%]".contains(&byte) || byte >= 128;
    if !text.is_empty() && text.iter().all(plain) {
        return text.to_vec();
    }
    single_quoted(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &[u8], style: Style) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        let ended = unescape(text, style, &mut out);
        (out, ended)
    }

    #[test]
    fn each_style_has_its_own_escapes() {
        assert_eq!(plain(br"\x41\101\0101\1\q\c.", Style::Echo), (b"AAA\x01\\q".to_vec(), true));
        assert_eq!(plain(br#"\0101\"\u0041"#, Style::Format), (b"\x081\"\\u0041".to_vec(), false));
        assert_eq!(dollar_single(br"\u00e9\cA\'\E\0x"), b"\xc3\xa9\x01'\x1b");
        assert_eq!(plain(br"\t\E", Style::Prompt), (b"\\t\x1b".to_vec(), false));
    }

    #[test]
    fn a_backslash_at_the_end_stays() {
        assert_eq!(plain(br"a\", Style::Echo), (b"a\\".to_vec(), false));
        assert_eq!(plain(br"\q\\n", Style::Format), (b"\\q\\n".to_vec(), false));
    }

    #[test]
    fn quotes_what_a_shell_would_change() {
        assert_eq!(quoted_if_needed(b"a-b"), b"a-b");
        assert_eq!(quoted_if_needed(b"it's"), b"'it'\"'\"'s'");
        assert_eq!(quoted_if_needed(b""), b"''");
        assert_eq!(single_quoted(b"'a'"), b"''\"'\"'a'\"'\"");
    }
}
