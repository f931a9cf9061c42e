//! The guard of every extractor: what an archive says is made below one directory and nowhere else.
//!
//! A name is walked component by component from a descriptor of that directory, and no component is a symbolic link,
//! unless it leads to a directory below (`openat2(2)`, RESOLVE_BENEATH): `lib -> usr/lib` of a root tree. Names with `..`
//! are refused, those from the root lose their slash. Links that could lead out are made last, see `late`.

mod late;
mod make;

pub use make::{Existing, Extractor, Made, Manner};

use crate::error::{Error, Result};
use crate::files::{kind, open_directory, stat};
use crate::sys::fs::{self, FileType, Mode, OFlags, ResolveFlags, XattrFlags};
use crate::sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// How many directories of a name are kept open for the next name.
const MOST_LEVELS: usize = 64;

/// Bytes of the longest name: each component may be a directory that is made.
const MOST_NAME: usize = 1 << 15;

/// An open directory on the way to the last name.
#[derive(Debug)]
struct Level {
    directory: OwnedFd,
    /// The length of the path that leads to it.
    end: usize,
    /// What is made in it gets the group of this process, and no default ACL.
    is_plain: bool,
}

/// The directory that an archive is extracted into.
#[derive(Debug)]
pub struct Guard {
    root: OwnedFd,
    root_is_plain: bool,
    /// The path of the last directory, and the directories on the way to it.
    path: Vec<u8>,
    levels: Vec<Level>,
    /// Names are trusted: any link is followed, and names may begin with a slash or have `..`.
    is_trusting: bool,
    gid: u32,
}

/// Where an entry belongs: a directory and a single name in it.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a> {
    /// The directory.
    pub at: BorrowedFd<'a>,
    /// The name.
    pub name: &'a [u8],
    /// What is made there belongs to the group of this process and gets no default ACL.
    pub is_plain: bool,
}

/// The name of an entry below the directory: without slashes before it and after it; `.` if nothing is left. An error for
/// one with `..`.
pub fn checked(name: &[u8]) -> Result<&[u8]> {
    if name.len() > MOST_NAME {
        return Err(Error::from(Errno::NAMETOOLONG));
    }
    if name.split(|&byte| byte == b'/').any(|part| part == b"..") {
        return Err(Error::parts(&[name, b": name contains '..'"]));
    }
    if name.contains(&0) {
        return Err(Error::parts(&[name, b": name contains a NUL"]));
    }
    let start = name.iter().position(|&byte| byte != b'/').unwrap_or(name.len());
    let end = name.iter().rposition(|&byte| byte != b'/').map_or(start, |at| at + 1);
    Ok(if start == end { b"." } else { &name[start..end] })
}

impl Guard {
    /// A guard of the directory at `path`.
    pub fn new(path: &[u8], is_trusting: bool) -> Result<Self> {
        let root = open_directory(fs::CWD, path, true).map_err(|errno| Error::cannot("open", path, errno))?;
        let gid = crate::sys::process::getegid().as_raw();
        let root_is_plain = is_plain(&root, gid);
        Ok(Self { root, root_is_plain, path: Vec::new(), levels: Vec::new(), is_trusting, gid })
    }

    /// The name as it is walked.
    pub fn name<'a>(&self, name: &'a [u8]) -> Result<&'a [u8]> {
        if self.is_trusting && !name.is_empty() {
            let end = name.iter().rposition(|&byte| byte != b'/').map_or(1, |at| at + 1);
            return Ok(&name[..end]);
        }
        checked(name)
    }

    /// Finds the directory of a name, which `name` has returned. `makes`: directories that are not there are made.
    pub fn find<'a>(&'a mut self, path: &'a [u8], makes: bool) -> core::result::Result<Spot<'a>, Errno> {
        let (directory, name) = match crate::bytes::find_byte_back(b'/', path) {
            // With the slash: the root directory is one, too.
            Some(at) => (&path[..=at], &path[at + 1..]),
            None => (&b""[..], path),
        };
        let name = if name.is_empty() { b"." } else { name };
        self.enter(directory, makes)?;
        let (at, is_plain) = match self.levels.last() {
            Some(level) => (level.directory.as_fd(), level.is_plain),
            None => (self.root.as_fd(), self.root_is_plain),
        };
        Ok(Spot { at, name, is_plain })
    }

    /// Forgets what is open: a directory on the way may have been replaced.
    pub fn forget(&mut self) {
        self.levels.clear();
        self.path.clear();
    }

    /// Opens the directory at `path`, each component from the one before; those of the last path are open already.
    fn enter(&mut self, path: &[u8], makes: bool) -> core::result::Result<(), Errno> {
        if self.path == path {
            return Ok(());
        }
        let common = crate::bytes::common_prefix(&self.path, path);
        while self.levels.last().is_some_and(|level| level.end > common) {
            self.levels.pop();
        }
        let mut at = self.levels.last().map_or(0, |level| level.end);
        self.path.truncate(at);
        if self.is_trusting && at == 0 && path.starts_with(b"/") {
            self.push(open_directory(fs::CWD, b"/", true)?, &path[..1]);
            at = 1;
        }
        while at < path.len() {
            // Names end with a slash here.
            let end = at + crate::bytes::find_byte(b'/', &path[at..]).unwrap_or(path.len() - at - 1) + 1;
            let name = &path[at..end - 1];
            if !name.is_empty() && name != b"." {
                let opened = self.open(name, &path[..end - 1], makes)?;
                self.push(opened, &path[..end]);
            }
            at = end;
        }
        self.path.clear();
        self.path.extend_from_slice(path);
        Ok(())
    }

    fn push(&mut self, directory: OwnedFd, path: &[u8]) {
        if self.levels.len() == MOST_LEVELS {
            // The one before it is opened again when it is needed.
            self.levels.pop();
        }
        let is_plain = is_plain(&directory, self.gid);
        self.levels.push(Level { directory, end: path.len(), is_plain });
    }

    fn open(&self, name: &[u8], path: &[u8], makes: bool) -> core::result::Result<OwnedFd, Errno> {
        let at = self.levels.last().map_or(self.root.as_fd(), |level| level.directory.as_fd());
        match open_directory(at, name, self.is_trusting) {
            Err(Errno::NOENT) if makes => {
                match fs::mkdirat(at, name, Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(errno) => return Err(errno),
                }
                open_directory(at, name, self.is_trusting)
            }
            Err(Errno::LOOP | Errno::NOTDIR)
                if stat(at, name, false).is_ok_and(|stat| kind(&stat) == FileType::Symlink) =>
            {
                self.open_beneath(path)
            }
            opened => opened,
        }
    }

    /// Opens a directory by way of links that do not lead out of the root, by the kernel's own rules. Where the kernel
    /// cannot (before Linux 5.6), links are not followed.
    fn open_beneath(&self, path: &[u8]) -> core::result::Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        fs::openat2(&self.root, path, flags, Mode::empty(), resolve).map_err(|errno| match errno {
            Errno::NOENT | Errno::NOTDIR => errno,
            _ => Errno::LOOP,
        })
    }
}

/// Whether what is made in a directory belongs to this process's group and has the mode that is asked for, less the
/// umask.
fn is_plain(directory: &OwnedFd, gid: u32) -> bool {
    fs::fstat(directory).is_ok_and(|stat| stat.st_gid == gid)
        && fs::fgetxattr(directory, "system.posix_acl_default", &mut [0u8; 0][..]).is_err()
}

/// Sets the extended attributes of an open file; the first that cannot be set is the error.
fn set_xattrs(file: &OwnedFd, xattrs: &[(Vec<u8>, Vec<u8>)]) -> Result<()> {
    let mut result = Ok(());
    for (name, value) in xattrs {
        let set = fs::fsetxattr(file, &name[..], value, XattrFlags::empty());
        result = result.and(set.map_err(|errno| Error::cannot("set attribute", name, errno)));
    }
    result
}
