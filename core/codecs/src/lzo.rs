//! LZO1X, as its format is described in Linux' Documentation/staging/lzo.rst.

use crate::{Corrupted, Result};

/// The most bytes that `compress` makes of `length` bytes.
pub const fn bound(length: usize) -> usize {
    length + length / 16 + 67
}

/// The largest distances of the three kinds of matches.
const NEAR: usize = 0x800;
const MIDDLE: usize = 0x4000;
const FAR: usize = 0xBFFF;

/// Decodes all of `content` to `into`, which it must fill.
pub fn decompress(content: &[u8], into: &mut [u8]) -> Result<()> {
    let mut source = Source { content, at: 0 };
    let mut at = 0;
    // Literals copied after the last match; 4 means a long run.
    let mut state = 0;
    let first = usize::from(*content.first().ok_or(Corrupted)?);
    if first > 17 {
        source.at = 1;
        source.copy(into, &mut at, first - 17)?;
        state = (first - 17).min(4);
    }
    loop {
        let op = source.byte()?;
        let (length, distance, literals) = match op {
            0..16 if state == 0 => {
                let length = source.length(op, 15)? + 3;
                source.copy(into, &mut at, length)?;
                state = 4;
                continue;
            }
            0..16 => {
                let distance = (op >> 2) + (source.byte()? << 2);
                if state == 4 { (3, distance + 0x801, op & 3) } else { (2, distance + 1, op & 3) }
            }
            16..32 => {
                let length = source.length(op & 7, 7)? + 2;
                let low = source.word()?;
                let distance = 0x4000 + ((op & 8) << 11) + (low >> 2);
                if distance == 0x4000 {
                    break;
                }
                (length, distance, low & 3)
            }
            32..64 => {
                let length = source.length(op & 31, 31)? + 2;
                let low = source.word()?;
                (length, (low >> 2) + 1, low & 3)
            }
            _ => ((op >> 5) + 1, (op >> 2 & 7) + (source.byte()? << 3) + 1, op & 3),
        };
        copy_match(into, at, length, distance)?;
        at += length;
        source.copy(into, &mut at, literals)?;
        state = literals;
    }
    if at == into.len() && source.at == content.len() { Ok(()) } else { Err(Corrupted) }
}

/// Copies what is `distance` bytes before `at` to there.
#[inline(always)]
fn copy_match(into: &mut [u8], at: usize, length: usize, distance: usize) -> Result<()> {
    let from = at.checked_sub(distance).ok_or(Corrupted)?;
    if length > into.len() - at {
        return Err(Corrupted);
    }
    if distance >= WORD && at + length + WORD <= into.len() {
        // Each word that is read has been written; the last one may go beyond the end of the match.
        for done in (0..length).step_by(WORD) {
            copy_word(into, from + done, at + done);
        }
    } else {
        for index in 0..length {
            into[at + index] = into[from + index];
        }
    }
    Ok(())
}

/// Bytes that are copied at once.
const WORD: usize = 16;

/// The most literals that are copied in words: memcpy(3) takes longer to begin.
const SHORT: usize = 256;

#[inline(always)]
fn copy_word(into: &mut [u8], from: usize, to: usize) {
    let word = into[from..].first_chunk::<WORD>().copied();
    if let (Some(word), Some(into)) = (word, into[to..].first_chunk_mut()) {
        *into = word;
    }
}

struct Source<'a> {
    content: &'a [u8],
    at: usize,
}

impl Source<'_> {
    #[inline(always)]
    fn byte(&mut self) -> Result<usize> {
        let byte = *self.content.get(self.at).ok_or(Corrupted)?;
        self.at += 1;
        Ok(byte.into())
    }

    #[inline(always)]
    fn word(&mut self) -> Result<usize> {
        Ok(self.byte()? | self.byte()? << 8)
    }

    /// A length that is in the instruction or, where that is 0, in the bytes after it, each zero 255 more than `base`.
    fn length(&mut self, length: usize, base: usize) -> Result<usize> {
        if length > 0 {
            return Ok(length);
        }
        let zeros = self.content[self.at..].iter().take_while(|&&byte| byte == 0).count();
        self.at += zeros;
        Ok(base + 255 * zeros + self.byte()?)
    }

    /// Copies literals.
    #[inline(always)]
    fn copy(&mut self, into: &mut [u8], at: &mut usize, count: usize) -> Result<()> {
        let from = self.content.get(self.at..).ok_or(Corrupted)?;
        let to = into.get_mut(*at..).ok_or(Corrupted)?;
        if count <= SHORT && from.len() >= count + WORD && to.len() >= count + WORD {
            // The last word may go beyond the literals.
            for at in (0..count).step_by(WORD) {
                if let (Some(from), Some(to)) = (from[at..].first_chunk::<WORD>(), to[at..].first_chunk_mut()) {
                    *to = *from;
                }
            }
        } else {
            to.get_mut(..count).ok_or(Corrupted)?.copy_from_slice(from.get(..count).ok_or(Corrupted)?);
        }
        self.at += count;
        *at += count;
        Ok(())
    }
}

/// A compressor with the memory that it uses again for each block.
pub struct Compressor {
    /// The last offset of each hash of four bytes, and 1.
    heads: Vec<u32>,
    /// For each offset the one before with the same hash, and 1; only where more than one is tried.
    chain: Vec<u32>,
    /// How many earlier occurrences are tried.
    tries: u32,
}

/// Bits of a hash.
const HASH_BITS: u32 = 14;

impl Compressor {
    /// A compressor that tries so many earlier occurrences of four bytes.
    pub fn new(tries: u32) -> Self {
        Self { heads: vec![0; 1 << HASH_BITS], chain: Vec::new(), tries }
    }

    /// Adds the code of `content`, at most 4 GB, to `output`.
    pub fn compress(&mut self, content: &[u8], output: &mut Vec<u8>) {
        let start = output.len();
        output.reserve(bound(content.len()));
        self.heads.fill(0);
        if self.tries > 1 {
            self.chain.clear();
            self.chain.resize(content.len(), 0);
        }
        let (mut at, mut literals) = (0, 0);
        while at + 4 <= content.len() {
            let (length, distance) = self.find(content, at);
            if length == 0 {
                // Where nothing repeats, fewer offsets are tried.
                at += 1 + ((at - literals) >> 5);
                continue;
            }
            push_literals(output, start, &content[literals..at]);
            push_match(output, length, distance);
            let end = at + length;
            if self.tries > 1 {
                for passed in at + 1..end.min(content.len().saturating_sub(3)) {
                    self.enter(content, passed);
                }
            }
            (at, literals) = (end, end);
        }
        push_literals(output, start, &content[literals..]);
        output.extend_from_slice(&[17, 0, 0]);
    }

    /// Notes the four bytes at `at`, and returns the last occurrence of their hash, and 1.
    fn enter(&mut self, content: &[u8], at: usize) -> u32 {
        let word = content[at..].first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
        let head = &mut self.heads[(word.wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as usize];
        let earlier = core::mem::replace(head, at as u32 + 1);
        if let Some(link) = self.chain.get_mut(at) {
            *link = earlier;
        }
        earlier
    }

    /// The longest match of what is at `at`, or 0.
    fn find(&mut self, content: &[u8], at: usize) -> (usize, usize) {
        let mut candidate = self.enter(content, at);
        let mut best = (0, 0);
        for _ in 0..self.tries {
            let Some(from) = (candidate as usize).checked_sub(1).filter(|from| at - from <= FAR) else { break };
            let length = common(&content[from..], &content[at..]);
            let distance = at - from;
            // A far match of few bytes takes as many as its code.
            if length >= 4 && length > best.0 && (distance <= MIDDLE || length > 4) {
                best = (length, distance);
            }
            candidate = self.chain.get(from).copied().unwrap_or(0);
        }
        best
    }
}

/// How many bytes two slices have in common at their starts.
fn common(one: &[u8], two: &[u8]) -> usize {
    let words = one.as_chunks::<8>().0.iter().zip(two.as_chunks::<8>().0);
    let mut length = 0;
    for (a, b) in words {
        let difference = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if difference != 0 {
            return length + (difference.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    length + one[length..].iter().zip(&two[length..]).take_while(|(a, b)| a == b).count()
}

/// Adds literals: up to three in the instruction before them, which ends two bytes before, else a run.
fn push_literals(output: &mut Vec<u8>, start: usize, literals: &[u8]) {
    let count = literals.len();
    let is_first = output.len() == start;
    match count {
        0 => {}
        1..=238 if is_first => output.push(count as u8 + 17),
        1..=3 => {
            let at = output.len() - 2;
            output[at] |= count as u8;
        }
        _ => push_length(output, 0, count - 3, 15),
    }
    output.extend_from_slice(literals);
}

/// Adds an instruction with a length: in its own bits, or in the bytes after it when it is above `most`.
fn push_length(output: &mut Vec<u8>, op: u8, length: usize, most: usize) {
    if length <= most {
        output.push(op | length as u8);
        return;
    }
    output.push(op);
    let mut left = length - most;
    while left > 255 {
        output.push(0);
        left -= 255;
    }
    output.push(left as u8);
}

fn push_match(output: &mut Vec<u8>, length: usize, distance: usize) {
    if length <= 8 && distance <= NEAR {
        let offset = distance - 1;
        output.extend_from_slice(&[((length - 1) << 5 | (offset & 7) << 2) as u8, (offset >> 3) as u8]);
        return;
    }
    let offset = if distance <= MIDDLE {
        push_length(output, 32, length - 2, 31);
        distance - 1
    } else {
        push_length(output, 16 | ((distance - MIDDLE) >> 11 & 8) as u8, length - 2, 7);
        distance - MIDDLE
    };
    output.extend_from_slice(&((offset << 2) as u16).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(content: &[u8], tries: u32) -> usize {
        let mut packed = Vec::new();
        Compressor::new(tries).compress(content, &mut packed);
        assert!(packed.len() <= bound(content.len()));
        let mut back = vec![0; content.len()];
        assert_eq!(decompress(&packed, &mut back), Ok(()));
        assert!(back == content);
        packed.len()
    }

    #[test]
    fn what_was_compressed_comes_back() {
        for tries in [1, 64] {
            for length in [0, 1, 3, 4, 5, 17, 18, 19, 238, 239, 300, 5000, 100_000] {
                let random: Vec<u8> = (0..length as u32).map(|at| (at.wrapping_mul(0x9E37_79B1) >> 13) as u8).collect();
                round_trip(&random, tries);
                let text: Vec<u8> = (0..length as u32).map(|at| (at % 7 * (at / 300 % 5)) as u8).collect();
                round_trip(&text, tries);
                assert!(round_trip(&vec![7; length], tries) < 20 + length / 200);
            }
        }
    }

    #[test]
    fn damage_is_found() {
        let mut into = [0; 10];
        for content in [&b""[..], b"\x11", b"\x11\0", b"\xFFabc", b"\x15abcd", b"\x15abcd\x40\xFF", b"\0\0\0"] {
            assert!(decompress(content, &mut into).is_err(), "{content:?}");
        }
    }
}
