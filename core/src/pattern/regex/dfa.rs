//! The search: a deterministic automaton that is built from the program while it reads.
//!
//! A state is the list of the positions in the program that are reached, in partitions: those of an earlier start of
//! the match first. A match drops the partitions after its own and lets none begin, so the last position at which a
//! state reports a match is the end of the leftmost and, of those, the longest.
//!
//! A state reports a match one character late, since `$` and `\>` must see what follows. Characters beyond ASCII are
//! gathered byte by byte in the state (`pending`) and looked at when they are complete: no tables of UTF-8 are built.

use std::rc::Rc;

use super::ast::{Set, side};
use super::program::{Inst, Program};
use crate::pattern::unit::{self, Class, RAW};

/// A transition that has not been made yet.
const UNKNOWN: u32 = u32::MAX;
/// The state from which nothing matches any more.
const DEAD: u32 = 1 << 31;
/// A match ended a little before.
const MATCH: u32 = 1 << 30;
/// The state of waiting for a first byte.
const IDLE: u32 = 1 << 29;
/// Between the partitions of a state.
const MARK: u32 = u32::MAX;
/// The bytes that states may take before all of them are dropped.
const CACHE_MAX: usize = 2 << 20;

/// In the first word of a state, above the sides: no match may begin.
const SETTLED: u32 = 8;
/// And above that: one more than the number of bytes since the match.
const BACK_SHIFT: u32 = 4;

/// What the end of the text looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Edge(pub u8);

pub struct Dfa {
    program: Program,
    sets: Rc<[Set]>,
    utf8: bool,
    backward: bool,
    /// The byte that ends a line for `^` and `$`.
    line_end: Option<u8>,
    /// The sides that the program's assertions look at.
    sides: u8,
    has_asserts: bool,
    class_of: [u8; 256],
    /// One byte of each class.
    samples: Vec<u8>,
    /// Transitions of a state: one a class, and one for each set of sides that an end shows.
    stride: usize,
    transitions: Vec<u32>,
    states: Vec<Box<[u32]>>,
    table: Vec<u32>,
    memory: usize,
    starts: [u32; 16],
    /// The bytes of which one begins every match, if waiting for them pays.
    first_bytes: Vec<u8>,
    is_first: [bool; 256],
    first_closure: Vec<u32>,
    list: Vec<u32>,
    expanded: Vec<u32>,
    following: Vec<u32>,
    stack: Vec<u32>,
    seen: Vec<u32>,
    stamp: u32,
}

impl Dfa {
    pub fn new(program: Program, sets: Rc<[Set]>, utf8: bool, backward: bool, line_end: Option<u8>) -> Dfa {
        let mut sides = 0;
        for inst in &program.insts {
            if let Inst::Assert(assert) = inst {
                sides |= assert.sides();
            }
        }
        let has_asserts = sides != 0;
        let (class_of, samples) = classes(&program, &sets, utf8, sides, line_end);
        let seen = vec![0; program.insts.len()];
        let mut dfa = Dfa {
            program,
            sets,
            utf8,
            backward,
            line_end,
            sides,
            has_asserts,
            class_of,
            stride: samples.len() + 8,
            samples,
            transitions: Vec::new(),
            states: Vec::new(),
            table: Vec::new(),
            memory: 0,
            starts: [UNKNOWN; 16],
            first_bytes: Vec::new(),
            is_first: [false; 256],
            first_closure: Vec::new(),
            list: Vec::new(),
            expanded: Vec::new(),
            following: Vec::new(),
            stack: Vec::new(),
            seen,
            stamp: 0,
        };
        dfa.flush();
        dfa.next_stamp();
        let mut closure = Vec::new();
        dfa.add(&mut closure, 0, None);
        dfa.first_closure = closure;
        dfa.find_first_bytes();
        dfa
    }

    /// Notes the bytes that can begin a match, if they are few and nothing depends on what is before.
    fn find_first_bytes(&mut self) {
        if self.has_asserts || self.utf8 || self.backward {
            return;
        }
        let mut bytes = Vec::new();
        for byte in 0..=255u8 {
            let unit = unit::first(&[byte], false).map_or(0, |(unit, _)| unit);
            for &at in &self.first_closure {
                if self.program.insts[at as usize] == Inst::Match {
                    return;
                }
                if self.reads(at, unit) && bytes.last() != Some(&byte) {
                    bytes.push(byte);
                }
            }
        }
        // Small letters and blanks are everywhere: to stop at each of them costs more than to read on.
        let is_rare = |byte: &u8| !matches!(byte, b'a'..=b'z' | b' ' | 0x80..);
        if (1..=3).contains(&bytes.len()) || bytes.iter().all(is_rare) {
            bytes.iter().for_each(|&byte| self.is_first[usize::from(byte)] = true);
            self.first_bytes = bytes;
        }
    }

    fn flush(&mut self) {
        self.transitions.clear();
        self.states.clear();
        self.table = vec![UNKNOWN; 64];
        self.memory = 0;
        self.starts = [UNKNOWN; 16];
    }

    fn next_stamp(&mut self) {
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.seen.fill(0);
            self.stamp = 1;
        }
    }

    /// The sides that a character shows to its neighbours.
    fn sides_of(&self, unit: u32) -> u8 {
        let mut sides = 0;
        if self.line_end.is_some_and(|end| u32::from(end) == unit) {
            sides |= side::LINE;
        }
        if self.sides & side::WORD != 0 && unit::is_in_class(Class::Word, unit) {
            sides |= side::WORD;
        }
        sides & self.sides
    }

    /// The end of the leftmost-longest match in `text` that begins at `from` or later, or of the first match to end if
    /// `earliest`. `before` and `after` are what the text's own ends look like.
    pub fn search(&mut self, text: &[u8], from: usize, before: Edge, after: Edge, earliest: bool) -> Option<usize> {
        // Most expressions do not ask what is beside them.
        let neighbour = if self.sides == 0 { None } else { unit::last(&text[..from], self.utf8) };
        let left = neighbour.map_or(before.0 & self.sides, |(unit, _)| self.sides_of(unit));
        let start = self.start(left, false);
        self.run::<false>(&text[from..], start, after, earliest).map(|read| from + read)
    }

    /// The beginning of the longest match that ends at `end` and begins at `from` or later.
    pub fn search_back(&mut self, text: &[u8], from: usize, end: usize, before: Edge, after: Edge) -> Option<usize> {
        let right = match unit::first(&text[end..], self.utf8) {
            Some((unit, _)) => self.sides_of(unit),
            None => after.0 & self.sides,
        };
        let before = match unit::last(&text[..from], self.utf8) {
            Some((unit, _)) => Edge(self.sides_of(unit)),
            None => before,
        };
        let start = self.start(right, true);
        self.run::<true>(&text[from..end], start, before, false).map(|read| end - read)
    }

    /// The state before anything was read.
    fn start(&mut self, sides: u8, settled: bool) -> u32 {
        let index = usize::from(sides) | usize::from(settled) << 3;
        if self.starts[index] == UNKNOWN {
            let flags = u32::from(sides) | if settled { SETTLED } else { 0 };
            let mut key = vec![flags, 0];
            key.extend_from_slice(&self.first_closure);
            key.push(MARK);
            self.starts[index] = self.intern(key) & !(MATCH | IDLE);
        }
        self.starts[index]
    }

    /// Reads `text`, from its end if `BACKWARD`; how many bytes had been read at the match.
    fn run<const BACKWARD: bool>(&mut self, text: &[u8], mut state: u32, edge: Edge, earliest: bool) -> Option<usize> {
        let byte_at = |read: usize| {
            if BACKWARD { text[text.len() - 1 - read] } else { text[read] }
        };
        let edge_class = self.samples.len() + usize::from(edge.0);
        let mut found = None;
        let mut read = 0;
        loop {
            while read < text.len() {
                let class = self.class_of[usize::from(byte_at(read))];
                let next = self.transitions[state as usize + usize::from(class)];
                if next >= IDLE {
                    break;
                }
                state = next;
                read += 1;
            }
            let at_end = read == text.len();
            let class = if at_end { edge_class } else { usize::from(self.class_of[usize::from(byte_at(read))]) };
            let mut next = self.transitions[state as usize + class];
            if next == UNKNOWN {
                next = self.build(state, class);
            }
            if next == DEAD {
                return found;
            }
            read += usize::from(!at_end);
            state = next & !(MATCH | IDLE);
            if next & MATCH != 0 {
                let back = (self.states[state as usize / self.stride][0] >> BACK_SHIFT) as usize - 1;
                found = Some(read - back);
                if earliest {
                    return found;
                }
            }
            if at_end {
                return found;
            }
            if next & IDLE != 0 {
                read += self.skip(&text[read..]);
            }
        }
    }

    /// How far it is to a byte that can begin a match.
    fn skip(&self, text: &[u8]) -> usize {
        let found = match *self.first_bytes {
            [a] => memchr::memchr(a, text),
            [a, b] => memchr::memchr2(a, b, text),
            [a, b, c] => memchr::memchr3(a, b, c, text),
            _ => text.iter().position(|&byte| self.is_first[usize::from(byte)]),
        };
        found.unwrap_or(text.len())
    }

    /// Makes the transition of `state` for the class of bytes, or for an edge.
    fn build(&mut self, state: u32, class: usize) -> u32 {
        let key = &self.states[state as usize / self.stride];
        let (flags, pending) = (key[0], key[1]);
        self.list.clear();
        self.list.extend_from_slice(&key[2..]);
        let mut left = (flags & 7) as u8;
        let mut settled = flags & SETTLED != 0;
        let mut bytes = Pending::unpack(pending);
        let sample = self.samples.get(class).copied();
        if let Some(byte) = sample {
            bytes.push(byte);
        }
        let mut back = 0;
        while let Some((unit, length)) = bytes.take(self.utf8, self.backward, sample.is_none()) {
            if self.step(unit, left, &mut settled) {
                back = (bytes.length + length + 1) as u32;
            }
            left = self.sides_of(unit);
        }
        if sample.is_none() {
            let right = (class - self.samples.len()) as u8 & self.sides;
            self.expand(left, right);
            if self.expanded.iter().any(|&at| at != MARK && self.program.insts[at as usize] == Inst::Match) {
                back = 1;
            }
            self.list.clear();
            settled = true;
        }
        let next = if back == 0 && settled && bytes.length == 0 && self.list.iter().all(|&at| at == MARK) {
            DEAD
        } else {
            let settled = if settled { SETTLED } else { 0 };
            let mut key = vec![u32::from(left) | settled | back << BACK_SHIFT, bytes.pack()];
            key.extend_from_slice(&self.list);
            let states = self.states.len();
            let next = self.intern(key);
            if self.states.len() < states {
                // All states were dropped, the one we come from among them.
                return next;
            }
            next
        };
        self.transitions[state as usize + class] = next;
        next
    }

    /// Reads one character; whether a match had ended before it.
    fn step(&mut self, unit: u32, left: u8, settled: &mut bool) -> bool {
        let right = self.sides_of(unit);
        self.expand(left, right);
        let mut matched = false;
        let mut following = std::mem::take(&mut self.following);
        following.clear();
        self.next_stamp();
        let mut is_empty = true;
        for i in 0..self.expanded.len() {
            let at = self.expanded[i];
            if at == MARK {
                if !is_empty {
                    following.push(MARK);
                    is_empty = true;
                }
                if matched {
                    *settled = true;
                    break;
                }
                continue;
            }
            if self.program.insts[at as usize] == Inst::Match {
                matched = true;
            } else if self.reads(at, unit) {
                let before = following.len();
                self.add(&mut following, at + 1, None);
                is_empty &= following.len() == before;
            }
        }
        if !*settled {
            self.add(&mut following, 0, None);
            following.push(MARK);
        }
        self.following = std::mem::replace(&mut self.list, following);
        matched
    }

    fn reads(&self, at: u32, unit: u32) -> bool {
        match self.program.insts[at as usize] {
            Inst::Unit(wanted) => wanted == unit,
            Inst::Set(set) => self.sets[set as usize].contains(unit),
            _ => false,
        }
    }

    /// Follows the assertions of the list that hold between these sides.
    fn expand(&mut self, left: u8, right: u8) {
        let mut expanded = std::mem::take(&mut self.expanded);
        expanded.clear();
        if self.has_asserts {
            let sides = if self.backward { (right, left) } else { (left, right) };
            self.next_stamp();
            for i in 0..self.list.len() {
                match self.list[i] {
                    MARK => expanded.push(MARK),
                    at => self.add(&mut expanded, at, Some(sides)),
                }
            }
        } else {
            expanded.extend_from_slice(&self.list);
        }
        self.expanded = expanded;
    }

    /// Adds what is reached from `at` without reading; assertions are kept unless the sides are known.
    fn add(&mut self, list: &mut Vec<u32>, at: u32, sides: Option<(u8, u8)>) {
        self.stack.push(at);
        while let Some(at) = self.stack.pop() {
            if self.seen[at as usize] == self.stamp {
                continue;
            }
            self.seen[at as usize] = self.stamp;
            match self.program.insts[at as usize] {
                Inst::Split(a, b) => self.stack.extend([b, a]),
                Inst::Jump(to) => self.stack.push(to),
                Inst::Assert(assert) => match sides {
                    Some((left, right)) if assert.holds(left, right) => self.stack.push(at + 1),
                    Some(_) => {}
                    None => list.push(at),
                },
                _ => list.push(at),
            }
        }
    }

    /// The state with this key, made if it is new, with its flags.
    fn intern(&mut self, key: Vec<u32>) -> u32 {
        let mut flags = 0;
        if key[0] >> BACK_SHIFT != 0 {
            flags |= MATCH;
        }
        let threads = key.len() - 1;
        if !self.first_bytes.is_empty() && key[0] & SETTLED == 0 && key[2..threads] == self.first_closure[..] {
            flags |= IDLE;
        }
        let mask = self.table.len() - 1;
        let mut slot = hash(&key) as usize & mask;
        while self.table[slot] != UNKNOWN {
            let index = self.table[slot];
            if *self.states[index as usize] == *key {
                return (index * self.stride as u32) | flags;
            }
            slot = (slot + 1) & mask;
        }
        let size = 4 * (key.len() + self.stride) + 32;
        if self.memory + size > CACHE_MAX && !self.states.is_empty() {
            self.flush();
            return self.intern(key);
        }
        self.memory += size;
        let index = self.states.len() as u32;
        self.table[slot] = index;
        self.states.push(key.into_boxed_slice());
        self.transitions.resize(self.transitions.len() + self.stride, UNKNOWN);
        if self.states.len() * 2 > self.table.len() {
            self.grow_table();
        }
        (index * self.stride as u32) | flags
    }

    fn grow_table(&mut self) {
        let mask = self.table.len() * 4 - 1;
        self.table = vec![UNKNOWN; mask + 1];
        for (index, key) in self.states.iter().enumerate() {
            let mut slot = hash(key) as usize & mask;
            while self.table[slot] != UNKNOWN {
                slot = (slot + 1) & mask;
            }
            self.table[slot] = index as u32;
        }
    }
}

/// FNV-1a over words, mixed once more for the low bits.
fn hash(key: &[u32]) -> u32 {
    let mut hash = 0x811C_9DC5_u32;
    for &word in key {
        hash = (hash ^ word).wrapping_mul(0x0100_0193);
        hash ^= hash >> 15;
    }
    hash
}

/// The bytes of a character that is not complete, in the order of the text.
struct Pending {
    bytes: [u8; 4],
    length: usize,
}

impl Pending {
    fn unpack(packed: u32) -> Pending {
        let [length, a, b, c] = packed.to_be_bytes();
        Pending { bytes: [a, b, c, 0], length: usize::from(length) }
    }

    fn pack(&self) -> u32 {
        u32::from_be_bytes([self.length as u8, self.bytes[0], self.bytes[1], self.bytes[2]])
    }

    /// Adds a byte as it was read: `take` sorts out the direction.
    fn push(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    /// The next character and its length, or None if more bytes are needed.
    fn take(&mut self, utf8: bool, backward: bool, at_end: bool) -> Option<(u32, usize)> {
        if self.length == 0 {
            return None;
        }
        let (unit, length) = if backward { self.peek_back(utf8, at_end)? } else { self.peek(utf8, at_end)? };
        self.bytes.copy_within(length..4, 0);
        self.length -= length;
        // What lies after the end is not part of the state.
        self.bytes[self.length..].fill(0);
        Some((unit, length))
    }

    fn peek(&self, utf8: bool, at_end: bool) -> Option<(u32, usize)> {
        let bytes = &self.bytes[..self.length];
        let wanted = unit::sequence_length(bytes[0]);
        if utf8 && !at_end && bytes.len() < wanted && bytes[1..].iter().all(|b| b & 0xC0 == 0x80) {
            return None;
        }
        unit::first(bytes, utf8)
    }

    /// Backwards the bytes are gathered last to first.
    fn peek_back(&self, utf8: bool, at_end: bool) -> Option<(u32, usize)> {
        let mut text = self.bytes;
        text[..self.length].reverse();
        let text = &text[..self.length];
        let is_open = self.length < 4 && text.iter().all(|b| b & 0xC0 == 0x80);
        if utf8 && !at_end && is_open {
            return None;
        }
        unit::last(text, utf8)
    }
}

/// Sorts the bytes into classes that the program cannot tell apart; one byte of each.
fn classes(program: &Program, sets: &[Set], utf8: bool, sides: u8, line_end: Option<u8>) -> ([u8; 256], Vec<u8>) {
    let mut used = vec![false; sets.len()];
    // Bytes that are a class of their own.
    let mut single = [false; 256];
    let mut beyond_ascii = utf8 && sides & side::WORD != 0;
    for inst in &program.insts {
        match *inst {
            Inst::Unit(unit @ 0..0x80) => single[unit as usize] = true,
            Inst::Unit(unit) if !utf8 && unit >= RAW => single[(unit - RAW) as usize & 0xFF] = true,
            Inst::Unit(_) => beyond_ascii = true,
            Inst::Set(set) => used[set as usize] = true,
            _ => {}
        }
    }
    if let Some(end) = line_end {
        single[usize::from(end)] = true;
    }
    // Each byte's class so far; a set cuts every class in two.
    let mut class_of = [0u16; 256];
    let mut count = 1u16;
    let mut refine = |split: &dyn Fn(u8) -> u16| {
        let mut known: Vec<(u16, u16)> = Vec::new();
        for byte in 0..=255u8 {
            let pair = (class_of[usize::from(byte)], split(byte));
            let at = known.iter().position(|&other| other == pair).unwrap_or_else(|| {
                known.push(pair);
                known.len() - 1
            });
            class_of[usize::from(byte)] = at as u16;
        }
        count = known.len() as u16;
    };
    refine(&|byte| {
        if single[usize::from(byte)] { 1 + u16::from(byte) } else { 0 }
    });
    for (set, _) in sets.iter().zip(&used).filter(|&(_, &used)| used) {
        beyond_ascii |= utf8 && !set.is_ascii_only();
        refine(&|byte| {
            u16::from(unit::first(&[byte], false).is_some_and(|(unit, _)| set.contains(unit)) && (byte < 0x80 || !utf8))
        });
    }
    if sides & side::WORD != 0 {
        refine(&|byte| u16::from(unit::is_in_class(Class::Word, u32::from(byte)) && byte < 0x80));
    }
    if utf8 {
        refine(&|byte| {
            if byte >= 0x80 && beyond_ascii { u16::from(byte) } else { utf8_role(byte) }
        });
    }
    let mut samples = vec![0; usize::from(count)];
    for byte in (0..=255u8).rev() {
        samples[usize::from(class_of[usize::from(byte)])] = byte;
    }
    (class_of.map(|class| class as u8), samples)
}

/// What a byte can be in UTF-8: the ranges of RFC 3629, section 4.
fn utf8_role(byte: u8) -> u16 {
    const BOUNDS: [u8; 13] = [0x80, 0x90, 0xA0, 0xC0, 0xC2, 0xE0, 0xE1, 0xED, 0xEE, 0xF0, 0xF1, 0xF4, 0xF5];
    BOUNDS.iter().filter(|&&bound| byte >= bound).count() as u16
}
