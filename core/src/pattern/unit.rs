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

/// The same letter in the other case, if it has one.
///
/// Rules instead of Unicode's tables, which weigh 24 KB: Latin, Greek, Cyrillic and Armenian, the scripts whose
/// letters come in pairs and that people search for.
pub fn other_case(unit: u32) -> Option<u32> {
    // Blocks of letters: first and last of the small ones, and how far below them the capitals lie.
    const BLOCKS: [(u32, u32, u32); 9] = [
        (0x61, 0x7A, 32),
        (0xE0, 0xFE, 32),
        (0x3AC, 0x3AC, 38),
        (0x3AD, 0x3AF, 37),
        (0x3B1, 0x3CB, 32),
        (0x3CC, 0x3CC, 64),
        (0x430, 0x44F, 32),
        (0x450, 0x45F, 80),
        (0x561, 0x586, 48),
    ];
    // Ranges in which a capital is followed by its small letter.
    const PAIRS: [(u32, u32); 8] = [
        (0x100, 0x12F),
        (0x132, 0x137),
        (0x14A, 0x177),
        (0x1DE, 0x1EF),
        (0x460, 0x481),
        (0x48A, 0x4BF),
        (0x4D0, 0x52F),
        (0x1EA0, 0x1EFF),
    ];
    // U+00F7 and U+00D7 are operators, U+03C2 is the small sigma at the end of a word.
    if matches!(unit, 0xF7 | 0xD7 | 0x3C2 | 0x3A2) {
        return None;
    }
    for (low, high, distance) in BLOCKS {
        if (low..=high).contains(&unit) {
            return Some(unit - distance);
        }
        if (low - distance..=high - distance).contains(&unit) {
            return Some(unit + distance);
        }
    }
    if PAIRS.iter().any(|&(low, high)| (low..=high).contains(&unit)) {
        return Some(unit ^ 1);
    }
    // The same with the capital at the odd code points.
    if (0x139..=0x148).contains(&unit) || (0x179..=0x17E).contains(&unit) {
        return Some(((unit + 1) ^ 1) - 1);
    }
    None
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

    #[test]
    fn pairs_letters_as_unicode_does() {
        for (lower, upper) in "aàþāĺžάέαωόяѐёѡҋӑաặ".chars().zip("AÀÞĀĹŽΆΈΑΩΌЯЀЁѠҊӐԱẶ".chars())
        {
            assert_eq!(other_case(u32::from(lower)), Some(u32::from(upper)), "{lower}");
            assert_eq!(other_case(u32::from(upper)), Some(u32::from(lower)), "{upper}");
        }
        for alone in "1÷×ς€".chars() {
            assert_eq!(other_case(u32::from(alone)), None, "{alone}");
        }
    }
}
