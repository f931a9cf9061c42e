//! Text from outside, made safe for a terminal or a log: what a file, a process, a device or another machine calls
//! itself must not reach a terminal as a control sequence (ECMA-48, 5).

/// What a control character becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// `^X`, and `M-^X` for those of 128 to 159, as `cat -v` has them: for lines that are read one by one.
    Caret,
    /// This one byte: for columns.
    As(u8),
}

/// `text` without control characters: C0 (0 to 31) but for those in `keep`, DEL, and C1 (128 to 159) in both of its
/// encodings, the UTF-8 of U+0080 to U+009F and the bare byte where it is no part of UTF-8.
pub fn clean(text: &[u8], keep: &[u8], shown: Shown) -> Vec<u8> {
    let mut cleaned = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() && !keep.contains(&(character as u8)) {
                push_control(&mut cleaned, character as u8, shown);
            } else {
                cleaned.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        for &byte in chunk.invalid() {
            match byte {
                0x80..=0x9f => push_control(&mut cleaned, byte, shown),
                _ => cleaned.push(byte),
            }
        }
    }
    cleaned
}

fn push_control(cleaned: &mut Vec<u8>, byte: u8, shown: Shown) {
    match shown {
        Shown::As(other) => cleaned.push(other),
        Shown::Caret => {
            if byte >= 128 {
                cleaned.extend_from_slice(b"M-");
            }
            cleaned.extend_from_slice(&[b'^', byte & 127 ^ 64]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_in_all_encodings() {
        let caret = |text: &[u8]| clean(text, b"\t", Shown::Caret);
        assert_eq!(caret(b"a\x1b[m\x7f\t\n\xc3\xa9"), b"a^[[m^?\t^J\xc3\xa9");
        assert_eq!(caret(b"\xc2\x9b1m\x9b1m\xe9\xff"), b"M-^[1mM-^[1m\xe9\xff");
        // A sequence that breaks off: its bytes are bare ones.
        assert_eq!(caret(b"\xe2\x82\x1b"), b"\xe2M-^B^[");
        assert_eq!(clean(b"a\x1b\xc2\x9b\x9bb", b"", Shown::As(b'?')), b"a???b");
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        let mut random = crate::testing::Random::new(5);
        for _ in 0..5000 {
            let cleaned = clean(&random.bytes(60), b"", Shown::Caret);
            assert!(!cleaned.iter().any(|&byte| byte < 32 || byte == 127));
            assert_eq!(clean(&cleaned, b"", Shown::Caret), cleaned);
        }
    }
}
