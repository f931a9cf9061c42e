//! Trees of files, walked by open directories and single names, so that a path swapped for a link leads nowhere else.

mod ids;
mod replace;

pub use ids::{FileId, FileIds};
pub use replace::replace;

use crate::bytes;
use crate::callback;
use crate::error::{Error, Result};
use crate::sys::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir, Stat};
use crate::sys::{AsFd, AsRawFd, BorrowedFd, Errno, OwnedFd};

/// One name in a directory.
#[derive(Debug)]
pub struct Entry {
    /// The name.
    pub name: Vec<u8>,
    /// Its type, `Unknown` where the file system does not report it.
    pub kind: FileType,
    /// Its inode number.
    pub inode: u64,
}

/// The names in an open directory, without `.` and `..`, in the file system's order.
pub fn list(directory: BorrowedFd<'_>) -> core::result::Result<Vec<Entry>, Errno> {
    let mut entries = Vec::new();
    while list_more(directory, &mut entries)? {}
    Ok(entries)
}

/// Adds the names that come next in an open directory, some hundreds of them. False when there are no more.
fn list_more(directory: BorrowedFd<'_>, entries: &mut Vec<Entry>) -> core::result::Result<bool, Errno> {
    // The system call itself: rustix's Dir would open the directory a second time.
    let mut buffer = [core::mem::MaybeUninit::uninit(); 1 << 14];
    let mut raw = RawDir::new(directory, &mut buffer);
    while let Some(entry) = raw.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            entries.push(Entry { name: name.to_vec(), kind: entry.file_type(), inode: entry.ino() });
        }
        if raw.is_buffer_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The names in the directory at `path`, as `list` has them.
pub fn list_at(path: &[u8]) -> core::result::Result<Vec<Entry>, Errno> {
    list(open_directory(fs::CWD, path, true)?.as_fd())
}

/// Opens the directory `name` in `at`. A symbolic link is `ELOOP` or `ENOTDIR` unless `follow`.
pub fn open_directory(at: BorrowedFd<'_>, name: &[u8], follow: bool) -> core::result::Result<OwnedFd, Errno> {
    let no_follow = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    fs::openat(at, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | no_follow, Mode::empty())
}

/// Attributes of `name` in `at`: of the link itself unless `follow`.
pub fn stat(at: BorrowedFd<'_>, name: &[u8], follow: bool) -> core::result::Result<Stat, Errno> {
    fs::statat(at, name, if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW })
}

/// Changes the mode of the file `name` in `at`, which is no link: a link that was put in its place is `EOPNOTSUPP`, and
/// what it leads to stays as it is. Before Linux 6.6 the call needs `/proc`; without it links are followed.
pub fn chmod(at: BorrowedFd<'_>, name: &[u8], mode: u32) -> core::result::Result<(), Errno> {
    let mode = Mode::from_raw_mode(mode);
    match fs::chmod_no_follow(at, name, mode) {
        // Filters of old containers answer EPERM to calls that they do not know.
        Err(Errno::NOSYS | Errno::PERM) => chmod_by_proc(at, name, mode),
        changed => changed,
    }
}

fn chmod_by_proc(at: BorrowedFd<'_>, name: &[u8], mode: Mode) -> core::result::Result<(), Errno> {
    let file = fs::openat(at, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    match fs::chmod(crate::text!("/proc/self/fd/", file.as_raw_fd() as u32), mode) {
        Err(Errno::NOENT) => fs::chmodat(at, name, mode, AtFlags::empty()),
        changed => changed,
    }
}

/// Makes something while the umask is `umask`, so that it has its mode from the start: a chmod(2) afterwards may meet a
/// link that was put in its place.
pub fn with_umask<T>(umask: u32, make: impl FnOnce() -> T) -> T {
    let before = crate::sys::process::umask(Mode::from_raw_mode(umask));
    let made = make();
    crate::sys::process::umask(before);
    made
}

/// The type in an `st_mode`.
pub fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Which symbolic links to directories a walk follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// None.
    Never,
    /// Those named as operands.
    Operands,
    /// All.
    Always,
}

impl Follow {
    /// Whether a link so many directories below its operand is followed.
    pub fn holds_at(self, depth: usize) -> bool {
        match self {
            Self::Never => false,
            Self::Operands => depth == 0,
            Self::Always => true,
        }
    }
}

/// The order of the names in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As the file system has them.
    Found,
    /// By their bytes.
    Name,
    /// By their inode numbers.
    Inode,
}

impl Order {
    /// Adds the names of an open directory, all of them where they must be sorted. False when there are no more.
    fn list(self, directory: BorrowedFd<'_>, entries: &mut Vec<Entry>) -> core::result::Result<bool, Errno> {
        let mut has_more = list_more(directory, entries)?;
        if self != Self::Found {
            while has_more {
                has_more = list_more(directory, entries)?;
            }
            match self {
                Self::Inode => entries.sort_unstable_by_key(|entry| entry.inode),
                _ => entries.sort_unstable_by(|one, two| one.name.cmp(&two.name)),
            }
        }
        Ok(has_more)
    }
}

/// When a walk is at a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// At anything but a directory, or at a directory that is not gone into.
    File,
    /// At a directory, before what is in it.
    Before,
    /// At a directory, after what is in it.
    After,
}

/// Where a walk is.
#[derive(Debug)]
pub struct Visit<'a> {
    /// The directory that holds the file.
    pub at: BorrowedFd<'a>,
    /// The file's name in it.
    pub name: &'a [u8],
    /// The path as a user reads it.
    pub path: &'a [u8],
    /// Attributes, of a link's target where links are followed.
    pub stat: &'a Stat,
    /// False where a lazy walk has asked for no attributes: then `stat` has a true type and inode number, and no more.
    pub whole: bool,
    /// Before or after the content of a directory.
    pub phase: Phase,
    /// Directories between the operand and the file; 0 for the operand itself.
    pub depth: usize,
}

/// What a walk does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Goes on, into the directory when it is before one.
    On,
    /// Leaves out what is in the directory.
    Skip,
}

/// Walks the tree at `operand`, calling `visit` for each file and twice for each directory.
///
/// An error goes to `failed`, which decides whether the walk goes on; it gets what cannot be read, too.
pub fn walk(
    operand: &[u8],
    follow: Follow,
    visit: &mut impl FnMut(&Visit<'_>) -> Result<Step>,
    failed: &mut impl FnMut(Error) -> Result<()>,
) -> Result<()> {
    Walk::new(follow, OnVisit::new(visit), OnFailure::new(failed)).run(operand)
}

/// The same, without asking for the attributes of entries whose type the directory reports: two to three times as fast
/// where names and types are all that is wanted. A directory that cannot be opened fails as `path: reason`.
pub fn walk_lazily(
    operand: &[u8],
    follow: Follow,
    visit: &mut impl FnMut(&Visit<'_>) -> Result<Step>,
    failed: &mut impl FnMut(Error) -> Result<()>,
) -> Result<()> {
    let mut walk = Walk::new(follow, OnVisit::new(visit), OnFailure::new(failed));
    walk.lazy = true;
    walk.run(operand)
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

/// The same, with the names of each directory in that order. Those of a directory are all in memory.
pub fn walk_in_order(
    operand: &[u8],
    follow: Follow,
    order: Order,
    visit: &mut impl FnMut(&Visit<'_>) -> Result<Step>,
) -> Result<Vec<Error>> {
    gather_in_order(operand, follow, order, OnVisit::new(visit))
}

fn gather(operand: &[u8], follow: Follow, visit: OnVisit<'_>) -> Result<Vec<Error>> {
    gather_in_order(operand, follow, Order::Found, visit)
}

fn gather_in_order(operand: &[u8], follow: Follow, order: Order, visit: OnVisit<'_>) -> Result<Vec<Error>> {
    let mut failed = Vec::new();
    let mut keep = |error: Error| {
        if error.is_output() {
            return Err(error);
        }
        failed.push(error);
        Ok(())
    };
    let mut walk = Walk::new(follow, visit, OnFailure::new(&mut keep));
    walk.order = order;
    walk.run(operand)?;
    Ok(failed)
}

callback! {
    /// What is done at each file.
    OnVisit = VisitOne<'b>(&'b Visit<'b>) -> Result<Step>
}

callback! {
    /// What is done about an error.
    OnFailure = Fail<'b>(Error) -> Result<()>
}

struct Walk<'a> {
    follow: Follow,
    visit: OnVisit<'a>,
    failed: OnFailure<'a>,
    lazy: bool,
    order: Order,
    /// The operand's attributes: what a lazy walk puts a type and an inode number into.
    sample: Option<Stat>,
}

/// A directory that a walk is in.
struct Level {
    /// It, open; those far above are closed, so that no depth of a tree takes all descriptors.
    directory: Option<OwnedFd>,
    /// Device and inode of one that was closed: it is opened again from below, by `..`, and must be the same.
    identity: (u64, u64),
    /// What has been read of its names, and whether there are more: a directory of any size takes little memory.
    entries: std::vec::IntoIter<Entry>,
    has_more: bool,
    name: Vec<u8>,
    path_length: usize,
    stat: Stat,
    whole: bool,
}

/// How many directories a walk keeps open.
pub const MOST_OPEN: usize = 64;

impl<'a> Walk<'a> {
    fn new(follow: Follow, visit: OnVisit<'a>, failed: OnFailure<'a>) -> Self {
        Self { follow, visit, failed, lazy: false, order: Order::Found, sample: None }
    }

    fn run(&mut self, operand: &[u8]) -> Result<()> {
        let (mut path, mut levels) = (operand.to_vec(), Vec::<Level>::new());
        let first = self.look(&levels, operand, &path, None)?;
        levels.extend(first);
        while let Some(level) = levels.last_mut() {
            path.truncate(level.path_length);
            if let Some(entry) = level.entries.next() {
                if !path.ends_with(b"/") {
                    path.push(b'/');
                }
                path.extend_from_slice(&entry.name);
                let next = self.look(&levels, &entry.name, &path, Some((entry.kind, entry.inode)))?;
                levels.extend(next);
                self.close_far(&mut levels).map_err(|errno| Error::cannot("open", &path, errno))?;
            } else if let Some(directory) = level.directory.as_ref().filter(|_| level.has_more) {
                let mut entries = Vec::new();
                let listed = list_more(directory.as_fd(), &mut entries);
                level.has_more = listed.unwrap_or(false);
                level.entries = entries.into_iter();
                if let Err(errno) = listed {
                    self.failed.call(Error::on(&path, errno))?;
                }
            } else if let Some(level) = levels.pop() {
                reopen(&mut levels, level.directory.as_ref()).map_err(|errno| Error::cannot("open", &path, errno))?;
                let Level { name, stat, whole, .. } = &level;
                let (at, phase, depth) = (innermost(&levels), Phase::After, levels.len());
                let here = Visit { at, name, path: &path, stat, whole: *whole, phase, depth };
                self.visit.call(&here).map(drop).or_else(|error| self.failed.call(error))?;
            }
        }
        Ok(())
    }

    /// Visits a file. The answer is the directory whose content comes next, if it is one.
    fn look(
        &mut self,
        levels: &[Level],
        name: &[u8],
        path: &[u8],
        hint: Option<(FileType, u64)>,
    ) -> Result<Option<Level>> {
        let (at, depth) = (innermost(levels), levels.len());
        let follow = self.follow.holds_at(depth);
        let guess = hint.and_then(|(kind, inode)| self.guess(kind, inode));
        let stat = match guess.map_or_else(|| stat_followed(at, name, follow), Ok) {
            Ok(stat) => stat,
            Err(errno) => return self.failed.call(Error::on(path, errno)).map(|()| None),
        };
        self.sample.get_or_insert(stat);
        let whole = guess.is_none();
        let is_directory = kind(&stat) == FileType::Directory;
        let is_above = |level: &Level| (level.stat.st_dev, level.stat.st_ino) == (stat.st_dev, stat.st_ino);
        if is_directory && self.follow == Follow::Always && levels.iter().any(is_above) {
            return self.failed.call(Error::on(path, Errno::LOOP)).map(|()| None);
        }
        let phase = if is_directory { Phase::Before } else { Phase::File };
        match self.visit.call(&Visit { at, name, path, stat: &stat, whole, phase, depth }) {
            Ok(Step::On) if is_directory => {}
            Ok(_) => return Ok(None),
            Err(error) => return self.failed.call(error).map(|()| None),
        }
        let mut entries = Vec::new();
        let opened = open_directory(at, name, follow)
            .and_then(|directory| Ok((self.order.list(directory.as_fd(), &mut entries)?, Some(directory))));
        let (has_more, directory) = match opened {
            Ok(opened) => opened,
            Err(errno) => {
                let error = if self.lazy { Error::on(path, errno) } else { Error::cannot("open", path, errno) };
                self.failed.call(error)?;
                (false, None)
            }
        };
        let (name, path_length) = (name.to_vec(), path.len());
        let entries = entries.into_iter();
        Ok(Some(Level { directory, identity: (0, 0), entries, has_more, name, path_length, stat, whole }))
    }

    /// What a lazy walk takes for the attributes of a file of that type. Where links are followed it must know where
    /// they lead, and which directories it is in.
    fn guess(&self, kind: FileType, inode: u64) -> Option<Stat> {
        let asks = match kind {
            FileType::Unknown => true,
            FileType::Symlink | FileType::Directory => self.follow == Follow::Always,
            _ => false,
        };
        let mut stat = self.sample.filter(|_| self.lazy && !asks)?;
        stat.st_mode = kind.as_raw_mode();
        stat.st_ino = inode;
        Some(stat)
    }

    /// Closes the directory that is too far up, unless a link may have led down from it.
    fn close_far(&self, levels: &mut [Level]) -> core::result::Result<(), Errno> {
        let far = levels.len().checked_sub(MOST_OPEN + 1).filter(|_| self.follow != Follow::Always);
        let Some(level) = far.and_then(|at| levels.get_mut(at)) else { return Ok(()) };
        if let Some(directory) = level.directory.take() {
            level.identity = identity(&directory)?;
            if core::mem::take(&mut level.has_more) {
                // It will be opened again, and then begin with the first name.
                let mut entries: Vec<Entry> = core::mem::take(&mut level.entries).collect();
                while list_more(directory.as_fd(), &mut entries)? {}
                level.entries = entries.into_iter();
            }
        }
        Ok(())
    }
}

/// Attributes as `stat` has them; a link to nothing is a file of its own. One that leads in a circle is an error.
fn stat_followed(at: BorrowedFd<'_>, name: &[u8], follow: bool) -> core::result::Result<Stat, Errno> {
    match stat(at, name, follow) {
        Err(Errno::NOENT | Errno::NOTDIR) if follow => stat(at, name, false),
        found => found,
    }
}

/// The directory that holds what is looked at next: the innermost, which is open whenever it has content.
fn innermost(levels: &[Level]) -> BorrowedFd<'_> {
    levels.last().and_then(|level| level.directory.as_ref()).map_or(fs::CWD, |directory| directory.as_fd())
}

/// Opens the innermost directory again if it was closed, from the one below it.
fn reopen(levels: &mut [Level], below: Option<&OwnedFd>) -> core::result::Result<(), Errno> {
    let Some(level) = levels.last_mut().filter(|level| level.directory.is_none()) else { return Ok(()) };
    level.directory = Some(open_parent(below.ok_or(Errno::NOENT)?, level.identity)?);
    Ok(())
}

/// Opens the directory above an open one, which must be the one that is known.
pub fn open_parent(below: &OwnedFd, known: FileId) -> core::result::Result<OwnedFd, Errno> {
    let directory = open_directory(below.as_fd(), b"..", false)?;
    if identity(&directory)? == known { Ok(directory) } else { Err(Errno::NOENT) }
}

/// Device and inode of an open file.
pub fn identity(directory: &OwnedFd) -> core::result::Result<FileId, Errno> {
    fs::fstat(directory).map(|stat| id(&stat))
}

/// Whether two descriptors are of one regular file.
pub fn same_regular_file(a: BorrowedFd<'_>, b: BorrowedFd<'_>) -> bool {
    match (fs::fstat(a), fs::fstat(b)) {
        (Ok(a), Ok(b)) => id(&a) == id(&b) && kind(&a) == FileType::RegularFile,
        _ => false,
    }
}

/// Device and inode of a file with these attributes.
pub fn id(stat: &Stat) -> FileId {
    (stat.st_dev, stat.st_ino)
}

/// The absolute path without links, `.` and `..`: realpath(3). With `missing_last` the last component need not exist.
pub fn canonical(path: &[u8], missing_last: bool) -> core::result::Result<Vec<u8>, Errno> {
    resolve(path, |errno, last| missing_last && last && errno == Errno::NOENT)
}

/// The same, where any component may be missing or be no directory.
pub fn canonical_missing(path: &[u8]) -> core::result::Result<Vec<u8>, Errno> {
    resolve(path, |errno, _| matches!(errno, Errno::NOENT | Errno::NOTDIR))
}

/// Follows `path` component by component; `forgive` says whether a failure, at the last one or not, is no failure.
fn resolve(path: &[u8], forgive: impl Fn(Errno, bool) -> bool) -> core::result::Result<Vec<u8>, Errno> {
    let mut resolved = if path.starts_with(b"/") { b"/".to_vec() } else { current_directory()? };
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
    // A slash at the end names a directory (POSIX XBD 4.16).
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

/// The path of the current directory: getcwd(3).
pub fn current_directory() -> core::result::Result<Vec<u8>, Errno> {
    Ok(crate::sys::process::getcwd(Vec::new())?.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_does_not_pass_a_link() {
        let directory = std::env::temp_dir().join(format!("rbox-fs.{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("the directory is ours");
        let directory = directory.as_os_str().as_encoded_bytes();
        let (file, link) = (bytes::join_path(directory, b"file"), bytes::join_path(directory, b"link"));
        drop(
            fs::open(&file, OFlags::CREATE | OFlags::WRONLY, Mode::from_raw_mode(0o600))
                .expect("the directory is there"),
        );
        fs::symlink(b"file", &link).expect("the directory is empty");
        assert_eq!(chmod(fs::CWD, &link, 0o777), Err(Errno::OPNOTSUPP));
        assert_eq!(chmod(fs::CWD, &file, 0o640), Ok(()));
        assert_eq!(stat(fs::CWD, &file, false).map(|stat| stat.st_mode & 0o7777), Ok(0o640));
        for name in [link, file] {
            fs::unlink(name).expect("both were made");
        }
        fs::rmdir(directory).expect("it is empty again");
    }
}
