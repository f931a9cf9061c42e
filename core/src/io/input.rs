//! A buffered reader over a file descriptor or memory.

use super::CHUNK;
use crate::error::{Error, Result};
use crate::sys::event::{PollFd, PollFlags, poll};
use crate::sys::fs::{FileType, Mode, OFlags, SeekFrom};
use crate::sys::time::Timespec;
use crate::sys::{AsFd, BorrowedFd, Errno, OwnedFd, alloc, fd, fs};

/// A source of bytes that knows its name for messages.
///
/// It is one pointer: a dozen words would be copied wherever one is returned or becomes a part of something.
#[derive(Debug)]
pub struct Input(Box<Stream>);

#[derive(Debug)]
struct Stream {
    source: Source,
    /// What has been read and not been consumed is `buffer[start..end]`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    name: Vec<u8>,
    ended: bool,
}

#[derive(Debug)]
enum Source {
    /// Standard input: what is read too far is given back when the stream is dropped.
    Standard,
    File(OwnedFd),
    Filter(Box<dyn Filter>),
    Memory,
}

/// What an `Input` reads from that is neither a descriptor nor memory: a decoder.
pub trait Filter {
    /// Reads up to `into.len()` bytes; 0 means the end.
    fn read(&mut self, into: &mut [u8]) -> Result<usize>;
}

impl core::fmt::Debug for dyn Filter {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Filter")
    }
}

impl Input {
    /// Standard input, descriptor 0.
    pub fn standard() -> Self {
        Self::from_source(Source::Standard, b"standard input", Vec::new())
    }

    /// The file at `path`, opened for reading. The error is `can't open 'PATH': reason`.
    pub fn open(path: &[u8]) -> Result<Self> {
        match fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(file) => Ok(Self::from_fd(file, path)),
            Err(errno) => Err(Error::cannot("open", path, errno)),
        }
    }

    /// The operand `path`, where `-` is standard input (POSIX XBD 12.2, guideline 13).
    pub fn operand(path: &[u8]) -> Result<Self> {
        if path == b"-" { Ok(Self::standard()) } else { Self::open(path) }
    }

    /// An open descriptor; `name` is what messages call it.
    pub fn from_fd(file: OwnedFd, name: &[u8]) -> Self {
        Self::from_source(Source::File(file), name, Vec::new())
    }

    /// Bytes in memory.
    pub fn from_bytes(content: Vec<u8>) -> Self {
        Self::from_source(Source::Memory, b"standard input", content)
    }

    /// What `filter` makes.
    pub fn from_filter(filter: Box<dyn Filter>, name: &[u8]) -> Self {
        Self::from_source(Source::Filter(filter), name, Vec::new())
    }

    fn from_source(source: Source, name: &[u8], buffer: Vec<u8>) -> Self {
        let end = buffer.len();
        Self(Box::new(Stream { source, buffer, start: 0, end, name: name.to_vec(), ended: false }))
    }

    /// What messages call this stream.
    pub fn name(&self) -> &[u8] {
        &self.0.name
    }

    /// The descriptor below, for `fstat`, `lseek` and copies inside the kernel. `None` for memory and filters.
    ///
    /// `buffered` bytes have been taken from it already.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.0.source {
            Source::Standard => Some(fd::borrow(0)),
            Source::File(file) => Some(file.as_fd()),
            Source::Filter(_) | Source::Memory => None,
        }
    }

    /// What has been read and not been consumed.
    pub fn buffered(&self) -> &[u8] {
        &self.0.buffer[self.0.start..self.0.end]
    }

    /// Returns unconsumed bytes, reading when there are none; empty means the end of the file.
    pub fn fill(&mut self) -> Result<&[u8]> {
        if self.0.start == self.0.end {
            self.fill_more()?;
        }
        Ok(&self.0.buffer[self.0.start..self.0.end])
    }

    /// Reads once and adds to the unconsumed bytes. False at the end of the file.
    pub fn fill_more(&mut self) -> Result<bool> {
        if self.0.ended || matches!(self.0.source, Source::Memory) {
            return Ok(false);
        }
        if self.0.start == self.0.end {
            (self.0.start, self.0.end) = (0, 0);
        } else if self.0.end == self.0.buffer.len() && self.0.start > 0 {
            self.0.buffer.copy_within(self.0.start..self.0.end, 0);
            (self.0.start, self.0.end) = (0, self.0.end - self.0.start);
        }
        if self.0.end == self.0.buffer.len() {
            // Memory that the system hands out is zero already; resize would write it all.
            let size = (self.0.buffer.len() * 2).max(CHUNK);
            let mut larger = alloc::zeroed(size).ok_or_else(Error::out_of_memory)?;
            larger[..self.0.end].copy_from_slice(&self.0.buffer);
            self.0.buffer = larger;
        }
        let into = &mut self.0.buffer[self.0.end..];
        let got = match &mut self.0.source {
            Source::Standard => read(fd::borrow(0), into),
            Source::File(file) => read(file.as_fd(), into),
            Source::Filter(filter) => Ok(filter.read(into)?),
            Source::Memory => Ok(0),
        };
        let got = got.map_err(|errno| Error::on(&self.0.name, errno))?;
        self.0.end += got;
        // A terminal's end of file is one event: asking again would wait for another.
        self.0.ended = got == 0;
        Ok(got > 0)
    }

    /// Reads one byte and adds it to the unconsumed ones, so that nothing is taken from another reader of a pipe. False at
    /// the end of the file.
    pub fn fill_byte(&mut self) -> Result<bool> {
        let Some(source) = self.fd().filter(|_| !self.0.ended) else { return Ok(false) };
        let mut byte = [0];
        let got = read(source, &mut byte).map_err(|errno| Error::on(&self.0.name, errno))?;
        self.0.ended = got == 0;
        if got > 0 {
            if self.0.start == self.0.end {
                (self.0.start, self.0.end) = (0, 0);
            }
            self.0.buffer.truncate(self.0.end);
            crate::bytes::append(&mut self.0.buffer, &byte)?;
            self.0.end += 1;
        }
        Ok(got > 0)
    }

    /// Whether a read would wait for whoever writes.
    pub fn would_wait(&self) -> bool {
        let Some(source) = self.fd().filter(|_| !self.0.ended) else { return false };
        let mut polled = [PollFd::from_borrowed_fd(source, PollFlags::IN)];
        poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) == Ok(0)
    }

    /// Takes `length` bytes of what is buffered, and drops `dropped` more.
    #[inline]
    pub(super) fn take(&mut self, length: usize, dropped: usize) -> &[u8] {
        let taken = self.0.start..self.0.start + length;
        self.0.start = taken.end + dropped;
        &self.0.buffer[taken]
    }

    /// Skips `count` bytes, or what is left if that is less: by a seek in a regular file, else by reading.
    pub fn skip(&mut self, count: u64) -> Result<()> {
        if count > 0
            && let Some(file) = self.fd()
            && self.buffered().is_empty()
            && fs::fstat(file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
            && let Ok(distance) = i64::try_from(count)
            && fs::seek(file, SeekFrom::Current(distance)).is_ok()
        {
            return Ok(());
        }
        let mut left = count;
        while left > 0 {
            let length = self.fill()?.len();
            if length == 0 {
                break;
            }
            let skipped = length.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.consume(skipped);
            left -= skipped as u64;
        }
        Ok(())
    }

    /// Gives `count` bytes back that were consumed last, so that the next reader of the same open file gets them (POSIX
    /// XCU 1.4). What cannot seek keeps nothing for others.
    pub fn give_back(&mut self, count: usize) {
        let count = count + (self.0.end - self.0.start);
        (self.0.start, self.0.end) = (0, 0);
        if count > 0
            && let Some(source) = self.fd()
        {
            // A pipe or a terminal cannot seek.
            let _ = fs::seek(source, fs::SeekFrom::Current(-(count as i64)));
        }
    }

    /// Marks `count` bytes of what `fill` or `buffered` returned as used.
    pub fn consume(&mut self, count: usize) {
        self.0.start = self.0.end.min(self.0.start + count);
    }

    /// Returns the next record with its `delimiter`, which the last one of a file may lack. `None` at the end.
    ///
    /// The slice is the buffer's own: no byte is copied. A record is as long as memory allows.
    pub fn record(&mut self, delimiter: u8) -> Result<Option<&[u8]>> {
        self.record_after(delimiter, None)
    }

    /// Returns the next line without its newline. `None` at the end.
    pub fn line(&mut self) -> Result<Option<&[u8]>> {
        Ok(self.record(b'\n')?.map(|line| line.strip_suffix(b"\n").unwrap_or(line)))
    }

    /// Reads up to `into.len()` bytes; 0 means the end of the file.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let available = self.fill()?;
        let count = available.len().min(into.len());
        into[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }

    /// Reads all that is left.
    pub fn read_to_end(&mut self) -> Result<Vec<u8>> {
        while self.fill_more()? {}
        let content = if self.0.start == 0 {
            self.0.buffer.truncate(self.0.end);
            core::mem::take(&mut self.0.buffer)
        } else {
            self.buffered().to_vec()
        };
        (self.0.start, self.0.end) = (0, 0);
        Ok(content)
    }
}

impl Drop for Input {
    /// Gives back what was read too far from standard input, so that `(head -n 1; cat) < file` works (POSIX XCU 1.4).
    fn drop(&mut self) {
        let unread = (self.0.end - self.0.start) as i64;
        if unread > 0 && matches!(self.0.source, Source::Standard) {
            // A pipe or a terminal cannot seek; then nothing can be given back.
            let _ = fs::seek(fd::borrow(0), fs::SeekFrom::Current(-unread));
        }
    }
}

/// All of a file.
pub fn read_file(path: &[u8]) -> Result<Vec<u8>> {
    Input::open(path)?.read_to_end()
}

/// `read(2)` that goes on after a signal.
pub fn read(file: BorrowedFd<'_>, into: &mut [u8]) -> core::result::Result<usize, Errno> {
    loop {
        match fd::read(file, &mut *into) {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}
