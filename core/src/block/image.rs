//! A device, or a file that is the image of one, which is read and written at offsets.

use crate::error::{Error, Result};
use crate::files;
use crate::number::{invalid, parse_decimal};
use crate::sys::fs::{FallocateFlags, FileType, Mode, OFlags, fallocate};
use crate::sys::{AsFd, BorrowedFd, Errno, OwnedFd, fd, fs};

/// An open device or image of one. Its errors name its path.
#[derive(Debug)]
pub struct Image {
    file: OwnedFd,
    path: Vec<u8>,
    /// In bytes.
    size: u64,
    sector: u64,
    is_device: bool,
}

impl Image {
    /// Opens for reading. The error is `can't open 'PATH': reason`.
    pub fn read_only(path: &[u8]) -> Result<Self> {
        Self::open_as(path, OFlags::RDONLY)
    }

    /// Opens for reading and writing. A device that is mounted or swapped on is not opened; a file is never made.
    pub fn open(path: &[u8]) -> Result<Self> {
        Self::open_as(path, OFlags::RDWR)
    }

    /// Opens for reading and writing, also what is mounted.
    pub fn open_shared(path: &[u8]) -> Result<Self> {
        Self::new(path, OFlags::RDWR)
    }

    fn open_as(path: &[u8], how: OFlags) -> Result<Self> {
        // For a file, O_EXCL without O_CREAT has no meaning (open(2)).
        let is_device = fs::stat(path).is_ok_and(|stat| files::kind(&stat) == FileType::BlockDevice);
        Self::new(path, if is_device && how == OFlags::RDWR { how | OFlags::EXCL } else { how })
    }

    fn new(path: &[u8], how: OFlags) -> Result<Self> {
        let failed = |errno| Error::cannot("open", path, errno);
        Self::of(fs::open(path, how | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty()).map_err(failed)?, path)
    }

    /// The image that is already open, with a path for messages.
    pub fn of(file: OwnedFd, path: &[u8]) -> Result<Self> {
        let failed = |errno| Error::cannot("open", path, errno);
        let kind = files::kind(&fs::fstat(&file).map_err(failed)?);
        let is_device = kind == FileType::BlockDevice;
        if !is_device && kind != FileType::RegularFile {
            return Err(Error::parts(&[path, b": neither a block device nor a file"]));
        }
        let (size, sector) = super::get_size(&file).ok_or_else(|| Error::cannot("open", path, Errno::INVAL))?;
        Ok(Self { file, path: path.to_vec(), size, sector, is_device })
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Bytes of a logical sector; 512 for a file.
    pub fn sector(&self) -> u64 {
        self.sector
    }

    /// Whether it is a block device.
    pub fn is_device(&self) -> bool {
        self.is_device
    }

    /// The pathname that it was opened by.
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// The descriptor.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// The bytes that `kilobytes` names, or all there are. A file is lengthened to them, a device must have them.
    pub fn wanted(&mut self, kilobytes: Option<&[u8]>) -> Result<u64> {
        let Some(word) = kilobytes else { return Ok(self.size) };
        let wanted = parse_decimal(word).and_then(|count| count.checked_mul(1024)).ok_or_else(|| invalid(word))?;
        if wanted > self.size {
            if self.is_device {
                return Err(self.error("the device is smaller"));
            }
            fs::ftruncate(&self.file, wanted).map_err(|errno| Error::on(&self.path, errno))?;
            self.size = wanted;
        }
        Ok(wanted)
    }

    /// `path: reason`.
    pub fn error(&self, reason: &str) -> Error {
        Error::parts(&[&self.path, b": ", reason.as_bytes()])
    }

    /// The `count` bytes at an offset; `None` beyond the end or when the medium fails.
    pub fn part(&self, offset: u64, count: usize) -> Option<Vec<u8>> {
        super::read_at(&self.file, offset, count)
    }

    /// Fills `into` with what is at `offset`.
    pub fn read(&self, offset: u64, mut into: &mut [u8]) -> Result<()> {
        let mut at = offset;
        while !into.is_empty() {
            match fd::pread(&self.file, &mut *into, at) {
                Ok(0) => return Err(self.error("unexpected end of file")),
                Ok(count) => {
                    at += count as u64;
                    into = &mut into[count..];
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::on(&self.path, errno)),
            }
        }
        Ok(())
    }

    /// Writes `bytes` at `offset`.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        write_at(self.fd(), offset, bytes).map_err(|errno| Error::on(&self.path, errno))
    }

    /// Makes `length` bytes from `offset` on zeros, and holes where that is possible: what was zero is not written.
    pub fn clear(&self, offset: u64, length: u64) -> Result<()> {
        let end = self.size.min(offset.saturating_add(length));
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        if offset >= end || fallocate(&self.file, hole, offset, end - offset).is_ok() {
            return Ok(());
        }
        let (mut buffer, mut at) = (vec![0; crate::io::CHUNK], offset);
        while at < end {
            let count = (end - at).min(buffer.len() as u64) as usize;
            let part = &mut buffer[..count];
            self.read(at, part)?;
            if part.iter().any(|&byte| byte != 0) {
                part.fill(0);
                self.write(at, part)?;
            }
            at += count as u64;
        }
        Ok(())
    }

    /// Waits until all is on the medium.
    pub fn sync(&self) -> Result<()> {
        fs::fsync(&self.file).map_err(|errno| Error::on(&self.path, errno))
    }
}

/// `pwrite(2)` of all bytes.
pub fn write_at(file: BorrowedFd<'_>, mut offset: u64, mut bytes: &[u8]) -> core::result::Result<(), Errno> {
    while !bytes.is_empty() {
        match fd::pwrite(file, bytes, offset) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => {
                offset += count as u64;
                bytes = &bytes[count..];
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
