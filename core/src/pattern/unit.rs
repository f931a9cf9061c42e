//! The character of a pattern or a text: a Unicode scalar value, or a byte that is part of none.

/// Added to a byte that is no part of a UTF-8 sequence, so that no such byte equals a character.
pub const RAW: u32 = 0x11_0000;

/// The length that a lead byte announces; 1 for ASCII and for bytes that begin no sequence.
pub fn sequence_length(lead: u8) -> usize {
    match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    }
}

/// The first character of `text` and its length in bytes.
pub fn first(text: &[u8], utf8: bool) -> Option<(u32, usize)> {
    let lead = *text.first()?;
    if lead < 0x80 {
        return Some((u32::from(lead), 1));
    }
    let length = sequence_length(lead);
    if utf8
        && length > 1
        && let Some(sequence) = text.get(..length)
        && let Some(c) = decode(sequence)
    {
        return Some((c, length));
    }
    Some((RAW + u32::from(lead), 1))
}

/// The last character of `text` and its length in bytes: the one that reading from the front would end with.
pub fn last(text: &[u8], utf8: bool) -> Option<(u32, usize)> {
    let tail = *text.last()?;
    if tail < 0x80 {
        return Some((u32::from(tail), 1));
    }
    if utf8 {
        for length in 2..=text.len().min(4) {
            let sequence = &text[text.len() - length..];
            if sequence[0] & 0xC0 != 0x80 {
                if sequence_length(sequence[0]) == length
                    && let Some(c) = decode(sequence)
                {
                    return Some((c, length));
                }
                break;
            }
        }
    }
    Some((RAW + u32::from(tail), 1))
}

/// The character that the whole of `sequence` encodes.
pub fn decode(sequence: &[u8]) -> Option<u32> {
    std::str::from_utf8(sequence).ok()?.chars().next().map(u32::from)
}

/// A character class of POSIX XBD 7.3.1, the C locale's for ASCII and Unicode's beyond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Class {
    Alnum,
    Alpha,
    Blank,
    Cntrl,
    Digit,
    Graph,
    Lower,
    Print,
    Punct,
    Space,
    Upper,
    Xdigit,
    /// Letters, digits and the underscore: GNU's `\w`.
    Word,
}

/// The classes in the order of their values.
pub const CLASSES: [Class; 13] = [
    Class::Alnum,
    Class::Alpha,
    Class::Blank,
    Class::Cntrl,
    Class::Digit,
    Class::Graph,
    Class::Lower,
    Class::Print,
    Class::Punct,
    Class::Space,
    Class::Upper,
    Class::Xdigit,
    Class::Word,
];

/// The class of that name, as between `[:` and `:]`.
pub fn class_named(name: &[u8]) -> Option<Class> {
    const NAMES: &[u8] = b"alnum alpha blank cntrl digit graph lower print punct space upper xdigit";
    let at = NAMES.split(|&b| b == b' ').position(|known| known == name)?;
    Some(CLASSES[at])
}

/// Whether the character belongs to the class.
pub fn is_in_class(class: Class, unit: u32) -> bool {
    if unit < 0x80 {
        let byte = unit as u8;
        return match class {
            Class::Alnum => byte.is_ascii_alphanumeric(),
            Class::Alpha => byte.is_ascii_alphabetic(),
            Class::Blank => byte == b' ' || byte == b'\t',
            Class::Cntrl => byte.is_ascii_control(),
            Class::Digit => byte.is_ascii_digit(),
            Class::Graph => byte.is_ascii_graphic(),
            Class::Lower => byte.is_ascii_lowercase(),
            Class::Print => byte.is_ascii_graphic() || byte == b' ',
            Class::Punct => byte.is_ascii_punctuation(),
            Class::Space => byte == b' ' || (9..=13).contains(&byte),
            Class::Upper => byte.is_ascii_uppercase(),
            Class::Xdigit => byte.is_ascii_hexdigit(),
            Class::Word => byte.is_ascii_alphanumeric() || byte == b'_',
        };
    }
    let Some(c) = char::from_u32(unit) else {
        return false;
    };
    match class {
        Class::Alnum | Class::Word => c.is_alphanumeric(),
        Class::Alpha => c.is_alphabetic(),
        Class::Blank | Class::Digit | Class::Xdigit => false,
        Class::Cntrl => c.is_control(),
        Class::Graph => !c.is_control() && !c.is_whitespace(),
        Class::Lower => c.is_lowercase(),
        Class::Print => !c.is_control(),
        Class::Punct => !c.is_alphanumeric() && !c.is_control() && !c.is_whitespace(),
        Class::Space => c.is_whitespace(),
        Class::Upper => c.is_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_same_characters_from_both_ends() {
        let text = b"\xC3\x82\xACa\xE2\x82\xAC\xE2\x82";
        assert_eq!(first(text, true), Some((0xC2, 2)));
        assert_eq!(last(&text[..3], true), Some((RAW + 0xAC, 1)));
        assert_eq!(last(&text[..7], true), Some((0x20AC, 3)));
        assert_eq!(last(text, true), Some((RAW + 0x82, 1)));
        assert_eq!(first(text, false), Some((RAW + 0xC3, 1)));
    }
}
