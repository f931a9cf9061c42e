//! The formats of tar: version 7, ustar and pax (POSIX.1-2024 XCU pax, tar(5)), and GNU's.
//!
//! An archive is blocks of 512 bytes: a header for each file, then its data, at the end two blocks of zeros.

mod pax;
mod read;
mod sparse;
mod write;

#[cfg(fuzzing)]
pub use read::fuzz;
pub use read::{NO_ARCHIVE, Next, Reader, is_header};
pub use write::{Format, PaxOptions, Writer, padding};

/// Bytes of a block.
pub const BLOCK: usize = 512;

/// One block.
pub type Block = [u8; BLOCK];

/// A field of a header: its offset and its length in bytes.
#[derive(Clone, Copy)]
struct Field(usize, usize);

impl Field {
    fn of(self, block: &Block) -> &[u8] {
        &block[self.0..self.0 + self.1]
    }

    /// The bytes before the first NUL.
    fn text(self, block: &Block) -> &[u8] {
        let field = self.of(block);
        let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
        &field[..end]
    }
}

const NAME: Field = Field(0, 100);
const MODE: Field = Field(100, 8);
const UID: Field = Field(108, 8);
const GID: Field = Field(116, 8);
const SIZE: Field = Field(124, 12);
const MTIME: Field = Field(136, 12);
const SUM: Field = Field(148, 8);
const TYPE: usize = 156;
const LINK: Field = Field(157, 100);
const MAGIC: Field = Field(257, 8);
const USER: Field = Field(265, 32);
const GROUP: Field = Field(297, 32);
const MAJOR: Field = Field(329, 8);
const MINOR: Field = Field(337, 8);
const PREFIX: Field = Field(345, 155);
/// GNU's header of a file with holes: four parts, whether more follow in a block, and the length of the file.
const GNU_PARTS: Field = Field(386, 96);
const GNU_MORE: usize = 482;
const GNU_LENGTH: Field = Field(483, 12);
/// A block with more parts.
const MORE_PARTS: Field = Field(0, 504);
const MORE_MORE: usize = 504;

/// What `MAGIC` holds.
const USTAR: &[u8; 8] = b"ustar\x0000";
const GNU: &[u8; 8] = b"ustar  \0";

/// The sum of a header's bytes, with spaces in its own field.
fn sum(block: &Block) -> u64 {
    // Sixteen bits hold the sum of 64 times two bytes: every header of an archive is summed, and a loop over single bytes
    // showed.
    const LANES: u64 = 0x00ff_00ff_00ff_00ff;
    let words = block.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
    let lanes = words.fold(0, |sum, word| sum + (word & LANES) + (word >> 8 & LANES));
    let all: u64 = (0..4).map(|lane| lanes >> (16 * lane) & 0xffff).sum();
    let own: u64 = SUM.of(block).iter().map(|&byte| u64::from(byte)).sum();
    all - own + 8 * u64::from(b' ')
}

/// The same of signed bytes, which old programs took.
fn signed_sum(block: &Block) -> i64 {
    block.iter().filter(|byte| **byte >= 0x80).fold(sum(block) as i64, |sum, _| sum - 256)
}

/// The number in a field: octal digits between blanks and NULs, or binary with the first bit set, a negative one with the
/// second set as well. `None` for anything else and for what passes 64 bits.
fn number(field: &[u8]) -> Option<i64> {
    if let Some(&first @ (0x80..=0xff)) = field.first() {
        let start = if first & 0x40 != 0 { -1 } else { i128::from(first & 0x3f) };
        let value = field[1..].iter().try_fold(start, |value, &byte| {
            let value = value << 8 | i128::from(byte);
            (i64::MIN.into()..=i64::MAX.into()).contains(&value).then_some(value)
        });
        return value.and_then(|value| i64::try_from(value).ok());
    }
    let is_filler = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !is_filler(byte)).unwrap_or(field.len());
    let digits = &field[start..];
    let digits = &digits[..digits.iter().position(is_filler).unwrap_or(digits.len())];
    if digits.is_empty() {
        return Some(0);
    }
    crate::number::parse_radix(digits, 8).and_then(|value| value.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_binary() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(b"\0\0\0\0"), Some(0));
        assert_eq!(number(b"00649\0"), None);
        assert_eq!(number(b"\x80\0\0\0\0\0\0\0\x02\0\0\0"), Some(0x200_0000));
        assert_eq!(number(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe"), Some(-2));
        assert_eq!(number(b"\x80\x01\0\0\0\0\0\0\0\0\0\0"), None);
    }
}
