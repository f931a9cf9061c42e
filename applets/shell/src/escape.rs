//! Backslash escapes of `$'...'`, and quoting such that the shell reads a text back.

/// The bytes that the inside of `$'...'` stands for (POSIX.1-2024, XCU 2.2.4).
pub fn dollar_single(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some(&letter) = text.get(at) else {
            out.push(b'\\');
            break;
        };
        at += 1;
        match letter {
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'e' | b'E' => out.push(27),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'\\' | b'\'' | b'"' | b'?' => out.push(letter),
            b'c' => {
                if let Some(&control) = text.get(at) {
                    out.push(control & 0x1f);
                    at += 1;
                }
            }
            b'x' => out.push(digits(text, &mut at, 16, 2) as u8),
            b'u' | b'U' => {
                let length = if letter == b'u' { 4 } else { 8 };
                let code = digits(text, &mut at, 16, length);
                let mut encoded = [0; 4];
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(character.encode_utf8(&mut encoded).as_bytes());
            }
            b'0'..=b'7' => {
                at -= 1;
                out.push(digits(text, &mut at, 8, 3) as u8);
            }
            _ => out.extend_from_slice(&[b'\\', letter]),
        }
    }
    // A NUL byte ends the text, as no argument can hold one.
    if let Some(end) = out.iter().position(|&byte| byte == 0) {
        out.truncate(end);
    }
    out
}

/// Up to `most` digits of the base from `at` on.
pub fn digits(text: &[u8], at: &mut usize, base: u32, most: usize) -> u32 {
    let mut value = 0u32;
    for _ in 0..most {
        let Some(digit) = text.get(*at).and_then(|&byte| char::from(byte).to_digit(base)) else { break };
        value = value.wrapping_mul(base).wrapping_add(digit);
        *at += 1;
    }
    value
}

/// The text in single quotes: `'it'\''s'`, in BusyBox's form `'it'"'"'s'`.
pub fn single_quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    let mut rest = text;
    loop {
        let plain = rest.iter().position(|&byte| byte == b'\'').unwrap_or(rest.len());
        if plain > 0 || text.is_empty() {
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
