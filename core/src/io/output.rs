//! A buffered writer over a file descriptor or memory. A lost write is always an error.

use super::CHUNK;
use crate::bytes;
use crate::error::{Error, Result};
use crate::sys::fs::{FileType, Mode, OFlags};
use crate::sys::{AsFd, BorrowedFd, Errno, OwnedFd, fd, fs, termios};

/// A destination of bytes.
#[derive(Debug)]
pub struct Output {
    sink: Sink,
    buffer: Vec<u8>,
    buffering: Buffering,
    /// See `is_waited_for`; `None` until it is asked for.
    waited_for: Option<bool>,
}

#[derive(Debug)]
enum Sink {
    /// Standard output or error, by number.
    Standard(i32),
    File(OwnedFd),
    Memory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Buffering {
    /// Not decided: lines on a terminal, blocks elsewhere.
    Undecided,
    Lines,
    Blocks,
}

impl Output {
    /// Descriptor `number` of the process: 1 for standard output, 2 for standard error.
    pub fn standard(number: i32) -> Self {
        let buffering = if number == 2 { Buffering::Lines } else { Buffering::Undecided };
        Self { sink: Sink::Standard(number), buffer: Vec::new(), buffering, waited_for: None }
    }

    /// An open descriptor.
    pub fn from_fd(file: OwnedFd) -> Self {
        Self { sink: Sink::File(file), buffer: Vec::new(), buffering: Buffering::Blocks, waited_for: None }
    }

    /// The file at `path`, made anew or cut to nothing, mode 0666 less the umask. The error is `can't create 'PATH': reason`.
    pub fn create(path: &[u8]) -> Result<Self> {
        Self::open(path, false).map_err(|errno| Error::cannot("create", path, errno))
    }

    /// The file at `path`, made with mode 0666 less the umask if it is not there; what it has stays if `appends`, else goes.
    pub fn open(path: &[u8], appends: bool) -> core::result::Result<Self, Errno> {
        let how = if appends { OFlags::APPEND } else { OFlags::TRUNC };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | how;
        fs::open(path, flags, Mode::from_raw_mode(0o666)).map(Self::from_fd)
    }

    /// Memory, to be taken by `into_bytes`.
    pub fn memory() -> Self {
        Self { sink: Sink::Memory, buffer: Vec::new(), buffering: Buffering::Blocks, waited_for: None }
    }

    /// What was written to memory, or what still waits for the descriptor.
    pub fn into_bytes(mut self) -> Vec<u8> {
        core::mem::take(&mut self.buffer)
    }

    /// The descriptor below, for copies inside the kernel; flush first. `None` for memory.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.sink {
            Sink::Standard(number) => Some(fd::borrow(*number)),
            Sink::File(file) => Some(file.as_fd()),
            Sink::Memory => None,
        }
    }

    /// True when the stream is one of the process's standard ones, which others may write to as well.
    pub fn is_inherited(&self) -> bool {
        matches!(self.sink, Sink::Standard(_))
    }

    /// True when the stream is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.fd().is_some_and(termios::isatty)
    }

    /// True when somebody may wait for what is written: at a terminal or at the other end of a pipe or socket.
    pub fn is_waited_for(&mut self) -> bool {
        let is_waited_for = self.waited_for.unwrap_or_else(|| {
            let kind =
                self.fd().and_then(|sink| fs::fstat(sink).ok()).map(|stat| FileType::from_raw_mode(stat.st_mode));
            match kind {
                Some(FileType::Fifo | FileType::Socket) => true,
                Some(FileType::CharacterDevice) => self.is_terminal(),
                _ => false,
            }
        });
        self.waited_for = Some(is_waited_for);
        is_waited_for
    }

    /// Writes each line as soon as it is whole, also where the stream is no terminal.
    pub fn set_line_buffered(&mut self) {
        self.buffering = Buffering::Lines;
    }

    /// Writes `content`.
    #[inline]
    pub fn write(&mut self, content: &[u8]) -> Result<()> {
        // What fits needs no decision.
        if self.buffering == Buffering::Blocks && self.buffer.capacity() - self.buffer.len() >= content.len() {
            self.buffer.extend_from_slice(content);
            return Ok(());
        }
        self.write_slowly(content)
    }

    fn write_slowly(&mut self, content: &[u8]) -> Result<()> {
        if self.buffering == Buffering::Undecided {
            self.buffering = if self.is_terminal() { Buffering::Lines } else { Buffering::Blocks };
        }
        if !matches!(self.sink, Sink::Memory) && self.buffer.len() + content.len() > CHUNK {
            self.flush()?;
            if content.len() >= CHUNK {
                return self.write_through(content);
            }
        }
        if self.buffering == Buffering::Blocks && !matches!(self.sink, Sink::Memory) {
            // Never more than a block: a write that does not fit comes here.
            self.buffer.reserve_exact(CHUNK - self.buffer.len());
        }
        bytes::append(&mut self.buffer, content)?;
        if self.buffering == Buffering::Lines && content.contains(&b'\n') {
            return self.flush();
        }
        Ok(())
    }

    /// Writes one byte.
    #[inline]
    pub fn push(&mut self, byte: u8) -> Result<()> {
        if self.buffering == Buffering::Blocks && self.buffer.len() < self.buffer.capacity() {
            self.buffer.push(byte);
            return Ok(());
        }
        self.write_slowly(&[byte])
    }

    /// Writes `byte` so many times.
    pub fn write_repeated(&mut self, byte: u8, mut count: usize) -> Result<()> {
        if self.buffering == Buffering::Blocks && self.buffer.capacity() - self.buffer.len() >= count {
            self.buffer.resize(self.buffer.len() + count, byte);
            return Ok(());
        }
        let block = [byte; 64];
        while count > 0 {
            let length = count.min(block.len());
            self.write(&block[..length])?;
            count -= length;
        }
        Ok(())
    }

    /// Writes the decimal digits of `number`.
    pub fn write_number(&mut self, number: u64) -> Result<()> {
        self.write(crate::number::Decimal::new(number).as_bytes())
    }

    /// Hands everything to the system. Memory keeps it.
    pub fn flush(&mut self) -> Result<()> {
        if matches!(self.sink, Sink::Memory) || self.buffer.is_empty() {
            return Ok(());
        }
        let buffer = core::mem::take(&mut self.buffer);
        let result = self.write_through(&buffer);
        self.buffer = buffer;
        self.buffer.clear();
        result
    }

    fn write_through(&self, mut content: &[u8]) -> Result<()> {
        let Some(sink) = self.fd() else { return Ok(()) };
        while !content.is_empty() {
            match fd::write(sink, content) {
                Ok(0) => return Err(Error::output(Errno::IO)),
                Ok(count) => content = &content[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => wait_writable(sink),
                Err(errno) => return Err(Error::output(errno)),
            }
        }
        Ok(())
    }
}

/// `write(2)` of all bytes, which goes on after a signal.
pub fn write_all(file: BorrowedFd<'_>, mut content: &[u8]) -> core::result::Result<(), Errno> {
    while !content.is_empty() {
        match fd::write(file, content) {
            Ok(count) => content = &content[count..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Waits until a descriptor that somebody made non-blocking takes bytes again.
fn wait_writable(file: BorrowedFd<'_>) {
    use crate::sys::event::{PollFd, PollFlags, poll};
    // An interruption only means one more attempt to write.
    let _ = poll(&mut [PollFd::from_borrowed_fd(file, PollFlags::OUT)], None);
}
