//! The blocks of bzip2, decoded: Huffman codes, move-to-front, the inverse of the Burrows-Wheeler transform, runs. Blocks with
//! the random offsets of versions before 0.9.5 are refused.

use crate::{Corrupted, Result};

/// The most bits from the start of a block to its symbols: its selectors and the lengths of its codes.
pub const HEADER_MAX: usize = 32 << 10;

/// The most bytes of a group of symbols.
pub const GROUP_MAX: usize = GROUP * LENGTH_MAX / 8;

/// Symbols that one table is used for.
const GROUP: usize = 50;

/// The longest code, in bits.
const LENGTH_MAX: usize = 20;

/// The most symbols: two for runs, 255 positions and the end.
const SYMBOLS: usize = 258;

/// The most tables and selectors; what exceeds the latter is read and not used.
const TABLES: usize = 6;
const SELECTORS: usize = 18_002;

/// Codes of so many bits are found by one access.
const FAST_BITS: usize = 10;

/// Bits of a slice, the highest of each byte first.
pub struct Bits<'a> {
    data: &'a [u8],
    /// The next bit.
    pub at: usize,
}

impl<'a> Bits<'a> {
    /// The bits of `data` from bit `at` on.
    pub fn new(data: &'a [u8], at: usize) -> Self {
        Self { data, at }
    }

    /// The next bits, the first of them the highest, at least 56; zeros after the end.
    #[inline(always)]
    fn word(&self) -> u64 {
        let rest = self.data.get(self.at >> 3..).unwrap_or_default();
        let word = match rest.first_chunk::<8>() {
            Some(word) => u64::from_be_bytes(*word),
            None => rest.iter().enumerate().fold(0, |word, (at, &byte)| word | u64::from(byte) << (56 - 8 * at)),
        };
        word << (self.at & 7)
    }

    /// Reads 1 to 56 bits.
    #[inline(always)]
    pub fn read(&mut self, count: usize) -> u64 {
        let bits = self.word() >> (64 - count);
        self.at += count;
        bits
    }

    /// Whether more bits have been read than there are.
    pub fn is_past_end(&self) -> bool {
        self.at > 8 * self.data.len()
    }
}

/// A table of Huffman codes.
#[derive(Clone)]
struct Table {
    /// By the first `FAST_BITS` bits: the symbol and, in the lowest 5 bits, the length of its code, 0 for a longer one.
    fast: [u16; 1 << FAST_BITS],
    /// For each length the first code that is longer, aligned to `LENGTH_MAX` bits.
    limits: [u32; LENGTH_MAX + 1],
    /// For each length what is subtracted from a code to find its symbol in `symbols`.
    bases: [i32; LENGTH_MAX + 1],
    /// Symbols in the order of their codes.
    symbols: [u16; SYMBOLS],
}

impl Table {
    const fn new() -> Self {
        let (limits, bases) = ([0; LENGTH_MAX + 1], [0; LENGTH_MAX + 1]);
        Self { fast: [0; 1 << FAST_BITS], limits, bases, symbols: [0; SYMBOLS] }
    }

    /// Makes the canonical codes of those lengths, each 1 to 20.
    fn set(&mut self, lengths: &[u8]) {
        self.fast.fill(0);
        let (mut code, mut index) = (0u32, 0usize);
        for length in 1..=LENGTH_MAX {
            self.bases[length] = code as i32 - index as i32;
            for (symbol, _) in lengths.iter().enumerate().filter(|(_, other)| usize::from(**other) == length) {
                self.symbols[index] = symbol as u16;
                if length <= FAST_BITS {
                    let start = (code as usize) << (FAST_BITS - length);
                    let end = start + (1 << (FAST_BITS - length));
                    if let Some(entries) = self.fast.get_mut(start..end) {
                        entries.fill((symbol << 5 | length) as u16);
                    }
                }
                index += 1;
                code += 1;
            }
            // Too many codes of a length make those after them wrong, never an access out of bounds.
            self.limits[length] = code << (LENGTH_MAX - length);
            code <<= 1;
        }
    }

    #[inline(always)]
    fn next(&self, bits: &mut Bits<'_>) -> Result<usize> {
        let word = bits.word();
        let entry = usize::from(self.fast[(word >> (64 - FAST_BITS)) as usize]);
        if entry != 0 {
            bits.at += entry & 31;
            return Ok(entry >> 5);
        }
        let code = (word >> (64 - LENGTH_MAX)) as u32;
        let length = (1..=LENGTH_MAX).find(|&length| code < self.limits[length]).ok_or(Corrupted)?;
        bits.at += length;
        let index = (code >> (LENGTH_MAX - length)) as i32 - self.bases[length];
        self.symbols.get(index as usize).map(|&symbol| symbol.into()).ok_or(Corrupted)
    }
}

/// A decoder of one block at a time, with 4 bytes for each byte of a block.
pub struct Block {
    tables: Vec<Table>,
    selectors: Vec<u8>,
    /// Groups that have been read.
    groups: usize,
    /// Bytes in the order of their last use, eight a word, the first the lowest.
    recent: [u64; 32],
    /// The symbol that ends the block.
    end: usize,
    /// The run of the last symbols, and the value of its next digit.
    run: usize,
    digit: usize,
    /// The bytes of the block; later, above them, where each one's successor is.
    bytes: Vec<u32>,
    counts: [u32; 256],
    size_max: usize,
    origin: usize,
    /// The next byte to hand out, and how many are left.
    next: u32,
    left: usize,
    /// The last byte handed out, how often in a row, and how often more.
    last: u8,
    repeated: u8,
    more: u8,
}

impl Block {
    /// A decoder of blocks of at most `level` times 100,000 bytes.
    pub fn new(level: usize) -> Self {
        Self {
            tables: vec![Table::new(); TABLES],
            selectors: Vec::new(),
            groups: 0,
            recent: [0; 32],
            end: 0,
            run: 0,
            digit: 1,
            bytes: Vec::new(),
            counts: [0; 256],
            size_max: level * 100_000,
            origin: 0,
            next: 0,
            left: 0,
            last: 0,
            repeated: 0,
            more: 0,
        }
    }

    /// Reads what is between the CRC and the symbols.
    pub fn read_header(&mut self, bits: &mut Bits<'_>) -> Result<()> {
        let is_random = bits.read(1) != 0;
        self.origin = bits.read(24) as usize;
        self.recent = [0; 32];
        let mut used = 0;
        let ranges = bits.read(16);
        for range in (0..16).filter(|range| ranges >> (15 - range) & 1 != 0) {
            let bytes = bits.read(16);
            for byte in (0..16).filter(|byte| bytes >> (15 - byte) & 1 != 0) {
                self.recent[used / 8] |= (16 * range + byte) << (8 * (used % 8));
                used += 1;
            }
        }
        let (tables, selectors) = (bits.read(3) as usize, bits.read(15) as usize);
        if is_random || used == 0 || !(2..=TABLES).contains(&tables) || selectors == 0 {
            return Err(Corrupted);
        }
        self.end = used + 1;
        self.read_selectors(bits, tables, selectors)?;
        for table in &mut self.tables[..tables] {
            let mut lengths = [0; SYMBOLS];
            let mut length = bits.read(5) as usize;
            for symbol in &mut lengths[..used + 2] {
                while bits.read(1) != 0 {
                    length = if bits.read(1) == 0 { length + 1 } else { length.wrapping_sub(1) };
                    if !(1..=LENGTH_MAX).contains(&length) {
                        return Err(Corrupted);
                    }
                }
                if !(1..=LENGTH_MAX).contains(&length) {
                    return Err(Corrupted);
                }
                *symbol = length as u8;
            }
            table.set(&lengths[..used + 2]);
        }
        self.bytes.clear();
        self.counts.fill(0);
        (self.groups, self.run, self.digit) = (0, 0, 1);
        Ok(())
    }

    fn read_selectors(&mut self, bits: &mut Bits<'_>, tables: usize, count: usize) -> Result<()> {
        let mut order = [0, 1, 2, 3, 4, 5];
        self.selectors.clear();
        for index in 0..count {
            let mut at = 0;
            while bits.read(1) != 0 {
                at += 1;
                if at >= tables {
                    return Err(Corrupted);
                }
            }
            order[..=at].rotate_right(1);
            if index < SELECTORS {
                self.selectors.push(order[0]);
            }
        }
        Ok(())
    }

    /// Reads groups of symbols while `GROUP_MAX` bytes are there, or to the end of the data if they are the last. True at
    /// the end of the block.
    pub fn read_symbols(&mut self, bits: &mut Bits<'_>, is_last: bool) -> Result<bool> {
        while is_last || bits.at + 8 * GROUP_MAX <= 8 * bits.data.len() {
            let table = *self.selectors.get(self.groups).ok_or(Corrupted)?;
            self.groups += 1;
            for _ in 0..GROUP {
                let symbol = self.tables[usize::from(table)].next(bits)?;
                if symbol <= 1 {
                    // The digits of a run are 1 and 2, the lowest first.
                    self.run += self.digit << symbol;
                    self.digit <<= 1;
                    if self.run > self.size_max {
                        return Err(Corrupted);
                    }
                    continue;
                }
                self.end_run()?;
                if symbol >= self.end {
                    return Ok(true);
                }
                self.take(symbol - 1)?;
            }
            if bits.is_past_end() {
                return Err(Corrupted);
            }
        }
        Ok(false)
    }

    /// Adds the byte at a position in the order of last use.
    #[inline(always)]
    fn take(&mut self, at: usize) -> Result<()> {
        let byte = self.move_to_front(at);
        if self.bytes.len() >= self.size_max {
            return Err(Corrupted);
        }
        self.counts[usize::from(byte)] += 1;
        self.bytes.push(byte.into());
        Ok(())
    }

    /// Makes the byte at a position the first. Words are shifted, since memmove(3) of a few bytes upwards takes far longer.
    #[inline(always)]
    fn move_to_front(&mut self, at: usize) -> u8 {
        let (last, shift) = (at / 8 % self.recent.len(), 8 * (at % 8));
        let byte = (self.recent[last] >> shift) as u8;
        let mut carry = u64::from(byte);
        for word in &mut self.recent[..last] {
            let next = *word >> 56;
            *word = *word << 8 | carry;
            carry = next;
        }
        let moved = u64::MAX >> (56 - shift);
        let word = self.recent[last];
        self.recent[last] = word & !moved | (word << 8 | carry) & moved;
        byte
    }

    #[inline(always)]
    fn end_run(&mut self) -> Result<()> {
        if self.run > 0 {
            let byte = self.recent[0] as u8;
            let length = self.bytes.len() + self.run;
            if length > self.size_max {
                return Err(Corrupted);
            }
            self.counts[usize::from(byte)] += self.run as u32;
            self.bytes.resize(length, byte.into());
            (self.run, self.digit) = (0, 1);
        }
        Ok(())
    }

    /// Inverts the transform: each byte gets the offset of the one after it.
    pub fn invert(&mut self) -> Result<()> {
        let mut sum = 0;
        for count in &mut self.counts {
            sum += *count;
            *count = sum - *count;
        }
        for at in 0..self.bytes.len() {
            let byte = self.bytes[at] as usize & 0xff;
            let to = self.counts[byte];
            self.counts[byte] += 1;
            self.bytes[to as usize] |= (at as u32) << 8;
        }
        self.next = self.bytes.get(self.origin).ok_or(Corrupted)? >> 8;
        self.left = self.bytes.len();
        (self.repeated, self.more) = (0, 0);
        Ok(())
    }

    /// Writes the data of the block to `into`, and returns how many bytes; 0 at the end.
    pub fn write(&mut self, into: &mut [u8]) -> usize {
        let (mut at, mut next) = (0, self.next);
        let bytes = &self.bytes[..];
        while at < into.len() {
            if self.more > 0 {
                let count = usize::from(self.more).min(into.len() - at);
                into[at..at + count].fill(self.last);
                self.more -= count as u8;
                at += count;
                continue;
            }
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            let entry = bytes[next as usize];
            next = entry >> 8;
            let byte = entry as u8;
            if self.repeated == 4 {
                // Four equal bytes are followed by the number of those after them.
                (self.more, self.repeated) = (byte, 0);
                continue;
            }
            self.repeated = if byte == self.last && self.repeated > 0 { self.repeated + 1 } else { 1 };
            self.last = byte;
            into[at] = byte;
            at += 1;
        }
        self.next = next;
        at
    }
}
