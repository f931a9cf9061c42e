//! The conversions of `conv=`: codes, cases, swapped bytes, and records of a fixed length.

use super::plan::conv;

/// The EBCDIC code of each ASCII code (POSIX XCU dd, table "ASCII to EBCDIC Conversion"). Its inverse is `conv=ascii`.
#[rustfmt::skip]
const EBCDIC: [u8; 256] = [
    0x00, 0x01, 0x02, 0x03, 0x37, 0x2D, 0x2E, 0x2F, 0x16, 0x05, 0x25, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F,
    0x10, 0x11, 0x12, 0x13, 0x3C, 0x3D, 0x32, 0x26, 0x18, 0x19, 0x3F, 0x27, 0x1C, 0x1D, 0x1E, 0x1F,
    0x40, 0x5A, 0x7F, 0x7B, 0x5B, 0x6C, 0x50, 0x7D, 0x4D, 0x5D, 0x5C, 0x4E, 0x6B, 0x60, 0x4B, 0x61,
    0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0x7A, 0x5E, 0x4C, 0x7E, 0x6E, 0x6F,
    0x7C, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6,
    0xD7, 0xD8, 0xD9, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xAD, 0xE0, 0xBD, 0x9A, 0x6D,
    0x79, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96,
    0x97, 0x98, 0x99, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xC0, 0x4F, 0xD0, 0x5F, 0x07,
    0x20, 0x21, 0x22, 0x23, 0x24, 0x15, 0x06, 0x17, 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x09, 0x0A, 0x1B,
    0x30, 0x31, 0x1A, 0x33, 0x34, 0x35, 0x36, 0x08, 0x38, 0x39, 0x3A, 0x3B, 0x04, 0x14, 0x3E, 0xE1,
    0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57,
    0x58, 0x59, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x70, 0x71, 0x72, 0x73, 0x74, 0x75,
    0x76, 0x77, 0x78, 0x80, 0x8A, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x6A, 0x9B, 0x9C, 0x9D, 0x9E,
    0x9F, 0xA0, 0xAA, 0xAB, 0xAC, 0x4A, 0xAE, 0xAF, 0xB0, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7,
    0xB8, 0xB9, 0xBA, 0xBB, 0xBC, 0xA1, 0xBE, 0xBF, 0xCA, 0xCB, 0xCC, 0xCD, 0xCE, 0xCF, 0xDA, 0xDB,
    0xDC, 0xDD, 0xDE, 0xDF, 0xEA, 0xEB, 0xEC, 0xED, 0xEE, 0xEF, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE, 0xFF,
];

/// Where `conv=ibm` has other codes (POSIX XCU dd, table "ASCII to IBM EBCDIC Conversion").
const IBM: [(usize, u8); 5] = [(0x5E, 0x5F), (0x7E, 0xA1), (0xCB, 0x9A), (0xD5, 0xAD), (0xE5, 0xBD)];

/// What becomes of the bytes between the two buffers.
pub struct Converter {
    /// The code for each byte, unless bytes stay as they are.
    codes: Option<Box<[u8; 256]>>,
    swab: bool,
    /// The first of two bytes to swap, when a block ended between them.
    waiting: Option<u8>,
    records: Records,
    /// The length of a record.
    size: usize,
    /// How much of the current record has been read.
    column: usize,
    /// Blanks at the end of what has been read of a record, for `unblock`.
    blanks: usize,
    /// The records that were longer than `size`.
    pub truncated: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Records {
    AsTheyAre,
    Block,
    Unblock,
}

impl Converter {
    /// The conversions that are set in `flags`, with records of `size` bytes.
    pub fn new(flags: u64, size: usize) -> Self {
        let records = match flags & (conv::BLOCK | conv::UNBLOCK) {
            conv::BLOCK => Records::Block,
            conv::UNBLOCK => Records::Unblock,
            _ => Records::AsTheyAre,
        };
        let swab = flags & conv::SWAB != 0;
        Self { codes: codes(flags), swab, waiting: None, records, size, column: 0, blanks: 0, truncated: 0 }
    }

    /// Converts `block` in place, or to `out`, and returns where the result is. The blank is the one of the output's code.
    pub fn convert<'a>(&mut self, block: &'a mut [u8], out: &'a mut Vec<u8>) -> &'a [u8] {
        if let Some(codes) = &self.codes {
            for byte in &mut *block {
                *byte = codes[usize::from(*byte)];
            }
        }
        out.clear();
        if self.swab {
            self.swap(block, out);
            if self.records == Records::AsTheyAre {
                return out;
            }
            let swapped = core::mem::take(out);
            self.reblock(&swapped, out);
        } else if self.records != Records::AsTheyAre {
            self.reblock(block, out);
        } else {
            return block;
        }
        out
    }

    /// What is left at the end of the input.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        out.clear();
        if let Some(byte) = self.waiting.take() {
            match self.records {
                Records::AsTheyAre => out.push(byte),
                _ => self.reblock(&[byte], out),
            }
        }
        match self.records {
            Records::Block if self.column > 0 => self.end_record(out),
            Records::Unblock if self.column > 0 => out.push(self.code(b'\n')),
            _ => {}
        }
    }

    /// A character that the conversion adds, in the code of the output.
    fn code(&self, character: u8) -> u8 {
        // What goes to EBCDIC is blocked, what comes from it unblocked, so `codes` is the way to it or already passed.
        match (self.records, &self.codes) {
            (Records::Block, Some(codes)) => codes[usize::from(character)],
            _ => character,
        }
    }

    fn swap(&mut self, block: &[u8], out: &mut Vec<u8>) {
        for &byte in block {
            match self.waiting.take() {
                Some(first) => out.extend_from_slice(&[byte, first]),
                None => self.waiting = Some(byte),
            }
        }
    }

    fn end_record(&mut self, out: &mut Vec<u8>) {
        let missing = self.size.saturating_sub(self.column);
        out.resize(out.len() + missing, self.code(b' '));
        self.column = 0;
    }

    fn reblock(&mut self, block: &[u8], out: &mut Vec<u8>) {
        let (newline, blank) = (self.code(b'\n'), self.code(b' '));
        for &byte in block {
            match self.records {
                Records::Block if byte == newline => self.end_record(out),
                Records::Block => {
                    match self.column.cmp(&self.size) {
                        core::cmp::Ordering::Less => out.push(byte),
                        core::cmp::Ordering::Equal => self.truncated += 1,
                        core::cmp::Ordering::Greater => {}
                    }
                    self.column += 1;
                }
                _ => {
                    if self.column == self.size {
                        out.push(newline);
                        (self.column, self.blanks) = (0, 0);
                    }
                    self.column += 1;
                    if byte == blank {
                        self.blanks += 1;
                    } else {
                        out.resize(out.len() + core::mem::take(&mut self.blanks), blank);
                        out.push(byte);
                    }
                }
            }
        }
    }
}

/// From EBCDIC first, then to upper or lower case, then to EBCDIC; `None` if nothing changes.
fn codes(flags: u64) -> Option<Box<[u8; 256]>> {
    let wanted = conv::ASCII | conv::EBCDIC | conv::IBM | conv::LCASE | conv::UCASE;
    if flags & wanted == 0 {
        return None;
    }
    let mut codes = Box::new(core::array::from_fn(|byte| byte as u8));
    if flags & conv::ASCII != 0 {
        for (ascii, &code) in EBCDIC.iter().enumerate() {
            codes[usize::from(code)] = ascii as u8;
        }
    }
    let mut to = EBCDIC;
    if flags & conv::IBM != 0 {
        IBM.iter().for_each(|&(ascii, code)| to[ascii] = code);
    }
    for code in codes.iter_mut() {
        match flags {
            _ if flags & conv::LCASE != 0 => code.make_ascii_lowercase(),
            _ if flags & conv::UCASE != 0 => code.make_ascii_uppercase(),
            _ => {}
        }
        if flags & (conv::EBCDIC | conv::IBM) != 0 {
            *code = to[usize::from(*code)];
        }
    }
    Some(codes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(flags: u64, size: usize, blocks: &[&str]) -> (String, u64) {
        let mut converter = Converter::new(flags, size);
        let (mut all, mut out) = (Vec::new(), Vec::new());
        for block in blocks {
            all.extend_from_slice(converter.convert(&mut block.as_bytes().to_vec(), &mut out));
        }
        converter.finish(&mut out);
        all.extend_from_slice(&out);
        (String::from_utf8_lossy(&all).into_owned(), converter.truncated)
    }

    #[test]
    fn records_get_one_length_and_lose_it() {
        assert_eq!(converted(conv::BLOCK, 4, &["ab\nabc", "def\n\nxy"]), ("ab  abcd    xy  ".into(), 1));
        assert_eq!(converted(conv::UNBLOCK, 4, &["ab  c", "defgh"]), ("ab\ncdef\ngh\n".into(), 0));
    }

    #[test]
    fn pairs_are_swapped_across_blocks() {
        assert_eq!(converted(conv::SWAB, 0, &["abc", "def", "g"]).0, "badcfeg");
    }

    #[test]
    fn codes_lead_back() {
        let codes = |flags| codes(flags).expect("a code");
        let (to, back) = (codes(conv::EBCDIC), codes(conv::ASCII));
        assert!((0..=255u8).all(|byte| back[usize::from(to[usize::from(byte)])] == byte));
        assert_eq!(codes(conv::IBM | conv::UCASE)[usize::from(b'a')], 0xC1);
    }
}
