//! How wide text is on a terminal.

use crate::unicode::character_width;

/// Columns that a name takes on a terminal. A byte that is part of no character counts one.
pub fn width(text: &[u8]) -> usize {
    let (mut at, mut columns) = (0, 0);
    while at < text.len() {
        let (found, length) = character(&text[at..]);
        columns += found.map_or(1, character_width);
        at += length;
    }
    columns
}

/// The character that begins the text and how many bytes it has; a byte that begins none is alone.
pub fn character(text: &[u8]) -> (Option<char>, usize) {
    match text.first() {
        Some(&byte) if byte < 128 => return (Some(byte.into()), 1),
        _ => {}
    }
    let found = text[..text.len().min(4)].utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
    (found, found.map_or(1, char::len_utf8))
}

/// The character or escape sequence that begins a text meant for the terminal: its length in bytes and its columns.
///
/// An escape sequence (ECMA-48: CSI to its final byte, OSC to BEL or ST) takes none.
pub fn display_width(text: &[u8]) -> (usize, usize) {
    if text[0] != 27 {
        let (found, length) = character(text);
        return (length, found.map_or(1, |one| if one < ' ' { 0 } else { character_width(one) }));
    }
    let end = match text.get(1) {
        Some(b'[') => text[2..].iter().position(|byte| (0x40..=0x7e).contains(byte)).map(|at| at + 3),
        Some(b']') => text.iter().position(|&byte| byte == 7).map(|at| at + 1),
        _ => Some(2),
    };
    (end.unwrap_or(text.len()).min(text.len()), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_take_no_one_or_two_columns() {
        assert_eq!(width("é漢".as_bytes()), 3);
        assert_eq!(width("e\u{301}".as_bytes()), 1);
        assert_eq!(width(b"\xffa\xe6\xbc"), 4);
    }

    #[test]
    fn escape_sequences_take_none() {
        assert_eq!(display_width(b"\x1b[1;31mab"), (7, 0));
        assert_eq!(display_width(b"\x1b]0;title\x07x"), (10, 0));
        assert_eq!(display_width(b"\x1b["), (2, 0));
        assert_eq!(display_width(b"\x1b"), (1, 0));
        assert_eq!(display_width(b"ab"), (1, 1));
    }
}
