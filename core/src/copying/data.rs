//! Copies of a file's data: shared blocks, holes, or bytes.

use crate::error::{Error, Result};
use crate::files::kind;
use crate::io::{self, CHUNK};
use crate::sys::fs::{self, FileType, SeekFrom, Stat};
use crate::sys::{AsFd, Errno, OwnedFd};

/// Whether copies get holes (`--sparse`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sparse {
    /// Where the source has them.
    #[default]
    Auto,
    /// Wherever there are blocks of zero bytes.
    Always,
    /// Nowhere.
    Never,
}

/// Whether copies share blocks with their sources (`--reflink`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reflink {
    /// Where the file system does that by itself (`copy_file_range(2)`).
    #[default]
    Auto,
    /// All of them, or the copy fails.
    Always,
    /// None.
    Never,
}

/// Bytes of a block that may become a hole.
const BLOCK: usize = 4096;

/// Copies all that is in `from`, to its end, into `to`, which is empty; `paths` are theirs, for messages.
pub fn copy(
    from: &OwnedFd,
    to: &OwnedFd,
    paths: [&[u8]; 2],
    source: &Stat,
    sparse: Sparse,
    reflink: Reflink,
) -> Result<()> {
    if reflink == Reflink::Always {
        return fs::ioctl_ficlone(to, from).map_err(|errno| Error::cannot("clone", paths[1], errno));
    }
    let is_regular = |stat: &Stat| kind(stat) == FileType::RegularFile;
    let both_regular = is_regular(source) && fs::fstat(to).is_ok_and(|stat| is_regular(&stat));
    let has_holes = (source.st_blocks as u64) < source.st_size as u64 / 512;
    let mut copy = Copy { from, to, paths, in_kernel: both_regular && reflink != Reflink::Never, zeros: false, end: 0 };
    match sparse {
        Sparse::Auto if both_regular && has_holes => copy.parts()?,
        Sparse::Always if both_regular => (copy.in_kernel, copy.zeros) = (false, true),
        _ => {}
    }
    // What was added meanwhile, or all of it.
    copy.range(u64::MAX)?;
    // A hole at the end has to be made by its size.
    if both_regular && (copy.zeros || copy.end > 0) {
        let at = fs::seek(to, SeekFrom::Current(0)).map_err(|errno| Error::on(paths[1], errno))?;
        fs::ftruncate(to, at).map_err(|errno| Error::on(paths[1], errno))?;
    }
    Ok(())
}

struct Copy<'a> {
    from: &'a OwnedFd,
    to: &'a OwnedFd,
    paths: [&'a [u8]; 2],
    in_kernel: bool,
    /// Blocks of zeros become holes.
    zeros: bool,
    /// Where the last part ended that was copied by itself.
    end: u64,
}

impl Copy<'_> {
    /// Copies the parts of a file between its holes (lseek(2), SEEK_DATA).
    fn parts(&mut self) -> Result<()> {
        loop {
            let start = match fs::seek(self.from, SeekFrom::Data(self.end)) {
                Ok(start) => start,
                // No data follow; what remains is a hole.
                Err(Errno::NXIO) => {
                    let end = fs::seek(self.from, SeekFrom::End(0)).map_err(|errno| Error::on(self.paths[0], errno))?;
                    self.end = end.max(self.end);
                    return self.seek_both(self.end);
                }
                // The file system knows no holes.
                Err(_) => return self.seek_both(self.end),
            };
            let end = fs::seek(self.from, SeekFrom::Hole(start)).map_err(|errno| Error::on(self.paths[0], errno))?;
            self.seek_both(start)?;
            if self.range(end - start)? == 0 {
                // It has become shorter.
                return Ok(());
            }
            self.end = end;
        }
    }

    fn seek_both(&self, at: u64) -> Result<()> {
        fs::seek(self.from, SeekFrom::Start(at)).map_err(|errno| Error::on(self.paths[0], errno))?;
        fs::seek(self.to, SeekFrom::Start(at)).map_err(|errno| Error::on(self.paths[1], errno))?;
        Ok(())
    }

    /// Copies `length` bytes from where both files are, or to the end; returns how many.
    fn range(&self, length: u64) -> Result<u64> {
        let mut done = 0;
        if self.in_kernel {
            let (count, ended) = io::copy_range(self.from.as_fd(), self.to.as_fd(), length);
            if ended {
                return Ok(count);
            }
            done = count;
        }
        let mut buffer = vec![0; CHUNK];
        while done < length {
            let wanted = buffer.len().min(usize::try_from(length - done).unwrap_or(usize::MAX));
            let count =
                io::read(self.from.as_fd(), &mut buffer[..wanted]).map_err(|errno| Error::on(self.paths[0], errno))?;
            if count == 0 {
                break;
            }
            self.write(&buffer[..count])?;
            done += count as u64;
        }
        Ok(done)
    }

    fn write(&self, data: &[u8]) -> Result<()> {
        let failed = |errno| Error::on(self.paths[1], errno);
        for block in data.chunks(if self.zeros { BLOCK } else { CHUNK }) {
            if self.zeros && block.iter().all(|&byte| byte == 0) {
                fs::seek(self.to, SeekFrom::Current(block.len() as i64)).map_err(failed)?;
                continue;
            }
            io::write_all(self.to.as_fd(), block).map_err(failed)?;
        }
        Ok(())
    }
}
