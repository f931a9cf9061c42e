//! Reads basic and extended regular expressions (POSIX XBD 9) with GNU's additions.
//!
//! Where POSIX leaves the meaning open, GNU's is taken: in a basic expression `*` at the beginning is itself, in an
//! extended one it is left out; `{` that begins no interval and `)` that closes nothing are themselves in an
//! extended one; `^` and `$` inside a basic one are themselves.

use super::ast::{Assert, Node, Set, UNLIMITED};
use super::{Error, Flags};
use crate::pattern::unit::{self, Class};
use crate::unicode::other_case;

/// POSIX's RE_DUP_MAX.
const REPEAT_MAX: u32 = 32767;
/// How deep groups and repetitions may nest.
const DEPTH_MAX: u32 = 250;

/// Reads one expression after the other into the same list of sets.
pub struct Parser<'a> {
    pattern: &'a [u8],
    at: usize,
    flags: Flags,
    pub sets: Vec<Set>,
    /// How many groups have been opened, in all expressions.
    pub groups: u32,
    /// The groups opened before this expression began.
    base: u32,
    /// One flag a group of this expression: closed.
    closed: Vec<bool>,
    depth: u32,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Token {
    End,
    Unit(u32),
    Any,
    Star,
    Plus,
    Question,
    OpenBrace,
    Open,
    Close,
    Bar,
    Caret,
    Dollar,
    Bracket,
    Backref(u32),
    Assert(Assert),
    /// `\w` and `\s`; with `true` `\W` and `\S`.
    Class(Class, bool),
}

impl<'a> Parser<'a> {
    pub fn new(flags: Flags) -> Parser<'a> {
        Parser { pattern: b"", at: 0, flags, sets: Vec::new(), groups: 0, base: 0, closed: Vec::new(), depth: 0 }
    }

    /// Reads the whole of `pattern`.
    pub fn parse(&mut self, pattern: &'a [u8]) -> Result<Node, Error> {
        (self.pattern, self.at, self.base, self.depth) = (pattern, 0, self.groups, 0);
        self.closed.clear();
        if self.flags.has(Flags::FIXED) {
            return self.literal();
        }
        self.alternatives()
    }

    fn literal(&mut self) -> Result<Node, Error> {
        let mut parts = Vec::new();
        while self.at < self.pattern.len() {
            let unit = self.take_unit();
            parts.push(self.unit_node(unit));
        }
        Ok(Node::Cat(parts))
    }

    fn is_extended(&self) -> bool {
        self.flags.has(Flags::EXTENDED)
    }

    /// The character at the position, which is not the end.
    fn take_unit(&mut self) -> u32 {
        let (unit, length) = unit::first(&self.pattern[self.at..], self.flags.has(Flags::UTF8)).unwrap_or((0, 1));
        self.at += length;
        unit
    }

    /// The token at the position and where the next begins.
    fn token(&self) -> Result<(Token, usize), Error> {
        let rest = &self.pattern[self.at..];
        let extended = self.is_extended();
        let (token, length) = match *rest {
            [] => (Token::End, 0),
            [b'\\'] => return Err(Error::TrailingBackslash),
            [b'\\', byte, ..] => match self.escape(byte) {
                Some(token) => (token, 2),
                None => {
                    let (unit, length) = unit::first(&rest[1..], self.flags.has(Flags::UTF8)).unwrap_or((0, 1));
                    (Token::Unit(unit), length + 1)
                }
            },
            [b'.', ..] => (Token::Any, 1),
            [b'*', ..] => (Token::Star, 1),
            [b'[', ..] => (Token::Bracket, 1),
            [b'^', ..] => (Token::Caret, 1),
            [b'$', ..] => (Token::Dollar, 1),
            [b'+', ..] if extended => (Token::Plus, 1),
            [b'?', ..] if extended => (Token::Question, 1),
            [b'(', ..] if extended => (Token::Open, 1),
            [b')', ..] if extended => (Token::Close, 1),
            [b'|', ..] if extended => (Token::Bar, 1),
            [b'{', ..] if extended => (Token::OpenBrace, 1),
            _ => {
                let (unit, length) = unit::first(rest, self.flags.has(Flags::UTF8)).unwrap_or((0, 1));
                (Token::Unit(unit), length)
            }
        };
        Ok((token, self.at + length))
    }

    /// What a backslash makes of the byte after it, if anything special.
    fn escape(&self, byte: u8) -> Option<Token> {
        let extended = self.is_extended();
        Some(match byte {
            b'1'..=b'9' => Token::Backref(u32::from(byte - b'0')),
            b'<' => Token::Assert(Assert::WordStart),
            b'>' => Token::Assert(Assert::WordEnd),
            b'b' => Token::Assert(Assert::WordEdge),
            b'B' => Token::Assert(Assert::NotWordEdge),
            b'`' => Token::Assert(Assert::TextStart),
            b'\'' => Token::Assert(Assert::TextEnd),
            b'w' | b'W' => Token::Class(Class::Word, byte == b'W'),
            b's' | b'S' => Token::Class(Class::Space, byte == b'S'),
            b'(' if !extended => Token::Open,
            b')' if !extended => Token::Close,
            b'|' if !extended => Token::Bar,
            b'{' if !extended => Token::OpenBrace,
            b'+' if !extended => Token::Plus,
            b'?' if !extended => Token::Question,
            _ => return None,
        })
    }

    fn alternatives(&mut self) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Error::TooBig);
        }
        let mut branches = vec![self.branch()?];
        while let (Token::Bar, next) = self.token()? {
            self.at = next;
            branches.push(self.branch()?);
        }
        if let (Token::Close, _) = self.token()?
            && self.depth == 1
        {
            return Err(Error::UnmatchedClose);
        }
        self.depth -= 1;
        Ok(if branches.len() == 1 { branches.swap_remove(0) } else { Node::Alt(branches) })
    }

    fn branch(&mut self) -> Result<Node, Error> {
        let mut parts = Vec::new();
        // In a basic expression a repetition after nothing or after the first `^` is an ordinary character.
        let mut at_start = true;
        loop {
            let (token, next) = self.token()?;
            let node = match token {
                Token::End | Token::Bar => break,
                Token::Close if !self.is_extended() || self.depth > 1 => break,
                Token::Star | Token::Plus | Token::Question if at_start => {
                    let literal = self.pattern[next - 1];
                    self.at = next;
                    if self.is_extended() {
                        continue;
                    }
                    Node::Unit(u32::from(literal))
                }
                Token::Caret if !self.is_extended() && !parts.is_empty() => {
                    self.at = next;
                    Node::Unit(u32::from(b'^'))
                }
                Token::Caret => {
                    self.at = next;
                    parts.push(Node::Assert(Assert::LineStart));
                    continue;
                }
                _ => self.atom(token, next)?,
            };
            at_start = false;
            let node = self.postfix(node)?;
            parts.push(node);
        }
        Ok(match parts.len() {
            0 => Node::Empty,
            1 => parts.swap_remove(0),
            _ => Node::Cat(parts),
        })
    }

    fn atom(&mut self, token: Token, next: usize) -> Result<Node, Error> {
        let start = self.at;
        self.at = next;
        Ok(match token {
            Token::Unit(unit) => self.unit_node(unit),
            Token::Any => {
                let mut set = Set::any();
                if self.flags.has(Flags::NOT_NEWLINE) {
                    set.remove(b'\n');
                }
                self.set_node(set)
            }
            Token::Bracket => {
                let set = self.bracket()?;
                self.set_node(set)
            }
            Token::Class(class, negated) => {
                let mut set = Set::default();
                set.add_class(class);
                if negated {
                    set.negate();
                }
                self.set_node(set)
            }
            Token::Assert(assert) => Node::Assert(assert),
            Token::Dollar => {
                let is_anchor = self.is_extended() || matches!(self.token()?.0, Token::End | Token::Close | Token::Bar);
                if is_anchor { Node::Assert(Assert::LineEnd) } else { Node::Unit(u32::from(b'$')) }
            }
            Token::Backref(number) => {
                let is_closed = self.closed.get(number as usize - 1) == Some(&true);
                if !is_closed {
                    return Err(Error::BackReference);
                }
                Node::Backref(self.base + number)
            }
            Token::Open => self.group()?,
            // What is left has no operand: the character itself.
            _ => Node::Unit(u32::from(self.pattern[start.max(next - 1)])),
        })
    }

    fn group(&mut self) -> Result<Node, Error> {
        self.groups += 1;
        let number = self.groups;
        self.closed.push(false);
        let inner = self.alternatives()?;
        let (Token::Close, next) = self.token()? else {
            return Err(Error::UnmatchedOpen);
        };
        self.at = next;
        self.closed[(number - self.base) as usize - 1] = true;
        Ok(Node::Group(number, Box::new(inner)))
    }

    /// The repetitions after an element.
    fn postfix(&mut self, mut node: Node) -> Result<Node, Error> {
        let mut nested = 0;
        loop {
            let (token, next) = self.token()?;
            let (min, max) = match token {
                Token::Star => (0, UNLIMITED),
                Token::Plus => (1, UNLIMITED),
                Token::Question => (0, 1),
                Token::OpenBrace => match self.interval(next)? {
                    Some(bounds) => bounds,
                    None => return Ok(node),
                },
                _ => return Ok(node),
            };
            if token != Token::OpenBrace {
                self.at = next;
            }
            nested += 1;
            if self.depth + nested > DEPTH_MAX {
                return Err(Error::TooBig);
            }
            node = match node {
                // `a**` and the like say nothing new; nesting them would make the program grow.
                Node::Repeat(inner, first_min, UNLIMITED) if max == UNLIMITED && first_min.max(min) <= 1 => {
                    Node::Repeat(inner, first_min.min(min), UNLIMITED)
                }
                node => Node::Repeat(Box::new(node), min, max),
            };
        }
    }

    /// The bounds of the interval whose `{` ends before `start`; None if it is none and `{` is itself.
    fn interval(&mut self, start: usize) -> Result<Option<(u32, u32)>, Error> {
        let rest = &self.pattern[start..];
        let closing: &[u8] = if self.is_extended() { b"}" } else { b"\\}" };
        let Some(end) = rest.windows(closing.len()).position(|window| window == closing) else {
            return if self.is_extended() { Ok(None) } else { Err(Error::UnmatchedBrace) };
        };
        let bounds = &rest[..end];
        let is_interval = !bounds.is_empty() && bounds.iter().all(|b| b.is_ascii_digit() || *b == b',');
        if !is_interval {
            return if self.is_extended() { Ok(None) } else { Err(Error::Interval) };
        }
        let mut numbers = bounds.split(|&b| b == b',');
        let first = repeat_count(numbers.next().unwrap_or(b""))?;
        let second = numbers.next().map(repeat_count).transpose()?;
        if numbers.next().is_some() {
            return Err(Error::Interval);
        }
        let (min, max) = match (first, second) {
            (Some(count), None) => (count, count),
            (min, Some(max)) => (min.unwrap_or(0), max.unwrap_or(UNLIMITED)),
            (None, None) => return Err(Error::Interval),
        };
        if min > max {
            return Err(Error::Interval);
        }
        self.at = start + end + closing.len();
        Ok(Some((min, max)))
    }

    fn unit_node(&mut self, unit: u32) -> Node {
        if self.flags.has(Flags::FOLD_CASE)
            && let Some(other) = other_case(unit)
        {
            let mut set = Set::default();
            set.add_range(unit, unit);
            set.add_range(other, other);
            return self.set_node(set);
        }
        Node::Unit(unit)
    }

    fn set_node(&mut self, mut set: Set) -> Node {
        if let Some(end) = self.flags.line_end() {
            set.remove(end);
        }
        let at = self.sets.iter().position(|known| *known == set).unwrap_or_else(|| {
            self.sets.push(set);
            self.sets.len() - 1
        });
        Node::Set(at as u32)
    }

    /// The bracket expression after the `[`.
    fn bracket(&mut self) -> Result<Set, Error> {
        let mut set = Set::default();
        let negated = self.pattern.get(self.at) == Some(&b'^');
        self.at += usize::from(negated);
        let first = self.at;
        loop {
            match self.pattern.get(self.at..) {
                None | Some([]) => return Err(Error::UnmatchedBracket),
                Some([b']', ..]) if self.at > first => break,
                Some([b'[', b':', ..]) => {
                    let name = self.bracket_name(b':')?;
                    let class = unit::class_named(name).ok_or(Error::ClassName)?;
                    // Without case, upper and lower are any letter.
                    let has_case = matches!(class, Class::Upper | Class::Lower);
                    set.add_class(if has_case && self.flags.has(Flags::FOLD_CASE) { Class::Alpha } else { class });
                }
                Some(_) => self.bracket_range(&mut set)?,
            }
        }
        self.at += 1;
        if self.flags.has(Flags::FOLD_CASE) {
            set.fold();
        }
        if negated {
            set.negate();
            if self.flags.has(Flags::NOT_NEWLINE) {
                set.remove(b'\n');
            }
        }
        Ok(set)
    }

    fn bracket_range(&mut self, set: &mut Set) -> Result<(), Error> {
        let low = self.bracket_unit()?;
        let mut high = low;
        if let Some([b'-', next, ..]) = self.pattern.get(self.at..)
            && *next != b']'
        {
            self.at += 1;
            high = self.bracket_unit()?;
        }
        if low > high {
            return Err(Error::Range);
        }
        set.add_range(low, high);
        Ok(())
    }

    fn bracket_unit(&mut self) -> Result<u32, Error> {
        match self.pattern.get(self.at..) {
            None | Some([]) => Err(Error::UnmatchedBracket),
            Some([b'[', kind @ (b'.' | b'='), ..]) => {
                let name = self.bracket_name(*kind)?;
                let unit = unit::first(name, self.flags.has(Flags::UTF8));
                // No locale of rbox has collating elements of more than one character.
                unit.filter(|&(_, length)| length == name.len()).map(|(unit, _)| unit).ok_or(Error::Collation)
            }
            Some([b'\\', _, ..]) if self.flags.has(Flags::BRACKET_ESCAPES) => {
                self.at += 1;
                Ok(self.take_unit())
            }
            Some(_) => Ok(self.take_unit()),
        }
    }

    /// The name in `[:name:]`, `[=x=]` or `[.x.]`.
    fn bracket_name(&mut self, kind: u8) -> Result<&'a [u8], Error> {
        let rest = &self.pattern[self.at + 2..];
        let end = rest.windows(2).position(|pair| pair == [kind, b']']).ok_or(Error::UnmatchedBracket)?;
        self.at += end + 4;
        Ok(&rest[..end])
    }
}

fn repeat_count(digits: &[u8]) -> Result<Option<u32>, Error> {
    let mut count = 0;
    for digit in digits {
        count = count * 10 + u32::from(digit - b'0');
        if count > REPEAT_MAX {
            return Err(Error::TooBig);
        }
    }
    Ok((!digits.is_empty()).then_some(count))
}
