//! Regular expressions: POSIX XBD 9, basic and extended, with GNU's `\+ \? \| \w \W \s \S \< \> \b \B`, ``\` ``, `\'`
//! and back-references in both.
//!
//! The leftmost of the longest matches, and inside it each group as long as the match allows, from left to right
//! (glibc departs from that where an alternative is the beginning of another). A search first looks for a literal
//! that every match contains, then reads the text once with an automaton (`dfa`), and looks for groups between the
//! bounds that it found (`captures`). Only back-references make it try, with a limit: see `Regex::gave_up`.

pub(super) mod ast;
mod captures;
mod dfa;
mod literal;
mod matches;
mod parser;
mod program;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use ast::{Assert, Node, Set, side};
use captures::{Trial, UNSET};
use dfa::{Dfa, Edge};
use literal::Literal;
pub use matches::Matches;
use parser::Parser;
use program::{Program, Purpose};

/// How an expression is read. Flags are joined by `|`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Flags(u16);

impl Flags {
    /// A basic expression on single bytes.
    pub const NONE: Flags = Flags(0);
    /// An extended expression.
    pub const EXTENDED: Flags = Flags(1);
    /// A literal.
    pub const FIXED: Flags = Flags(2);
    /// Upper and lower case are the same.
    pub const FOLD_CASE: Flags = Flags(4);
    /// Characters are those of UTF-8, not bytes.
    pub const UTF8: Flags = Flags(8);
    /// `^` and `$` match at every newline too.
    pub const LINE_ANCHORS: Flags = Flags(16);
    /// `.` and `[^x]` do not match a newline.
    pub const NOT_NEWLINE: Flags = Flags(32);
    /// regcomp()'s REG_NEWLINE: both of the above.
    pub const NEWLINE: Flags = Flags(16 | 32);
    /// The text is lines that end with a newline: `^` and `$` match there and nothing else does. For `find_line`.
    pub const LINES: Flags = Flags(64);
    /// As `LINES`, with a NUL instead of the newline.
    pub const NUL_LINES: Flags = Flags(128);
    /// Only whole words match: `grep -w`.
    pub const WHOLE_WORD: Flags = Flags(256);
    /// Only whole lines match: `grep -x`.
    pub const WHOLE_LINE: Flags = Flags(512);
    /// A backslash in a bracket expression takes the next character literally, as in awk.
    pub const BRACKET_ESCAPES: Flags = Flags(1024);
    /// Only the start of the text matches, whatever alternatives there are.
    pub const AT_START: Flags = Flags(2048);

    /// Whether all flags of `other` are among these.
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }

    /// The byte that nothing matches.
    fn line_end(self) -> Option<u8> {
        if self.has(Flags::LINES) {
            Some(b'\n')
        } else if self.has(Flags::NUL_LINES) {
            Some(0)
        } else {
            None
        }
    }

    /// The byte at which `^` and `$` match.
    fn anchor(self) -> Option<u8> {
        self.line_end().or(if self.has(Flags::LINE_ANCHORS) { Some(b'\n') } else { None })
    }
}

impl std::ops::BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// What the ends of a text are, for one search.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Exec {
    /// The text does not begin a line: regexec()'s REG_NOTBOL.
    pub not_bol: bool,
    /// The text does not end a line: REG_NOTEOL.
    pub not_eol: bool,
}

impl Exec {
    fn before(self) -> u8 {
        side::TEXT | if self.not_bol { 0 } else { side::LINE }
    }

    fn after(self) -> u8 {
        side::TEXT | if self.not_eol { 0 } else { side::LINE }
    }
}

/// Why an expression is not one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// `[[:nosuch:]]`
    ClassName,
    /// `[[.nosuch.]]`
    Collation,
    /// `\` at the end.
    TrailingBackslash,
    /// `\1` without a group before.
    BackReference,
    /// `[a`
    UnmatchedBracket,
    /// `\(a`
    UnmatchedOpen,
    /// `a\)`
    UnmatchedClose,
    /// `a\{1`
    UnmatchedBrace,
    /// `a\{2,1\}`
    Interval,
    /// `[b-a]`
    Range,
    /// Too long a program, too high a count, too deep a nesting.
    TooBig,
}

impl Error {
    /// The error about `pattern`, in BusyBox's words: `bad regex 'PATTERN': reason`.
    pub fn about(self, pattern: &[u8]) -> crate::error::Error {
        crate::error::Error::parts(&[b"bad regex '", pattern, b"': ", self.message().as_bytes()])
    }

    /// What regerror() says.
    pub fn message(self) -> &'static str {
        match self {
            Error::ClassName => "Invalid character class name",
            Error::Collation => "Invalid collation character",
            Error::TrailingBackslash => "Trailing backslash",
            Error::BackReference => "Invalid back reference",
            Error::UnmatchedBracket => "Unmatched [, [^, [:, [., or [=",
            Error::UnmatchedOpen => "Unmatched ( or \\(",
            Error::UnmatchedClose => "Unmatched ) or \\)",
            Error::UnmatchedBrace => "Unmatched \\{",
            Error::Interval => "Invalid content of \\{\\}",
            Error::Range => "Invalid range end",
            Error::TooBig => "Regular expression too big",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Error {}

/// A group's bounds; None if it took no part in the match.
pub type Span = Option<(usize, usize)>;

/// A compiled expression.
pub struct Regex {
    flags: Flags,
    /// Whether the programs read characters beyond ASCII as such.
    utf8: bool,
    sets: Rc<[Set]>,
    groups: u32,
    has_backref: bool,
    node: Node,
    literal: Option<Literal>,
    /// The number of bytes of every match, if all have the same.
    width: Option<usize>,
    forward: RefCell<Dfa>,
    backward: RefCell<Option<Dfa>>,
    trial: Program,
    gave_up: Cell<bool>,
}

impl Regex {
    /// Compiles one expression.
    pub fn new(pattern: &[u8], flags: Flags) -> Result<Regex, Error> {
        Regex::any_of(&[pattern], flags)
    }

    /// Compiles several expressions, of which any may match; the groups are numbered through. None matches nothing.
    pub fn any_of<P: AsRef<[u8]>>(patterns: &[P], flags: Flags) -> Result<Regex, Error> {
        let mut parser = Parser::new(flags);
        let mut nodes = patterns.iter().map(|pattern| parser.parse(pattern.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let is_literal = |node: &Node| match node {
            Node::Cat(parts) => parts.iter().all(|part| matches!(part, Node::Unit(_) | Node::Set(_))),
            _ => false,
        };
        let node = if nodes.len() == 1 {
            nodes.swap_remove(0)
        } else if nodes.is_empty() {
            parser.sets.push(Set::default());
            Node::Set(parser.sets.len() as u32 - 1)
        } else if nodes.iter().all(is_literal) {
            literal::share_prefixes(nodes.into_iter().map(into_parts).collect())
        } else {
            Node::Alt(nodes)
        };
        let around = |before, node, after| Node::Cat(vec![Node::Assert(before), node, Node::Assert(after)]);
        let node = match flags {
            _ if flags.has(Flags::WHOLE_LINE) => around(Assert::LineStart, node, Assert::LineEnd),
            _ if flags.has(Flags::AT_START) => Node::Cat(vec![Node::Assert(Assert::TextStart), node]),
            _ if flags.has(Flags::WHOLE_WORD) => around(Assert::NotAfterWord, node, Assert::NotBeforeWord),
            _ => node,
        };
        let Parser { mut sets, groups, .. } = parser;
        let mut anything = Set::any();
        if let Some(end) = flags.line_end() {
            anything.remove(end);
        }
        sets.push(anything);
        Regex::compile(node, flags, sets.into(), groups)
    }

    fn compile(node: Node, flags: Flags, sets: Rc<[Set]>, groups: u32) -> Result<Regex, Error> {
        let bytes = !flags.has(Flags::UTF8) || program::reads_bytes(&node, &sets);
        let has_backref = node.has_backref();
        let anything = sets.len() as u32 - 1;
        let program = |purpose| program::compile(&node, purpose, groups, bytes, anything);
        let forward = Dfa::new(program(Purpose::Forward)?, sets.clone(), !bytes, false, flags.anchor());
        let trial = match (has_backref, groups) {
            (true, _) => program(Purpose::Backtrack)?,
            (false, 0) => Program { insts: Vec::new(), slots: 2 },
            (false, _) => program(Purpose::Captures)?,
        };
        let literal = Literal::in_node(&node, &sets, flags.has(Flags::FOLD_CASE));
        // In bytes one character is one byte, unless it is a literal that takes several.
        let width = node.width().filter(|_| bytes && !has_wide_unit(&node));
        Ok(Regex {
            flags,
            utf8: !bytes,
            sets,
            groups,
            has_backref,
            literal,
            width,
            node,
            forward: RefCell::new(forward),
            backward: RefCell::new(None),
            trial,
            gave_up: Cell::new(false),
        })
    }

    /// Whether characters are those of UTF-8.
    pub fn is_utf8(&self) -> bool {
        self.flags.has(Flags::UTF8)
    }

    /// The number of groups.
    pub fn groups(&self) -> usize {
        self.groups as usize
    }

    /// Whether a search was given up because the back-references made it too complex; that is forgotten then.
    pub fn gave_up(&self) -> bool {
        self.gave_up.replace(false)
    }

    /// The error of a search that was given up, after one that found nothing.
    pub fn check(&self) -> crate::error::Result<()> {
        if self.gave_up() { Err(crate::error::Error::new("regular expression too complex")) } else { Ok(()) }
    }

    /// Whether the expression matches somewhere in the text.
    pub fn is_match(&self, text: &[u8]) -> bool {
        if self.has_backref {
            return self.find_at(text, 0, Exec::default()).is_some();
        }
        if let Some(literal) = &self.literal {
            let found = literal.find(text).is_some();
            if !found || literal.is_whole {
                return found;
            }
        }
        self.earliest_end(text, 0).is_some()
    }

    fn earliest_end(&self, text: &[u8], start: usize) -> Option<usize> {
        let exec = Exec::default();
        self.forward.borrow_mut().search(text, start, Edge(exec.before()), Edge(exec.after()), true)
    }

    /// The bounds of the first match that begins at `start` or later, the longest of those.
    ///
    /// What is before `start` is seen by `^`, `\<` and `\b`.
    pub fn find_at(&self, text: &[u8], start: usize, exec: Exec) -> Option<(usize, usize)> {
        if start > text.len() {
            return None;
        }
        if let Some(literal) = &self.literal {
            let found = start + literal.find(&text[start..])?;
            if literal.is_whole {
                return Some((found, found + literal.len()));
            }
        }
        let (before, after) = (Edge(exec.before()), Edge(exec.after()));
        let end = self.forward.borrow_mut().search(text, start, before, after, false)?;
        if self.has_backref {
            return self.try_from(text, start, exec).map(|(bounds, _)| bounds);
        }
        if let Some(width) = self.width {
            return Some((end - width, end));
        }
        let mut backward = self.backward.borrow_mut();
        let dfa = match &mut *backward {
            Some(dfa) => dfa,
            // It compiled forwards and is the same size backwards.
            none => none.insert(self.backward_dfa()?),
        };
        let begin = dfa.search_back(text, start, end, before, after)?;
        Some((begin, end))
    }

    fn backward_dfa(&self) -> Option<Dfa> {
        let anything = self.sets.len() as u32 - 1;
        let program = program::compile(&self.node, Purpose::Backward, self.groups, !self.utf8, anything).ok()?;
        Some(Dfa::new(program, self.sets.clone(), self.utf8, true, self.flags.anchor()))
    }

    /// As `find_at`; the bounds of the match go to `spans[0]`, those of group n to `spans[n]`. False if there is none.
    pub fn captures_at(&self, text: &[u8], start: usize, exec: Exec, spans: &mut [Span]) -> bool {
        spans.fill(None);
        let Some(bounds) = self.find_at(text, start, exec) else {
            return false;
        };
        self.groups_in(text, bounds, exec, spans);
        true
    }

    /// Finds the groups of the match with these bounds, which a search has found in `text`: group n goes to `spans[n]`,
    /// the whole match to `spans[0]`.
    pub fn groups_in(&self, text: &[u8], (begin, end): (usize, usize), exec: Exec, spans: &mut [Span]) {
        spans.fill(None);
        let slots = if self.groups == 0 || spans.len() < 2 {
            Vec::new()
        } else if self.has_backref {
            self.try_from(text, begin, exec).map(|(_, slots)| slots).unwrap_or_default()
        } else {
            let mut trial = self.trial(text, exec);
            if !trial.find_groups(begin, end) {
                self.gave_up.set(true);
            }
            trial.slots
        };
        for (n, span) in spans.iter_mut().enumerate().skip(1).take(self.groups as usize) {
            *span = match slots.get(2 * n..2 * n + 2) {
                Some(&[from, to]) if from != UNSET && to != UNSET => Some((from, to)),
                _ => None,
            };
        }
        if let Some(whole) = spans.first_mut() {
            *whole = Some((begin, end));
        }
    }

    fn trial<'a>(&'a self, text: &'a [u8], exec: Exec) -> Trial<'a> {
        Trial {
            program: &self.trial,
            sets: &self.sets,
            text,
            utf8: self.utf8,
            fold_case: self.flags.has(Flags::FOLD_CASE),
            line_end: self.flags.anchor(),
            before: exec.before(),
            after: exec.after(),
            slots: vec![UNSET; self.trial.slots as usize],
            steps: 0,
        }
    }

    /// Tries at one position after the other; the bounds and the slots of the groups.
    fn try_from(&self, text: &[u8], start: usize, exec: Exec) -> Option<((usize, usize), Vec<usize>)> {
        let mut trial = self.trial(text, exec);
        let mut at = start;
        loop {
            trial.slots.fill(UNSET);
            if let Some(end) = trial.try_at(at) {
                return Some(((at, end), trial.slots));
            }
            if trial.gave_up() {
                self.gave_up.set(true);
                return None;
            }
            at += crate::pattern::unit::first(&text[at..], self.utf8)?.1;
        }
    }

    /// The first line with a match in `text` from `start` on, where a line begins; without its line end.
    ///
    /// For expressions compiled with `LINES` or `NUL_LINES`. The lines before are not looked at one by one.
    pub fn find_line(&self, text: &[u8], start: usize) -> Option<Range<usize>> {
        let line_end = self.flags.line_end().unwrap_or(b'\n');
        let mut at = start;
        while at < text.len() {
            let found = match &self.literal {
                Some(literal) => at + literal.find(&text[at..])?,
                None => self.earliest_end(text, at)?,
            };
            // Most often the line that is looked at first has the match, and it is near.
            let passed = &text[at..found];
            let before = match passed.len() {
                0..16 => passed.iter().rposition(|&byte| byte == line_end),
                _ => memchr::memrchr(line_end, passed),
            };
            let begin = before.map_or(at, |before| at + before + 1);
            let end = memchr::memchr(line_end, &text[found..]).map_or(text.len(), |length| found + length);
            if begin == text.len() {
                return None;
            }
            let is_sure = match &self.literal {
                Some(literal) => literal.is_whole,
                None => !self.has_backref,
            };
            if is_sure || self.is_match(&text[begin..end]) {
                return Some(begin..end);
            }
            at = end + 1;
        }
        None
    }
}

fn into_parts(node: Node) -> Vec<Node> {
    match node {
        Node::Cat(parts) => parts,
        node => vec![node],
    }
}

fn has_wide_unit(node: &Node) -> bool {
    match node {
        Node::Unit(unit) => (0x80..crate::pattern::unit::RAW).contains(unit),
        Node::Group(_, inner) | Node::Repeat(inner, ..) => has_wide_unit(inner),
        Node::Cat(parts) | Node::Alt(parts) => parts.iter().any(has_wide_unit),
        _ => false,
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let [low, high, rest @ ..] = data else { return };
    let flags = Flags(u16::from_le_bytes([*low, *high]) & 0xfff);
    let (pattern, text) = rest.split_at(rest.len() / 2);
    let Ok(regex) = Regex::new(pattern, flags) else { return };
    let found = regex.find_at(text, 0, Exec::default());
    let mut spans = vec![None; regex.groups() + 1];
    let captured = regex.captures_at(text, 0, Exec::default(), &mut spans);
    if regex.gave_up() {
        return;
    }
    assert_eq!((regex.is_match(text), captured), (found.is_some(), found.is_some()));
    assert!(found.is_none_or(|(start, end)| start <= end && end <= text.len()));
    regex.find_line(text, 0);
}

#[cfg(test)]
mod tests;
