//! Trees of files, walked by open folders and single names, so that a path swapped for a link leads nowhere else.

use crate::bytes;
use crate::callback;
use crate::error::{Error, Result};
use crate::sys::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir, Stat};
use crate::sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// One name in a folder.
#[derive(Debug)]
pub struct Entry {
    /// The name.
    pub name: Vec<u8>,
    /// Its type, `Unknown` where the file system does not tell.
    pub kind: FileType,
}

/// The names in an open folder, without `.` and `..`, in the file system's order.
pub fn list(folder: BorrowedFd<'_>) -> core::result::Result<Vec<Entry>, Errno> {
    // The system call itself: rustix's Dir would open the folder a second time.
    let mut buffer = [core::mem::MaybeUninit::uninit(); 1 << 14];
    let mut raw = RawDir::new(folder, &mut buffer);
    let mut entries = Vec::new();
    while let Some(entry) = raw.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            entries.push(Entry { name: name.to_vec(), kind: entry.file_type() });
        }
    }
    Ok(entries)
}

/// The names in the folder at `path`, as `list` has them.
pub fn list_at(path: &[u8]) -> core::result::Result<Vec<Entry>, Errno> {
    list(open_folder(fs::CWD, path, true)?.as_fd())
}

/// Opens the folder `name` in `at`. A symbolic link is `ELOOP` or `ENOTDIR` unless `follow`.
pub fn open_folder(at: BorrowedFd<'_>, name: &[u8], follow: bool) -> core::result::Result<OwnedFd, Errno> {
    let no_follow = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    fs::openat(at, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | no_follow, Mode::empty())
}

/// Attributes of `name` in `at`: of the link itself unless `follow`.
pub fn stat(at: BorrowedFd<'_>, name: &[u8], follow: bool) -> core::result::Result<Stat, Errno> {
    fs::statat(at, name, if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW })
}

/// The type in an `st_mode`.
pub fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Which symbolic links to folders a walk follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// None.
    Never,
    /// Those named as operands.
    Operands,
    /// All.
    Always,
}

/// When a walk stands at a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// At anything but a folder, or at a folder that is not gone into.
    File,
    /// At a folder, before what is in it.
    Before,
    /// At a folder, after what is in it.
    After,
}

/// Where a walk stands.
#[derive(Debug)]
pub struct Visit<'a> {
    /// The folder that holds the file.
    pub at: BorrowedFd<'a>,
    /// The file's name in it.
    pub name: &'a [u8],
    /// The path as a user reads it.
    pub path: &'a [u8],
    /// Attributes, of a link's target where links are followed.
    pub stat: &'a Stat,
    /// Before or after the content of a folder.
    pub phase: Phase,
    /// Folders between the operand and the file; 0 for the operand itself.
    pub depth: usize,
}

/// What a walk does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Goes on, into the folder when it stands before one.
    On,
    /// Leaves out what is in the folder.
    Skip,
}

/// Walks the tree at `operand`, calling `visit` for each file and twice for each folder.
///
/// An error goes to `failed`, which decides whether the walk goes on; it gets what cannot be read, too.
pub fn walk(
    operand: &[u8],
    follow: Follow,
    visit: &mut impl FnMut(&Visit<'_>) -> Result<Step>,
    failed: &mut impl FnMut(Error) -> Result<()>,
) -> Result<()> {
    let mut walk = Walk { follow, visit: OnVisit::new(visit), failed: OnFailure::new(failed) };
    walk.step(fs::CWD, operand, operand, 0)
}

/// The same, to the end: returns all that failed, so that the caller can report it when `visit` no longer holds the
/// streams. Only a dead standard output stops the walk.
pub fn walk_gathering(
    operand: &[u8],
    follow: Follow,
    visit: &mut impl FnMut(&Visit<'_>) -> Result<Step>,
) -> Result<Vec<Error>> {
    gather(operand, follow, OnVisit::new(visit))
}

fn gather(operand: &[u8], follow: Follow, visit: OnVisit<'_>) -> Result<Vec<Error>> {
    let mut failed = Vec::new();
    let mut keep = |error: Error| {
        if error.is_output() {
            return Err(error);
        }
        failed.push(error);
        Ok(())
    };
    Walk { follow, visit, failed: OnFailure::new(&mut keep) }.step(fs::CWD, operand, operand, 0)?;
    Ok(failed)
}

callback! {
    /// What is done at each file.
    OnVisit(visit: &Visit<'_>) -> Result<Step>
}

callback! {
    /// What is done about an error.
    OnFailure(error: Error) -> Result<()>
}

struct Walk<'a> {
    follow: Follow,
    visit: OnVisit<'a>,
    failed: OnFailure<'a>,
}

impl Walk<'_> {
    fn step(&mut self, at: BorrowedFd<'_>, name: &[u8], path: &[u8], depth: usize) -> Result<()> {
        let follow = match self.follow {
            Follow::Never => false,
            Follow::Operands => depth == 0,
            Follow::Always => true,
        };
        // A link that leads nowhere is a file of its own.
        let found = match stat(at, name, follow) {
            Err(Errno::NOENT | Errno::LOOP) if follow => stat(at, name, false),
            found => found,
        };
        let stat = match found {
            Ok(stat) => stat,
            Err(errno) => return self.failed.call(Error::on(path, errno)),
        };
        let folder = kind(&stat) == FileType::Directory;
        let phase = if folder { Phase::Before } else { Phase::File };
        let mut here = Visit { at, name, path, stat: &stat, phase, depth };
        match self.visit.call(&here) {
            Ok(Step::On) if folder => self.enter(at, name, path, depth, follow)?,
            Ok(_) => return Ok(()),
            Err(error) => return self.failed.call(error),
        }
        here.phase = Phase::After;
        match self.visit.call(&here) {
            Ok(_) => Ok(()),
            Err(error) => self.failed.call(error),
        }
    }

    fn enter(&mut self, at: BorrowedFd<'_>, name: &[u8], path: &[u8], depth: usize, follow: bool) -> Result<()> {
        let opened = open_folder(at, name, follow).and_then(|folder| Ok((list(folder.as_fd())?, folder)));
        let (entries, folder) = match opened {
            Ok(opened) => opened,
            Err(errno) => return self.failed.call(Error::cannot("open", path, errno)),
        };
        for entry in entries {
            self.step(folder.as_fd(), &entry.name, &bytes::join_path(path, &entry.name), depth + 1)?;
        }
        Ok(())
    }
}

/// The absolute path without links, `.` and `..`: realpath(3). With `missing_last` the last component need not exist.
pub fn canonical(path: &[u8], missing_last: bool) -> core::result::Result<Vec<u8>, Errno> {
    resolve(path, |errno, last| missing_last && last && errno == Errno::NOENT)
}

/// The same, where any component may be missing or be no folder.
pub fn canonical_missing(path: &[u8]) -> core::result::Result<Vec<u8>, Errno> {
    resolve(path, |errno, _| matches!(errno, Errno::NOENT | Errno::NOTDIR))
}

/// Follows `path` component by component; `forgive` says whether a failure, at the last one or not, is no failure.
fn resolve(path: &[u8], forgive: impl Fn(Errno, bool) -> bool) -> core::result::Result<Vec<u8>, Errno> {
    let mut resolved = if path.starts_with(b"/") { b"/".to_vec() } else { current_folder()? };
    let mut waiting: Vec<Vec<u8>> = components(path);
    let mut links = 0;
    if path.is_empty() {
        return Err(Errno::NOENT);
    }
    while let Some(name) = waiting.pop() {
        if name == b".." {
            resolved.truncate(bytes::find_byte_back(b'/', &resolved).unwrap_or(0).max(1));
            continue;
        }
        let next = bytes::join_path(&resolved, &name);
        match fs::readlink(&next) {
            Ok(target) => {
                links += 1;
                if links > 40 {
                    return Err(Errno::LOOP);
                }
                if target.starts_with(b"/") {
                    resolved = b"/".to_vec();
                }
                waiting.extend(components(&target));
            }
            Err(Errno::INVAL) => resolved = next,
            Err(errno) if forgive(errno, waiting.is_empty()) => resolved = next,
            Err(errno) => return Err(errno),
        }
    }
    // A slash at the end names a folder (POSIX XBD 4.16).
    if path.ends_with(b"/") && stat(fs::CWD, &resolved, false).is_ok_and(|stat| kind(&stat) != FileType::Directory) {
        return if forgive(Errno::NOTDIR, false) { Ok(resolved) } else { Err(Errno::NOTDIR) };
    }
    Ok(resolved)
}

/// The components of a path, the first one last; `.` is none.
fn components(path: &[u8]) -> Vec<Vec<u8>> {
    let parts = path.split(|&byte| byte == b'/').filter(|part| !part.is_empty() && *part != b".");
    let mut parts: Vec<Vec<u8>> = parts.map(<[u8]>::to_vec).collect();
    parts.reverse();
    parts
}

/// The path of the current folder: getcwd(3).
pub fn current_folder() -> core::result::Result<Vec<u8>, Errno> {
    Ok(crate::sys::process::getcwd(Vec::new())?.into_bytes())
}
