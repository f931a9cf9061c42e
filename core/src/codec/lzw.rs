//! The .Z files of compress(1). Their codes are decoded by `rbox_codecs::lzw`.

use rbox_codecs::lzw::{BITS_MAX, Lzw};

use super::{corrupted, read_array};
use crate::error::{Error, Result};
use crate::io::Input;

/// The bits of the third byte: the longest code, and whether code 256 empties the table.
const BITS: u8 = 0x1f;
const HAS_CLEAR: u8 = 0x80;

/// A decoder of one file. The format has no end, no length and no checksum.
pub struct Reader {
    state: Lzw,
}

impl Reader {
    /// Reads the header.
    pub fn new(input: &mut Input) -> Result<Self> {
        let [_, _, flags] = read_array(input)?;
        let bits = u32::from(flags & BITS);
        if !(9..=BITS_MAX).contains(&bits) {
            return Err(Error::new("unsupported length of codes"));
        }
        Ok(Self { state: Lzw::new(bits, flags & HAS_CLEAR != 0) })
    }

    /// Decodes up to `into.len()` bytes; 0 means the end of the input.
    pub fn decode(&mut self, input: &mut Input, into: &mut [u8]) -> Result<usize> {
        loop {
            let content = input.fill()?;
            let is_end = content.is_empty();
            let (used, made) = self.state.decode(content, into).map_err(|_| corrupted())?;
            input.consume(used);
            if made > 0 || is_end || into.is_empty() {
                return Ok(made);
            }
        }
    }
}
