//! Tries a program at one position after the other.

use crate::unicode::other_case;
use std::cell::Cell;

use super::parser::Assert;
use super::program::{Inst, Program};
use crate::pattern::unit::{self, Class};

const UNSET: usize = usize::MAX;
/// The steps after which a search is given up.
const STEPS_MAX: u64 = 20_000_000;
/// The bits to remember what was tried; a longer text is searched without.
const TRIED_MAX: usize = 1 << 28;

struct Trial<'a> {
    program: &'a Program,
    text: &'a [u8],
    utf8: bool,
    slots: Vec<usize>,
    /// One bit for each position in the program and in the text, or none.
    tried: Vec<u64>,
    steps: u64,
}

enum Retry {
    Go(u32, usize),
    Restore(u32, usize),
}

/// The bounds of the first match that begins at `start` or later.
pub fn find(program: &Program, text: &[u8], start: usize, utf8: bool, gave_up: &Cell<bool>) -> Option<(usize, usize)> {
    let bits = program.insts.len().checked_mul(text.len() + 1).filter(|&bits| program.is_memorable && bits < TRIED_MAX);
    let tried = bits.map_or_else(Vec::new, |bits| vec![0; bits / 64 + 1]);
    let mut trial = Trial { program, text, utf8, slots: vec![UNSET; program.slots as usize], tried, steps: 0 };
    let mut at = start;
    while at <= text.len() {
        trial.slots.fill(UNSET);
        trial.slots[0] = at;
        if let Some(end) = trial.run(0, at, 0) {
            // `\K` within a lookahead may be after the end.
            return Some((trial.slots[0].min(end), end));
        }
        if trial.steps > STEPS_MAX {
            gave_up.set(true);
            return None;
        }
        at += unit::first(&text[at..], utf8).map_or(1, |(_, length)| length);
    }
    None
}

impl Trial<'_> {
    /// Runs the program from `pc` up to `Match`; where that is. `depth` counts the parts around that are run on their own.
    fn run(&mut self, pc: u32, pos: usize, depth: u32) -> Option<usize> {
        let mut retries = Vec::new();
        let mut next = Some((pc, pos));
        loop {
            let Some((pc, pos)) = next.take() else {
                match retries.pop()? {
                    Retry::Go(pc, pos) => next = Some((pc, pos)),
                    Retry::Restore(slot, value) => self.slots[slot as usize] = value,
                }
                continue;
            };
            self.steps += 1;
            if self.steps > STEPS_MAX {
                return None;
            }
            match self.program.insts[pc as usize] {
                Inst::Match => return Some(pos),
                Inst::Split(first, second) => {
                    if self.is_new(pc, pos, depth) {
                        retries.push(Retry::Go(second, pos));
                        next = Some((first, pos));
                    }
                }
                Inst::Jump(to) => next = Some((to, pos)),
                Inst::Save(slot) => {
                    retries.push(Retry::Restore(slot, self.slots[slot as usize]));
                    self.slots[slot as usize] = pos;
                    next = Some((pc + 1, pos));
                }
                Inst::Leave(slot, after) => {
                    let has_read = self.slots[slot as usize] != pos;
                    next = Some((if has_read { pc + 1 } else { after }, pos));
                }
                Inst::Backref(number, fold) => next = self.repeat_of(number, fold, pos).map(|end| (pc + 1, end)),
                Inst::Ahead(negated, after) => {
                    if self.looks(pc + 1, Some(pos), depth, negated, &mut retries) {
                        next = Some((after, pos));
                    }
                }
                Inst::Behind(negated, after, width) => {
                    let start = self.back(pos, width);
                    if self.looks(pc + 1, start, depth, negated, &mut retries) {
                        next = Some((after, pos));
                    }
                }
                Inst::Atomic(after) => {
                    let before = self.slots.clone();
                    match self.run(pc + 1, pos, depth + 1) {
                        Some(end) => {
                            self.restore_later(&before, &mut retries);
                            next = Some((after, end));
                        }
                        None => self.slots = before,
                    }
                }
                inst => next = self.read(inst, pos).map(|end| (pc + 1, end)),
            }
        }
    }

    fn is_new(&mut self, pc: u32, pos: usize, depth: u32) -> bool {
        if self.tried.is_empty() || depth > 0 {
            return true;
        }
        let at = pc as usize * (self.text.len() + 1) + pos;
        let (word, bit) = (at / 64, 1 << (at % 64));
        let is_new = self.tried[word] & bit == 0;
        self.tried[word] |= bit;
        is_new
    }

    /// Whether a lookaround holds. The groups that it found are kept, unless it is negated.
    fn looks(&mut self, pc: u32, start: Option<usize>, depth: u32, negated: bool, retries: &mut Vec<Retry>) -> bool {
        let before = self.slots.clone();
        let is_found = start.is_some_and(|start| self.run(pc, start, depth + 1).is_some());
        if is_found && !negated {
            self.restore_later(&before, retries);
        } else {
            self.slots = before;
        }
        is_found != negated
    }

    fn restore_later(&self, before: &[usize], retries: &mut Vec<Retry>) {
        for (slot, (before, now)) in before.iter().zip(&self.slots).enumerate() {
            if before != now {
                retries.push(Retry::Restore(slot as u32, *before));
            }
        }
    }

    /// The position so many characters before.
    fn back(&self, mut pos: usize, width: u32) -> Option<usize> {
        for _ in 0..width {
            pos -= unit::last(&self.text[..pos], self.utf8)?.1;
        }
        Some(pos)
    }

    fn is_word(found: Option<(u32, usize)>) -> bool {
        found.is_some_and(|(unit, _)| unit::is_in_class(Class::Word, unit))
    }

    /// The position after what the instruction reads or asserts.
    fn read(&self, inst: Inst, pos: usize) -> Option<usize> {
        let (before, after) = (&self.text[..pos], &self.text[pos..]);
        let assert = match inst {
            Inst::Assert(assert) => assert,
            _ => {
                let (unit, length) = unit::first(after, self.utf8)?;
                let is_read = match inst {
                    Inst::Unit(wanted) => wanted == unit,
                    Inst::Set(set) => self.program.sets[set as usize].contains(unit),
                    _ => false,
                };
                return is_read.then_some(pos + length);
            }
        };
        let is_edge = || Self::is_word(unit::last(before, self.utf8)) != Self::is_word(unit::first(after, self.utf8));
        let holds = match assert {
            Assert::TextStart => before.is_empty(),
            Assert::LineStart => before.is_empty() || before.ends_with(b"\n"),
            Assert::TextEnd => after.is_empty(),
            Assert::LastEnd => after.is_empty() || after == b"\n",
            Assert::LineEnd => after.is_empty() || after.starts_with(b"\n"),
            Assert::WordEdge => is_edge(),
            Assert::NotWordEdge => !is_edge(),
        };
        holds.then_some(pos)
    }

    /// The position after a copy of what the group matched.
    fn repeat_of(&self, number: u32, fold: bool, mut pos: usize) -> Option<usize> {
        let (mut at, end) = (self.slots[2 * number as usize], self.slots[2 * number as usize + 1]);
        if at == UNSET || end == UNSET {
            return None;
        }
        while at < end {
            let (unit, length) = unit::first(&self.text[at..end], self.utf8)?;
            let (other, other_length) = unit::first(&self.text[pos..], self.utf8)?;
            if unit != other && !(fold && other_case(unit) == Some(other)) {
                return None;
            }
            at += length;
            pos += other_length;
        }
        Some(pos)
    }
}
