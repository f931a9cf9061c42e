//! Finite state entropy: tables of states (RFC 8878, 4.1).

use super::bits::Forward;
use crate::{Corrupted, Result};

/// The largest accuracy of any table, in bits.
pub const ACCURACY_MAX: u32 = 9;

/// The most symbols of any alphabet, rounded up.
const SYMBOLS: usize = 64;

/// What a state means.
#[derive(Clone, Copy, Default)]
pub struct Entry {
    /// The symbol, or the value that its code begins with.
    pub base: u32,
    /// The bits that are added to `base`.
    pub extra: u8,
    /// The bits that are added to `next`, the first of the possible next states.
    pub bits: u8,
    pub next: u16,
}

/// A table of states.
#[derive(Clone)]
pub struct Fse {
    pub entries: [Entry; 1 << ACCURACY_MAX],
    /// Bits of a state.
    pub accuracy: u32,
    /// Whether the table has been made.
    pub is_set: bool,
}

impl Default for Fse {
    fn default() -> Self {
        Self { entries: [Entry::default(); 1 << ACCURACY_MAX], accuracy: 0, is_set: false }
    }
}

impl Fse {
    /// The state's entry.
    #[inline(always)]
    pub fn entry(&self, state: usize) -> Entry {
        self.entries[state & ((1 << ACCURACY_MAX) - 1)]
    }

    /// A table with one state, which never ends.
    pub fn set_single(&mut self, symbol: u8) {
        self.entries[0] = Entry { base: symbol.into(), ..Entry::default() };
        (self.accuracy, self.is_set) = (0, true);
    }

    /// Makes the table whose counts are at the start of `data`, and returns how many bytes they take.
    pub fn read(&mut self, data: &[u8], accuracy_max: u32, symbol_max: usize) -> Result<usize> {
        let mut bits = Forward::new(data);
        let accuracy = bits.peek(4) + 5;
        bits.skip(4);
        if accuracy > accuracy_max {
            return Err(Corrupted);
        }
        let mut counts = [0i16; SYMBOLS];
        let mut symbol = 0;
        let mut left = (1i32 << accuracy) + 1;
        let (mut threshold, mut width) = (1i32 << accuracy, accuracy + 1);
        while left > 1 {
            if symbol > symbol_max {
                return Err(Corrupted);
            }
            // Values below `small` take one bit less.
            let small = 2 * threshold - 1 - left;
            let word = bits.peek(width) as i32;
            let mut value = word & (threshold - 1);
            if value < small {
                bits.skip(width - 1);
            } else {
                value = word & (2 * threshold - 1);
                value -= if value >= threshold { small } else { 0 };
                bits.skip(width);
            }
            let count = value - 1;
            left -= count.abs();
            if left < 1 {
                return Err(Corrupted);
            }
            counts[symbol] = count as i16;
            symbol += 1;
            if count == 0 {
                loop {
                    let zeros = bits.peek(2);
                    bits.skip(2);
                    symbol += zeros as usize;
                    if zeros != 3 {
                        break;
                    }
                    if symbol > symbol_max {
                        return Err(Corrupted);
                    }
                }
            }
            while left < threshold {
                width -= 1;
                threshold >>= 1;
            }
        }
        if left != 1 || symbol > symbol_max + 1 {
            return Err(Corrupted);
        }
        self.set(&counts[..symbol.min(SYMBOLS)], accuracy)?;
        bits.used()
    }

    /// Makes the table for symbols with those counts, -1 for less than one, of 1 << `accuracy`.
    pub fn set(&mut self, counts: &[i16], accuracy: u32) -> Result<()> {
        let size = 1usize << accuracy;
        let mask = size - 1;
        let mut next = [0u16; SYMBOLS];
        let mut high = size;
        for (symbol, &count) in counts.iter().enumerate() {
            if count < 0 {
                high -= 1;
                self.entries[high].base = symbol as u32;
            }
            next[symbol] = count.unsigned_abs();
        }
        let step = (size >> 1) + (size >> 3) + 3;
        let mut at = 0;
        for (symbol, &count) in counts.iter().enumerate() {
            for _ in 0..count.max(0) {
                self.entries[at].base = symbol as u32;
                at = (at + step) & mask;
                while at >= high {
                    at = (at + step) & mask;
                }
            }
        }
        if at != 0 {
            return Err(Corrupted);
        }
        for entry in &mut self.entries[..size] {
            let state = next[entry.base as usize];
            next[entry.base as usize] += 1;
            entry.extra = 0;
            entry.bits = (accuracy - state.checked_ilog2().ok_or(Corrupted)?) as u8;
            entry.next = (state << entry.bits) - size as u16;
        }
        (self.accuracy, self.is_set) = (accuracy, true);
        Ok(())
    }
}
