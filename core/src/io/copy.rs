//! Copies of whole streams, inside the kernel where it can.

use super::{CHUNK, Input, Output};
use crate::error::Result;
use crate::sys::fs::FileType;
use crate::sys::pipe::SpliceFlags;
use crate::sys::{BorrowedFd, Errno, fs, pipe};

/// Copies all that is left of `input` to `output`, and returns how many bytes that was.
///
/// Into a file that this process has opened the kernel copies (`copy_file_range(2)`), from pipe to pipe it moves pages
/// (`splice(2)`), else buffers do. A file's pages are not moved into a pipe: who writes to the file later would change what
/// was read before. Nor does the kernel copy into a file that was inherited: both calls keep its offset while they copy or
/// wait, and what others write to the same open file (messages in `{ make | cat; } >log 2>&1`) would be written over.
pub fn copy(input: &mut Input, output: &mut Output) -> Result<u64> {
    let waiting = input.buffered().len();
    output.write(input.buffered())?;
    input.consume(waiting);
    let mut total = waiting as u64;
    output.flush()?;
    if let (Some(from), Some(to)) = (input.fd(), output.fd()) {
        let (count, ended) = copy_in_kernel(from, to, output.is_inherited());
        total += count;
        if ended {
            return Ok(total);
        }
    }
    loop {
        let content = input.fill()?;
        if content.is_empty() {
            return Ok(total);
        }
        let count = content.len();
        output.write(content)?;
        // A reader at the other end of a pipe gets bytes as they come.
        output.flush()?;
        input.consume(count);
        total += count as u64;
    }
}

/// Copies the next `size` bytes of `input`, or all that is left if that is less; flushes before a read that would wait.
pub fn copy_part(input: &mut Input, output: &mut Output, size: u64) -> Result<()> {
    let mut left = size;
    while left > 0 {
        let content = input.fill_for(output)?;
        if content.is_empty() {
            break;
        }
        let count = content.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        output.write(&content[..count])?;
        input.consume(count);
        left -= count as u64;
    }
    Ok(())
}

/// Copies until the end or until the kernel refuses: how many bytes, and whether that is all. If not, the caller goes on
/// with buffers and meets the error, if any, there.
fn copy_in_kernel(from: BorrowedFd<'_>, to: BorrowedFd<'_>, inherited: bool) -> (u64, bool) {
    let kind = |file| fs::fstat(file).map(|stat| FileType::from_raw_mode(stat.st_mode));
    let (Ok(source), Ok(target)) = (kind(from), kind(to)) else { return (0, false) };
    match (source, target) {
        (FileType::RegularFile, FileType::RegularFile) if !inherited => copy_range(from, to, u64::MAX),
        (FileType::RegularFile, _) | (_, FileType::RegularFile | FileType::BlockDevice) => (0, false),
        (FileType::Fifo, _) | (_, FileType::Fifo) => {
            repeat(u64::MAX, |_| pipe::splice(from, None, to, None, 16 * CHUNK, SpliceFlags::MOVE))
        }
        _ => (0, false),
    }
}

/// Copies between two regular files that this process has opened, `size` bytes or to the end when that is before: how
/// many bytes, and whether that is all (`copy_file_range(2)`). Knowing the size saves the call that finds the end.
pub fn copy_range(from: BorrowedFd<'_>, to: BorrowedFd<'_>, size: u64) -> (u64, bool) {
    repeat(size, |left| fs::copy_file_range(from, None, to, None, left.min(1 << 30) as usize))
}

fn repeat(size: u64, step: impl Fn(u64) -> core::result::Result<usize, Errno>) -> (u64, bool) {
    let mut total = 0;
    loop {
        match step(size - total) {
            // copy_file_range(2): the files of /proc have no length, and seem to be empty.
            Ok(0) => return (total, total > 0),
            Ok(count) => total += count as u64,
            Err(Errno::INTR) => {}
            Err(_) => return (total, false),
        }
        if total == size {
            return (total, true);
        }
    }
}
