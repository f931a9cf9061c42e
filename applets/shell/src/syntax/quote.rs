//! Quoting in bash's forms, where it differs from BusyBox's: `${x@Q}`, `printf %q`, `declare -p`.

use crate::syntax::copied::Copied;
use rbox_core::escape;

/// The text in single quotes, or as `$'...'` where it has control characters.
pub fn single(text: &[u8]) -> Vec<u8> {
    if has_control(text) {
        return dollar(text);
    }
    let mut out = vec![b'\''];
    for &byte in text {
        match byte {
            b'\'' => out.extend_from_slice(b"'\\''"),
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
    out
}

/// The text in single quotes where it has a character that means something to the shell.
pub fn as_needed(text: &[u8]) -> Vec<u8> {
    let special = |byte: &u8| b" \t\n'\"\\|&;()<>!{}*[]?^$`".contains(byte);
    let first = matches!(text.first(), Some(b'#' | b'~'));
    if first || has_control(text) || text.iter().any(special) { single(text) } else { text.copied() }
}

/// The text in double quotes, or as `$'...'` where it has control characters.
pub fn double(text: &[u8]) -> Vec<u8> {
    if has_control(text) { dollar(text) } else { double_quoted(text) }
}

/// The text in double quotes, in a form that the shell can read back.
pub fn double_quoted(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &byte in text {
        if matches!(byte, b'"' | b'\\' | b'$' | b'`') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    out
}

/// The text with a backslash before each character that means something to the shell.
pub fn backslash(text: &[u8]) -> Vec<u8> {
    if text.is_empty() {
        return b"''".copied();
    }
    if has_control(text) {
        return dollar(text);
    }
    let mut out = Vec::with_capacity(text.len() + 8);
    for (at, byte) in text.iter().enumerate() {
        let first = at == 0 && matches!(byte, b'#' | b'~');
        if first || b" '\"\\|&;()<>!{}*[]?^$`,".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out
}

fn has_control(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_control) || std::str::from_utf8(text).is_err()
}

/// `$'...'`
fn dollar(text: &[u8]) -> Vec<u8> {
    let mut out = b"$'".copied();
    for chunk in text.utf8_chunks() {
        for &byte in chunk.valid().as_bytes() {
            let character = b"\\\\''\x07a\x08b\x1bE\x0cf\nn\rr\tt\x0bv".chunks(2).find(|pair| pair[0] == byte);
            match character {
                Some(pair) => out.extend_from_slice(&[b'\\', pair[1]]),
                None if byte.is_ascii_control() => push_octal(byte, &mut out),
                None => out.push(byte),
            }
        }
        chunk.invalid().iter().for_each(|&byte| push_octal(byte, &mut out));
    }
    out.push(b'\'');
    out
}

fn push_octal(byte: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&escape::octal(byte));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_bashs() {
        assert_eq!(single(b"it's"), b"'it'\\''s'");
        assert_eq!(single(b"a\nb"), b"$'a\\nb'");
        assert_eq!(single(b"\xff\x01"), b"$'\\377\\001'");
        assert_eq!(double(b"a$b"), b"\"a\\$b\"");
        assert_eq!(backslash(b""), b"''");
        assert_eq!(backslash(b"~a~ #b"), b"\\~a~\\ #b");
    }
}
