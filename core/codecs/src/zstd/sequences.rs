//! The sequences section of a block: which literals and matches the content is made of (RFC 8878, 3.1.1.3.2).

use super::SLACK;
use super::bits::Backward;
use super::fse::Fse;
use crate::{Corrupted, Result};

/// Literal lengths by code from 16 on; below that the code is the length. The bits that are added follow.
const LENGTH_BASES: [u32; 20] =
    [16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];
const LENGTH_BITS: [u8; 20] = [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

/// Match lengths by code from 32 on; below that the length is the code and 3.
const MATCH_BASES: [u32; 21] =
    [35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16_387, 32_771, 65_539];
const MATCH_BITS: [u8; 21] = [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

// RFC 8878, 3.1.1.3.2.2: the predefined counts.
const LENGTH_COUNTS: [i16; 36] =
    [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1];
const MATCH_COUNTS: [i16; 53] = [
    1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
];
const OFFSET_COUNTS: [i16; 29] =
    [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1];

/// An alphabet of codes.
#[derive(Clone, Copy)]
enum Kind {
    Length,
    Offset,
    Match,
}

impl Kind {
    /// The largest accuracy of a table, and the largest code.
    fn limits(self) -> (u32, usize) {
        match self {
            Self::Length => (9, 35),
            Self::Offset => (8, 31),
            Self::Match => (9, 52),
        }
    }

    fn set_predefined(self, fse: &mut Fse) -> Result<()> {
        match self {
            Self::Length => fse.set(&LENGTH_COUNTS, 6),
            Self::Offset => fse.set(&OFFSET_COUNTS, 5),
            Self::Match => fse.set(&MATCH_COUNTS, 6),
        }
    }

    /// The value that a code begins with, and the bits that are added.
    fn value(self, code: u32) -> (u32, u8) {
        let at = code as usize;
        match self {
            Self::Length if at < 16 => (code, 0),
            Self::Length => (LENGTH_BASES[at - 16], LENGTH_BITS[at - 16]),
            Self::Match if at < 32 => (code + 3, 0),
            Self::Match => (MATCH_BASES[at - 32], MATCH_BITS[at - 32]),
            Self::Offset => (1 << code, code as u8),
        }
    }
}

/// The tables and offsets that one block leaves to the next.
pub struct Tables {
    lengths: Fse,
    offsets: Fse,
    matches: Fse,
    /// The last offsets, the latest first.
    repeated: [usize; 3],
}

impl Default for Tables {
    fn default() -> Self {
        Self { lengths: Fse::default(), offsets: Fse::default(), matches: Fse::default(), repeated: [1, 4, 8] }
    }
}

impl Tables {
    /// Reads the section at `data[at..]` and writes the content of the block to `buffer[start..limit]` at most: returns
    /// where it ends. `literals` and `buffer` have `SLACK` bytes more.
    pub fn execute(
        &mut self,
        data: &[u8],
        mut at: usize,
        literals: &[u8],
        buffer: &mut [u8],
        start: usize,
        limit: usize,
    ) -> Result<usize> {
        let byte = |index: usize| data.get(at + index).map(|&byte| byte as usize).ok_or(Corrupted);
        let (count, used) = match byte(0)? {
            head @ 0..128 => (head, 1),
            head @ 128..255 => ((head - 128) << 8 | byte(1)?, 2),
            _ => ((byte(1)? | byte(2)? << 8) + 0x7F00, 3),
        };
        let mut run = Run { literals, taken: 0, buffer, at: start, limit };
        if count == 0 {
            return if at + used == data.len() { run.finish() } else { Err(Corrupted) };
        }
        let modes = byte(used)?;
        if modes & 3 != 0 {
            return Err(Corrupted);
        }
        at += used + 1;
        at = set_table(&mut self.lengths, Kind::Length, modes >> 6, data, at)?;
        at = set_table(&mut self.offsets, Kind::Offset, modes >> 4 & 3, data, at)?;
        at = set_table(&mut self.matches, Kind::Match, modes >> 2 & 3, data, at)?;
        self.run(Backward::new(data, at, data.len())?, count, &mut run)?;
        run.finish()
    }

    fn run(&mut self, mut bits: Backward<'_>, count: usize, run: &mut Run<'_>) -> Result<()> {
        let mut length_state = bits.read(self.lengths.accuracy) as usize;
        let mut offset_state = bits.read(self.offsets.accuracy) as usize;
        let mut match_state = bits.read(self.matches.accuracy) as usize;
        for left in (0..count).rev() {
            let length = self.lengths.entry(length_state);
            let offset = self.offsets.entry(offset_state);
            let matched = self.matches.entry(match_state);
            // At most 31 and 16 bits, then 16 and three times 9.
            bits.refill();
            let value = offset.base as usize + bits.read(offset.extra.into()) as usize;
            let match_length = matched.base as usize + bits.read(matched.extra.into()) as usize;
            bits.refill();
            let literal_length = length.base as usize + bits.read(length.extra.into()) as usize;
            if left > 0 {
                length_state = usize::from(length.next) + bits.read(length.bits.into()) as usize;
                match_state = usize::from(matched.next) + bits.read(matched.bits.into()) as usize;
                offset_state = usize::from(offset.next) + bits.read(offset.bits.into()) as usize;
            }
            let offset = self.offset(value, literal_length == 0)?;
            run.copy(literal_length, match_length, offset)?;
        }
        if bits.is_at_start() { Ok(()) } else { Err(Corrupted) }
    }

    /// The offset of an offset value: 1 to 3 stand for the last ones (RFC 8878, 3.1.1.5).
    #[inline(always)]
    fn offset(&mut self, value: usize, no_literals: bool) -> Result<usize> {
        let [first, second, third] = self.repeated;
        if value > 3 {
            self.repeated = [value - 3, first, second];
            return Ok(value - 3);
        }
        self.repeated = match value - 1 + usize::from(no_literals) {
            0 => return Ok(first),
            1 => [second, first, third],
            2 => [third, first, second],
            _ => [first.wrapping_sub(1), first, second],
        };
        if self.repeated[0] == 0 { Err(Corrupted) } else { Ok(self.repeated[0]) }
    }
}

/// Makes a table as its mode says: predefined, of one code, described, or the last one. Returns where the description ends.
fn set_table(fse: &mut Fse, kind: Kind, mode: usize, data: &[u8], at: usize) -> Result<usize> {
    let (accuracy, largest) = kind.limits();
    let rest = data.get(at..).ok_or(Corrupted)?;
    let used = match mode {
        0 => kind.set_predefined(fse).map(|()| 0)?,
        1 => {
            let code = *rest.first().ok_or(Corrupted)?;
            if usize::from(code) > largest {
                return Err(Corrupted);
            }
            fse.set_single(code);
            1
        }
        2 => fse.read(rest, accuracy, largest)?,
        _ if fse.is_set => return Ok(at),
        _ => return Err(Corrupted),
    };
    for entry in &mut fse.entries[..1 << fse.accuracy] {
        (entry.base, entry.extra) = kind.value(entry.base);
    }
    Ok(at + used)
}

/// The content of a block as it grows.
struct Run<'a> {
    literals: &'a [u8],
    /// Literals that have been copied.
    taken: usize,
    buffer: &'a mut [u8],
    at: usize,
    limit: usize,
}

impl Run<'_> {
    /// Copies literals, and then a match of what is `offset` bytes before.
    #[inline(always)]
    fn copy(&mut self, literals: usize, length: usize, offset: usize) -> Result<()> {
        let taken = self.taken + literals;
        let at = self.at + literals;
        if taken + SLACK > self.literals.len() || at + length > self.limit || offset > at {
            return Err(Corrupted);
        }
        copy_words(&self.literals[self.taken..], &mut self.buffer[self.at..], literals);
        self.taken = taken;
        self.at = at + length;
        let from = at - offset;
        if offset >= 16 {
            // Each word that is read has been written.
            let (mut from, mut to) = (from, at);
            while to < at + length {
                let Some(&word) = self.buffer[from..].first_chunk::<16>() else { return Err(Corrupted) };
                let Some(into) = self.buffer[to..].first_chunk_mut() else { return Err(Corrupted) };
                *into = word;
                (from, to) = (from + 16, to + 16);
            }
        } else {
            for index in 0..length {
                self.buffer[at + index] = self.buffer[from + index];
            }
        }
        Ok(())
    }

    /// Copies the literals that are left.
    fn finish(self) -> Result<usize> {
        let left = self.literals.len() - SLACK - self.taken;
        if self.at + left > self.limit {
            return Err(Corrupted);
        }
        self.buffer[self.at..self.at + left].copy_from_slice(&self.literals[self.taken..self.taken + left]);
        Ok(self.at + left)
    }
}

/// Copies `count` bytes in words of 16, the last of which may go beyond them.
#[inline(always)]
fn copy_words(from: &[u8], to: &mut [u8], count: usize) {
    let mut at = 0;
    while at < count {
        if let (Some(word), Some(into)) = (from[at..].first_chunk::<16>(), to[at..].first_chunk_mut::<16>()) {
            *into = *word;
        }
        at += 16;
    }
}
