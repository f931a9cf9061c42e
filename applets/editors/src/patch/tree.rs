//! Files below the current directory: no component of a name that a patch brings is followed as a symbolic link, and
//! a file is replaced by rename(2), so that it is whole at every moment.

use rbox_core::bytes::base_name;
use rbox_core::files::{kind, open_directory, stat};
use rbox_core::io::{Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{
    self, AtFlags, FileType, Mode, OFlags, RenameFlags, Stat, fchmod, fchown, mkdirat, openat, renameat_with, unlinkat,
};
use rbox_core::sys::{AsFd, BorrowedFd, Errno, OwnedFd, process};
use rbox_core::text;

/// A file in an open directory, or in one that does not exist yet.
pub struct Place {
    directory: Option<OwnedFd>,
    is_missing: bool,
    /// The last component.
    name: Vec<u8>,
    /// The whole name, for messages.
    pub path: Vec<u8>,
}

/// Directory and last component of a path.
pub fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let name = base_name(path);
    (&path[..path.len() - name.len()], name)
}

impl Place {
    /// The place that a patch names.
    pub fn below(path: &[u8]) -> Result<Self> {
        match Self::open(path, false) {
            Err(error) if error.errno() == Some(Errno::NOENT) => {
                Ok(Self { directory: None, is_missing: true, name: base_name(path).to_vec(), path: path.to_vec() })
            }
            opened => opened,
        }
    }

    /// Opens its directory, component by component. Those that are missing are made if `make`.
    fn open(path: &[u8], make: bool) -> Result<Self> {
        let (parents, name) = split(path);
        let mut directory: Option<OwnedFd> = None;
        for part in parents.split(|&byte| byte == b'/').filter(|part| !part.is_empty() && *part != b".") {
            let at = directory.as_ref().map_or(fs::CWD, |directory| directory.as_fd());
            let opened = match open_directory(at, part, false) {
                Err(Errno::NOENT) if make => mkdirat(at, part, Mode::from_raw_mode(0o777))
                    .or_else(|errno| if errno == Errno::EXIST { Ok(()) } else { Err(errno) })
                    .and_then(|()| open_directory(at, part, false)),
                opened => opened,
            };
            directory = Some(opened.map_err(|errno| Error::cannot("open", path, errno))?);
        }
        Ok(Self { directory, is_missing: false, name: name.to_vec(), path: path.to_vec() })
    }

    /// The place that the user names, whose directories may be reached by links.
    pub fn of_operand(path: &[u8]) -> Result<Self> {
        let (parents, name) = split(path);
        let directory = match parents {
            b"" => None,
            _ => Some(open_directory(fs::CWD, parents, true).map_err(|errno| Error::cannot("open", path, errno))?),
        };
        Ok(Self { directory, is_missing: false, name: name.to_vec(), path: path.to_vec() })
    }

    fn at(&self) -> BorrowedFd<'_> {
        self.directory.as_ref().map_or(fs::CWD, |directory| directory.as_fd())
    }

    /// Its attributes; those of a link itself.
    pub fn stat(&self) -> core::result::Result<Stat, Errno> {
        if self.is_missing { Err(Errno::NOENT) } else { stat(self.at(), &self.name, false) }
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.stat().is_ok_and(|stat| kind(&stat) == FileType::RegularFile)
    }

    /// Reads it. What is no regular file is refused.
    pub fn read(&self) -> Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        if !self.is_file() {
            return Err(Error::parts(&[b"file ", &self.path, b" is not a regular file"]));
        }
        let file = openat(self.at(), &self.name, flags, Mode::empty())
            .map_err(|errno| Error::cannot("open", &self.path, errno))?;
        Input::from_fd(file, &self.path).read_to_end()
    }

    /// Replaces it by `content`, with that mode, or 0666 less the umask; keeps the owner where it can.
    pub fn write(&self, content: &[u8], like: Option<&Stat>, mode: Option<u32>) -> Result<()> {
        if self.is_missing {
            return Self::open(&self.path, true)?.write(content, like, mode);
        }
        let fail = |errno| Error::cannot("create", &self.path, errno);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (mut count, pid) = (0u32, process::getpid().as_raw_nonzero().get() as u32);
        let (temporary, file) = loop {
            let name = text!(".", &self.name[..self.name.len().min(200)], ".", pid, ".", count);
            match openat(self.at(), &name, flags, Mode::from_raw_mode(0o666)) {
                Err(Errno::EXIST) if count < 1000 => count += 1,
                opened => break (name, opened.map_err(fail)?),
            }
        };
        let result = self.fill(file, content, like, mode).and_then(|()| {
            renameat_with(self.at(), &temporary, self.at(), &self.name, RenameFlags::empty()).map_err(fail)
        });
        if result.is_err() {
            // The first error is the one to report.
            let _ = unlinkat(self.at(), &temporary, AtFlags::empty());
        }
        result
    }

    fn fill(&self, file: OwnedFd, content: &[u8], like: Option<&Stat>, mode: Option<u32>) -> Result<()> {
        let fail = |errno| Error::cannot("create", &self.path, errno);
        if let Some(stat) = like {
            let (uid, gid) = (fs::Uid::from_raw(stat.st_uid), fs::Gid::from_raw(stat.st_gid));
            // Only root may give files away; the mode below has no bit that would make that unsafe.
            let kept = fchown(&file, Some(uid), Some(gid)).is_ok();
            let mask = if kept { 0o7777 } else { 0o777 };
            fchmod(&file, Mode::from_raw_mode(mode.unwrap_or(stat.st_mode) & mask)).map_err(fail)?;
        } else if let Some(mode) = mode {
            fchmod(&file, Mode::from_raw_mode(mode & 0o777 & !process::current_umask())).map_err(fail)?;
        }
        let mut output = Output::from_fd(file);
        output.write(content)?;
        output.flush().map_err(|error| Error::on(&self.path, error.errno().unwrap_or(Errno::IO)))
    }

    /// Removes it, and then its directories while they are empty.
    pub fn remove(&self) -> Result<()> {
        unlinkat(self.at(), &self.name, AtFlags::empty())
            .map_err(|errno| Error::cannot("remove", &self.path, errno))?;
        let mut path = self.path.as_slice();
        while let [parent @ .., b'/'] = split(path).0 {
            let Ok(place) = Self::open(parent, false) else { break };
            if parent.is_empty() || unlinkat(place.at(), &place.name, AtFlags::REMOVEDIR).is_err() {
                break;
            }
            path = parent;
        }
        Ok(())
    }
}
