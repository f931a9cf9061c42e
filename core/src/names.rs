//! Tables of names and numbers: what a format, a protocol or an option calls its constants.
//!
//! A table is one text and one row of numbers. An array of strings would hold a pointer for each, and the loader would
//! have to mend every one of them at every start of every applet.

/// A table of names, each with a number. Made by [`names!`](crate::names!), meant for a `const`.
#[derive(Clone, Copy)]
pub struct Names {
    /// The names, each with a newline behind it.
    text: &'static str,
    numbers: &'static [u64],
}

/// Declares a table of names and numbers: `names! { "ro" = 1, "nosuid" = 2 }`.
#[macro_export]
macro_rules! names {
    ($($name:literal = $number:expr),* $(,)?) => {
        $crate::names::Names::new(concat!($($name, "\n",)*), &[$($number as u64),*])
    };
}

impl Names {
    /// A table of `numbers` and as many names, each with a newline behind it.
    pub const fn new(text: &'static str, numbers: &'static [u64]) -> Self {
        Self { text, numbers }
    }

    /// All rows, in their order.
    pub fn iter(self) -> impl Iterator<Item = (&'static str, u64)> {
        let mut rest = self.text;
        self.numbers.iter().map_while(move |number| {
            let (name, after) = rest.split_once('\n')?;
            rest = after;
            Some((name, *number))
        })
    }

    /// The number of the first row of that name.
    pub fn number_of(self, name: &[u8]) -> Option<u64> {
        self.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, number)| number)
    }

    /// The name of the first row with that number.
    pub fn name_of(self, number: u64) -> Option<&'static str> {
        self.iter().find(|(_, known)| *known == number).map(|(name, _)| name)
    }

    /// The names of the bits that are set in `flags`.
    pub fn of_flags(self, flags: u64) -> impl Iterator<Item = &'static str> {
        self.iter().filter(move |(_, flag)| flags & flag != 0).map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: Names = names! { "up" = 1, "loop" = 8, "on" = 1 };

    #[test]
    fn finds_names_and_numbers() {
        assert_eq!(
            (FLAGS.number_of(b"loop"), FLAGS.number_of(b"lo"), FLAGS.number_of(b"on")),
            (Some(8), None, Some(1))
        );
        assert_eq!((FLAGS.name_of(1), FLAGS.name_of(2)), (Some("up"), None));
        assert_eq!(FLAGS.of_flags(9).collect::<Vec<_>>(), ["up", "loop", "on"]);
    }
}
