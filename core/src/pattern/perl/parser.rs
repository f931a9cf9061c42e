//! Reads an expression of Perl's syntax.

use super::Options;
use crate::pattern::regex::ast::{Set, UNLIMITED};
use crate::pattern::unit::{self, Class, RAW};
use crate::unicode::other_case;

/// How deep groups may nest.
const DEPTH_MAX: u32 = 100;
const REPEAT_MAX: u32 = 65535;

type Result<T> = std::result::Result<T, &'static str>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Assert {
    TextStart,
    /// `^` with the flag m.
    LineStart,
    TextEnd,
    /// `$`, `\Z`: also before a last newline.
    LastEnd,
    LineEnd,
    WordEdge,
    NotWordEdge,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Greed {
    Greedy,
    Lazy,
    Possessive,
}

#[derive(Clone, Debug)]
pub enum Node {
    Empty,
    Unit(u32),
    Set(u32),
    Assert(Assert),
    Group(u32, Box<Node>),
    Cat(Vec<Node>),
    Alt(Vec<Node>),
    Repeat(Box<Node>, u32, u32, Greed),
    /// The number, and whether case is ignored.
    Backref(u32, bool),
    Ahead(bool, Box<Node>),
    /// Negated; the part and its length in characters.
    Behind(bool, Box<Node>, usize),
    Atomic(Box<Node>),
    /// `\K`
    Keep,
}

impl Node {
    fn width(&self) -> Option<usize> {
        match self {
            Node::Empty | Node::Assert(_) | Node::Ahead(..) | Node::Behind(..) | Node::Keep => Some(0),
            Node::Unit(_) | Node::Set(_) => Some(1),
            Node::Group(_, inner) | Node::Atomic(inner) => inner.width(),
            Node::Cat(parts) => parts.iter().try_fold(0usize, |sum, part| sum.checked_add(part.width()?)),
            Node::Alt(parts) => {
                let first = parts.first()?.width()?;
                parts.iter().all(|part| part.width() == Some(first)).then_some(first)
            }
            Node::Repeat(inner, min, max, _) if min == max => inner.width()?.checked_mul(*min as usize),
            _ => None,
        }
    }
}

/// What was read.
pub struct Parsed {
    pub node: Node,
    pub groups: u32,
    pub sets: Vec<Set>,
}

#[derive(Clone, Copy)]
struct Flags {
    fold: bool,
    lines: bool,
    dot_all: bool,
    extended: bool,
}

struct Parser<'a> {
    pattern: &'a [u8],
    at: usize,
    utf8: bool,
    flags: Flags,
    sets: Vec<Set>,
    groups: u32,
    names: Vec<(&'a [u8], u32)>,
    highest_reference: u32,
    depth: u32,
    /// Between `\Q` and `\E`.
    quotes: bool,
}

/// Reads the whole pattern.
pub fn parse(pattern: &[u8], options: Options) -> Result<Parsed> {
    let flags = Flags { fold: options.fold_case, lines: false, dot_all: false, extended: false };
    let mut parser = Parser {
        pattern,
        at: 0,
        utf8: options.utf8,
        flags,
        sets: Vec::new(),
        groups: 0,
        names: Vec::new(),
        highest_reference: 0,
        depth: 0,
        quotes: false,
    };
    let node = parser.alternatives()?;
    if parser.at < pattern.len() {
        return Err("unmatched closing parenthesis");
    }
    if parser.highest_reference > parser.groups {
        return Err("reference to non-existent subpattern");
    }
    Ok(Parsed { node, groups: parser.groups, sets: parser.sets })
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.pattern[self.at..]
    }

    fn take(&mut self, text: &[u8]) -> bool {
        let is_next = self.rest().starts_with(text);
        if is_next {
            self.at += text.len();
        }
        is_next
    }

    fn unit(&mut self) -> Result<u32> {
        let (unit, length) = unit::first(self.rest(), self.utf8).ok_or("\\ at end of pattern")?;
        self.at += length;
        Ok(unit)
    }

    /// The bytes up to the closing one, which is taken too.
    fn until(&mut self, close: u8) -> Result<&'a [u8]> {
        let rest = self.rest();
        let length = rest.iter().position(|&byte| byte == close).ok_or("missing terminator")?;
        self.at += length + 1;
        Ok(&rest[..length])
    }

    fn alternatives(&mut self) -> Result<Node> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("parentheses are too deeply nested");
        }
        let mut branches = vec![self.branch()?];
        while self.take(b"|") {
            branches.push(self.branch()?);
        }
        self.depth -= 1;
        Ok(if branches.len() == 1 { branches.swap_remove(0) } else { Node::Alt(branches) })
    }

    fn branch(&mut self) -> Result<Node> {
        let mut parts = Vec::new();
        loop {
            if self.flags.extended && !self.quotes {
                self.skip_comments();
            }
            match self.rest() {
                [] => break,
                [b'|' | b')', ..] if !self.quotes => break,
                _ => {}
            }
            let Some(atom) = self.atom()? else { continue };
            let atom = self.quantified(atom)?;
            parts.push(atom);
        }
        Ok(match parts.len() {
            0 => Node::Empty,
            1 => parts.swap_remove(0),
            _ => Node::Cat(parts),
        })
    }

    fn skip_comments(&mut self) {
        while let [byte, ..] = self.rest() {
            match byte {
                b'#' => self.at += self.rest().iter().position(|&byte| byte == b'\n').unwrap_or(self.rest().len()),
                byte if byte.is_ascii_whitespace() => self.at += 1,
                _ => return,
            }
        }
    }

    /// One element; `None` for what matches nothing and takes no quantifier, as a flag.
    fn atom(&mut self) -> Result<Option<Node>> {
        if self.quotes {
            if self.take(b"\\E") {
                self.quotes = false;
                return Ok(None);
            }
            let unit = self.unit()?;
            return Ok(Some(self.literal(unit)));
        }
        Ok(Some(match self.unit()? {
            0x2E => {
                let mut set = Set::any();
                if !self.flags.dot_all {
                    set.remove(b'\n');
                }
                self.set(set)
            }
            0x5E => Node::Assert(if self.flags.lines { Assert::LineStart } else { Assert::TextStart }),
            0x24 => Node::Assert(if self.flags.lines { Assert::LineEnd } else { Assert::LastEnd }),
            0x5B => {
                let set = self.bracket()?;
                self.set(set)
            }
            0x28 => return self.group(),
            0x5C => return self.escape(),
            0x2A | 0x2B | 0x3F => return Err("quantifier does not follow a repeatable item"),
            unit => self.literal(unit),
        }))
    }

    fn literal(&mut self, unit: u32) -> Node {
        match other_case(unit).filter(|_| self.flags.fold) {
            Some(other) => {
                let mut set = Set::default();
                set.add_range(unit, unit);
                set.add_range(other, other);
                self.set(set)
            }
            None => Node::Unit(unit),
        }
    }

    fn set(&mut self, set: Set) -> Node {
        self.sets.push(set);
        Node::Set(self.sets.len() as u32 - 1)
    }

    fn quantified(&mut self, atom: Node) -> Result<Node> {
        // A quantifier after `\E` is that of the last quoted character.
        if self.quotes {
            if !self.take(b"\\E") {
                return Ok(atom);
            }
            self.quotes = false;
        }
        if self.flags.extended {
            self.skip_comments();
        }
        let (min, max) = match self.rest() {
            [b'*', ..] => (0, UNLIMITED),
            [b'+', ..] => (1, UNLIMITED),
            [b'?', ..] => (0, 1),
            [b'{', rest @ ..] => match braces(rest)? {
                Some((min, max, length)) => {
                    self.at += length;
                    (min, max)
                }
                None => return Ok(atom),
            },
            _ => return Ok(atom),
        };
        self.at += 1;
        let greed = match self.rest() {
            [b'?', ..] => Greed::Lazy,
            [b'+', ..] => Greed::Possessive,
            _ => Greed::Greedy,
        };
        self.at += usize::from(greed != Greed::Greedy);
        if matches!(self.rest(), [b'*' | b'+' | b'?', ..]) {
            return Err("quantifier does not follow a repeatable item");
        }
        // Repeated assertions say nothing new.
        let is_assertion = matches!(atom, Node::Assert(_) | Node::Ahead(..) | Node::Behind(..) | Node::Keep);
        let (min, max) = if is_assertion { (min.min(1), max.min(1)) } else { (min, max) };
        Ok(Node::Repeat(Box::new(atom), min, max, greed))
    }

    /// What follows an opening parenthesis.
    fn group(&mut self) -> Result<Option<Node>> {
        let flags = self.flags;
        if self.take(b"?#") {
            self.until(b')')?;
            return Ok(None);
        }
        if !self.take(b"?") {
            return self.capture(None).map(Some);
        }
        for (begin, close) in [(&b"P<"[..], b'>'), (b"'", b'\''), (b"<", b'>')] {
            let is_behind = begin == b"<" && matches!(self.rest(), [b'<', b'=' | b'!', ..]);
            if !is_behind && self.take(begin) {
                let name = self.until(close)?;
                return self.capture(Some(name)).map(Some);
            }
        }
        if self.take(b"P=") {
            let name = self.until(b')')?;
            return self.named(name).map(Some);
        }
        let kind = self.rest();
        for begin in [&b"="[..], b"!", b"<=", b"<!", b">", b":"] {
            if !kind.starts_with(begin) {
                continue;
            }
            self.at += begin.len();
            let inner = self.inside(flags)?;
            return Ok(Some(match begin {
                b"=" | b"!" => Node::Ahead(begin == b"!", Box::new(inner)),
                b">" => Node::Atomic(Box::new(inner)),
                b":" => inner,
                _ => behind(begin == b"<!", inner)?,
            }));
        }
        self.change_flags()?;
        if self.take(b")") {
            // They hold up to the end of the group around: `inside` restores them there.
            return Ok(None);
        }
        if !self.take(b":") {
            return Err("unrecognized character after (? or (?-");
        }
        self.inside(flags).map(Some)
    }

    /// The alternatives up to the closing parenthesis; then the flags are as before.
    fn inside(&mut self, flags: Flags) -> Result<Node> {
        let inner = self.alternatives()?;
        if !self.take(b")") {
            return Err("missing closing parenthesis");
        }
        self.flags = flags;
        Ok(inner)
    }

    fn capture(&mut self, name: Option<&'a [u8]>) -> Result<Node> {
        self.groups += 1;
        let number = self.groups;
        if let Some(name) = name {
            let is_word = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
            if !is_word || name[0].is_ascii_digit() || self.names.iter().any(|(known, _)| *known == name) {
                return Err("bad name of a subpattern");
            }
            self.names.push((name, number));
        }
        let flags = self.flags;
        Ok(Node::Group(number, Box::new(self.inside(flags)?)))
    }

    fn change_flags(&mut self) -> Result<()> {
        let mut value = true;
        loop {
            match self.rest() {
                [b'-', ..] if value => value = false,
                [b'i', ..] => self.flags.fold = value,
                [b'm', ..] => self.flags.lines = value,
                [b's', ..] => self.flags.dot_all = value,
                [b'x', ..] => self.flags.extended = value,
                [b')' | b':', ..] => return Ok(()),
                _ => return Err("unrecognized character after (? or (?-"),
            }
            self.at += 1;
        }
    }

    fn reference(&mut self, number: u32) -> Node {
        self.highest_reference = self.highest_reference.max(number);
        Node::Backref(number, self.flags.fold)
    }

    fn named(&mut self, name: &[u8]) -> Result<Node> {
        let known = self.names.iter().find(|(known, _)| *known == name);
        let number = known.ok_or("reference to non-existent subpattern")?.1;
        Ok(self.reference(number))
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<Option<Node>> {
        let byte = *self.rest().first().ok_or("\\ at end of pattern")?;
        if let Some(set) = class_set(byte) {
            self.at += 1;
            return Ok(Some(self.set(set)));
        }
        self.at += 1;
        Ok(Some(match byte {
            b'A' => Node::Assert(Assert::TextStart),
            b'z' => Node::Assert(Assert::TextEnd),
            b'Z' => Node::Assert(Assert::LastEnd),
            b'b' => Node::Assert(Assert::WordEdge),
            b'B' => Node::Assert(Assert::NotWordEdge),
            b'K' => Node::Keep,
            b'E' => return Ok(None),
            b'Q' => {
                self.quotes = true;
                return Ok(None);
            }
            b'R' => Node::Alt(vec![Node::Cat(vec![Node::Unit(13), Node::Unit(10)]), self.set(range(10, 13))]),
            b'p' | b'P' => {
                let set = self.property(byte == b'P')?;
                self.set(set)
            }
            b'1'..=b'9' => {
                let digits = self.rest().iter().take(1).take_while(|byte| byte.is_ascii_digit()).count();
                let mut number = u32::from(byte - b'0');
                if digits == 1 && self.groups >= 10 {
                    number = number * 10 + u32::from(self.rest()[0] - b'0');
                    self.at += 1;
                }
                self.reference(number)
            }
            b'k' => {
                let close = match self.rest().first() {
                    Some(b'<') => b'>',
                    Some(b'{') => b'}',
                    Some(b'\'') => b'\'',
                    _ => return Err("\\k is not followed by a name"),
                };
                self.at += 1;
                let name = self.until(close)?;
                self.named(name)?
            }
            b'g' => return self.numbered().map(Some),
            _ => {
                self.at -= 1;
                let unit = self.character()?;
                self.literal(unit)
            }
        }))
    }

    /// `\g1`, `\g{1}`, `\g{-1}`, `\g{name}`
    fn numbered(&mut self) -> Result<Node> {
        let word = match self.take(b"{") {
            true => self.until(b'}')?,
            false => {
                let length = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
                self.at += length;
                &self.pattern[self.at - length..self.at]
            }
        };
        let bad = "a numbered reference must not be zero";
        let number = |digits: &[u8]| crate::number::parse_decimal(digits).and_then(|number| u32::try_from(number).ok());
        match word {
            [b'-', digits @ ..] => {
                let back = number(digits).filter(|back| *back > 0 && *back <= self.groups).ok_or(bad)?;
                Ok(self.reference(self.groups + 1 - back))
            }
            [b'0'..=b'9', ..] => {
                let number = number(word).filter(|number| *number > 0).ok_or(bad)?;
                Ok(self.reference(number))
            }
            name => self.named(name),
        }
    }

    /// The character that an escape means.
    fn character(&mut self) -> Result<u32> {
        let byte = self.rest()[0];
        let simple = match byte {
            b't' => 9,
            b'n' => 10,
            b'r' => 13,
            b'f' => 12,
            b'e' => 27,
            b'a' => 7,
            b'0' => return Ok(self.digits(8, 3)),
            b'x' => {
                self.at += 1;
                if !self.take(b"{") {
                    return Ok(self.digits(16, 2));
                }
                let digits = self.until(b'}')?;
                let value = crate::number::parse_radix(digits, 16).and_then(|value| u32::try_from(value).ok());
                let most = if self.utf8 { 0x10_FFFF } else { 0xFF };
                return value
                    .filter(|value| *value <= most)
                    .map(|value| self.encoded(value))
                    .ok_or("character code point value is too large");
            }
            b'c' => {
                self.at += 1;
                let unit = self.unit()?;
                return Ok(u32::from((unit as u8).to_ascii_uppercase() ^ 0x40));
            }
            byte if byte.is_ascii_alphanumeric() => return Err("unrecognized character follows \\"),
            _ => return self.unit(),
        };
        self.at += 1;
        Ok(simple)
    }

    fn digits(&mut self, radix: u32, most: usize) -> u32 {
        let mut value = 0;
        for _ in 0..most {
            let Some(digit) = self.rest().first().and_then(|&byte| char::from(byte).to_digit(radix)) else { break };
            value = value * radix + digit;
            self.at += 1;
        }
        self.encoded(value & 0xFF)
    }

    /// The character as the text has it: beyond ASCII a byte alone is no character.
    fn encoded(&self, value: u32) -> u32 {
        if value >= 0x80 && !self.utf8 { RAW + value } else { value }
    }

    /// The names of `\p{...}` that classes exist for.
    fn property(&mut self, negated: bool) -> Result<Set> {
        let name = match self.take(b"{") {
            true => self.until(b'}')?,
            false => {
                self.at += 1;
                self.pattern.get(self.at - 1..self.at).unwrap_or_default()
            }
        };
        let (name, caret) = name.strip_prefix(b"^").map_or((name, false), |name| (name, true));
        let class = match name {
            b"L" => Class::Alpha,
            b"Lu" => Class::Upper,
            b"Ll" => Class::Lower,
            b"Nd" => Class::Digit,
            b"Cc" => Class::Cntrl,
            _ => return Err("unknown property after \\P or \\p"),
        };
        let mut set = Set::default();
        set.add_class(class);
        if negated != caret {
            set.negate();
        }
        Ok(set)
    }

    /// The bracket expression after the `[`.
    fn bracket(&mut self) -> Result<Set> {
        let mut set = Set::default();
        let negated = self.take(b"^");
        let first = self.at;
        loop {
            let low = match self.rest() {
                [] => return Err("missing terminating ] for character class"),
                [b']', ..] if self.at > first => break,
                [b'[', b':', ..] => {
                    self.named_class(&mut set)?;
                    continue;
                }
                [b'\\', byte, ..] if class_set(*byte).is_some() => {
                    let class = class_set(*byte).unwrap_or_default();
                    join(&mut set, &class);
                    self.at += 2;
                    continue;
                }
                _ => self.member()?,
            };
            let mut high = low;
            if let [b'-', next, ..] = self.rest()
                && *next != b']'
            {
                self.at += 1;
                high = self.member()?;
            }
            if low > high {
                return Err("range out of order in character class");
            }
            set.add_range(low, high);
        }
        self.at += 1;
        if self.flags.fold {
            set.fold();
        }
        if negated {
            set.negate();
        }
        Ok(set)
    }

    fn member(&mut self) -> Result<u32> {
        if !self.take(b"\\") {
            return self.unit();
        }
        match self.rest() {
            [] => Err("\\ at end of pattern"),
            [b'b', ..] => {
                self.at += 1;
                Ok(8)
            }
            _ => self.character(),
        }
    }

    fn named_class(&mut self, set: &mut Set) -> Result<()> {
        self.at += 2;
        let negated = self.take(b"^");
        let name = self.until(b':')?;
        if !self.take(b"]") {
            return Err("unknown POSIX class name");
        }
        let class = match name {
            b"word" => Class::Word,
            name => unit::class_named(name).ok_or("unknown POSIX class name")?,
        };
        let mut members = Set::default();
        members.add_class(class);
        if negated {
            members.negate();
        }
        join(set, &members);
        Ok(())
    }
}

/// Adds the members of another set. A negated one has all beyond ASCII that its classes lack; those with classes are left
/// out there, which only `[\W...]` in UTF-8 can show.
fn join(set: &mut Set, other: &Set) {
    set.ascii |= other.ascii;
    if other.negated {
        set.add_range(0x80, u32::MAX);
        return;
    }
    set.classes |= other.classes;
    set.ranges.extend_from_slice(&other.ranges);
}

fn range(low: u32, high: u32) -> Set {
    let mut set = Set::default();
    set.add_range(low, high);
    set
}

/// The set of `\d`, `\w` and the like; capitals are the complements.
fn class_set(byte: u8) -> Option<Set> {
    let mut set = Set::default();
    match byte.to_ascii_lowercase() {
        b'd' => set.add_class(Class::Digit),
        b'w' => set.add_class(Class::Word),
        b's' => set.add_class(Class::Space),
        b'h' => set.add_class(Class::Blank),
        b'v' => set.add_range(10, 13),
        b'n' if byte == b'N' => set.add_range(10, 10),
        _ => return None,
    }
    if byte.is_ascii_uppercase() {
        set.negate();
    }
    Some(set)
}

/// The bounds of `{n,m}` and its length after the brace; `None` where the brace is a character.
fn braces(rest: &[u8]) -> Result<Option<(u32, u32, usize)>> {
    let Some(end) = rest.iter().position(|&byte| byte == b'}') else { return Ok(None) };
    let number =
        |digits: &[u8]| crate::number::parse_decimal(digits).map(|number| number.min(u64::from(u32::MAX) - 1) as u32);
    let (min, max) = match crate::bytes::split_once(&rest[..end], b',') {
        None => (number(&rest[..end]), number(&rest[..end])),
        Some((min, b"")) => (number(min), Some(UNLIMITED)),
        Some((min, max)) => (number(min), number(max)),
    };
    let (Some(min), Some(max)) = (min, max) else { return Ok(None) };
    if min > REPEAT_MAX || max != UNLIMITED && max > REPEAT_MAX {
        return Err("number too big in {} quantifier");
    }
    if min > max {
        return Err("numbers out of order in {} quantifier");
    }
    Ok(Some((min, max, end + 1)))
}

/// A lookbehind: each alternative has its own length.
fn behind(negated: bool, inner: Node) -> Result<Node> {
    let branches = match inner {
        Node::Alt(branches) => branches,
        node => vec![node],
    };
    let mut looks = Vec::new();
    for branch in branches {
        let width = branch.width().ok_or("lookbehind assertion is not fixed length")?;
        looks.push(Node::Behind(negated, Box::new(branch), width));
    }
    Ok(if negated { Node::Cat(looks) } else { Node::Alt(looks) })
}
