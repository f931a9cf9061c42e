//! Compiles the tree of an expression to a program: a list of instructions, each going on to the next.

use super::Error;
use super::ast::{Assert, Node, Set, UNLIMITED};
use crate::pattern::unit::RAW;

/// The size of a program, in instructions of 12 bytes, that is refused.
const SIZE_MAX: usize = 1 << 20;

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Inst {
    /// Reads this character.
    Unit(u32),
    /// Reads a character of the set with this index.
    Set(u32),
    /// Goes on at either position, rather at the first.
    Split(u32, u32),
    Jump(u32),
    Assert(Assert),
    /// Notes the position in this slot: 2n where group n begins, 2n + 1 where it ends, higher ones for `Again`.
    Save(u32),
    /// Forgets the groups from the first to the last.
    Forget(u32, u32),
    /// Goes back to the position in the program unless nothing was read since the slot was saved. The following slot is
    /// where the first turn began.
    Again(u32, u32),
    /// Fails if nothing was read since the slot was saved.
    Progress(u32),
    Backref(u32),
    /// A part up to the position in the program that takes the longest match it can: see `captures`.
    Longest(u32),
    Match,
}

/// What the program is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The search for the end of a match.
    Forward,
    /// The search for the beginning, reading backwards.
    Backward,
    /// Finding the groups, the bounds being known.
    Captures,
    /// Trying everything, because of back-references.
    Backtrack,
}

#[derive(Clone, Debug)]
pub struct Program {
    pub insts: Vec<Inst>,
    /// Slots for groups and loops.
    pub slots: u32,
}

struct Compiler {
    purpose: Purpose,
    insts: Vec<Inst>,
    slots: u32,
    /// Characters beyond ASCII are read byte by byte.
    bytes: bool,
    /// An expression that matches anything, which replaces a back-reference.
    anything: u32,
}

/// Compiles `node`; `groups` is the highest number of a group, `anything` the index of a set with every character.
pub fn compile(node: &Node, purpose: Purpose, groups: u32, bytes: bool, anything: u32) -> Result<Program, Error> {
    let mut compiler = Compiler { purpose, insts: Vec::new(), slots: 2 * (groups + 1), bytes, anything };
    compiler.region(node)?;
    compiler.push(Inst::Match)?;
    Ok(Program { insts: compiler.insts, slots: compiler.slots })
}

impl Compiler {
    fn finds_groups(&self) -> bool {
        matches!(self.purpose, Purpose::Captures | Purpose::Backtrack)
    }

    fn here(&self) -> u32 {
        self.insts.len() as u32
    }

    fn push(&mut self, inst: Inst) -> Result<usize, Error> {
        if self.insts.len() >= SIZE_MAX {
            return Err(Error::TooBig);
        }
        self.insts.push(inst);
        Ok(self.insts.len() - 1)
    }

    /// A part whose end is settled by what is around it.
    fn region(&mut self, node: &Node) -> Result<(), Error> {
        match node {
            Node::Empty => {}
            Node::Unit(unit) => self.unit(*unit)?,
            Node::Set(set) => {
                self.push(Inst::Set(*set))?;
            }
            Node::Assert(assert) => {
                self.push(Inst::Assert(*assert))?;
            }
            Node::Group(number, inner) => self.group(*number, inner)?,
            Node::Cat(parts) => self.cat(parts)?,
            Node::Alt(parts) => self.alt(parts)?,
            Node::Repeat(inner, min, max) => self.repeat(inner, *min, *max)?,
            Node::Backref(number) => match self.purpose {
                Purpose::Forward | Purpose::Backward => {
                    let split = self.push(Inst::Split(0, 0))?;
                    self.push(Inst::Set(self.anything))?;
                    self.push(Inst::Jump(split as u32))?;
                    self.insts[split] = Inst::Split(split as u32 + 1, self.here());
                }
                _ => {
                    self.push(Inst::Backref(*number))?;
                }
            },
        }
        Ok(())
    }

    /// A part after which others follow: it must choose its end itself, the longest first.
    fn element(&mut self, node: &Node) -> Result<(), Error> {
        if self.purpose != Purpose::Captures || node.is_longest_first() {
            return self.region(node);
        }
        if let Node::Group(number, inner) = node {
            self.push(Inst::Save(2 * number))?;
            self.element(inner)?;
            self.push(Inst::Save(2 * number + 1))?;
            return Ok(());
        }
        let longest = self.push(Inst::Longest(0))?;
        self.region(node)?;
        self.insts[longest] = Inst::Longest(self.here());
        Ok(())
    }

    fn unit(&mut self, unit: u32) -> Result<(), Error> {
        let Some(c) = char::from_u32(unit).filter(|c| self.bytes && !c.is_ascii()) else {
            self.push(Inst::Unit(unit))?;
            return Ok(());
        };
        let mut buffer = [0; 4];
        let bytes = c.encode_utf8(&mut buffer).as_bytes();
        for i in 0..bytes.len() {
            let at = if self.purpose == Purpose::Backward { bytes.len() - 1 - i } else { i };
            self.push(Inst::Unit(RAW + u32::from(bytes[at])))?;
        }
        Ok(())
    }

    fn group(&mut self, number: u32, inner: &Node) -> Result<(), Error> {
        let saves = self.finds_groups();
        if saves {
            self.push(Inst::Save(2 * number))?;
        }
        self.region(inner)?;
        if saves {
            self.push(Inst::Save(2 * number + 1))?;
        }
        Ok(())
    }

    fn cat(&mut self, parts: &[Node]) -> Result<(), Error> {
        if self.purpose == Purpose::Backward {
            return parts.iter().rev().try_for_each(|part| self.region(part));
        }
        // The only part of varying width ends where the others begin.
        if parts.iter().filter(|part| part.width().is_none()).count() <= 1 {
            return parts.iter().try_for_each(|part| self.region(part));
        }
        parts.iter().try_for_each(|part| self.element(part))
    }

    fn alt(&mut self, parts: &[Node]) -> Result<(), Error> {
        let mut jumps = Vec::new();
        for (i, part) in parts.iter().enumerate() {
            if i + 1 == parts.len() {
                self.region(part)?;
                break;
            }
            let split = self.push(Inst::Split(0, 0))?;
            self.region(part)?;
            jumps.push(self.push(Inst::Jump(0))?);
            self.insts[split] = Inst::Split(split as u32 + 1, self.here());
        }
        for jump in jumps {
            self.insts[jump] = Inst::Jump(self.here());
        }
        Ok(())
    }

    fn repeat(&mut self, inner: &Node, min: u32, max: u32) -> Result<(), Error> {
        for _ in 0..min.saturating_sub(u32::from(max == UNLIMITED)) {
            self.turn(inner)?;
        }
        if max == UNLIMITED {
            // With at least one turn the loop's own body is the last of them.
            let skip = if min == 0 { Some(self.push(Inst::Split(0, 0))?) } else { None };
            self.endless(inner)?;
            if let Some(skip) = skip {
                self.insts[skip] = Inst::Split(skip as u32 + 1, self.here());
            }
            return Ok(());
        }
        let mut skips = Vec::new();
        for count in min..max {
            skips.push(self.push(Inst::Split(0, 0))?);
            // POSIX XBD 9.1: a repetition takes the empty string only where it is the only match of all.
            let slot = (count > 0 && self.finds_groups() && inner.may_be_empty()).then_some(self.slots);
            self.slots += u32::from(slot.is_some());
            if let Some(slot) = slot {
                self.push(Inst::Save(slot))?;
            }
            self.turn(inner)?;
            if let Some(slot) = slot {
                self.push(Inst::Progress(slot))?;
            }
        }
        for skip in skips {
            self.insts[skip] = Inst::Split(skip as u32 + 1, self.here());
        }
        Ok(())
    }

    fn endless(&mut self, inner: &Node) -> Result<(), Error> {
        let body = self.here();
        let is_guarded = inner.may_be_empty() && self.finds_groups();
        if !is_guarded {
            self.turn(inner)?;
            let split = self.push(Inst::Split(body, 0))?;
            self.insts[split] = Inst::Split(body, self.here());
            return Ok(());
        }
        let slot = self.slots;
        self.slots += 2;
        self.push(Inst::Save(slot + 1))?;
        self.push(Inst::Save(slot))?;
        self.turn(inner)?;
        self.push(Inst::Again(slot, body + 1))?;
        Ok(())
    }

    /// One turn of a repetition. POSIX regexec(): a group inside reports only what it matched in the last turn.
    fn turn(&mut self, inner: &Node) -> Result<(), Error> {
        if self.finds_groups()
            && let Some((first, last)) = inner.groups()
        {
            // The outermost group of the turn is set anew anyway.
            let outer = u32::from(matches!(inner, Node::Group(..)));
            if first + outer <= last {
                self.push(Inst::Forget(first + outer, last))?;
            }
        }
        self.element(inner)
    }
}

/// Whether a program that reads bytes finds the same as one that reads characters: it never asks what a character
/// beyond ASCII is.
pub fn reads_bytes(node: &Node, sets: &[Set]) -> bool {
    match node {
        Node::Empty | Node::Unit(_) => true,
        Node::Set(set) => sets[*set as usize].is_ascii_only() && !sets[*set as usize].negated,
        Node::Assert(assert) => assert.sides() & super::ast::side::WORD == 0,
        Node::Group(_, inner) | Node::Repeat(inner, ..) => reads_bytes(inner, sets),
        Node::Cat(parts) | Node::Alt(parts) => parts.iter().all(|part| reads_bytes(part, sets)),
        Node::Backref(_) => false,
    }
}
