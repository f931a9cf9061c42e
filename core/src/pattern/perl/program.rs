//! Compiles the tree of an expression to a program.

use super::parser::{Assert, Greed, Node};
use crate::pattern::regex::ast::{Set, UNLIMITED};

/// The size of a program, in instructions, that is refused.
const SIZE_MAX: usize = 1 << 17;

#[derive(Clone, Copy, Debug)]
pub enum Inst {
    Unit(u32),
    Set(u32),
    Assert(Assert),
    /// Goes on at the first, and if that fails at the second.
    Split(u32, u32),
    Jump(u32),
    Save(u32),
    /// Leaves a loop whose turn has read nothing since the slot was saved, to the position in the program.
    Leave(u32, u32),
    Backref(u32, bool),
    /// A part of its own up to `Match`: negated, and where the program goes on.
    Ahead(bool, u32),
    /// The same, so many characters before.
    Behind(bool, u32, u32),
    Atomic(u32),
    Match,
}

pub struct Program {
    pub insts: Vec<Inst>,
    pub sets: Vec<Set>,
    pub slots: u32,
    /// What was tried once at a position need not be tried there again.
    pub is_memorable: bool,
}

struct Compiler {
    insts: Vec<Inst>,
    slots: u32,
}

/// The slots 0 and 1 are the bounds of the match, 2n and 2n + 1 those of group n.
pub fn compile(node: &Node, groups: u32, sets: Vec<Set>) -> Result<Program, &'static str> {
    let mut compiler = Compiler { insts: Vec::new(), slots: 2 * (groups + 1) };
    compiler.node(node)?;
    compiler.push(Inst::Match)?;
    let is_memorable = !compiler.insts.iter().any(|inst| matches!(inst, Inst::Backref(..)));
    Ok(Program { insts: compiler.insts, sets, slots: compiler.slots, is_memorable })
}

impl Compiler {
    fn here(&self) -> u32 {
        self.insts.len() as u32
    }

    fn push(&mut self, inst: Inst) -> Result<usize, &'static str> {
        if self.insts.len() >= SIZE_MAX {
            return Err("regular expression is too large");
        }
        self.insts.push(inst);
        Ok(self.insts.len() - 1)
    }

    fn node(&mut self, node: &Node) -> Result<(), &'static str> {
        match node {
            Node::Empty => {}
            Node::Unit(unit) => {
                self.push(Inst::Unit(*unit))?;
            }
            Node::Set(set) => {
                self.push(Inst::Set(*set))?;
            }
            Node::Assert(assert) => {
                self.push(Inst::Assert(*assert))?;
            }
            Node::Keep => {
                self.push(Inst::Save(0))?;
            }
            Node::Backref(number, fold) => {
                self.push(Inst::Backref(*number, *fold))?;
            }
            Node::Group(number, inner) => {
                self.push(Inst::Save(2 * number))?;
                self.node(inner)?;
                self.push(Inst::Save(2 * number + 1))?;
            }
            Node::Cat(parts) => parts.iter().try_for_each(|part| self.node(part))?,
            Node::Alt(parts) => self.alt(parts)?,
            Node::Repeat(inner, min, max, Greed::Possessive) => {
                let start = self.push(Inst::Atomic(0))?;
                self.repeat(inner, *min, *max, false)?;
                self.close(start)?;
            }
            Node::Repeat(inner, min, max, greed) => self.repeat(inner, *min, *max, *greed == Greed::Lazy)?,
            Node::Ahead(negated, inner) => {
                let start = self.push(Inst::Ahead(*negated, 0))?;
                self.node(inner)?;
                self.close(start)?;
            }
            Node::Behind(negated, inner, width) => {
                let start = self.push(Inst::Behind(*negated, 0, *width as u32))?;
                self.node(inner)?;
                self.close(start)?;
            }
            Node::Atomic(inner) => {
                let start = self.push(Inst::Atomic(0))?;
                self.node(inner)?;
                self.close(start)?;
            }
        }
        Ok(())
    }

    /// Ends a part of its own.
    fn close(&mut self, start: usize) -> Result<(), &'static str> {
        self.push(Inst::Match)?;
        let here = self.here();
        match &mut self.insts[start] {
            Inst::Ahead(_, after) | Inst::Behind(_, after, _) | Inst::Atomic(after) => *after = here,
            _ => {}
        }
        Ok(())
    }

    fn alt(&mut self, parts: &[Node]) -> Result<(), &'static str> {
        let mut jumps = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if index + 1 == parts.len() {
                self.node(part)?;
                break;
            }
            let split = self.push(Inst::Split(0, 0))?;
            self.node(part)?;
            jumps.push(self.push(Inst::Jump(0))?);
            self.insts[split] = Inst::Split(split as u32 + 1, self.here());
        }
        for jump in jumps {
            self.insts[jump] = Inst::Jump(self.here());
        }
        Ok(())
    }

    fn repeat(&mut self, inner: &Node, min: u32, max: u32, lazy: bool) -> Result<(), &'static str> {
        for _ in 0..min {
            self.node(inner)?;
        }
        let split_to = |body: u32, after: u32| if lazy { Inst::Split(after, body) } else { Inst::Split(body, after) };
        if max == UNLIMITED {
            let slot = self.slots;
            self.slots += 1;
            let split = self.push(Inst::Split(0, 0))?;
            self.push(Inst::Save(slot))?;
            self.node(inner)?;
            let leave = self.push(Inst::Leave(slot, 0))?;
            self.push(Inst::Jump(split as u32))?;
            let after = self.here();
            self.insts[split] = split_to(split as u32 + 1, after);
            self.insts[leave] = Inst::Leave(slot, after);
            return Ok(());
        }
        let mut splits = Vec::new();
        for _ in min..max {
            splits.push(self.push(Inst::Split(0, 0))?);
            self.node(inner)?;
        }
        for split in splits {
            self.insts[split] = split_to(split as u32 + 1, self.here());
        }
        Ok(())
    }
}
