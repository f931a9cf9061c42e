//! The files of the log: opened when the first message comes, and rotated when they are full.
//!
//! A file may be a pipe that nobody reads, or on a full disk. The log makes one attempt at each line and goes on: who
//! sends messages must not wait for it. What is lost is counted and reported in the file once it takes lines again.

use rbox_core::number::Decimal;
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::fs::{FileType, Mode, OFlags};
use rbox_core::sys::time::Timespec;
use rbox_core::sys::{AsFd, BorrowedFd, Errno, OwnedFd, fd, fs};
use rbox_core::text;

/// One file of the log.
pub struct Target {
    /// `-` is standard output.
    pub path: Vec<u8>,
    file: Option<OwnedFd>,
    /// A file that can be rotated, not a terminal or a pipe.
    regular: bool,
    /// Its size in bytes.
    size: u64,
    /// The second in which it was last compared with what is found at `path`.
    checked: i64,
    /// Why it could not be opened then.
    missing: Option<Errno>,
    /// Lines that it did not take.
    lost: u64,
    /// The failure that was reported; nothing more is until it takes a line again.
    failed: Option<Errno>,
    /// Only a part of the last line was taken.
    torn: bool,
}

/// When a file is rotated.
#[derive(Clone, Copy)]
pub struct Limits {
    /// In bytes; 0 = never.
    pub rotate_at: u64,
    /// How many old files are kept; 0 = the file is emptied.
    pub keep: u64,
}

/// One line on its way to a file.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// What comes before the text: the time, the host, the priority.
    pub head: &'a [u8],
    /// The rest, with the newline.
    pub text: &'a [u8],
    /// The second in which it came.
    pub second: i64,
}

/// The largest write that a pipe takes whole or not at all, in bytes: `pipe(7)`, PIPE_BUF.
const ATOMIC: usize = 4096;

impl Target {
    /// The file at `path`, not opened yet.
    pub fn new(path: &[u8]) -> Self {
        Self {
            path: path.to_vec(),
            file: None,
            regular: false,
            size: 0,
            checked: 0,
            missing: None,
            lost: 0,
            failed: None,
            torn: false,
        }
    }

    /// Closes the file, so that the next message opens it again.
    pub fn close(&mut self) {
        self.file = None;
        self.checked = 0;
    }

    /// Writes one line, after a rotation where that is due. The error is one that has not been reported yet.
    pub fn write(&mut self, line: Line<'_>, limits: Limits) -> Result<()> {
        match self.attempt(line, limits) {
            Ok(()) => {
                self.failed = None;
                Ok(())
            }
            Err(errno) => {
                self.lost += 1;
                let is_known = self.failed.replace(errno) == Some(errno);
                // A reader that is slow is no failure; the count shows how slow.
                if is_known || errno == Errno::AGAIN { Ok(()) } else { Err(Error::on(&self.path, errno)) }
            }
        }
    }

    fn attempt(&mut self, line: Line<'_>, limits: Limits) -> core::result::Result<(), Errno> {
        if self.path == b"-" {
            return self.put(line);
        }
        if self.checked != line.second {
            self.checked = line.second;
            self.missing = self.check().err();
        }
        if let Some(errno) = self.missing {
            return Err(errno);
        }
        if self.regular && limits.rotate_at > 0 && self.size > limits.rotate_at {
            self.rotate(limits.keep)?;
        }
        self.put(line)
    }

    /// Opens the file, also when it was removed or replaced.
    fn check(&mut self) -> core::result::Result<(), Errno> {
        if let Some(file) = &self.file
            && let Ok(own) = fs::fstat(file)
            && fs::stat(&self.path[..]).is_ok_and(|found| (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino))
        {
            self.size = own.st_size as u64;
            return Ok(());
        }
        self.open()
    }

    fn open(&mut self) -> core::result::Result<(), Errno> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = fs::open(&self.path[..], flags, Mode::from_raw_mode(0o666))?;
        let stat = fs::fstat(&file)?;
        self.regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        (self.size, self.torn, self.file) = (stat.st_size as u64, false, Some(file));
        Ok(())
    }

    /// Writes the line, and before it how many were lost.
    fn put(&mut self, line: Line<'_>) -> core::result::Result<(), Errno> {
        if self.lost > 0 {
            let start = if self.torn { "\n" } else { "" };
            let count = Decimal::new(self.lost);
            self.send(&text!(start, line.head, "syslogd: ", count.as_bytes(), " messages lost\n"))?;
            self.lost = 0;
        }
        self.send(&[line.head, line.text].concat())
    }

    fn send(&mut self, bytes: &[u8]) -> core::result::Result<(), Errno> {
        let file = self.file.as_ref().map_or(fd::borrow(1), AsFd::as_fd);
        let mut done = 0;
        let result = loop {
            if done == bytes.len() {
                break Ok(());
            }
            // Standard output is shared with others and cannot be made non-blocking.
            if self.file.is_none() && !is_writable(file) {
                break Err(Errno::AGAIN);
            }
            match fd::write(file, &bytes[done..bytes.len().min(done + ATOMIC)]) {
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(errno) => break Err(errno),
            }
        };
        self.size += done as u64;
        self.torn = result.is_err() && (done > 0 || self.torn);
        result
    }

    /// `FILE.0` is the newest of the old files.
    fn rotate(&mut self, keep: u64) -> core::result::Result<(), Errno> {
        let Some(file) = &self.file else { return Ok(()) };
        if keep == 0 {
            self.size = 0;
            return fs::ftruncate(file, 0);
        }
        let name = |number: u64| [&self.path[..], b".", Decimal::new(number).as_bytes()].concat();
        for number in (1..keep).rev() {
            // Not all of them are there yet.
            let _ = fs::rename(&name(number - 1)[..], &name(number)[..]);
        }
        fs::rename(&self.path[..], &name(0)[..])?;
        self.open()
    }
}

fn is_writable(file: BorrowedFd<'_>) -> bool {
    let mut watched = [PollFd::from_borrowed_fd(file, PollFlags::OUT)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut watched, Some(&at_once)).is_ok_and(|count| count > 0)
}
