//! The files of the log: opened when the first message comes, and rotated when they are full.

use rbox_core::io::Output;
use rbox_core::number::Decimal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, Mode, OFlags};
use rbox_core::sys::{OwnedFd, fd, fs};

/// One file of the log.
pub struct Target {
    /// `-` is standard output.
    pub path: Vec<u8>,
    file: Option<OwnedFd>,
}

/// When a file is rotated.
#[derive(Clone, Copy)]
pub struct Limits {
    /// In bytes; 0 = never.
    pub rotate_at: u64,
    /// How many old files are kept; 0 = the file is emptied.
    pub keep: u64,
}

impl Target {
    /// The file at `path`, not opened yet.
    pub fn new(path: &[u8]) -> Self {
        Self { path: path.to_vec(), file: None }
    }

    /// Lets go of the file, so that the next message opens it anew.
    pub fn close(&mut self) {
        self.file = None;
    }

    /// Writes one line, after a rotation where that is due.
    pub fn write(&mut self, line: &[u8], limits: Limits) -> Result<()> {
        if self.path == b"-" {
            let mut output = Output::standard(1);
            output.write(line)?;
            return output.flush();
        }
        let failed = |errno| Error::cannot("open", &self.path, errno);
        let file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        let stat = fs::fstat(&file).map_err(failed)?;
        let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        let full = regular && limits.rotate_at > 0 && stat.st_size as u64 > limits.rotate_at;
        let file = if full { self.rotate(file, limits.keep)? } else { file };
        let mut output = Output::from_fd(fd::fcntl_dupfd_cloexec(&file, 0)?);
        output.write(line)?;
        output.flush()?;
        self.file = Some(file);
        Ok(())
    }

    fn open(&self) -> Result<OwnedFd> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        fs::open(&self.path[..], flags, Mode::from_raw_mode(0o666))
            .map_err(|errno| Error::cannot("open", &self.path, errno))
    }

    /// `FILE.0` is the newest of the old files.
    fn rotate(&self, file: OwnedFd, keep: u64) -> Result<OwnedFd> {
        if keep == 0 {
            fs::ftruncate(&file, 0).map_err(|errno| Error::on(&self.path, errno))?;
            return Ok(file);
        }
        let name = |number: u64| [&self.path[..], b".", Decimal::new(number).as_bytes()].concat();
        for number in (1..keep).rev() {
            // Not all of them are there yet.
            let _ = fs::rename(&name(number - 1)[..], &name(number)[..]);
        }
        fs::rename(&self.path[..], &name(0)[..]).map_err(|errno| Error::on(&self.path, errno))?;
        self.open()
    }
}
