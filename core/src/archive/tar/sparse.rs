//! Maps of files with holes, as GNU tar writes them.

use super::super::Sparse;
use super::{Block, Field, number};
use crate::number::parse_decimal;

/// How many parts a file may have: 16 MB of memory.
pub const MOST_PARTS: usize = 1 << 20;

/// Adds the parts that a field of a header holds, pairs of numbers of 12 bytes. An unused one has NULs. False where a
/// number is damaged or there are too many.
pub fn push_parts(parts: &mut Vec<(u64, u64)>, block: &Block, field: Field) -> bool {
    for pair in field.of(block).chunks_exact(24) {
        if pair[0] == 0 {
            break;
        }
        let numbers = number(&pair[..12]).zip(number(&pair[12..]));
        let Some((Ok(offset), Ok(length))) = numbers.map(|(a, b)| (a.try_into(), b.try_into())) else { return false };
        if parts.len() == MOST_PARTS {
            return false;
        }
        parts.push((offset, length));
    }
    true
}

impl Sparse {
    /// Whether the parts are in order, within the file, and as long together as the data.
    pub fn is_valid(&self, data: u64) -> bool {
        let mut end = 0u64;
        let mut total = 0u64;
        for &(offset, length) in &self.parts {
            let Some(next) = offset.checked_add(length).filter(|next| offset >= end && *next <= self.size) else {
                return false;
            };
            end = next;
            total += length;
        }
        total == data && self.parts.len() <= MOST_PARTS && i64::try_from(self.size).is_ok()
    }
}

/// The map at the start of the data (version 1.0): decimal numbers, a newline after each, the count of pairs first.
#[derive(Default)]
pub struct Map {
    line: Vec<u8>,
    wanted: Option<usize>,
    numbers: Vec<u64>,
}

impl Map {
    /// Reads one block; true when the map is complete. An error for what is no map.
    pub fn read(&mut self, block: &Block) -> Result<bool, ()> {
        for &byte in block {
            if byte != b'\n' {
                self.line.push(byte);
                if self.line.len() > 20 {
                    return Err(());
                }
                continue;
            }
            let number = parse_decimal(&self.line).ok_or(())?;
            self.line.clear();
            match self.wanted {
                None if number > MOST_PARTS as u64 => return Err(()),
                None => self.wanted = Some(number as usize * 2),
                Some(_) => self.numbers.push(number),
            }
            if self.wanted == Some(self.numbers.len()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The parts.
    pub fn into_parts(self) -> Vec<(u64, u64)> {
        self.numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
    }
}
