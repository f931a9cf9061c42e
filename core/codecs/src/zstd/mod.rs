//! The blocks of zstd frames (RFC 8878).

mod bits;
mod fse;
mod huffman;
mod literals;
mod sequences;

use crate::Corrupted;
use bits::PADDING;
use huffman::Huffman;
use sequences::Tables;

/// The most bytes of a block (RFC 8878, 3.1.1.2.3).
pub const BLOCK_MAX: usize = 128 << 10;

/// What a copy in whole words may write or read beyond the end.
const SLACK: usize = 32;

/// How much of the buffer is used before the window moves to its start: at least and at most.
const STRIDE: (usize, usize) = (256 << 10, 8 << 20);

/// A decoder of the blocks of one frame. It holds the window, at most twice its size and 8 MB more.
pub struct Blocks {
    huffman: Huffman,
    tables: Tables,
    literals: Vec<u8>,
    block: Vec<u8>,
    buffer: Vec<u8>,
    /// `buffer[start..end]` is what the last block has decoded to, and not been handed out.
    start: usize,
    end: usize,
    window: usize,
}

/// Why a block was not decoded.
pub enum Failure {
    /// It is not in the format.
    Corrupted,
    /// There is no memory for the window.
    Memory,
}

impl From<Corrupted> for Failure {
    fn from(_: Corrupted) -> Self {
        Self::Corrupted
    }
}

impl Blocks {
    /// A decoder for a frame with a window of so many bytes.
    pub fn new(window: usize) -> Self {
        Self {
            huffman: Huffman::default(),
            tables: Tables::default(),
            literals: Vec::new(),
            block: Vec::new(),
            buffer: Vec::new(),
            start: 0,
            end: 0,
            window,
        }
    }

    /// What has been decoded and not been consumed.
    pub fn pending(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Marks `count` bytes of what is pending as used.
    pub fn consume(&mut self, count: usize) {
        self.start = self.end.min(self.start + count);
    }

    /// The buffer to which the content of a block of `size` bytes is read before `decode`.
    pub fn block(&mut self, size: usize) -> &mut [u8] {
        self.block.clear();
        self.block.resize(PADDING + size + SLACK, 0);
        &mut self.block[PADDING..PADDING + size]
    }

    /// Adds the content that `block` was filled with. Nothing may be pending.
    pub fn add_raw(&mut self) -> core::result::Result<(), Failure> {
        let size = self.block.len() - PADDING - SLACK;
        self.make_space(size)?;
        self.buffer[self.end..self.end + size].copy_from_slice(&self.block[PADDING..PADDING + size]);
        self.end += size;
        Ok(())
    }

    /// Adds a byte so many times. Nothing may be pending.
    pub fn add_repeated(&mut self, byte: u8, count: usize) -> core::result::Result<(), Failure> {
        self.make_space(count)?;
        self.buffer[self.end..self.end + count].fill(byte);
        self.end += count;
        Ok(())
    }

    /// Decodes the content that `block` was filled with. Nothing may be pending.
    pub fn decode(&mut self) -> core::result::Result<(), Failure> {
        self.make_space(BLOCK_MAX)?;
        let end = self.block.len() - SLACK;
        let (literals, rest) = literals::read(&mut self.huffman, &self.block, PADDING, end, &mut self.literals)?;
        let limit = self.start + BLOCK_MAX.min(self.window.max(1024));
        self.end = self.tables.execute(&self.block[..end], rest, literals, &mut self.buffer, self.start, limit)?;
        Ok(())
    }

    /// Makes space for `count` bytes after `end`: the buffer grows to the window and a stride, then the window moves.
    fn make_space(&mut self, count: usize) -> core::result::Result<(), Failure> {
        self.start = self.end;
        let needed = self.end + count + SLACK;
        if needed <= self.buffer.len() {
            return Ok(());
        }
        let most = self.window + self.window.clamp(STRIDE.0, STRIDE.1) + SLACK;
        if needed <= most {
            let size = (2 * self.buffer.len()).clamp(needed, most);
            self.buffer.try_reserve_exact(size - self.buffer.len()).map_err(|_| Failure::Memory)?;
            self.buffer.resize(size, 0);
            return Ok(());
        }
        self.buffer.copy_within(self.end - self.window..self.end, 0);
        (self.start, self.end) = (self.window, self.window);
        Ok(())
    }
}
