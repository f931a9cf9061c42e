//! The CRC of 32 bits with the polynomial 0x04C11DB7: as gzip, zip, PNG and Ethernet have it (RFC 1952, 8), and as POSIX's
//! cksum has it, which takes the bits of each byte in the other order and adds the length.

/// The polynomial with its bits reversed.
const POLYNOMIAL: u32 = 0xEDB8_8320;

type Tables = [[u32; 256]; 8];

/// A CRC of what is added bit by bit, eight bytes a step ("slicing by 8").
pub struct Crc {
    /// `tables[n][byte]`: what a byte does that is n bytes before the end.
    tables: Box<Tables>,
    value: u32,
    /// POSIX's order of bits.
    posix: bool,
}

impl Crc {
    /// RFC 1952's.
    pub fn gzip() -> Self {
        Self { tables: tables(), value: !0, posix: false }
    }

    /// POSIX's, XCU cksum.
    pub fn posix() -> Self {
        Self { tables: tables(), value: 0, posix: true }
    }

    /// bzip2's: POSIX's order of bits, and ones at the start.
    pub fn bzip2() -> Self {
        Self { tables: tables(), value: !0, posix: true }
    }

    /// The CRC of all that was added since the last call, as bzip2 has it.
    pub fn take_bzip2(&mut self) -> u32 {
        !core::mem::replace(&mut self.value, !0).reverse_bits()
    }

    /// Adds bytes.
    pub fn update(&mut self, content: &[u8]) {
        let tables = &self.tables;
        let mut value = self.value;
        let (blocks, rest) = content.as_chunks::<8>();
        for block in blocks {
            let mut word = u64::from_le_bytes(*block);
            if self.posix {
                word = word.swap_bytes().reverse_bits();
            }
            word ^= u64::from(value);
            value = 0;
            for (at, table) in tables.iter().rev().enumerate() {
                value ^= table[usize::from((word >> (8 * at)) as u8)];
            }
        }
        for &byte in rest {
            let byte = if self.posix { byte.reverse_bits() } else { byte };
            value = value >> 8 ^ tables[0][usize::from(value as u8 ^ byte)];
        }
        self.value = value;
    }

    /// The CRC of all that was added; POSIX's is that of the bytes and of `length`, their number.
    pub fn finish(mut self, length: u64) -> u32 {
        if !self.posix {
            return !self.value;
        }
        let bytes = length.to_le_bytes();
        let used = 8 - (length.leading_zeros() / 8) as usize;
        self.update(&bytes[..used]);
        !self.value.reverse_bits()
    }
}

/// Eight kilobytes that are made in less time than it takes to read them from a file.
fn tables() -> Box<Tables> {
    let mut tables = Box::new([[0; 256]; 8]);
    for byte in 0..256 {
        let step = |value: u32, _| value >> 1 ^ if value & 1 == 1 { POLYNOMIAL } else { 0 };
        tables[0][byte] = (0..8).fold(byte as u32, step);
    }
    for at in 1..8 {
        for byte in 0..256 {
            let before = tables[at - 1][byte];
            tables[at][byte] = before >> 8 ^ tables[0][usize::from(before as u8)];
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_values_are_those_of_the_catalogue() {
        let text = b"123456789";
        let mut crc = Crc::gzip();
        crc.update(&text[..3]);
        crc.update(&text[3..]);
        assert_eq!(crc.finish(9), 0xCBF4_3926);
        let mut crc = Crc::posix();
        crc.update(text);
        assert_eq!(crc.finish(9), 930_766_865);
        assert_eq!(Crc::posix().finish(0), u32::MAX);
    }
}
