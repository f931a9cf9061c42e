//! XXH64, the checksum of zstd frames (the xxHash specification, version 0.1.1), with seed 0.

const P1: u64 = 0x9E37_79B1_85EB_CA87;
const P2: u64 = 0xC2B2_AE3D_27D4_EB4F;
const P3: u64 = 0x1656_67B1_9E37_79F9;
const P4: u64 = 0x85EB_CA77_C2B2_AE63;
const P5: u64 = 0x27D4_EB2F_1656_67C5;

/// A hash of what is added.
pub struct Xxh64 {
    lanes: [u64; 4],
    length: u64,
    /// Less than a stripe that has not been added.
    rest: [u8; 32],
}

impl Default for Xxh64 {
    fn default() -> Self {
        Self { lanes: [P1.wrapping_add(P2), P2, 0, 0u64.wrapping_sub(P1)], length: 0, rest: [0; 32] }
    }
}

impl Xxh64 {
    /// Adds bytes.
    pub fn update(&mut self, mut content: &[u8]) {
        let held = (self.length % 32) as usize;
        self.length += content.len() as u64;
        if held > 0 {
            let count = content.len().min(32 - held);
            self.rest[held..held + count].copy_from_slice(&content[..count]);
            content = &content[count..];
            if held + count < 32 {
                return;
            }
            let rest = self.rest;
            self.add(&rest);
        }
        let (stripes, rest) = content.as_chunks::<32>();
        for stripe in stripes {
            self.add(stripe);
        }
        self.rest[..rest.len()].copy_from_slice(rest);
    }

    #[inline]
    fn add(&mut self, stripe: &[u8; 32]) {
        for (lane, word) in self.lanes.iter_mut().zip(stripe.as_chunks::<8>().0) {
            *lane = round(*lane, u64::from_le_bytes(*word));
        }
    }

    /// The hash of all that was added.
    pub fn finish(&self) -> u64 {
        let mut hash = match self.length {
            0..32 => P5,
            _ => {
                let [a, b, c, d] = self.lanes;
                let mixed = a.rotate_left(1).wrapping_add(b.rotate_left(7));
                let mixed = mixed.wrapping_add(c.rotate_left(12)).wrapping_add(d.rotate_left(18));
                self.lanes.iter().fold(mixed, |hash, &lane| (hash ^ round(0, lane)).wrapping_mul(P1).wrapping_add(P4))
            }
        };
        hash = hash.wrapping_add(self.length);
        let (words, rest) = self.rest[..(self.length % 32) as usize].as_chunks::<8>();
        for word in words {
            hash = (hash ^ round(0, u64::from_le_bytes(*word))).rotate_left(27).wrapping_mul(P1).wrapping_add(P4);
        }
        let (words, rest) = rest.as_chunks::<4>();
        for word in words {
            let word = u64::from(u32::from_le_bytes(*word)).wrapping_mul(P1);
            hash = (hash ^ word).rotate_left(23).wrapping_mul(P2).wrapping_add(P3);
        }
        for &byte in rest {
            hash = (hash ^ u64::from(byte).wrapping_mul(P5)).rotate_left(11).wrapping_mul(P1);
        }
        hash = (hash ^ hash >> 33).wrapping_mul(P2);
        hash = (hash ^ hash >> 29).wrapping_mul(P3);
        hash ^ hash >> 32
    }
}

fn round(lane: u64, word: u64) -> u64 {
    lane.wrapping_add(word.wrapping_mul(P2)).rotate_left(31).wrapping_mul(P1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_are_those_of_xxhsum() {
        assert_eq!(Xxh64::default().finish(), 0xEF46_DB37_51D8_E999);
        let mut hash = Xxh64::default();
        hash.update(b"a");
        assert_eq!(hash.finish(), 0xD24E_C4F1_A98C_6E5B);
        let text: Vec<u8> = (0..100).collect();
        let (mut one, mut two) = (Xxh64::default(), Xxh64::default());
        one.update(&text);
        text.chunks(7).for_each(|part| two.update(part));
        assert_eq!(one.finish(), two.finish());
    }
}
