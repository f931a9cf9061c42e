//! The log in shared memory that syslogd writes and logread reads: BusyBox's form, so that either works with either.
//!
//! A segment holds two 32-bit numbers, the size of the ring and the offset of the next byte, and then the ring: lines
//! that end with a newline and a NUL. Of two semaphores the first counts readers and the second writers.

use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::shared_memory::{Change, Semaphores, SharedMemory};

/// The key of the segment and of the semaphores.
const KEY: i32 = 0x414e_4547;
/// Bytes before the ring.
const HEAD: usize = 8;

/// The log in shared memory, for syslogd `WRITABLE`.
pub struct Ring<const WRITABLE: bool> {
    memory: SharedMemory<WRITABLE>,
    semaphores: Semaphores,
}

const fn change(number: u16, add: i16, at_once: bool) -> Change {
    // Whoever dies between two changes must not leave the others waiting.
    Change { number, add, at_once, undo: add != 0 }
}

impl Ring<true> {
    /// Makes the ring, `size` bytes with its head. One that an earlier syslogd left behind keeps its lines.
    pub fn create(size: usize) -> Result<Self> {
        let failed = |errno| Error::on("can't make the buffer in shared memory", errno);
        let memory = match SharedMemory::create(KEY, size, 0o644) {
            Ok(memory) if memory.size() == size => memory,
            // It is there with another size.
            Ok(_) | Err(Errno::INVAL) => {
                SharedMemory::remove(KEY).map_err(failed)?;
                SharedMemory::create(KEY, size, 0o644).map_err(failed)?
            }
            Err(errno) => return Err(failed(errno)),
        };
        let semaphores = Semaphores::create(KEY, 2, 0o777).map_err(failed)?;
        // There is one syslogd: what the semaphores hold comes from one that was killed.
        semaphores.reset(2);
        let ring = Self { memory, semaphores };
        // The last byte is always NUL.
        if ring.number(0) != size - HEAD - 1 || ring.number(4) >= size - HEAD - 1 {
            ring.set_number(0, size - HEAD - 1);
            ring.set_number(4, 0);
        }
        Ok(ring)
    }

    /// Removes it from the system.
    pub fn remove(self) {
        // Another process may have removed it already.
        let _ = SharedMemory::remove(KEY);
        let _ = self.semaphores.remove();
    }

    /// Adds a line; the oldest ones are overwritten.
    pub fn add(&self, line: &[u8]) {
        if self.semaphores.change(&[change(0, 0, false), change(1, 0, false), change(1, 1, false)]).is_err() {
            return;
        }
        let (size, mut at) = self.bounds();
        for &byte in line.iter().chain(b"\0").take(size) {
            self.memory.set(HEAD + at, byte);
            at = if at + 1 == size { 0 } else { at + 1 };
        }
        self.set_number(4, at);
        // It fails only when the semaphores were removed, with the ring.
        let _ = self.semaphores.change(&[change(1, -1, true)]);
    }

    fn set_number(&self, at: usize, number: usize) {
        for (index, byte) in (number as u32).to_ne_bytes().into_iter().enumerate() {
            self.memory.set(at + index, byte);
        }
    }
}

impl Ring<false> {
    /// The ring that a running syslogd has made.
    pub fn open() -> Result<Self> {
        let failed = |errno| Error::on("can't find syslogd buffer", errno);
        let memory = SharedMemory::open(KEY).map_err(failed)?;
        Ok(Self { memory, semaphores: Semaphores::open(KEY).map_err(failed)? })
    }
}

impl<const WRITABLE: bool> Ring<WRITABLE> {
    /// True while the syslogd that made it keeps it.
    pub fn is_alive(&self) -> bool {
        self.memory.is_alive(KEY)
    }

    /// All lines, the oldest first, and the offset where the next one will start.
    pub fn lines(&self) -> Result<(Vec<u8>, usize)> {
        self.locked(|| {
            let (size, tail) = self.bounds();
            (self.text((tail..size).chain(0..tail)), tail)
        })
    }

    /// The lines that came since the ring was read up to `from`, and the offset where the next one will start.
    pub fn lines_since(&self, from: usize) -> Result<(Vec<u8>, usize)> {
        self.locked(|| {
            let (size, tail) = self.bounds();
            let text =
                if from <= tail { self.text(from..tail) } else { self.text((from.min(size)..size).chain(0..tail)) };
            (text, tail)
        })
    }

    fn locked<T>(&self, read: impl FnOnce() -> T) -> Result<T> {
        let failed = |errno| Error::on("can't read syslogd buffer", errno);
        self.semaphores.change(&[change(1, 0, false), change(0, 1, false)]).map_err(failed)?;
        let result = read();
        self.semaphores.change(&[change(0, -1, true)]).map_err(failed)?;
        Ok(result)
    }

    /// The bytes at these offsets without the NULs.
    fn text(&self, offsets: impl Iterator<Item = usize>) -> Vec<u8> {
        offsets.map(|at| self.memory.get(HEAD + at)).filter(|&byte| byte != 0).collect()
    }

    /// Size and offset of the next byte, whatever another process has written there.
    fn bounds(&self) -> (usize, usize) {
        let size = self.number(0).min(self.memory.size().saturating_sub(HEAD));
        (size, self.number(4).min(size.saturating_sub(1)))
    }

    fn number(&self, at: usize) -> usize {
        u32::from_ne_bytes([0, 1, 2, 3].map(|byte| self.memory.get(at + byte))) as usize
    }
}
