//! A buffer that begins at a page, as O_DIRECT asks.

use rbox_core::prelude::*;
use rbox_core::sys::alloc;

/// What O_DIRECT asks of addresses, at most.
const ALIGNMENT: usize = 4096;

/// Bytes that one system call moves where small blocks are put together.
const GATHERED: usize = 128 * 1024;

/// Bytes on their way: what has been put in and not been taken out is `start..end`.
pub struct Buffer {
    memory: Vec<u8>,
    /// Where the first byte is.
    base: usize,
    pub size: usize,
    pub start: usize,
    pub end: usize,
}

impl Buffer {
    /// A buffer for a block of that size, or for many small ones.
    pub fn new(block: usize, gathers: bool) -> Result<Self> {
        let size = if gathers { block * (GATHERED / block).max(1) } else { block };
        let memory = alloc::zeroed(size + ALIGNMENT).ok_or_else(Error::out_of_memory)?;
        let base = memory.as_ptr().align_offset(ALIGNMENT);
        Ok(Self { memory, base, size, start: 0, end: 0 })
    }

    /// A buffer for nothing.
    pub const fn none() -> Self {
        Self { memory: Vec::new(), base: 0, size: 0, start: 0, end: 0 }
    }

    /// The bytes from one offset to another.
    pub fn bytes(&mut self, from: usize, to: usize) -> &mut [u8] {
        &mut self.memory[self.base + from..self.base + to]
    }

    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Moves what waits to the beginning.
    pub fn compact(&mut self) {
        self.memory.copy_within(self.base + self.start..self.base + self.end, self.base);
        (self.start, self.end) = (0, self.len());
    }
}
