//! Making what an archive says: files, directories, links and devices, with their attributes.

use super::late::Pending;
use super::{Guard, Spot, set_xattrs};
use crate::archive::Entry;
use crate::error::{Error, Result};
use crate::files::{FileId, id, identity, kind, stat};
use crate::sys::fs::{self, AtFlags, FileType, Gid, Mode, OFlags, Timestamps, Uid};
use crate::sys::time::Timespec;
use crate::sys::{Errno, OwnedFd, fd, process};
use crate::time::Moment;

/// What happens to a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is removed when the new one takes its name.
    Replace,
    /// The data go into it.
    Overwrite,
    /// It is removed first; a directory with all that is in it.
    Remove,
    /// It stays, which is an error.
    Keep,
    /// It stays.
    Skip,
    /// It stays if it is not older than the new one.
    KeepNewer,
}

/// How files are made.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// What happens to files that are there.
    pub existing: Existing,
    /// Owners are those of the archive.
    pub owner: bool,
    /// Permissions are those of the archive, set-id bits too; else less the umask and without them.
    pub permissions: bool,
    /// Times of files are those of the archive.
    pub times: bool,
    /// A directory that is there keeps its attributes.
    pub keep_directories: bool,
    /// A link to a directory stays where the archive has a directory.
    pub keep_directory_links: bool,
    /// Directories that are not there are made on the way to a file.
    pub makes_parents: bool,
    /// The umask.
    pub umask: u32,
}

/// Makes the files of an archive below one directory.
#[derive(Debug)]
pub struct Extractor {
    guard: Guard,
    manner: Manner,
    pending: Pending,
    owner: (u32, u32),
}

/// A regular file that is being filled.
#[derive(Debug)]
pub struct Made {
    /// The file, open for writing.
    pub file: OwnedFd,
    /// Its owner and mode must be set.
    needs_attributes: bool,
}

impl Extractor {
    /// An extractor into the directory that `guard` guards.
    pub fn new(guard: Guard, manner: Manner) -> Self {
        let owner = (process::geteuid().as_raw(), process::getegid().as_raw());
        Self { guard, manner, pending: Pending::default(), owner }
    }

    /// Makes a regular file. `None` when the one that is there stays.
    pub fn create(&mut self, entry: &Entry) -> Result<Option<Made>> {
        let name = self.guard.name(&entry.name)?;
        if !self.prepare(name, entry)? {
            return Ok(None);
        }
        match self.create_once(name, entry) {
            Err(Errno::EXIST | Errno::LOOP) if self.make_way(name, entry)? => self.create_once(name, entry),
            Err(Errno::EXIST | Errno::LOOP) => return Ok(None),
            made => made,
        }
        .map(Some)
        .map_err(|errno| Error::cannot("create", &entry.name, errno))
    }

    fn create_once(&mut self, name: &[u8], entry: &Entry) -> core::result::Result<Made, Errno> {
        let manner = self.manner;
        let spot = self.guard.find(name, self.manner.makes_parents)?;
        let permissions = mode_of(entry, &manner);
        let changes_owner = manner.owner && ((entry.uid, entry.gid) != self.owner || !spot.is_plain);
        // Nobody else has the file open before it has its owner.
        let first = if changes_owner { permissions & 0o700 } else { permissions & 0o777 };
        let overwrites = manner.existing == Existing::Overwrite;
        let how = if overwrites { OFlags::NONBLOCK } else { OFlags::EXCL };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | how;
        let file = fs::openat(spot.at, spot.name, flags, Mode::from_raw_mode(first))?;
        if overwrites {
            // Neither a device nor a pipe takes what was meant for a file.
            if kind(&fs::fstat(&file)?) != FileType::RegularFile {
                return Err(Errno::EXIST);
            }
            fs::ftruncate(&file, 0)?;
        }
        let is_right = permissions & !(0o777 & !manner.umask) == 0 && spot.is_plain && !overwrites;
        Ok(Made { file, needs_attributes: changes_owner || !is_right })
    }

    /// Gives a file that has its data its attributes.
    pub fn finish_file(&self, made: &Made, entry: &Entry) -> Result<()> {
        let file = &made.file;
        let set = match made.needs_attributes {
            true => set_attributes(file, entry, &self.manner),
            false => set_xattrs(file, &entry.xattrs).and(set_times(file, entry, &self.manner)),
        };
        set.map_err(|error| error.context(&entry.name))
    }

    /// Removes a file whose data could not be written: half a file is worse than none. One that was there before and is
    /// overwritten stays.
    pub fn abandon(&mut self, made: &Made, entry: &Entry) -> Result<()> {
        let name = self.guard.name(&entry.name)?;
        let spot = self.guard.find(name, false)?;
        let is_own = stat(spot.at, spot.name, false).map(|stat| id(&stat)) == identity(&made.file);
        if is_own && self.manner.existing != Existing::Overwrite {
            fs::unlinkat(spot.at, spot.name, AtFlags::empty())?;
        }
        Ok(())
    }

    /// Makes anything but a regular file. False when what is there stays.
    pub fn make(&mut self, entry: &Entry) -> Result<bool> {
        let name = self.guard.name(&entry.name)?;
        if entry.kind() == FileType::Directory && !entry.is_hard_link {
            return self.make_directory(name, entry);
        }
        if entry.is_hard_link && self.is_linked(name, entry)? {
            return Ok(true);
        }
        if !self.prepare(name, entry)? {
            return Ok(false);
        }
        match self.make_once(name, entry) {
            Err(error) if error.errno() == Some(Errno::EXIST) => match self.make_way(name, entry)? {
                true => self.make_once(name, entry),
                false => return Ok(false),
            },
            made => made,
        }
        .map(|()| true)
    }

    /// Makes the entry another name of the file at `path`; false when what is there stays. `None` where files cannot be
    /// linked, as between two file systems.
    pub fn link(&mut self, path: &[u8], entry: &Entry) -> Result<Option<bool>> {
        let name = self.guard.name(&entry.name)?;
        if !self.prepare(name, entry)? {
            return Ok(Some(false));
        }
        for _ in 0..2 {
            let spot = self
                .guard
                .find(name, self.manner.makes_parents)
                .map_err(|errno| Error::cannot("create", &entry.name, errno))?;
            match fs::linkat(fs::CWD, path, spot.at, spot.name, AtFlags::empty()) {
                Ok(()) => return Ok(Some(true)),
                Err(Errno::EXIST) => {
                    let there = stat(spot.at, spot.name, false).map(|stat| id(&stat));
                    if there.is_ok() && there == stat(fs::CWD, path, false).map(|stat| id(&stat)) {
                        return Ok(Some(true));
                    }
                    if !self.make_way(name, entry)? {
                        return Ok(Some(false));
                    }
                }
                Err(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    fn make_once(&mut self, name: &[u8], entry: &Entry) -> Result<()> {
        let manner = self.manner;
        if entry.is_hard_link {
            return self.make_hard_link(name, entry);
        }
        let verb = if entry.kind() == FileType::Symlink { "create symlink" } else { "create" };
        let failed = |errno| Error::cannot(verb, &entry.name, errno);
        let is_trusting = self.guard.is_trusting;
        let spot = self.guard.find(name, self.manner.makes_parents).map_err(failed)?;
        match entry.kind() {
            FileType::Symlink if leads_out(&entry.target) && !is_trusting => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                let file = fs::openat(spot.at, spot.name, flags, Mode::empty()).map_err(failed)?;
                let id = identity(&file).map_err(failed)?;
                self.remember(entry.clone(), id)
            }
            FileType::Symlink => {
                fs::symlinkat(&entry.target[..], spot.at, spot.name).map_err(failed)?;
                set_link_attributes(spot, entry, &manner).map_err(|error| error.context(&entry.name))
            }
            kind => {
                let device = fs::makedev(entry.device.0, entry.device.1);
                fs::mknodat(spot.at, spot.name, kind, Mode::from_raw_mode(0o600), device).map_err(failed)?;
                set_special_attributes(spot, entry, &manner).map_err(|error| error.context(&entry.name))
            }
        }
    }

    /// A link to a file below the directory, which is no directory and not reached by a link.
    fn make_hard_link(&mut self, name: &[u8], entry: &Entry) -> Result<()> {
        let failed =
            |errno| Error::on([b"can't link '", &entry.name[..], b"' to '", &entry.target, b"'"].concat(), errno);
        let target = self.guard.name(&entry.target)?;
        let from = self.guard.find(target, false).map_err(failed)?;
        let (directory, from_name) = (fd::fcntl_dupfd_cloexec(from.at, 3).map_err(failed)?, from.name.to_vec());
        let to = self.guard.find(name, self.manner.makes_parents).map_err(failed)?;
        fs::linkat(&directory, &from_name[..], to.at, to.name, AtFlags::empty()).map_err(failed)?;
        let made = stat(to.at, to.name, false).map_err(failed)?;
        // A name of a link that is an empty file so far.
        if made.st_size == 0
            && made.st_mode & 0o7777 == 0
            && let Some(link) = self.pending.link_to(id(&made))
        {
            let link = Entry { name: entry.name.clone(), ..link.clone() };
            return self.remember(link, id(&made));
        }
        Ok(())
    }

    /// Whether the name is one of the file already that a hard link is to.
    fn is_linked(&mut self, name: &[u8], entry: &Entry) -> Result<bool> {
        let target = self.guard.name(&entry.target)?;
        let mut find = |name| {
            let spot = self.guard.find(name, false).ok()?;
            stat(spot.at, spot.name, false).ok().map(|stat| id(&stat))
        };
        let there = find(name);
        Ok(there.is_some() && there == find(target))
    }

    fn make_directory(&mut self, name: &[u8], entry: &Entry) -> Result<bool> {
        let failed = |errno| Error::cannot("create directory", &entry.name, errno);
        let mode = Mode::from_raw_mode(mode_of(entry, &self.manner) & 0o777 | 0o700);
        let mut is_new = false;
        for _ in 0..2 {
            let spot = self.guard.find(name, self.manner.makes_parents).map_err(failed)?;
            match if name == b"." { Err(Errno::EXIST) } else { fs::mkdirat(spot.at, spot.name, mode) } {
                Ok(()) => is_new = true,
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(failed(errno)),
            }
            let there = stat(spot.at, spot.name, false).map_err(failed)?;
            if kind(&there) == FileType::Directory {
                let stays = matches!(self.manner.existing, Existing::Keep | Existing::Skip);
                if is_new || !stays && !self.manner.keep_directories {
                    self.remember(entry.clone(), id(&there))?;
                }
                return Ok(true);
            }
            let stays = self.manner.keep_directory_links || self.manner.existing == Existing::Keep;
            if kind(&there) == FileType::Symlink && stays && self.guard.find(&[name, b"/."].concat(), false).is_ok() {
                return Ok(true);
            }
            if !self.make_way(name, entry)? {
                return Ok(false);
            }
        }
        Err(failed(Errno::EXIST))
    }

    /// What is decided before an attempt: whether a newer file stays, and what is removed in any case. False when the file
    /// that is there stays.
    fn prepare(&mut self, name: &[u8], entry: &Entry) -> Result<bool> {
        if !matches!(self.manner.existing, Existing::Remove | Existing::KeepNewer) {
            return Ok(true);
        }
        let Ok(spot) = self.guard.find(name, false) else { return Ok(true) };
        let Ok(there) = stat(spot.at, spot.name, false) else { return Ok(true) };
        if self.manner.existing == Existing::Remove {
            return self.make_way(name, entry);
        }
        let time = Moment { seconds: there.st_mtime, nanos: there.st_mtime_nsec as u32 };
        Ok(time < entry.modified)
    }

    /// Removes what has the name, if it may. False when it stays.
    fn make_way(&mut self, name: &[u8], entry: &Entry) -> Result<bool> {
        match self.manner.existing {
            Existing::Keep => return Err(Error::cannot("create", &entry.name, Errno::EXIST)),
            Existing::Skip => return Ok(false),
            _ => {}
        }
        let failed = |errno| Error::cannot("remove", &entry.name, errno);
        let spot = self.guard.find(name, false).map_err(|errno| Error::cannot("create", &entry.name, errno))?;
        let kind = kind(&stat(spot.at, spot.name, false).map_err(failed)?);
        let flags = if kind == FileType::Directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        fs::unlinkat(spot.at, spot.name, flags).map_err(failed)?;
        if matches!(kind, FileType::Directory | FileType::Symlink) {
            self.guard.forget();
        }
        Ok(true)
    }

    fn remember(&mut self, entry: Entry, id: FileId) -> Result<()> {
        let name = entry.name.clone();
        if self.pending.push(entry, id) {
            let failed = self.finish();
            return failed.into_iter().next().map_or(Ok(()), |error| Err(error.context(name)));
        }
        Ok(())
    }

    /// Does what was left for the end. What fails is returned.
    pub fn finish(&mut self) -> Vec<Error> {
        self.pending.finish(&mut self.guard, &self.manner)
    }
}

/// Whether a link could lead out of the tree.
fn leads_out(target: &[u8]) -> bool {
    target.starts_with(b"/") || target.split(|&byte| byte == b'/').any(|part| part == b"..")
}

/// The permissions of a file: those of the archive, or what the umask leaves, without set-id bits.
fn mode_of(entry: &Entry, manner: &Manner) -> u32 {
    if manner.permissions { entry.mode & 0o7777 } else { entry.mode & 0o777 & !manner.umask }
}

/// The owner comes first, since chown(2) takes set-id bits and capabilities away; a file that does not get its owner gets
/// no set-id bits. Times are last.
pub(super) fn set_attributes(file: &OwnedFd, entry: &Entry, manner: &Manner) -> Result<()> {
    let mut mode = mode_of(entry, manner);
    let mut owned = Ok(());
    if manner.owner {
        owned = fs::fchown(file, Some(Uid::from_raw(entry.uid)), Some(Gid::from_raw(entry.gid)));
        mode &= if owned.is_ok() { 0o7777 } else { 0o1777 };
    }
    let xattrs = set_xattrs(file, &entry.xattrs);
    fs::fchmod(file, Mode::from_raw_mode(mode)).map_err(|errno| Error::on("can't change mode", errno))?;
    let set = set_times(file, entry, manner);
    owned.map_err(|errno| Error::on("can't change owner", errno)).and(xattrs).and(set)
}

fn set_times(file: &OwnedFd, entry: &Entry, manner: &Manner) -> Result<()> {
    match manner.times {
        true => fs::futimens(file, &times(entry)).map_err(Error::from),
        false => Ok(()),
    }
}

fn set_owner(spot: Spot<'_>, entry: &Entry, manner: &Manner) -> Result<()> {
    if !manner.owner {
        return Ok(());
    }
    let (uid, gid) = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
    fs::chownat(spot.at, spot.name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|errno| Error::on("can't change owner", errno))
}

pub(super) fn set_link_attributes(spot: Spot<'_>, entry: &Entry, manner: &Manner) -> Result<()> {
    set_owner(spot, entry, manner)?;
    match manner.times {
        true => Ok(fs::utimensat(spot.at, spot.name, &times(entry), AtFlags::SYMLINK_NOFOLLOW)?),
        false => Ok(()),
    }
}

fn set_special_attributes(spot: Spot<'_>, entry: &Entry, manner: &Manner) -> Result<()> {
    set_owner(spot, entry, manner)?;
    crate::files::chmod(spot.at, spot.name, mode_of(entry, manner))?;
    set_link_attributes(spot, entry, &Manner { owner: false, ..*manner })
}

fn times(entry: &Entry) -> Timestamps {
    let spec = |time: Moment| Timespec { tv_sec: time.seconds, tv_nsec: time.nanos.into() };
    let modified = spec(entry.modified);
    let now = Timespec { tv_sec: 0, tv_nsec: fs::UTIME_NOW };
    Timestamps { last_access: entry.accessed.map_or(now, spec), last_modification: modified }
}
