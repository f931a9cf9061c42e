//! The output: whole blocks, or each as it came in.

use rbox_core::files::kind;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, FileType, OFlags, SeekFrom};
use rbox_core::sys::{BorrowedFd, Errno, fd};

use super::buffer::Buffer;
use super::is_gathered;
use super::plan::{Plan, conv};
use super::statistics::Statistics;

/// The output of a copy.
pub struct Writer<'a> {
    plan: &'a Plan<'a>,
    file: BorrowedFd<'a>,
    name: &'a [u8],
    buffer: Buffer,
    /// Zeros become holes.
    sparse: bool,
    /// The output ends with a hole, which only its size makes.
    ends_in_hole: bool,
}

impl<'a> Writer<'a> {
    /// The output, from where its offset is.
    ///
    /// Blocks wait for each other only if the input does not let them wait.
    pub fn new(plan: &'a Plan<'a>, file: BorrowedFd<'a>, name: &'a [u8], input_waits: bool) -> Result<Self> {
        let sparse = plan.conv & conv::SPARSE != 0 && fs::seek(file, SeekFrom::Current(0)).is_ok();
        let buffer = Buffer::new(plan.obs, !sparse && !input_waits && is_gathered(file, plan.oflag))?;
        Ok(Self { plan, file, name, buffer, sparse, ends_in_hole: false })
    }

    /// Takes what was read of one block.
    pub fn put(&mut self, mut content: &[u8], env: &mut Env, statistics: &mut Statistics) -> Result<()> {
        let obs = self.plan.obs;
        let is_short = self.plan.block_by_block && content.len() < obs;
        if is_short {
            self.flush(env, statistics)?;
        }
        while !content.is_empty() {
            // One block that fills the buffer needs not go through it.
            if self.buffer.len() == 0 && content.len() >= self.buffer.size {
                let (now, rest) = content.split_at(self.buffer.size);
                self.write(now, env, statistics)?;
                content = rest;
                continue;
            }
            let end = self.buffer.end;
            let length = content.len().min(self.buffer.size - end);
            self.buffer.bytes(end, end + length).copy_from_slice(&content[..length]);
            self.buffer.end += length;
            content = &content[length..];
            if self.buffer.end == self.buffer.size {
                self.flush(env, statistics)?;
            }
        }
        if is_short { self.flush(env, statistics) } else { Ok(()) }
    }

    /// Writes what the buffer holds.
    pub fn flush(&mut self, env: &mut Env, statistics: &mut Statistics) -> Result<()> {
        if self.buffer.end == 0 {
            return Ok(());
        }
        let mut buffer = core::mem::replace(&mut self.buffer, Buffer::none());
        let end = core::mem::take(&mut buffer.end);
        let result = self.write(buffer.bytes(0, end), env, statistics);
        self.buffer = buffer;
        result
    }

    /// Writes blocks, of which the last may be short, and counts them.
    fn write(&mut self, content: &[u8], env: &mut Env, statistics: &mut Statistics) -> Result<()> {
        let mut written = 0;
        let result = self.write_all(content, &mut written, env, statistics);
        let obs = self.plan.obs;
        statistics.full_out += (written / obs) as u64;
        statistics.partial_out += u64::from(!written.is_multiple_of(obs));
        statistics.bytes += written as u64;
        if result.is_err() && self.buffer.size > obs {
            // Of the blocks that waited together, those after the one that failed have not been looked at.
            let needed = (statistics.bytes + obs as u64).div_ceil(self.plan.ibs as u64);
            statistics.full_in = statistics.full_in.min(needed);
        }
        result
    }

    fn write_all(
        &mut self,
        content: &[u8],
        written: &mut usize,
        env: &mut Env,
        statistics: &mut Statistics,
    ) -> Result<()> {
        if self.sparse && is_zero(content) && fs::seek(self.file, SeekFrom::Current(content.len() as i64)).is_ok() {
            (self.ends_in_hole, *written) = (true, content.len());
            return Ok(());
        }
        self.ends_in_hole = false;
        if self.plan.oflag & u64::from(OFlags::DIRECT.bits()) != 0 && content.len() < self.plan.obs {
            // The last block need not be a multiple of what O_DIRECT asks for.
            let flags = fs::fcntl_getfl(self.file).and_then(|flags| fs::fcntl_setfl(self.file, flags - OFlags::DIRECT));
            flags.map_err(|errno| Error::on(self.name, errno))?;
        }
        while *written < content.len() {
            match fd::write(self.file, &content[*written..]) {
                Ok(0) => return Err(self.failed(Errno::NOSPC)),
                Ok(length) => *written += length,
                Err(Errno::INTR) => statistics.attend(env)?,
                Err(errno) => return Err(self.failed(errno)),
            }
        }
        self.synchronize()
    }

    fn failed(&self, errno: Errno) -> Error {
        Error::on([b"error writing '", self.name, b"'"].concat(), errno)
    }

    /// What O_SYNC and O_DSYNC do, which fcntl(2) cannot set on standard output.
    fn synchronize(&self) -> Result<()> {
        let flags = OFlags::from_bits_retain(self.plan.oflag as u32);
        if self.plan.output.is_some() || !flags.intersects(OFlags::SYNC | OFlags::DSYNC) {
            return Ok(());
        }
        let synced = if flags.contains(OFlags::SYNC) { fs::fsync(self.file) } else { fs::fdatasync(self.file) };
        match synced {
            // A pipe has nothing to synchronize.
            Err(Errno::INVAL) | Ok(()) => Ok(()),
            Err(errno) => Err(Error::on(self.name, errno)),
        }
    }

    /// Gives a file that ends with a hole its size, and brings all to the disk if that is asked for.
    pub fn finish(&self) -> Result<()> {
        let failed = |errno| Error::on(self.name, errno);
        if self.ends_in_hole {
            let at = fs::seek(self.file, SeekFrom::Current(0)).map_err(failed)?;
            let stat = fs::fstat(self.file).map_err(failed)?;
            if kind(&stat) == FileType::RegularFile && (stat.st_size as u64) < at {
                fs::ftruncate(self.file, at).map_err(failed)?;
            }
        }
        let synced = match self.plan.conv {
            flags if flags & conv::FSYNC != 0 => fs::fsync(self.file),
            flags if flags & conv::FDATASYNC != 0 => fs::fdatasync(self.file),
            _ => Ok(()),
        };
        synced.map_err(failed)
    }
}

fn is_zero(content: &[u8]) -> bool {
    let (words, rest) = content.as_chunks::<8>();
    words.iter().all(|word| u64::from_ne_bytes(*word) == 0) && rest.iter().all(|&byte| byte == 0)
}
