//! Data of files, from and to descriptors.

use rbox_core::io::{self, CHUNK, Output};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{self, FileType};
use rbox_core::sys::{AsFd, BorrowedFd, OwnedFd};

rbox_core::callback! {
    /// What is done with a part of a file's data.
    pub Put = PutData<'b>(&'b [u8]) -> Result<()>
}

/// Writes all of it.
pub fn write_all(file: BorrowedFd<'_>, data: &[u8]) -> Result<()> {
    io::write_all(file, data).map_err(Error::from)
}

/// Writes `length` bytes of a file to an archive, zeros for those that it does not have any longer; these are reported, and
/// the status is returned. `buffer` is memory that is kept from one call to the next.
pub fn put_contents(
    env: &mut Env,
    output: &mut Output,
    file: &OwnedFd,
    path: &[u8],
    length: u64,
    buffer: &mut Vec<u8>,
) -> Outcome {
    let mut left = length;
    if left > 2 * CHUNK as u64
        && !output.is_inherited()
        && let Some(to) = regular(output)?
    {
        left -= io::copy_range(file.as_fd(), to, left).0;
    }
    buffer.resize(CHUNK, 0);
    let mut failure = None;
    while left > 0 {
        let wanted = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK));
        match io::read(file.as_fd(), &mut buffer[..wanted]) {
            Ok(0) => break,
            Ok(count) => {
                output.write(&buffer[..count])?;
                left -= count as u64;
            }
            Err(errno) => {
                failure = Some(errno);
                break;
            }
        }
    }
    if left == 0 {
        return Ok(ExitStatus::SUCCESS);
    }
    let (why, status) = match failure {
        Some(errno) => (Error::cannot("read", path, errno), 2),
        None => (Error::parts(&[path, b": file shrank; padding with zeros"]), 1),
    };
    env.report(&why);
    while left > 0 {
        let count = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK));
        output.write_repeated(0, count)?;
        left -= count as u64;
    }
    Ok(ExitStatus(status))
}

/// The descriptor of an output that is a regular file, after what is buffered.
fn regular(output: &mut Output) -> Result<Option<BorrowedFd<'_>>> {
    let is_file = |stat: fs::Stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let is_regular = output.fd().is_some_and(|file| fs::fstat(file).is_ok_and(is_file));
    if is_regular {
        output.flush()?;
    }
    Ok(output.fd().filter(|_| is_regular))
}
