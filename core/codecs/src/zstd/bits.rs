//! Streams of bits.

use crate::{Corrupted, Result};

/// How many bytes must precede a stream that is read backwards, so that whole words can be loaded.
pub const PADDING: usize = 8;

/// Bits from the end of a stream to its start (RFC 8878, 4.1): the last byte has a 1 above them.
pub struct Backward<'a> {
    data: &'a [u8],
    /// The bit at which the stream starts, and the one after the next to read, in `data`.
    start: usize,
    at: usize,
    /// The next bits, the first of them the highest.
    word: u64,
}

impl<'a> Backward<'a> {
    /// The stream in `data[start..end]`, which at least `PADDING` bytes precede.
    pub fn new(data: &'a [u8], start: usize, end: usize) -> Result<Self> {
        let last = *data.get(start..end).and_then(<[u8]>::last).ok_or(Corrupted)?;
        if last == 0 || start < PADDING {
            return Err(Corrupted);
        }
        let mut bits = Self { data, start: start * 8, at: end * 8 - 1 - last.leading_zeros() as usize, word: 0 };
        bits.refill();
        Ok(bits)
    }

    /// Loads at least 56 bits. Where the stream has ended they have no meaning, and `is_at_start` is false later.
    #[inline(always)]
    pub fn refill(&mut self) {
        let from = (self.at >> 3).wrapping_sub(7);
        let word =
            self.data.get(from..).and_then(|data| data.first_chunk()).map_or(0, |word| u64::from_le_bytes(*word));
        self.word = word << (8 - (self.at & 7));
    }

    /// The next `count` bits (0-63), which have been loaded.
    #[inline(always)]
    pub fn peek(&self, count: u32) -> u64 {
        (self.word >> 1) >> (63 - count)
    }

    /// Passes over `count` bits (0-63).
    #[inline(always)]
    pub fn skip(&mut self, count: u32) {
        self.word <<= count;
        self.at = self.at.wrapping_sub(count as usize);
    }

    /// Reads `count` bits (0-63), which have been loaded.
    #[inline(always)]
    pub fn read(&mut self, count: u32) -> u64 {
        let bits = self.peek(count);
        self.skip(count);
        bits
    }

    /// Whether all bits have been read, and no more.
    pub fn is_at_start(&self) -> bool {
        self.at == self.start
    }

    /// Whether more bits have been read than there are.
    pub fn is_before_start(&self) -> bool {
        (self.at as isize) < self.start as isize
    }
}

/// Bits from the start of a stream, the lowest of each byte first.
pub struct Forward<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Forward<'a> {
    /// The stream at the start of `data`.
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// The next `count` bits (at most 16), zeros after the end.
    pub fn peek(&self, count: u32) -> u32 {
        let byte = |at: usize| u32::from(self.data.get(self.at / 8 + at).copied().unwrap_or(0));
        let word = byte(0) | byte(1) << 8 | byte(2) << 16;
        word >> (self.at % 8) & ((1 << count) - 1)
    }

    /// Passes over bits.
    pub fn skip(&mut self, count: u32) {
        self.at += count as usize;
    }

    /// How many bytes have been read, the last one perhaps in part.
    pub fn used(&self) -> Result<usize> {
        let used = self.at.div_ceil(8);
        if used <= self.data.len() { Ok(used) } else { Err(Corrupted) }
    }
}
