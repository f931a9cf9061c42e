//! What Unicode says of characters, in compact tables: the pairs of cases, and the columns of a terminal.
//!
//! std's tables of cases weigh 24 KB, since they also have what becomes several characters. These are the pairs of
//! Unicode 17 of which each character is the simple mapping of the other (UnicodeData.txt, fields 12 and 13).

/// The first and the last lower-case character of a run, the distance between two of them, and what added to one gives its
/// upper case. ASCII is not among them.
const RUNS: [(u32, u32, u32, i32); 171] = [
    (0xe0, 0xf6, 1, -32),
    (0xf8, 0xfe, 1, -32),
    (0xff, 0xff, 1, 121),
    (0x101, 0x12f, 2, -1),
    (0x133, 0x137, 2, -1),
    (0x13a, 0x148, 2, -1),
    (0x14b, 0x177, 2, -1),
    (0x17a, 0x17e, 2, -1),
    (0x180, 0x180, 1, 195),
    (0x183, 0x185, 2, -1),
    (0x188, 0x188, 1, -1),
    (0x18c, 0x18c, 1, -1),
    (0x192, 0x192, 1, -1),
    (0x195, 0x195, 1, 97),
    (0x199, 0x199, 1, -1),
    (0x19a, 0x19a, 1, 163),
    (0x19b, 0x19b, 1, 42561),
    (0x19e, 0x19e, 1, 130),
    (0x1a1, 0x1a5, 2, -1),
    (0x1a8, 0x1a8, 1, -1),
    (0x1ad, 0x1ad, 1, -1),
    (0x1b0, 0x1b0, 1, -1),
    (0x1b4, 0x1b6, 2, -1),
    (0x1b9, 0x1b9, 1, -1),
    (0x1bd, 0x1bd, 1, -1),
    (0x1bf, 0x1bf, 1, 56),
    (0x1c6, 0x1c6, 1, -2),
    (0x1c9, 0x1c9, 1, -2),
    (0x1cc, 0x1cc, 1, -2),
    (0x1ce, 0x1dc, 2, -1),
    (0x1dd, 0x1dd, 1, -79),
    (0x1df, 0x1ef, 2, -1),
    (0x1f3, 0x1f3, 1, -2),
    (0x1f5, 0x1f5, 1, -1),
    (0x1f9, 0x21f, 2, -1),
    (0x223, 0x233, 2, -1),
    (0x23c, 0x23c, 1, -1),
    (0x23f, 0x240, 1, 10815),
    (0x242, 0x242, 1, -1),
    (0x247, 0x24f, 2, -1),
    (0x250, 0x250, 1, 10783),
    (0x251, 0x251, 1, 10780),
    (0x252, 0x252, 1, 10782),
    (0x253, 0x253, 1, -210),
    (0x254, 0x254, 1, -206),
    (0x256, 0x257, 1, -205),
    (0x259, 0x259, 1, -202),
    (0x25b, 0x25b, 1, -203),
    (0x25c, 0x25c, 1, 42319),
    (0x260, 0x260, 1, -205),
    (0x261, 0x261, 1, 42315),
    (0x263, 0x263, 1, -207),
    (0x264, 0x264, 1, 42343),
    (0x265, 0x265, 1, 42280),
    (0x266, 0x266, 1, 42308),
    (0x268, 0x268, 1, -209),
    (0x269, 0x269, 1, -211),
    (0x26a, 0x26a, 1, 42308),
    (0x26b, 0x26b, 1, 10743),
    (0x26c, 0x26c, 1, 42305),
    (0x26f, 0x26f, 1, -211),
    (0x271, 0x271, 1, 10749),
    (0x272, 0x272, 1, -213),
    (0x275, 0x275, 1, -214),
    (0x27d, 0x27d, 1, 10727),
    (0x280, 0x280, 1, -218),
    (0x282, 0x282, 1, 42307),
    (0x283, 0x283, 1, -218),
    (0x287, 0x287, 1, 42282),
    (0x288, 0x288, 1, -218),
    (0x289, 0x289, 1, -69),
    (0x28a, 0x28b, 1, -217),
    (0x28c, 0x28c, 1, -71),
    (0x292, 0x292, 1, -219),
    (0x29d, 0x29d, 1, 42261),
    (0x29e, 0x29e, 1, 42258),
    (0x371, 0x373, 2, -1),
    (0x377, 0x377, 1, -1),
    (0x37b, 0x37d, 1, 130),
    (0x3ac, 0x3ac, 1, -38),
    (0x3ad, 0x3af, 1, -37),
    (0x3b1, 0x3c1, 1, -32),
    (0x3c3, 0x3cb, 1, -32),
    (0x3cc, 0x3cc, 1, -64),
    (0x3cd, 0x3ce, 1, -63),
    (0x3d7, 0x3d7, 1, -8),
    (0x3d9, 0x3ef, 2, -1),
    (0x3f2, 0x3f2, 1, 7),
    (0x3f3, 0x3f3, 1, -116),
    (0x3f8, 0x3f8, 1, -1),
    (0x3fb, 0x3fb, 1, -1),
    (0x430, 0x44f, 1, -32),
    (0x450, 0x45f, 1, -80),
    (0x461, 0x481, 2, -1),
    (0x48b, 0x4bf, 2, -1),
    (0x4c2, 0x4ce, 2, -1),
    (0x4cf, 0x4cf, 1, -15),
    (0x4d1, 0x52f, 2, -1),
    (0x561, 0x586, 1, -48),
    (0x10d0, 0x10fa, 1, 3008),
    (0x10fd, 0x10ff, 1, 3008),
    (0x13f8, 0x13fd, 1, -8),
    (0x1c8a, 0x1c8a, 1, -1),
    (0x1d79, 0x1d79, 1, 35332),
    (0x1d7d, 0x1d7d, 1, 3814),
    (0x1d8e, 0x1d8e, 1, 35384),
    (0x1e01, 0x1e95, 2, -1),
    (0x1ea1, 0x1eff, 2, -1),
    (0x1f00, 0x1f07, 1, 8),
    (0x1f10, 0x1f15, 1, 8),
    (0x1f20, 0x1f27, 1, 8),
    (0x1f30, 0x1f37, 1, 8),
    (0x1f40, 0x1f45, 1, 8),
    (0x1f51, 0x1f57, 2, 8),
    (0x1f60, 0x1f67, 1, 8),
    (0x1f70, 0x1f71, 1, 74),
    (0x1f72, 0x1f75, 1, 86),
    (0x1f76, 0x1f77, 1, 100),
    (0x1f78, 0x1f79, 1, 128),
    (0x1f7a, 0x1f7b, 1, 112),
    (0x1f7c, 0x1f7d, 1, 126),
    (0x1fb0, 0x1fb1, 1, 8),
    (0x1fd0, 0x1fd1, 1, 8),
    (0x1fe0, 0x1fe1, 1, 8),
    (0x1fe5, 0x1fe5, 1, 7),
    (0x214e, 0x214e, 1, -28),
    (0x2170, 0x217f, 1, -16),
    (0x2184, 0x2184, 1, -1),
    (0x24d0, 0x24e9, 1, -26),
    (0x2c30, 0x2c5f, 1, -48),
    (0x2c61, 0x2c61, 1, -1),
    (0x2c65, 0x2c65, 1, -10795),
    (0x2c66, 0x2c66, 1, -10792),
    (0x2c68, 0x2c6c, 2, -1),
    (0x2c73, 0x2c73, 1, -1),
    (0x2c76, 0x2c76, 1, -1),
    (0x2c81, 0x2ce3, 2, -1),
    (0x2cec, 0x2cee, 2, -1),
    (0x2cf3, 0x2cf3, 1, -1),
    (0x2d00, 0x2d25, 1, -7264),
    (0x2d27, 0x2d27, 1, -7264),
    (0x2d2d, 0x2d2d, 1, -7264),
    (0xa641, 0xa66d, 2, -1),
    (0xa681, 0xa69b, 2, -1),
    (0xa723, 0xa72f, 2, -1),
    (0xa733, 0xa76f, 2, -1),
    (0xa77a, 0xa77c, 2, -1),
    (0xa77f, 0xa787, 2, -1),
    (0xa78c, 0xa78c, 1, -1),
    (0xa791, 0xa793, 2, -1),
    (0xa794, 0xa794, 1, 48),
    (0xa797, 0xa7a9, 2, -1),
    (0xa7b5, 0xa7c3, 2, -1),
    (0xa7c8, 0xa7ca, 2, -1),
    (0xa7cd, 0xa7db, 2, -1),
    (0xa7f6, 0xa7f6, 1, -1),
    (0xab53, 0xab53, 1, -928),
    (0xab70, 0xabbf, 1, -38864),
    (0xff41, 0xff5a, 1, -32),
    (0x10428, 0x1044f, 1, -40),
    (0x104d8, 0x104fb, 1, -40),
    (0x10597, 0x105a1, 1, -39),
    (0x105a3, 0x105b1, 1, -39),
    (0x105b3, 0x105b9, 1, -39),
    (0x105bb, 0x105bc, 1, -39),
    (0x10cc0, 0x10cf2, 1, -64),
    (0x10d70, 0x10d85, 1, -32),
    (0x118c0, 0x118df, 1, -32),
    (0x16e60, 0x16e7f, 1, -32),
    (0x16ebb, 0x16ed3, 1, -27),
    (0x1e922, 0x1e943, 1, -34),
];

/// The upper case of a character.
pub fn to_upper(character: u32) -> Option<u32> {
    if character < 0x80 {
        return (b'a' as u32..=b'z' as u32).contains(&character).then(|| character - 32);
    }
    find(character, false)
}

/// The lower case of a character.
pub fn to_lower(character: u32) -> Option<u32> {
    if character < 0x80 {
        return (b'A' as u32..=b'Z' as u32).contains(&character).then(|| character + 32);
    }
    find(character, true)
}

/// The same character in the other case, if there is one.
pub fn other_case(character: u32) -> Option<u32> {
    to_upper(character).or_else(|| to_lower(character))
}

/// The other case of a character in upper or lower case.
fn find(character: u32, is_upper: bool) -> Option<u32> {
    // Most scripts of Asia have no cases, and need not be compared with each run.
    if matches!(character, 0x2d2e..0xa640 | 0xabc0..0xff21) {
        return None;
    }
    RUNS.iter().find_map(|&(first, last, step, distance)| {
        let (start, to_other) =
            if is_upper { (first.wrapping_add_signed(distance), -distance) } else { (first, distance) };
        let offset = character.wrapping_sub(start);
        let is_in_run = offset <= last - first && offset & (step - 1) == 0;
        is_in_run.then(|| character.wrapping_add_signed(to_other))
    })
}

/// Columns that a character takes on a terminal: 0 for combining ones, 2 for East Asian wide ones (UAX #11), else 1.
pub fn character_width(character: char) -> usize {
    match u32::from(character) {
        0..0x300 => 1,
        0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5bd | 0x610..=0x61a | 0x64b..=0x65f | 0xe31 | 0xe34..=0xe3a => 0,
        0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x200b..=0x200f | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f => 0,
        0xe0100..=0xe01ef => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 => 2,
        0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(mut mapped: impl Iterator<Item = char>) -> Option<char> {
        mapped.next().filter(|_| mapped.next().is_none())
    }

    /// The upper case of a character whose lower case is that character again, by std's tables.
    fn pair(lower: char) -> Option<u32> {
        let upper = only(lower.to_uppercase()).filter(|upper| *upper != lower)?;
        (only(upper.to_lowercase()) == Some(lower)).then_some(u32::from(upper))
    }

    #[test]
    fn the_pairs_are_those_of_unicode() {
        // No character beyond has a case.
        let characters = || (0..0x2_0000).filter_map(char::from_u32);
        for character in characters().filter(|_| char::UNICODE_VERSION == (17, 0, 0)) {
            assert_eq!(to_upper(u32::from(character)), pair(character), "{character:?}");
        }
        let lower = || characters().map(u32::from).filter(|&lower| to_upper(lower).is_some());
        assert_eq!(lower().count(), 1451);
        assert!(lower().all(|lower| to_lower(to_upper(lower).expect("filtered")) == Some(lower)));
        assert_eq!(characters().filter(|&upper| to_lower(u32::from(upper)).is_some()).count(), 1451);
    }

    #[test]
    fn what_has_no_pair_stays() {
        for alone in "1÷×ςßŉǅ€漢".chars() {
            assert_eq!(other_case(u32::from(alone)), None, "{alone}");
        }
        assert_eq!(other_case(0x11_0000 + 0xe0), None);
    }
}
