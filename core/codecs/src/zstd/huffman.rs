//! Huffman codes of literals (RFC 8878, 4.2).

use super::bits::Backward;
use super::fse::Fse;
use crate::{Corrupted, Result};

/// The longest code, in bits.
const BITS_MAX: u32 = 11;

/// A table of codes: for each sequence of `BITS_MAX` bits or less the symbol, and above it the length of its code.
pub struct Huffman {
    entries: [u16; 1 << BITS_MAX],
    bits: u32,
}

impl Default for Huffman {
    fn default() -> Self {
        Self { entries: [0; 1 << BITS_MAX], bits: 0 }
    }
}

impl Huffman {
    /// Whether the table has been made.
    pub fn is_set(&self) -> bool {
        self.bits > 0
    }

    /// Makes the table that is described in `data[at..end]`, and returns where the description ends.
    pub fn read(&mut self, data: &[u8], at: usize, end: usize) -> Result<usize> {
        let content = data.get(at..end).ok_or(Corrupted)?;
        let (&head, rest) = content.split_first().ok_or(Corrupted)?;
        let mut weights = [0u8; 256];
        let (count, used) = match head {
            128.. => {
                let count = usize::from(head) - 127;
                let packed = rest.get(..count.div_ceil(2)).ok_or(Corrupted)?;
                for (index, weight) in weights[..count].iter_mut().enumerate() {
                    *weight = packed[index / 2] >> (4 - 4 * (index % 2)) & 15;
                }
                (count, packed.len())
            }
            _ => {
                let size = usize::from(head);
                let packed = rest.get(..size).ok_or(Corrupted)?;
                let mut fse = Fse::default();
                let used = fse.read(packed, 6, 12)?;
                let bits = Backward::new(data, at + 1 + used, at + 1 + size)?;
                (read_weights(&fse, bits, &mut weights)?, size)
            }
        };
        self.set(&mut weights, count)?;
        Ok(at + 1 + used)
    }

    /// Makes the table for `count` symbols with weights; the weight of the last symbol is not written down.
    fn set(&mut self, weights: &mut [u8; 256], count: usize) -> Result<()> {
        if count > 255 || weights[..count].iter().any(|&weight| u32::from(weight) > BITS_MAX) {
            return Err(Corrupted);
        }
        let sum: u32 = weights[..count].iter().map(|&weight| (1 << weight) >> 1).sum();
        let bits = sum.checked_ilog2().ok_or(Corrupted)? + 1;
        let left = (1 << bits) - sum;
        if bits > BITS_MAX || !left.is_power_of_two() {
            return Err(Corrupted);
        }
        weights[count] = left.ilog2() as u8 + 1;
        let mut at = 0;
        for weight in 1..=bits {
            for (symbol, _) in weights[..=count].iter().enumerate().filter(|&(_, &other)| u32::from(other) == weight) {
                let length = 1 << (weight - 1);
                let entry = (symbol as u32 | (bits + 1 - weight) << 8) as u16;
                self.entries.get_mut(at..at + length).ok_or(Corrupted)?.fill(entry);
                at += length;
            }
        }
        self.bits = bits;
        Ok(())
    }

    /// Decodes one stream, which fills `into`.
    pub fn decode(&self, mut bits: Backward<'_>, into: &mut [u8]) -> Result<()> {
        let (groups, rest) = into.as_chunks_mut::<5>();
        for group in groups {
            bits.refill();
            for byte in group {
                *byte = self.next(&mut bits);
            }
        }
        bits.refill();
        for byte in rest {
            *byte = self.next(&mut bits);
        }
        if bits.is_at_start() { Ok(()) } else { Err(Corrupted) }
    }

    /// Decodes four streams side by side, which fill the quarters of `into`.
    pub fn decode_four(&self, streams: [Backward<'_>; 4], into: &mut [u8]) -> Result<()> {
        let quarter = into.len().div_ceil(4);
        if 3 * quarter > into.len() {
            return Err(Corrupted);
        }
        let (first, rest) = into.split_at_mut(quarter);
        let (second, rest) = rest.split_at_mut(quarter);
        let (third, fourth) = rest.split_at_mut(quarter);
        let [mut a, mut b, mut c, mut d] = streams;
        let mut done = 0;
        let groups = first.as_chunks_mut::<5>().0.iter_mut().zip(second.as_chunks_mut::<5>().0);
        let others = third.as_chunks_mut::<5>().0.iter_mut().zip(fourth.as_chunks_mut::<5>().0);
        for ((first, second), (third, fourth)) in groups.zip(others) {
            a.refill();
            b.refill();
            c.refill();
            d.refill();
            for at in 0..5 {
                first[at] = self.next(&mut a);
                second[at] = self.next(&mut b);
                third[at] = self.next(&mut c);
                fourth[at] = self.next(&mut d);
            }
            done += 5;
        }
        self.decode(a, &mut first[done..])?;
        self.decode(b, &mut second[done..])?;
        self.decode(c, &mut third[done..])?;
        self.decode(d, &mut fourth[done..])
    }

    #[inline(always)]
    fn next(&self, bits: &mut Backward<'_>) -> u8 {
        let entry = self.entries[bits.peek(self.bits) as usize & ((1 << BITS_MAX) - 1)];
        bits.skip(u32::from(entry >> 8));
        entry as u8
    }
}

/// Decodes weights with two states in turn, until a state needs more bits than there are (RFC 8878, 4.2.1.2).
fn read_weights(fse: &Fse, mut bits: Backward<'_>, weights: &mut [u8; 256]) -> Result<usize> {
    let mut states = [0; 2];
    for state in &mut states {
        *state = bits.read(fse.accuracy) as usize;
    }
    let mut count = 0;
    loop {
        let turn = count % 2;
        let entry = fse.entry(states[turn]);
        if count >= 254 {
            return Err(Corrupted);
        }
        weights[count] = entry.base as u8;
        count += 1;
        bits.refill();
        states[turn] = usize::from(entry.next) + bits.read(entry.bits.into()) as usize;
        if bits.is_before_start() {
            weights[count] = fse.entry(states[1 - turn]).base as u8;
            return Ok(count + 1);
        }
    }
}
