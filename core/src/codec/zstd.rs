//! The frames of zstd (RFC 8878). Their blocks are decoded by `rbox_codecs::zstd`.

use rbox_codecs::xxhash::Xxh64;
use rbox_codecs::zstd::{BLOCK_MAX, Blocks, Failure};

use super::{corrupted, read_array, read_exact, truncated, wrong_checksum};
use crate::error::{Error, Result};
use crate::io::Input;
use crate::text;

/// The largest window: what zstd(1) accepts without being told otherwise.
const WINDOW_MAX: u64 = 128 << 20;

const MAGIC: u32 = 0xFD2F_B528;

/// A decoder of one frame.
pub struct Reader {
    blocks: Blocks,
    checksum: Option<Xxh64>,
    /// Bytes that are still to come, if the header says how many there are.
    left: Option<u64>,
    /// The last block has been read.
    ended: bool,
    /// The checksum has been compared.
    finished: bool,
}

impl Reader {
    /// Reads the header of a frame, or passes over a skippable one. `limit`: the most bytes of its window.
    pub fn new(input: &mut Input, limit: Option<u64>) -> Result<Self> {
        let magic = u32::from_le_bytes(read_array(input)?);
        if magic & !15 == 0x184D_2A50 {
            skip_frame(input)?;
            return Ok(Self { blocks: Blocks::new(0), checksum: None, left: None, ended: true, finished: true });
        }
        let [flags] = read_array(input)?;
        if magic != MAGIC || flags & 8 != 0 {
            return Err(corrupted());
        }
        let is_single = flags & 0x20 != 0;
        let mut window = match is_single {
            true => 0,
            false => {
                let [descriptor] = read_array(input)?;
                let base = 1u64 << (10 + (descriptor >> 3));
                base + (base >> 3) * u64::from(descriptor & 7)
            }
        };
        if read_number(input, [0, 1, 2, 4][usize::from(flags & 3)])? != 0 {
            return Err(Error::new("it needs a dictionary"));
        }
        let left = match flags >> 6 {
            0 if is_single => Some(read_number(input, 1)?),
            0 => None,
            1 => Some(read_number(input, 2)? + 256),
            2 => Some(read_number(input, 4)?),
            _ => Some(read_number(input, 8)?),
        };
        if let Some(size) = left.filter(|_| is_single) {
            window = size;
        }
        let limit = limit.unwrap_or(WINDOW_MAX).min(1 << 31);
        if window > limit {
            return Err(Error::new(text!("it needs more than ", limit >> 20, " MB of memory")));
        }
        let checksum = if flags & 4 != 0 { Some(Xxh64::default()) } else { None };
        Ok(Self { blocks: Blocks::new(window as usize), checksum, left, ended: false, finished: false })
    }

    /// Decodes up to `into.len()` bytes; 0 means the end of the frame, whose checksum is right.
    pub fn decode(&mut self, input: &mut Input, into: &mut [u8]) -> Result<usize> {
        while self.blocks.pending().is_empty() && !self.ended {
            self.read_block(input)?;
        }
        let pending = self.blocks.pending();
        let count = pending.len().min(into.len());
        into[..count].copy_from_slice(&pending[..count]);
        self.blocks.consume(count);
        if count == 0 && !into.is_empty() && !self.finished {
            self.finish(input)?;
        }
        Ok(count)
    }

    fn read_block(&mut self, input: &mut Input) -> Result<()> {
        let header = read_number(input, 3)? as usize;
        self.ended = header & 1 != 0;
        let size = header >> 3;
        if size > BLOCK_MAX {
            return Err(corrupted());
        }
        let result = match header >> 1 & 3 {
            0 => {
                read_exact(input, self.blocks.block(size))?;
                self.blocks.add_raw()
            }
            1 => {
                let [byte] = read_array(input)?;
                self.blocks.add_repeated(byte, size)
            }
            2 => {
                read_exact(input, self.blocks.block(size))?;
                self.blocks.decode()
            }
            _ => return Err(corrupted()),
        };
        result.map_err(|failure| match failure {
            Failure::Corrupted => corrupted(),
            Failure::Memory => Error::out_of_memory(),
        })?;
        let content = self.blocks.pending();
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(content.len() as u64).ok_or_else(corrupted)?;
        }
        if let Some(checksum) = &mut self.checksum {
            checksum.update(content);
        }
        Ok(())
    }

    fn finish(&mut self, input: &mut Input) -> Result<()> {
        self.finished = true;
        if self.left.is_some_and(|left| left > 0) {
            return Err(corrupted());
        }
        match &self.checksum {
            Some(checksum) if checksum.finish() as u32 != u32::from_le_bytes(read_array(input)?) => {
                Err(wrong_checksum())
            }
            _ => Ok(()),
        }
    }
}

/// Reads a number of `count` bytes (0-8), the lowest first.
fn read_number(input: &mut Input, count: usize) -> Result<u64> {
    let mut bytes = [0; 8];
    read_exact(input, &mut bytes[..count])?;
    Ok(u64::from_le_bytes(bytes))
}

fn skip_frame(input: &mut Input) -> Result<()> {
    let mut left = u32::from_le_bytes(read_array(input)?) as usize;
    while left > 0 {
        let count = input.fill()?.len().min(left);
        if count == 0 {
            return Err(truncated());
        }
        input.consume(count);
        left -= count;
    }
    Ok(())
}
