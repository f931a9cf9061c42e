//! The literals section of a block (RFC 8878, 3.1.1.3.1).

use super::bits::Backward;
use super::huffman::Huffman;
use super::{BLOCK_MAX, SLACK};
use crate::{Corrupted, Result};

/// Reads the section at `data[at..end]`: the literals, `SLACK` bytes after them and where the section ends. `data` has
/// `SLACK` bytes after `end`.
pub fn read<'a>(
    huffman: &mut Huffman,
    data: &'a [u8],
    at: usize,
    end: usize,
    buffer: &'a mut Vec<u8>,
) -> Result<(&'a [u8], usize)> {
    let byte = |index: usize| data[..end].get(at + index).map(|&byte| byte as usize).ok_or(Corrupted);
    let head = byte(0)?;
    let (kind, format) = (head & 3, head >> 2 & 3);
    if kind < 2 {
        let (size, used) = match format {
            0 | 2 => (head >> 3, 1),
            1 => (head >> 4 | byte(1)? << 4, 2),
            _ => (head >> 4 | byte(1)? << 4 | byte(2)? << 12, 3),
        };
        let start = at + used;
        if size > BLOCK_MAX {
            return Err(Corrupted);
        }
        if kind == 0 {
            let rest = start + size;
            return if rest <= end { Ok((&data[start..rest + SLACK], rest)) } else { Err(Corrupted) };
        }
        let repeated = byte(used)? as u8;
        buffer.clear();
        buffer.resize(size + SLACK, repeated);
        return Ok((buffer, start + 1));
    }
    let (bits, used) = [(10, 3), (10, 3), (14, 4), (18, 5)][format];
    let mut word = 0u64;
    for index in 0..used {
        word |= (byte(index)? as u64) << (8 * index);
    }
    let mask = (1 << bits) - 1;
    let (size, packed) = ((word >> 4 & mask) as usize, (word >> (4 + bits) & mask) as usize);
    let mut start = at + used;
    let rest = start + packed;
    if rest > end || size > BLOCK_MAX {
        return Err(Corrupted);
    }
    if kind == 2 {
        start = huffman.read(data, start, rest)?;
    } else if !huffman.is_set() {
        return Err(Corrupted);
    }
    if buffer.len() < size + SLACK {
        buffer.resize(size + SLACK, 0);
    }
    let into = &mut buffer[..size];
    if format == 0 {
        huffman.decode(Backward::new(data, start, rest)?, into)?;
    } else {
        let jump = data[..rest].get(start..start + 6).ok_or(Corrupted)?;
        let length = |index: usize| usize::from(u16::from_le_bytes([jump[2 * index], jump[2 * index + 1]]));
        let one = start + 6;
        let two = one + length(0);
        let three = two + length(1);
        let four = three + length(2);
        let stream = |start, end| Backward::new(data, start, end);
        huffman
            .decode_four([stream(one, two)?, stream(two, three)?, stream(three, four)?, stream(four, rest)?], into)?;
    }
    Ok((&buffer[..size + SLACK], rest))
}
