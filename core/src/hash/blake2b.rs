//! BLAKE2b (RFC 7693), without keys.
//!
//! Own code: blake2 0.11 of RustCrypto fixes the length of the hash at build time, of which `b2sum` has 64.

/// RFC 7693, 2.6: the initialization vector, which is SHA-512's.
const VECTOR: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// RFC 7693, 2.7: the order of the words in each round, four bits each, the first in the highest.
const ORDER: [u64; 10] = [
    0x0123_4567_89ab_cdef,
    0xea48_9fd6_1c02_b753,
    0xb8c0_52fd_ae36_7194,
    0x7931_dcbe_265a_40f8,
    0x9057_24af_e1bc_683d,
    0x2c6a_0b83_4d75_fe19,
    0xc51f_ed4a_0763_928b,
    0xdb7e_c139_50f4_862a,
    0x6fe9_b308_c2d7_14a5,
    0xa284_7615_fb9e_3cd0,
];

const BLOCK: usize = 128;

/// The hash of what is added.
pub struct Blake2b {
    state: [u64; 8],
    /// The bytes hashed so far, the buffered ones not counted.
    hashed: u128,
    /// The last block is hashed differently, so one that is full waits for more.
    buffer: [u8; BLOCK],
    filled: usize,
    length: usize,
}

impl Blake2b {
    /// The hash of nothing yet; `length` is that of the hash, 1-64 bytes.
    pub fn new(length: usize) -> Self {
        let mut state = VECTOR;
        state[0] ^= 0x0101_0000 ^ length as u64;
        Self { state, hashed: 0, buffer: [0; BLOCK], filled: 0, length }
    }

    /// Adds bytes to what is hashed.
    pub fn update(&mut self, mut content: &[u8]) {
        while !content.is_empty() {
            if self.filled == BLOCK {
                self.compress(false);
                self.filled = 0;
            }
            let count = content.len().min(BLOCK - self.filled);
            self.buffer[self.filled..self.filled + count].copy_from_slice(&content[..count]);
            self.filled += count;
            content = &content[count..];
        }
    }

    /// The hash of all that was added.
    pub fn finish(mut self) -> Vec<u8> {
        self.buffer[self.filled..].fill(0);
        self.compress(true);
        let mut hash: Vec<u8> = self.state.iter().flat_map(|word| word.to_le_bytes()).collect();
        hash.truncate(self.length);
        hash
    }

    /// RFC 7693, 3.2.
    fn compress(&mut self, is_last: bool) {
        self.hashed += self.filled as u128;
        let mut words = [0u64; 16];
        for (word, bytes) in words.iter_mut().zip(self.buffer.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let mut v = [0u64; 16];
        v[..8].copy_from_slice(&self.state);
        v[8..].copy_from_slice(&VECTOR);
        v[12] ^= self.hashed as u64;
        v[13] ^= (self.hashed >> 64) as u64;
        if is_last {
            v[14] = !v[14];
        }
        for round in 0..12 {
            let order = ORDER[round % 10];
            let word = |at: u32| words[(order >> (60 - 4 * at)) as usize & 15];
            mix(&mut v, [0, 4, 8, 12], word(0), word(1));
            mix(&mut v, [1, 5, 9, 13], word(2), word(3));
            mix(&mut v, [2, 6, 10, 14], word(4), word(5));
            mix(&mut v, [3, 7, 11, 15], word(6), word(7));
            mix(&mut v, [0, 5, 10, 15], word(8), word(9));
            mix(&mut v, [1, 6, 11, 12], word(10), word(11));
            mix(&mut v, [2, 7, 8, 13], word(12), word(13));
            mix(&mut v, [3, 4, 9, 14], word(14), word(15));
        }
        for (at, word) in self.state.iter_mut().enumerate() {
            *word ^= v[at] ^ v[at + 8];
        }
    }
}

/// RFC 7693, 3.1: the function G.
#[inline(always)]
fn mix(v: &mut [u64; 16], [a, b, c, d]: [usize; 4], x: u64, y: u64) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
    v[d] = (v[d] ^ v[a]).rotate_right(32);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(24);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(63);
}

#[cfg(test)]
mod tests {
    use super::Blake2b;
    use crate::hash::hex;

    fn text(length: usize, content: &[u8], part: usize) -> String {
        let mut hash = Blake2b::new(length);
        content.chunks(part).for_each(|part| hash.update(part));
        String::from_utf8(hex(&hash.finish())).expect("digits")
    }

    #[test]
    fn hashes_are_those_of_the_standard() {
        // RFC 7693, appendix A.
        assert!(text(64, b"abc", 3).starts_with("ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"));
        assert!(text(64, b"", 1).starts_with("786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419"));
        assert_eq!(text(8, &[b'x'; 256], 7), text(8, &[b'x'; 256], 128));
    }
}
