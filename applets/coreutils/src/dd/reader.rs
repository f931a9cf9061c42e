//! The input: blocks, as the system returns them or whole.

use rbox_core::files::kind;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, FileType, SeekFrom};
use rbox_core::sys::{BorrowedFd, Errno, fd};

use super::buffer::Buffer;
use super::is_gathered;
use super::plan::{Plan, conv, flag};
use super::statistics::Statistics;

/// The input of a copy.
pub struct Reader<'a> {
    plan: &'a Plan<'a>,
    file: BorrowedFd<'a>,
    name: &'a [u8],
    buffer: Buffer,
    /// Many blocks are read at once.
    pub reads_ahead: bool,
}

impl<'a> Reader<'a> {
    /// The input, from where its offset is.
    pub fn new(plan: &'a Plan<'a>, file: BorrowedFd<'a>, name: &'a [u8]) -> Result<Self> {
        let reads_ahead = plan.conv & conv::NOERROR == 0 && is_gathered(file, plan.iflag);
        Ok(Self { plan, file, name, buffer: Buffer::new(plan.ibs, reads_ahead)?, reads_ahead })
    }

    /// Skips what the input begins with: by a seek, else by reading, where each read is a block.
    pub fn skip(&mut self, env: &mut Env, statistics: &mut Statistics) -> Result<()> {
        let (skip, ibs) = (self.plan.skip, self.plan.ibs);
        let distance = skip.bytes(ibs)?;
        if distance == 0 {
            return Ok(());
        }
        let mut is_beyond = false;
        if fs::seek(self.file, SeekFrom::Current(0)).is_ok() {
            let failed = |errno| Error::on(self.name, errno);
            let at = fs::seek(self.file, SeekFrom::Current(distance as i64)).map_err(failed)?;
            let stat = fs::fstat(self.file).map_err(failed)?;
            // A file of /proc has no size.
            is_beyond = kind(&stat) == FileType::RegularFile && stat.st_size > 0 && at > stat.st_size as u64;
        } else {
            let mut left = skip.value;
            while left > 0 && !is_beyond {
                let want = if skip.is_bytes { left.min(ibs as u64) as usize } else { ibs };
                let length = self.fill(want, want as u64, env, statistics)?;
                self.buffer.start += length;
                left -= if skip.is_bytes { length as u64 } else { 1 };
                is_beyond = length == 0;
            }
        }
        if is_beyond {
            env.report(&Error::parts(&[b"'", self.name, b"': cannot skip to specified offset"]));
        }
        Ok(())
    }

    /// Reads a block of `want` bytes, or as much as there is: returns how much. At most `left` bytes may be read ahead.
    fn fill(&mut self, want: usize, left: u64, env: &mut Env, statistics: &mut Statistics) -> Result<usize> {
        let whole = self.reads_ahead || self.plan.iflag & flag::FULLBLOCK != 0;
        loop {
            statistics.attend(env)?;
            let have = self.buffer.len();
            if have >= want || have > 0 && !whole {
                return Ok(have.min(want));
            }
            if self.buffer.start + self.plan.ibs > self.buffer.size || have == 0 {
                self.buffer.compact();
            }
            let limit = if self.reads_ahead { usize::try_from(left).unwrap_or(usize::MAX) } else { want };
            let (start, end) = (self.buffer.start, self.buffer.end);
            let to = self.buffer.size.min(start.saturating_add(limit));
            match fd::read(self.file, self.buffer.bytes(end, to)) {
                Ok(0) => return Ok(have),
                Ok(length) => self.buffer.end += length,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::on(self.name, errno)),
            }
        }
    }

    /// The next block of at most `want` bytes, padded if that is asked for; `None` at the end. Counts it.
    pub fn block(
        &mut self,
        want: usize,
        left: u64,
        env: &mut Env,
        statistics: &mut Statistics,
    ) -> Result<Option<&mut [u8]>> {
        let ibs = self.plan.ibs;
        let has = |flags| self.plan.conv & flags != 0;
        let (syncs, pads_with_blanks, goes_on) =
            (has(conv::SYNC), has(conv::BLOCK | conv::UNBLOCK), has(conv::NOERROR));
        let mut length = match self.fill(want, left, env, statistics) {
            Ok(0) => return Ok(None),
            Err(error) if goes_on && error.errno() != Some(Errno::INTR) => {
                self.pass(error, env, statistics)?;
                0
            }
            result => result?,
        };
        if length < ibs {
            statistics.partial_in += 1;
        } else {
            statistics.full_in += 1;
        }
        let start = self.buffer.start;
        if syncs && length < ibs {
            // Nothing waits after a short block, and `fill` has left room for a whole one.
            self.buffer.bytes(start + length, start + ibs).fill(if pads_with_blanks { b' ' } else { 0 });
            length = ibs;
            self.buffer.end = start + ibs;
        }
        self.buffer.start = start + length;
        Ok(Some(self.buffer.bytes(start, start + length)))
    }

    /// Reports a block that cannot be read, and goes to the next. What cannot be passed over ends the copy.
    fn pass(&mut self, error: Error, env: &mut Env, statistics: &mut Statistics) -> Result<()> {
        (self.buffer.start, self.buffer.end) = (0, 0);
        let at = fs::seek(self.file, SeekFrom::Current(0));
        let is_directory = error.errno() == Some(Errno::ISDIR);
        let (Ok(at), false) = (at, is_directory) else { return Err(error) };
        // The next multiple of the block's size: what was read of this one is not read again.
        let next = at - at % self.plan.ibs as u64 + self.plan.ibs as u64;
        if fs::seek(self.file, SeekFrom::Start(next)) != Ok(next) {
            return Err(error);
        }
        statistics.failed = true;
        env.report(&error);
        statistics.report(env)
    }

    /// Gives back what was read ahead, which is a regular file's or /dev/zero's, where a seek succeeds.
    pub fn give_back(&self) {
        if self.buffer.len() > 0 {
            let _ = fs::seek(self.file, SeekFrom::Current(-(self.buffer.len() as i64)));
        }
    }
}
