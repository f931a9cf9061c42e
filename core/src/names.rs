//! Tables of names and numbers: what a format, a protocol or an option calls its constants.
//!
//! A table is one text. An array of strings would hold a pointer for each, and the loader would have to relocate every one of
//! them at every start of every applet.

/// A table of names, each with a number. Made by [`names!`](crate::names!), meant for a `const`.
///
/// It is one slice, which fits two registers: a `const` of more words is kept in memory, with pointers to relocate.
#[derive(Clone, Copy)]
pub struct Names {
    /// For each row its name, a newline, and its number in groups of seven bits, the lowest first; all but the last have
    /// the eighth bit set.
    rows: &'static [u8],
}

/// Declares a table of names and numbers: `names! { "ro" = 1, "nosuid" = 2 }`.
#[macro_export]
macro_rules! names {
    ($($name:literal = $number:expr),* $(,)?) => {
        $crate::names!(concat!($($name, "\n",)*), &[$($number as u64),*])
    };
    // Names, each with a newline after it, and as many numbers.
    ($text:expr, $numbers:expr) => {{
        const TEXT: &str = $text;
        const NUMBERS: &[u64] = $numbers;
        const LENGTH: usize = $crate::names::packed_length(TEXT, NUMBERS);
        const ROWS: [u8; LENGTH] = $crate::names::pack(TEXT, NUMBERS);
        $crate::names::Names::new(&ROWS)
    }};
}

/// How many bytes the rows of a table take.
pub const fn packed_length(text: &str, numbers: &[u64]) -> usize {
    let (mut length, mut row) = (text.len(), 0);
    while row < numbers.len() {
        let bits = 64 - (numbers[row] | 1).leading_zeros() as usize;
        length += bits.div_ceil(7);
        row += 1;
    }
    length
}

/// The rows of a table.
pub const fn pack<const LENGTH: usize>(text: &str, numbers: &[u64]) -> [u8; LENGTH] {
    let text = text.as_bytes();
    let mut rows = [0; LENGTH];
    let (mut at, mut from, mut row) = (0, 0, 0);
    while from < text.len() {
        rows[at] = text[from];
        at += 1;
        if text[from] == b'\n' {
            let mut number = numbers[row];
            while number >= 0x80 {
                rows[at] = number as u8 | 0x80;
                number >>= 7;
                at += 1;
            }
            rows[at] = number as u8;
            at += 1;
            row += 1;
        }
        from += 1;
    }
    rows
}

impl Names {
    /// The table of what `pack` returned.
    pub const fn new(rows: &'static [u8]) -> Self {
        Self { rows }
    }

    /// All rows, in their order, with their names as bytes.
    fn rows(self) -> impl Iterator<Item = (&'static [u8], u64)> {
        let mut rest = self.rows;
        core::iter::from_fn(move || {
            let end = rest.iter().position(|&byte| byte == b'\n')?;
            let (name, mut number, mut shift) = (&rest[..end], 0, 0);
            rest = &rest[end + 1..];
            while let Some((&byte, after)) = rest.split_first() {
                number |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                rest = after;
                if byte < 0x80 {
                    break;
                }
            }
            Some((name, number))
        })
    }

    /// All rows, in their order.
    pub fn iter(self) -> impl Iterator<Item = (&'static str, u64)> {
        self.rows().map(|(name, number)| (text(name), number))
    }

    /// The number of the first row of that name.
    pub fn number_of(self, name: &[u8]) -> Option<u64> {
        self.rows().find(|(known, _)| *known == name).map(|(_, number)| number)
    }

    /// The name of the first row with that number.
    pub fn name_of(self, number: u64) -> Option<&'static str> {
        self.rows().find(|(_, known)| *known == number).map(|(name, _)| text(name))
    }

    /// The names of the bits that are set in `flags`.
    pub fn of_flags(self, flags: u64) -> impl Iterator<Item = &'static str> {
        self.rows().filter(move |(_, flag)| flags & flag != 0).map(|(name, _)| text(name))
    }
}

/// A name is a part of a literal.
fn text(name: &'static [u8]) -> &'static str {
    str::from_utf8(name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: Names = names! { "up" = 1, "loop" = 8, "on" = 1 };
    const SIZES: Names = names! { "one" = 0x7f, "two" = 0x80, "all" = u64::MAX, "none" = 0 };

    #[test]
    fn finds_names_and_numbers() {
        assert_eq!(
            (FLAGS.number_of(b"loop"), FLAGS.number_of(b"lo"), FLAGS.number_of(b"on")),
            (Some(8), None, Some(1))
        );
        assert_eq!((FLAGS.name_of(1), FLAGS.name_of(2)), (Some("up"), None));
        assert_eq!(SIZES.iter().map(|(_, number)| number).collect::<Vec<_>>(), [0x7f, 0x80, u64::MAX, 0]);
        assert_eq!(SIZES.number_of(b"none"), Some(0));
        assert_eq!(FLAGS.of_flags(9).collect::<Vec<_>>(), ["up", "loop", "on"]);
    }
}
