//! LZW as compress(1) writes it: codes of 9 to 16 bits, the lowest first, that grow with the table.

use crate::{Corrupted, Result};

/// The most bits of a code.
pub const BITS_MAX: u32 = 16;

/// The code that empties the table, where the header says that there is one.
const CLEAR: usize = 256;

/// The bits of the first codes.
const FIRST_BITS: u32 = 9;

/// A decoder of the codes after the header.
pub struct Lzw {
    /// For each code from 257 on, or 256 where none empties the table: the code of all but its last byte, and that byte.
    before: Vec<u16>,
    last: Vec<u8>,
    /// The bytes of a code, the last one first.
    stack: Vec<u8>,
    bits: u32,
    bits_max: u32,
    has_clear: bool,
    /// The next free code.
    free: usize,
    /// The code before, and the first byte that it means.
    earlier: Option<(usize, u8)>,
    /// Bits read of the current group: eight codes of one length fill whole bytes, and what is left of such a group when
    /// the length changes is passed over.
    group: u32,
    /// Bits still to be passed over.
    skipped: u32,
    word: u64,
    held: u32,
}

impl Lzw {
    /// A decoder of codes of at most `bits_max` bits (9-16).
    pub fn new(bits_max: u32, has_clear: bool) -> Self {
        Self {
            before: vec![0; 1 << bits_max],
            last: vec![0; 1 << bits_max],
            stack: Vec::new(),
            bits: FIRST_BITS,
            bits_max,
            has_clear,
            free: if has_clear { CLEAR + 1 } else { CLEAR },
            earlier: None,
            group: 0,
            skipped: 0,
            word: 0,
            held: 0,
        }
    }

    /// Decodes from `content` to `into`: how many bytes were used and made. It stops when either is exhausted.
    pub fn decode(&mut self, content: &[u8], into: &mut [u8]) -> Result<(usize, usize)> {
        let (mut used, mut made) = (0, 0);
        loop {
            let count = self.stack.len().min(into.len() - made);
            let start = self.stack.len() - count;
            for (byte, stacked) in into[made..].iter_mut().zip(self.stack[start..].iter().rev()) {
                *byte = *stacked;
            }
            self.stack.truncate(start);
            made += count;
            if made == into.len() {
                return Ok((used, made));
            }
            while self.skipped > 0 || self.held < self.bits {
                let Some(&byte) = content.get(used) else { return Ok((used, made)) };
                used += 1;
                self.word |= u64::from(byte) << self.held;
                self.held += 8;
                if self.skipped > 0 {
                    let passed = self.skipped.min(self.held);
                    self.word >>= passed;
                    self.held -= passed;
                    self.skipped -= passed;
                }
            }
            let code = (self.word & ((1 << self.bits) - 1)) as usize;
            self.word >>= self.bits;
            self.held -= self.bits;
            self.group = (self.group + self.bits) % (8 * self.bits);
            self.take(code)?;
        }
    }

    /// Puts the bytes of a code on the stack, and the code before with the first of them in the table.
    fn take(&mut self, code: usize) -> Result<()> {
        if code == CLEAR && self.has_clear {
            self.free = CLEAR + 1;
            self.earlier = None;
            self.set_bits(FIRST_BITS);
            return Ok(());
        }
        let mut at = code;
        if let Some((_, first)) = self.earlier.filter(|_| code == self.free) {
            // The code that is being defined: the one before and its first byte again.
            self.stack.push(first);
            at = self.earlier.map_or(0, |(code, _)| code);
        } else if code >= self.free || code > 255 && self.earlier.is_none() {
            return Err(Corrupted);
        }
        while at > 255 {
            self.stack.push(self.last[at]);
            at = usize::from(self.before[at]);
        }
        let first = at as u8;
        self.stack.push(first);
        if let Some((earlier, _)) = self.earlier
            && self.free < 1 << self.bits_max
        {
            self.before[self.free] = earlier as u16;
            self.last[self.free] = first;
            self.free += 1;
            if self.free > (1 << self.bits) - 1 && self.bits < self.bits_max {
                self.set_bits(self.bits + 1);
            }
        }
        self.earlier = Some((code, first));
        Ok(())
    }

    /// Changes the length of codes. What is left of the group of eight codes has no meaning.
    fn set_bits(&mut self, bits: u32) {
        let left = (8 * self.bits - self.group) % (8 * self.bits);
        let passed = left.min(self.held);
        self.word >>= passed;
        self.held -= passed;
        self.skipped = left - passed;
        (self.bits, self.group) = (bits, 0);
    }
}
