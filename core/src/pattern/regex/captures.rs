//! Finds the groups of a match, and matches of expressions with back-references, by trying.
//!
//! When the bounds of the match are known, every position in the program is tried once at every position in the text at
//! most. A part for which the leftmost choice is not the longest (`Inst::Longest`) first lists the ends that it could
//! have; what is inside it is found afterwards, between the end that was chosen and its beginning. So each part, from
//! left to right and from the outside inwards, is as long as the match allows: POSIX XBD 9.1.

use super::ast::{Set, side};
use super::program::{Inst, Program};
use crate::pattern::unit::{self, Class};
use crate::unicode::other_case;

/// A slot that was not set.
pub const UNSET: usize = usize::MAX;
/// The steps after which an expression with back-references is given up.
const STEPS_MAX: u64 = 20_000_000;
/// The bits to remember what was tried.
const TRIED_MAX: usize = 1 << 29;

/// A text and a program to be tried on it.
pub struct Trial<'a> {
    pub program: &'a Program,
    pub sets: &'a [Set],
    pub text: &'a [u8],
    pub utf8: bool,
    pub fold_case: bool,
    pub line_end: Option<u8>,
    /// What the beginning and the end of the text look like.
    pub before: u8,
    pub after: u8,
    pub slots: Vec<usize>,
    pub steps: u64,
}

/// What is tried when the present way fails.
enum Retry {
    Go {
        pc: u32,
        pos: usize,
        taken: usize,
    },
    /// A part that takes the longest match it can goes up to `pos`.
    Take {
        part: Part,
        taken: usize,
    },
    Restore {
        slot: u32,
        value: usize,
    },
}

/// A part of the program, from `pc` to `end_pc`, that matches from `from` to `to`.
#[derive(Clone, Copy)]
struct Part {
    pc: u32,
    end_pc: u32,
    from: usize,
    to: usize,
}

/// What is still to be done, in this order, when all ends are settled.
#[derive(Clone, Copy)]
enum Later {
    Find(Part),
    /// A new turn forgets the groups that parts of earlier turns have found.
    Forget(u32, u32),
}

/// What was tried already: one bit for each position in the program and in the text.
struct Tried {
    bits: Vec<u64>,
    width: usize,
}

impl Tried {
    fn is_new(&mut self, pc: u32, pos: usize) -> bool {
        if self.bits.is_empty() {
            return true;
        }
        let at = pc as usize * self.width + pos;
        let (word, bit) = (at / 64, 1 << (at % 64));
        let is_new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        is_new
    }
}

impl Trial<'_> {
    /// Sets the slots for the match from `start` to `end`; false if that took too much memory.
    pub fn find_groups(&mut self, start: usize, end: usize) -> bool {
        let last = self.program.insts.len() as u32 - 1;
        self.region(Part { pc: 0, end_pc: last, from: start, to: end })
    }

    /// The end of the longest match that begins at `start`, by trying everything; the slots are its groups.
    pub fn try_at(&mut self, start: usize) -> Option<usize> {
        let mut best: Option<(usize, Vec<usize>)> = None;
        let mut tried = Tried { bits: Vec::new(), width: 0 };
        let last = self.program.insts.len() as u32 - 1;
        self.attempt(0, start, &mut tried, 0, &mut Vec::new(), |trial, pc, pos| {
            if pc != last {
                return None;
            }
            if best.as_ref().is_none_or(|&(end, _)| pos > end) {
                best = Some((pos, trial.slots.clone()));
            }
            Some(pos == trial.text.len())
        });
        let (end, slots) = best?;
        self.slots = slots;
        Some(end)
    }

    pub fn gave_up(&self) -> bool {
        self.steps > STEPS_MAX
    }

    /// Finds the groups of the part, whose bounds are known.
    fn region(&mut self, part: Part) -> bool {
        let width = part.to - part.from + 1;
        let count = (part.end_pc - part.pc + 1) as usize;
        let Some(bits) = width.checked_mul(count).filter(|&bits| bits < TRIED_MAX) else {
            return false;
        };
        let mut later = Vec::new();
        let mut tried = Tried { bits: vec![0; bits / 64 + 1], width };
        let mut is_found = self.find_part(part, &mut tried, &mut later);
        if !is_found {
            // What was tried in a turn that reads nothing may be right in another turn: again without memory.
            tried.bits.clear();
            later.clear();
            is_found = self.find_part(part, &mut tried, &mut later);
        }
        if !is_found {
            return false;
        }
        let settled = self.slots.clone();
        later.into_iter().all(|step| match step {
            Later::Find(part) => self.region(part),
            Later::Forget(first, last) => {
                let slots = 2 * first as usize..2 * last as usize + 2;
                self.slots[slots.clone()].copy_from_slice(&settled[slots]);
                true
            }
        })
    }

    fn find_part(&mut self, part: Part, tried: &mut Tried, later: &mut Vec<Later>) -> bool {
        self.steps = 0;
        let Part { pc, end_pc, from, to } = part;
        self.attempt(pc, from, tried, pc, later, |_, at, pos| {
            if pos > to {
                return Some(false);
            }
            (at == end_pc).then_some(pos == to)
        })
    }

    /// Runs the program from `pc` until `goal` says that it has arrived; `Some(false)` means to try on.
    fn attempt(
        &mut self,
        pc: u32,
        pos: usize,
        tried: &mut Tried,
        base: u32,
        taken: &mut Vec<Later>,
        mut goal: impl FnMut(&Self, u32, usize) -> Option<bool>,
    ) -> bool {
        let origin = pos;
        let remembers = !tried.bits.is_empty();
        let mut retries = Vec::new();
        let mut next = Some((pc, pos));
        loop {
            let Some((pc, pos)) = next else {
                match retries.pop() {
                    None => return false,
                    Some(Retry::Restore { slot, value }) => self.slots[slot as usize] = value,
                    Some(Retry::Go { pc, pos, taken: length }) => {
                        taken.truncate(length);
                        next = Some((pc, pos));
                    }
                    Some(Retry::Take { part, taken: length }) => {
                        taken.truncate(length);
                        taken.push(Later::Find(part));
                        next = Some((part.end_pc, part.to));
                    }
                }
                continue;
            };
            next = None;
            if !remembers {
                self.steps += 1;
                if self.steps > STEPS_MAX {
                    return false;
                }
            }
            match goal(self, pc, pos) {
                Some(true) => return true,
                Some(false) => continue,
                None => {}
            }
            match self.program.insts[pc as usize] {
                Inst::Split(first, second) => {
                    if tried.is_new(pc - base, pos - origin) {
                        retries.push(Retry::Go { pc: second, pos, taken: taken.len() });
                        next = Some((first, pos));
                    }
                }
                Inst::Again(slot, body) => {
                    let has_read = self.slots[slot as usize] != pos;
                    // A turn that reads nothing must be the only one.
                    let is_alone = self.slots[slot as usize + 1] == pos;
                    if (has_read || is_alone) && tried.is_new(pc - base, pos - origin) {
                        next = Some((pc + 1, pos));
                        if has_read {
                            retries.push(Retry::Go { pc: pc + 1, pos, taken: taken.len() });
                            next = Some((body, pos));
                        }
                    }
                }
                Inst::Longest(end_pc) => {
                    if tried.is_new(pc - base, pos - origin) {
                        let ends = self.ends(pc + 1, end_pc, pos, origin + tried.width.max(1) - 1);
                        let length = taken.len();
                        for end in ends {
                            let part = Part { pc: pc + 1, end_pc, from: pos, to: end };
                            retries.push(Retry::Take { part, taken: length });
                        }
                    }
                }
                Inst::Progress(slot) => {
                    if self.slots[slot as usize] != pos && tried.is_new(pc - base, pos - origin) {
                        next = Some((pc + 1, pos));
                    }
                }
                Inst::Save(slot) => {
                    self.save(&mut retries, slot, pos);
                    next = Some((pc + 1, pos));
                }
                Inst::Forget(first, last) => {
                    for slot in 2 * first..2 * last + 2 {
                        if self.slots[slot as usize] != UNSET {
                            self.save(&mut retries, slot, UNSET);
                        }
                    }
                    if !taken.is_empty() {
                        taken.push(Later::Forget(first, last));
                    }
                    next = Some((pc + 1, pos));
                }
                Inst::Backref(group) => next = self.repeat_of(group, pos).map(|end| (pc + 1, end)),
                Inst::Jump(to) => next = Some((to, pos)),
                Inst::Match => {}
                inst => next = self.read(inst, pos).map(|end| (pc + 1, end)),
            }
        }
    }

    fn save(&mut self, retries: &mut Vec<Retry>, slot: u32, value: usize) {
        let place = &mut self.slots[slot as usize];
        retries.push(Retry::Restore { slot, value: *place });
        *place = value;
    }

    /// The position after what the instruction reads or asserts at `pos`.
    fn read(&self, inst: Inst, pos: usize) -> Option<usize> {
        if let Inst::Assert(assert) = inst {
            let left = unit::last(&self.text[..pos], self.utf8);
            let right = unit::first(&self.text[pos..], self.utf8);
            let left = left.map_or(self.before, |(unit, _)| self.sides_of(unit));
            let right = right.map_or(self.after, |(unit, _)| self.sides_of(unit));
            return assert.holds(left, right).then_some(pos);
        }
        let (unit, length) = unit::first(&self.text[pos..], self.utf8)?;
        let is_read = match inst {
            Inst::Unit(wanted) => wanted == unit,
            Inst::Set(set) => self.sets[set as usize].contains(unit),
            _ => false,
        };
        is_read.then_some(pos + length)
    }

    fn sides_of(&self, unit: u32) -> u8 {
        let line = if self.line_end.is_some_and(|end| u32::from(end) == unit) { side::LINE } else { 0 };
        line | if unit::is_in_class(Class::Word, unit) { side::WORD } else { 0 }
    }

    /// The position after a copy of what the group matched.
    fn repeat_of(&self, group: u32, pos: usize) -> Option<usize> {
        let (start, end) = (self.slots[2 * group as usize], self.slots[2 * group as usize + 1]);
        if start == UNSET || end == UNSET {
            return None;
        }
        let wanted = &self.text[start..end];
        if !self.fold_case {
            return self.text[pos..].starts_with(wanted).then_some(pos + wanted.len());
        }
        let (mut at, mut pos) = (start, pos);
        while at < end {
            let (unit, length) = unit::first(&self.text[at..end], self.utf8)?;
            let (other, other_length) = unit::first(&self.text[pos..], self.utf8)?;
            if unit != other && other_case(unit) != Some(other) {
                return None;
            }
            at += length;
            pos += other_length;
        }
        Some(pos)
    }

    /// The positions up to `to` at which the part of the program from `pc` to `end_pc` can end, the shortest first.
    fn ends(&self, pc: u32, end_pc: u32, from: usize, to: usize) -> Vec<usize> {
        let mut ends = Vec::new();
        let mut reached = vec![pc];
        let mut seen = vec![false; (end_pc - pc + 1) as usize];
        let mut pos = from;
        loop {
            // Follow what reads nothing; `reached` grows while it is walked.
            seen.fill(false);
            let mut reading = Vec::new();
            while let Some(at) = reached.pop() {
                if std::mem::replace(&mut seen[(at - pc) as usize], true) || at == end_pc {
                    continue;
                }
                match self.program.insts[at as usize] {
                    Inst::Split(a, b) => reached.extend([b, a]),
                    Inst::Again(_, body) => reached.extend([at + 1, body]),
                    Inst::Jump(to) => reached.push(to),
                    Inst::Save(_) | Inst::Forget(..) | Inst::Longest(_) | Inst::Progress(_) => reached.push(at + 1),
                    inst @ Inst::Assert(_) => reached.extend(self.read(inst, pos).map(|_| at + 1)),
                    Inst::Unit(_) | Inst::Set(_) => reading.push(at),
                    Inst::Backref(_) | Inst::Match => {}
                }
            }
            if seen[(end_pc - pc) as usize] {
                ends.push(pos);
            }
            if pos >= to || reading.is_empty() {
                return ends;
            }
            let mut length = 1;
            for at in reading {
                if let Some(end) = self.read(self.program.insts[at as usize], pos) {
                    length = end - pos;
                    reached.push(at + 1);
                }
            }
            pos += length;
        }
    }
}
