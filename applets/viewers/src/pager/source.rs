//! What `less` and `more` show: a file, of which blocks are read where they are looked at, or a stream, which is kept.
//!
//! A line of more than a megabyte is taken as several: one ends at each megabyte of the file before which a whole
//! megabyte has no newline. So no line needs more than two megabytes, and no key looks at more of it.

use rbox_core::bytes::{find_byte, find_byte_back, find_bytes};
use rbox_core::error::Error;
use rbox_core::io::Input;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::fs::{self, FileType};
use rbox_core::sys::time;
use rbox_core::sys::{AsFd, Errno, OwnedFd, RawFd, fd};

/// Bytes that are counted as one, and the longest line.
const BLOCK: u64 = 1 << 20;
/// Bytes that are read at once.
const WINDOW: u64 = 1 << 16;

pub(crate) struct Source {
    data: Data,
    /// Newlines in each whole block, as far as they have been counted.
    counts: Vec<u32>,
    /// The line that was looked at last, from its beginning to its end.
    line: (u64, u64),
    /// What went wrong while reading.
    pub failed: Option<Error>,
}

enum Data {
    /// `block` is what the file has at `start`.
    File { file: OwnedFd, size: u64, block: Vec<u8>, start: u64 },
    /// All that was read is in the buffer of `input`. `patience`: milliseconds to wait for more.
    Stream { input: Input, ended: bool, patience: u64, terminal: RawFd },
}

impl Source {
    /// A regular file is read where it is looked at, anything else as a stream; `terminal` has the keys.
    pub fn new(input: Input, terminal: RawFd) -> Source {
        let regular = input.fd().and_then(|file| {
            let stat = fs::fstat(file).ok()?;
            // The files of /proc have no size.
            let is_regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_size > 0;
            is_regular.then(|| fd::fcntl_dupfd_cloexec(file, 3).ok()).flatten().zip(Some(stat.st_size as u64))
        });
        let data = match regular {
            Some((file, size)) => Data::File { file, size, block: Vec::new(), start: 0 },
            None => Data::Stream { input, ended: false, patience: u64::MAX, terminal },
        };
        Source { data, counts: Vec::new(), line: (0, 0), failed: None }
    }

    /// How long a stream may make the user wait, from now on, in milliseconds.
    pub fn set_patience(&mut self, milliseconds: u64) {
        if let Data::Stream { patience, .. } = &mut self.data {
            *patience = milliseconds;
        }
    }

    /// Whether more may come without a look at the file's size.
    pub fn is_open_stream(&self) -> bool {
        matches!(self.data, Data::Stream { ended: false, .. })
    }

    /// Bytes that there are, as far as is known.
    pub fn size(&self) -> u64 {
        match &self.data {
            Data::File { size, .. } => *size,
            Data::Stream { input, .. } => input.buffered().len() as u64,
        }
    }

    /// Looks whether a file has another size now.
    pub fn refresh(&mut self) {
        if let Data::File { file, size, block, .. } = &mut self.data {
            let now = fs::fstat(file).map_or(*size, |stat| stat.st_size as u64);
            if now < *size {
                block.clear();
                self.counts.clear();
                self.line = (0, 0);
            }
            *size = now;
        }
    }

    /// Waits for more of a stream, or for a key, and reads what there is. False when the wait was for nothing.
    pub fn wait(&mut self, milliseconds: Option<u64>) -> bool {
        let Data::Stream { input, ended: ended @ false, terminal, .. } = &mut self.data else { return false };
        if let Some(source) = input.fd() {
            let limit = milliseconds.map(time::milliseconds);
            let mut polled = vec![PollFd::from_borrowed_fd(source, PollFlags::IN)];
            if let Ok(terminal) = fd::named(*terminal) {
                polled.push(PollFd::from_borrowed_fd(terminal, PollFlags::IN));
            }
            if !matches!(poll(&mut polled, limit.as_ref()), Ok(1..)) || polled[0].revents().is_empty() {
                return false;
            }
        }
        match input.fill_more() {
            Ok(more) => *ended = !more,
            Err(error) => {
                *ended = true;
                self.failed = Some(error);
            }
        }
        true
    }

    /// Reads a stream to its end, or until a key is pressed.
    pub fn read_all(&mut self) {
        while self.wait(None) {}
    }

    /// The bytes from an offset on, at most so many.
    pub fn bytes(&mut self, from: u64, length: u64) -> &[u8] {
        if let Data::Stream { .. } = self.data {
            while self.size() < from + length {
                let Data::Stream { patience, .. } = self.data else { break };
                if !self.wait((patience != u64::MAX).then_some(patience)) {
                    // One wait is enough for all that is asked for until the next key.
                    self.set_patience(0);
                    break;
                }
            }
        }
        match &mut self.data {
            Data::Stream { input, .. } => part(input.buffered(), from, length),
            Data::File { file, size, block, start } => {
                let end = (from + length).min(*size);
                if from < *start || end > *start + block.len() as u64 {
                    *start = from / WINDOW * WINDOW;
                    let wanted = (end.max(from + 1) - *start).next_multiple_of(WINDOW);
                    if let Err(errno) = read_block(file, *start, wanted as usize, block) {
                        self.failed = Some(errno.into());
                    }
                }
                part(block, from - *start, length)
            }
        }
    }

    /// The first newline of a part.
    pub fn newline_after(&mut self, mut from: u64, to: u64) -> Option<u64> {
        while from < to {
            let length = (WINDOW - from % WINDOW).min(to - from);
            let bytes = self.bytes(from, length);
            if let Some(at) = find_byte(b'\n', bytes) {
                return Some(from + at as u64);
            }
            if bytes.is_empty() {
                return None;
            }
            from += bytes.len() as u64;
        }
        None
    }

    /// The last newline of a part.
    fn newline_before(&mut self, from: u64, mut to: u64) -> Option<u64> {
        while from < to {
            let start = ((to - 1) / WINDOW * WINDOW).max(from);
            if let Some(at) = find_byte_back(b'\n', self.bytes(start, to - start)) {
                return Some(start + at as u64);
            }
            to = start;
        }
        None
    }

    /// Where a line that is too long is divided: at a multiple of BLOCK, or where the next character begins.
    fn divided_at(&mut self, at: u64) -> u64 {
        at + self.bytes(at, 3).iter().take_while(|&&byte| byte & 0xc0 == 0x80).count() as u64
    }

    /// Where the line begins that has this offset.
    pub fn line_start(&mut self, at: u64) -> u64 {
        if self.line.0 <= at && at < self.line.1 {
            return self.line.0;
        }
        let block = at / BLOCK * BLOCK;
        if let Some(newline) = self.newline_before(block, at) {
            return newline + 1;
        }
        match block.checked_sub(BLOCK) {
            None => 0,
            Some(above) => match self.newline_before(above, block) {
                Some(newline) => newline + 1,
                None => self.divided_at(block).min(at),
            },
        }
    }

    /// Where the line ends that begins here, with its newline.
    pub fn line_end(&mut self, start: u64) -> u64 {
        if self.line.0 == start && start < self.line.1 {
            return self.line.1;
        }
        let end = self.find_end(start);
        // The last line may grow.
        if end < self.size() {
            self.line = (start, end);
        }
        end
    }

    fn find_end(&mut self, start: u64) -> u64 {
        let (mut from, mut has_newline) = (start, start % BLOCK > 3);
        loop {
            let block = (from / BLOCK + 1) * BLOCK;
            if let Some(newline) = self.newline_after(from, block) {
                return newline + 1;
            }
            if self.size() <= block {
                return self.size();
            }
            if !has_newline || self.newline_before(block - BLOCK, from).is_none() {
                return self.divided_at(block);
            }
            (from, has_newline) = (block, false);
        }
    }

    /// The number of the line, from 1, that has this offset.
    pub fn line_number(&mut self, at: u64) -> u64 {
        let mut number = 1;
        for block in 0..at / BLOCK {
            number += u64::from(self.count(block as usize));
        }
        let start = at / BLOCK * BLOCK;
        number + find_bytes(b'\n', self.bytes(start, at - start)).count() as u64
    }

    /// Newlines in a block, all of which is there.
    fn count(&mut self, block: usize) -> u32 {
        while self.counts.len() <= block {
            let start = self.counts.len() as u64 * BLOCK;
            let mut count = 0;
            for window in 0..BLOCK / WINDOW {
                count += find_bytes(b'\n', self.bytes(start + window * WINDOW, WINDOW)).count() as u32;
            }
            self.counts.push(count);
        }
        self.counts[block]
    }

    /// Where the line of this number, from 1, begins; the last line where there are fewer.
    pub fn line_offset(&mut self, number: u64) -> u64 {
        let mut left = number.saturating_sub(1);
        let (mut block, mut at) = (0, 0);
        while self.bytes((block + 1) * BLOCK - 1, 1).len() == 1 && u64::from(self.count(block as usize)) < left {
            left -= u64::from(self.count(block as usize));
            block += 1;
            at = block * BLOCK;
        }
        let mut start = at;
        while left > 0 {
            match self.newline_after(at, u64::MAX) {
                Some(newline) if !self.bytes(newline + 1, 1).is_empty() => at = newline + 1,
                _ => break,
            }
            (left, start) = (left - 1, at);
        }
        self.line_start(start)
    }
}

fn part(bytes: &[u8], from: u64, length: u64) -> &[u8] {
    let start = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
    let end = start + usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len() - start);
    &bytes[start..end]
}

fn read_block(file: &OwnedFd, start: u64, length: usize, block: &mut Vec<u8>) -> Result<(), Errno> {
    block.resize(length, 0);
    let mut filled = 0;
    let result = loop {
        match fd::pread(file.as_fd(), &mut block[filled..], start + filled as u64) {
            Ok(0) => break Ok(()),
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(errno) => break Err(errno),
        }
        if filled == length {
            break Ok(());
        }
    };
    block.truncate(filled);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &[u8]) -> Source {
        Source::new(Input::from_bytes(text.to_vec()), -1)
    }

    #[test]
    fn lines_are_found_by_offset_and_by_number() {
        let mut source = source(b"one\ntwo\n\nfour");
        assert_eq!([0, 3, 4, 8, 12].map(|at| source.line_start(at)), [0, 0, 4, 8, 9]);
        assert_eq!([0, 4, 8, 9].map(|at| source.line_end(at)), [4, 8, 9, 13]);
        assert_eq!([0, 4, 8, 9].map(|at| source.line_number(at)), [1, 2, 3, 4]);
        assert_eq!([1, 2, 4, 9].map(|number| source.line_offset(number)), [0, 4, 9, 9]);
    }

    #[test]
    fn a_line_that_is_too_long_is_several() {
        let block = BLOCK as usize;
        let mut text = vec![b'x'; 3 * block + 10];
        text[9] = b'\n';
        text[2 * block - 1] = 0xc3;
        text[2 * block] = 0xa9;
        text.push(b'\n');
        let mut source = source(&text);
        // The newline near the beginning is within the first megabyte: the line that follows it ends at the second.
        assert_eq!(source.line_end(10), 2 * BLOCK + 1);
        assert_eq!(source.line_start(2 * BLOCK + 1), 2 * BLOCK + 1);
        assert_eq!(source.line_start(2 * BLOCK - 5), 10);
        assert_eq!(source.line_end(2 * BLOCK + 1), 3 * BLOCK);
        assert_eq!(source.line_end(3 * BLOCK), 3 * BLOCK + 11);
    }
}
