//! The tree that a regular expression is parsed to.

use crate::pattern::unit::{self, CLASSES, Class};
use crate::unicode::other_case;

/// How often a `*` or `+` may repeat.
pub const UNLIMITED: u32 = u32::MAX;

/// A position between two characters that an expression may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Assert {
    /// `^`
    LineStart,
    /// `$`
    LineEnd,
    /// ``\` ``
    TextStart,
    /// `\'`
    TextEnd,
    /// `\<`
    WordStart,
    /// `\>`
    WordEnd,
    /// `\b`
    WordEdge,
    /// `\B`
    NotWordEdge,
    /// No word character before: the left side of `grep -w`.
    NotAfterWord,
    /// No word character after: the right side of `grep -w`.
    NotBeforeWord,
}

/// What is on one side of a position, as a set of bits.
pub mod side {
    /// The beginning or the end of the text.
    pub const TEXT: u8 = 1;
    /// The beginning or the end of a line.
    pub const LINE: u8 = 2;
    /// A word character.
    pub const WORD: u8 = 4;
}

impl Assert {
    /// Whether the assertion holds between these two sides.
    pub fn holds(self, left: u8, right: u8) -> bool {
        let (left_word, right_word) = (left & side::WORD != 0, right & side::WORD != 0);
        match self {
            Assert::LineStart => left & side::LINE != 0,
            Assert::LineEnd => right & side::LINE != 0,
            Assert::TextStart => left & side::TEXT != 0,
            Assert::TextEnd => right & side::TEXT != 0,
            Assert::WordStart => !left_word && right_word,
            Assert::WordEnd => left_word && !right_word,
            Assert::WordEdge => left_word != right_word,
            Assert::NotWordEdge => left_word == right_word,
            Assert::NotAfterWord => !left_word,
            Assert::NotBeforeWord => !right_word,
        }
    }

    /// The bits that the assertion looks at.
    pub fn sides(self) -> u8 {
        match self {
            Assert::LineStart | Assert::LineEnd => side::LINE,
            Assert::TextStart | Assert::TextEnd => side::TEXT,
            _ => side::WORD,
        }
    }
}

/// A set of characters: a bracket expression, `.` or `\w`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Set {
    /// One bit an ASCII character, negation and case already counted in.
    pub ascii: u128,
    /// Characters beyond ASCII, and bytes that are none.
    pub ranges: Vec<(u32, u32)>,
    /// One bit a `Class`, for characters beyond ASCII.
    pub classes: u16,
    /// Whether `ranges` and `classes` are what the set lacks.
    pub negated: bool,
    /// Whether a letter of either case will do.
    pub fold_case: bool,
}

impl Set {
    /// Every character.
    pub fn any() -> Set {
        Set { ascii: u128::MAX, negated: true, ..Set::default() }
    }

    /// Adds the characters from `low` to `high`.
    pub fn add_range(&mut self, low: u32, high: u32) {
        for byte in low..=high.min(0x7F) {
            self.ascii |= 1 << byte;
        }
        if high > 0x7F {
            self.ranges.push((low.max(0x80), high));
        }
    }

    /// Adds the members of the class.
    pub fn add_class(&mut self, class: Class) {
        for byte in 0..0x80 {
            if unit::is_in_class(class, byte) {
                self.ascii |= 1 << byte;
            }
        }
        self.classes |= 1 << class as u8;
    }

    /// Adds the other case of each ASCII letter, and remembers to look at it for the others.
    pub fn fold(&mut self) {
        let letters: u128 = 0x07FF_FFFE;
        let upper = self.ascii >> 64 & letters;
        let lower = self.ascii >> 96 & letters;
        self.ascii |= (upper << 96) | (lower << 64);
        self.fold_case = true;
    }

    /// Turns the set into its complement.
    pub fn negate(&mut self) {
        self.ascii = !self.ascii;
        self.negated = !self.negated;
    }

    /// Takes an ASCII character out.
    pub fn remove(&mut self, byte: u8) {
        self.ascii &= !(1 << (byte & 0x7F));
    }

    /// Whether the character is in the set.
    pub fn contains(&self, unit: u32) -> bool {
        if unit < 0x80 {
            return self.ascii >> unit & 1 != 0;
        }
        let mut found = self.lists(unit);
        if !found && self.fold_case {
            found = other_case(unit).is_some_and(|other| self.lists(other));
        }
        found != self.negated
    }

    fn lists(&self, unit: u32) -> bool {
        self.ranges.iter().any(|&(low, high)| (low..=high).contains(&unit))
            || (self.classes != 0
                && CLASSES.iter().any(|&class| self.classes >> class as u8 & 1 != 0 && unit::is_in_class(class, unit)))
    }

    /// Whether all that is beyond ASCII is treated alike.
    pub fn is_ascii_only(&self) -> bool {
        self.ranges.is_empty() && self.classes == 0
    }
}

/// A part of an expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// The empty string.
    Empty,
    /// One character.
    Unit(u32),
    /// One character of the set with this index.
    Set(u32),
    /// A position.
    Assert(Assert),
    /// A parenthesised expression and its number, from 1.
    Group(u32, Box<Node>),
    /// One after the other.
    Cat(Vec<Node>),
    /// One or the other.
    Alt(Vec<Node>),
    /// Again and again: at least, at most.
    Repeat(Box<Node>, u32, u32),
    /// What the group of this number matched.
    Backref(u32),
}

impl Node {
    /// The number of characters of every match, if all have the same.
    pub fn width(&self) -> Option<usize> {
        match self {
            Node::Empty | Node::Assert(_) => Some(0),
            Node::Unit(_) | Node::Set(_) => Some(1),
            Node::Group(_, inner) => inner.width(),
            Node::Cat(parts) => parts.iter().try_fold(0usize, |sum, part| sum.checked_add(part.width()?)),
            Node::Alt(parts) => {
                let first = parts.first()?.width()?;
                parts.iter().all(|part| part.width() == Some(first)).then_some(first)
            }
            Node::Repeat(inner, min, max) if min == max => inner.width()?.checked_mul(*min as usize),
            Node::Repeat(..) | Node::Backref(_) => None,
        }
    }

    /// Whether the empty string may match.
    pub fn may_be_empty(&self) -> bool {
        match self {
            Node::Empty | Node::Assert(_) | Node::Backref(_) => true,
            Node::Unit(_) | Node::Set(_) => false,
            Node::Group(_, inner) => inner.may_be_empty(),
            Node::Cat(parts) => parts.iter().all(Node::may_be_empty),
            Node::Alt(parts) => parts.iter().any(Node::may_be_empty),
            Node::Repeat(inner, min, _) => *min == 0 || inner.may_be_empty(),
        }
    }

    /// Whether trying the leftmost choice first finds the longest match first.
    pub fn is_longest_first(&self) -> bool {
        if self.width().is_some() {
            return true;
        }
        match self {
            Node::Group(_, inner) => inner.is_longest_first(),
            Node::Cat(parts) => {
                let mut varying = parts.iter().filter(|part| part.width().is_none());
                varying.next().is_none_or(Node::is_longest_first) && varying.next().is_none()
            }
            Node::Repeat(inner, _, max) => {
                inner.width().is_some() || (*max == 1 && inner.is_longest_first() && !inner.may_be_empty())
            }
            _ => false,
        }
    }

    /// Whether there is a back-reference inside.
    pub fn has_backref(&self) -> bool {
        match self {
            Node::Backref(_) => true,
            Node::Group(_, inner) | Node::Repeat(inner, ..) => inner.has_backref(),
            Node::Cat(parts) | Node::Alt(parts) => parts.iter().any(Node::has_backref),
            _ => false,
        }
    }

    /// The lowest and highest number of the groups inside.
    pub fn groups(&self) -> Option<(u32, u32)> {
        let join = |a: Option<(u32, u32)>, b: Option<(u32, u32)>| match (a, b) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
        match self {
            Node::Group(number, inner) => join(Some((*number, *number)), inner.groups()),
            Node::Repeat(inner, ..) => inner.groups(),
            Node::Cat(parts) | Node::Alt(parts) => parts.iter().fold(None, |all, part| join(all, part.groups())),
            _ => None,
        }
    }
}
