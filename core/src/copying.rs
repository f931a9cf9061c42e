//! Copies of whole files and trees with their attributes: what `cp`, `mv` and `install` share.
//!
//! Directories are held open and names are single, so that a path swapped for a link meanwhile leads nowhere else.

mod data;

pub use data::{Reflink, Sparse, copy as copy_data};

use crate::bytes;
use crate::env::Env;
use crate::error::{Error, ExitStatus, Outcome, Result};
use crate::files::{Entry, FileId, FileIds, MOST_OPEN, id, identity, kind, list, open_directory, open_parent, stat};
use crate::sys::fs::{
    self, AtFlags, FileType, Gid, Mode, OFlags, Stat, Timestamps, Uid, XattrFlags, linkat, mkdirat, mknodat, openat,
    readlinkat, symlinkat, unlinkat, utimensat,
};
use crate::sys::time::Timespec;
use crate::sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// Where the sources of `cp` and `mv` go.
pub struct Destination<'a> {
    /// The operands that are copied or moved; at least one.
    pub sources: &'a [&'a [u8]],
    /// The last operand, or the directory of `-t`.
    pub dest: &'a [u8],
    /// Whether each source keeps its name, in the directory `dest`.
    pub into: bool,
}

impl<'a> Destination<'a> {
    /// Takes the operands apart (POSIX XCU cp, mv). `directory` is the value of `-t`; `plain` (`-T`) says that the
    /// target is no directory to put things into, `needs_directory` that it must be one.
    pub fn of(
        directory: Option<&'a [u8]>,
        operands: &'a [&'a [u8]],
        plain: bool,
        needs_directory: bool,
    ) -> Result<Self> {
        let (sources, dest): (&[&[u8]], &[u8]) = match (directory, operands) {
            (Some(directory), sources @ [_, ..]) => (sources, directory),
            (None, [sources @ .., dest]) if !sources.is_empty() => (sources, dest),
            _ => return Err(Error::usage()),
        };
        let is_directory = fs::stat(dest).is_ok_and(|stat| kind(&stat) == FileType::Directory);
        let into = directory.is_some() || is_directory && !plain;
        if !into && (sources.len() > 1 || needs_directory) || directory.is_some() && !is_directory {
            return Err(Error::parts(&[b"target '", dest, b"': Not a directory"]));
        }
        Ok(Self { sources, dest, into })
    }
}

/// What a copy keeps and how it treats what is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Directories with all that is in them; special files are made anew.
    pub recursive: bool,
    /// Follow symbolic links among the operands.
    pub follow_operands: bool,
    /// Follow all symbolic links.
    pub follow_all: bool,
    /// Keep mode, owner and times.
    pub preserve: bool,
    /// Keep extended attributes.
    pub xattrs: bool,
    /// Files linked to each other stay so.
    pub keep_links: bool,
    /// Remove a target that cannot be opened, and try again.
    pub force: bool,
    /// Remove each target first.
    pub remove_first: bool,
    /// Leave what is there.
    pub no_clobber: bool,
    /// Ask before replacing.
    pub ask: bool,
    /// Replace only what is older.
    pub update: bool,
    /// Make hard links instead of copies.
    pub hard_links: bool,
    /// Make symbolic links instead of copies.
    pub symbolic_links: bool,
    /// Stay on one file system.
    pub one_system: bool,
    /// Whether the copies of files get holes.
    pub sparse: Sparse,
    /// Whether copies share blocks with their sources.
    pub reflink: Reflink,
    /// There are several sources: none may replace what another one made.
    pub several: bool,
    /// Say what is copied.
    pub verbose: bool,
}

/// One run of copies: remembers which files it met, for links and loops.
#[derive(Debug)]
pub struct Copier {
    manner: Manner,
    /// Files with several links, and their copies.
    linked: FileIds<Earlier>,
    /// The directory of the last copy that was linked to.
    linked_from: Option<(Vec<u8>, OwnedFd)>,
    /// Directories made, never to be copied into themselves: those that hold all others.
    made: FileIds,
    /// Other files that were made for operands, where there are several.
    made_files: FileIds,
    device: Option<u64>,
    status: ExitStatus,
}

/// A file to copy: the directory that holds it, its name there, and its path for messages.
#[derive(Clone, Copy)]
struct Place<'a> {
    at: BorrowedFd<'a>,
    name: &'a [u8],
    path: &'a [u8],
}

/// The copy of a file with several links.
#[derive(Debug)]
struct Earlier {
    path: Vec<u8>,
    id: FileId,
    /// The length of the part of the path that was named by the user, who may have led it through links.
    root_length: usize,
}

/// A directory whose content is being copied.
struct Level {
    /// It and its copy, open; those far above are closed, so that no depth of a tree takes all descriptors.
    open: Option<(OwnedFd, OwnedFd)>,
    /// Device and inode of both: what was closed is opened again from below, by `..`, and must be the same.
    identity: [FileId; 2],
    entries: std::vec::IntoIter<Entry>,
    from_length: usize,
    to_length: usize,
    source: Stat,
    /// The copy was made here, so that nothing is in it but what is copied.
    new: bool,
    /// A link may have led here, and `..` does not lead back.
    by_link: bool,
}

impl Copier {
    /// A copier in that manner.
    pub fn new(manner: Manner) -> Self {
        Self {
            manner,
            linked: FileIds::default(),
            linked_from: None,
            made: FileIds::default(),
            made_files: FileIds::default(),
            device: None,
            status: ExitStatus::SUCCESS,
        }
    }

    /// Copies `source` to `target`, whole paths both. Failures inside a tree are reported and make the status 1.
    pub fn copy(&mut self, env: &mut Env, source: &[u8], target: &[u8]) -> Outcome {
        self.status = ExitStatus::SUCCESS;
        self.device = None;
        let (mut from, mut to) = (source.to_vec(), target.to_vec());
        let mut levels = Vec::new();
        levels.extend(self.step(env, &levels, source, [source, target])?);
        while let Some(level) = levels.last_mut() {
            from.truncate(level.from_length);
            to.truncate(level.to_length);
            let done = match level.entries.next() {
                Some(Entry { name, .. }) => {
                    (from, to) = (bytes::join_path(&from, &name), bytes::join_path(&to, &name));
                    self.step(env, &levels, &name, [&from, &to]).map(|next| levels.extend(next))
                }
                None => levels.pop().map_or(Ok(()), |level| self.leave(env, level, &mut levels, [&from, &to])),
            };
            match done {
                Err(error) if !error.is_output() => self.status.worsen(env.warn(error)),
                done => done?,
            }
            close_far(&mut levels);
        }
        Ok(self.status)
    }

    /// Copies the file `name` of the innermost directory, or the operand. The answer is the directory whose content
    /// comes next.
    fn step(&mut self, env: &mut Env, levels: &[Level], name: &[u8], paths: [&[u8]; 2]) -> Result<Option<Level>> {
        let level = levels.last();
        let [from_at, to_at] = match level.and_then(|level| level.open.as_ref()) {
            Some((from, to)) => [from.as_fd(), to.as_fd()],
            None => [fs::CWD, fs::CWD],
        };
        let to_name = if level.is_some() { name } else { paths[1] };
        let (from, to) =
            (Place { at: from_at, name, path: paths[0] }, Place { at: to_at, name: to_name, path: paths[1] });
        let follow = self.manner.follow_all || level.is_none() && self.manner.follow_operands;
        let source = stat(from.at, from.name, follow).map_err(|errno| Error::cannot("stat", from.path, errno))?;
        let item = Item { from, to, source, follow, root_length: levels.first().map(|root| root.to_length) };
        // Nobody else puts anything in a directory that is being made.
        let target = if level.is_some_and(|level| level.new) { None } else { stat(to.at, to.name, false).ok() };
        if self.manner.one_system && *self.device.get_or_insert(source.st_dev) != source.st_dev {
            return Ok(None);
        }
        if kind(&source) == FileType::Directory {
            return self.enter(levels, &item, target.as_ref()).map(Some);
        }
        if let Some(target) = &target {
            self.check_target(&item, target)?;
            if !self.may_replace(env, to, &source, target)? {
                return Ok(None);
            }
        }
        self.copy_file(&item, target.is_some())?;
        self.say(env, from.path, to.path)?;
        Ok(None)
    }

    fn say(&self, env: &mut Env, from: &[u8], to: &[u8]) -> Result<()> {
        match self.manner.verbose {
            true => env.stdout.write(&[b"'", from, b"' -> '", to, b"'\n"].concat()),
            false => Ok(()),
        }
    }

    fn check_target(&self, item: &Item<'_>, target: &Stat) -> Result<()> {
        let Item { from, to, source, .. } = item;
        let is_replaced = (self.manner.symbolic_links || self.manner.hard_links) && self.manner.force;
        if id(source) == id(target) && !(is_replaced && self.manner.symbolic_links)
            || self.follows_to_itself(*to, source, target) && !is_replaced
        {
            return Err(same_file(*from, *to));
        }
        if item.root_length.is_none() && self.made_files.get(id(target)).is_some() {
            return Err(just_created(from.path, to.path));
        }
        if kind(target) == FileType::Directory {
            return Err(Error::parts(&[b"cannot overwrite directory '", to.path, b"' with non-directory"]));
        }
        // What is written through a link must be there: the link may lead anywhere.
        let is_written = !self.manner.remove_first && !is_replaced && is_read(item, &self.manner);
        if is_written && kind(target) == FileType::Symlink && stat(to.at, to.name, true).is_err() {
            if self.manner.force {
                return Ok(());
            }
            return Err(Error::parts(&[b"not writing through dangling symlink '", to.path, b"'"]));
        }
        Ok(())
    }

    /// Writing through a link that leads back to the source would empty it.
    fn follows_to_itself(&self, to: Place<'_>, source: &Stat, target: &Stat) -> bool {
        kind(target) == FileType::Symlink
            && kind(source) == FileType::RegularFile
            && !self.manner.remove_first
            && leads_to(to, source)
    }

    fn may_replace(&self, env: &mut Env, to: Place<'_>, source: &Stat, target: &Stat) -> Result<bool> {
        if self.manner.no_clobber {
            return Ok(false);
        }
        let changed = |stat: &Stat| (stat.st_mtime, stat.st_mtime_nsec as i64);
        if self.manner.update && changed(source) <= changed(target) {
            return Ok(false);
        }
        if !self.manner.ask {
            return Ok(true);
        }
        env.ask(&[b"overwrite '", to.path, b"'?"].concat())
    }

    /// Makes the copy of a directory, still without content.
    fn enter(&mut self, levels: &[Level], item: &Item<'_>, exists: Option<&Stat>) -> Result<Level> {
        let &Item { from, to, source, follow, .. } = item;
        if !self.manner.recursive {
            return Err(Error::parts(&[b"omitting directory '", from.path, b"'"]));
        }
        if exists.is_some() && leads_to(to, &source) {
            return Err(same_file(from, to));
        }
        if exists.is_some_and(|target| kind(target) != FileType::Directory) {
            return Err(Error::parts(&[
                b"cannot overwrite non-directory '",
                to.path,
                b"' with directory '",
                from.path,
                b"'",
            ]));
        }
        if self.made.get(id(&source)).is_some() {
            return Err(Error::parts(&[b"can't copy '", from.path, b"' into itself"]));
        }
        // Each link is followed by itself, so the kernel counts no loop.
        if follow && levels.iter().any(|level| level.identity[0] == id(&source)) {
            return Err(Error::on(from.path, Errno::LOOP));
        }
        let opened =
            open_directory(from.at, from.name, follow).map_err(|errno| Error::cannot("open", from.path, errno))?;
        let opened_stat = fs::fstat(&opened).map_err(|errno| Error::cannot("stat", from.path, errno))?;
        check_same(from, &source, &opened_stat)?;
        let new = match mkdirat(to.at, to.name, Mode::from_raw_mode(0o700)) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(errno) => return Err(Error::cannot("create directory", to.path, errno)),
        };
        let target =
            open_directory(to.at, to.name, false).map_err(|errno| Error::cannot("create directory", to.path, errno))?;
        let of_target = identity(&target).map_err(|errno| Error::cannot("stat", to.path, errno))?;
        // What is below a directory that was made is met after it, unless a link leads there.
        let is_root = self.manner.follow_all || levels.last().is_none_or(|level| !level.new);
        if new && is_root {
            self.made.insert(of_target, ());
        }
        let entries = list(opened.as_fd()).map_err(|errno| Error::on(from.path, errno))?;
        Ok(Level {
            open: Some((opened, target)),
            identity: [id(&opened_stat), of_target],
            entries: entries.into_iter(),
            from_length: from.path.len(),
            to_length: to.path.len(),
            source: opened_stat,
            new,
            by_link: self.manner.follow_all,
        })
    }

    /// Finishes a directory whose content has been copied, and goes back to the one that holds it.
    fn leave(&self, env: &mut Env, level: Level, levels: &mut [Level], paths: [&[u8]; 2]) -> Result<()> {
        let Some((source, target)) = &level.open else { return Ok(()) };
        let finished = self.finish_directory(source, target, paths[1], &level.source, level.new);
        if let Some(above) = levels.last_mut().filter(|above| above.open.is_none()) {
            let directories = open_parent(source, above.identity[0])
                .and_then(|source| Ok((source, open_parent(target, above.identity[1])?)))
                .map_err(|errno| {
                    // What is left of a directory that cannot be found again is not copied.
                    above.entries = Vec::new().into_iter();
                    Error::cannot("open", paths[0], errno)
                })?;
            above.open = Some(directories);
        }
        finished?;
        if level.new { self.say(env, paths[0], paths[1]) } else { Ok(()) }
    }

    /// The mode comes last: a directory that its owner may not write could not be filled.
    fn finish_directory(&self, opened: &OwnedFd, target: &OwnedFd, to: &[u8], source: &Stat, new: bool) -> Result<()> {
        if self.manner.preserve {
            return keep(target.as_fd(), to, source, self.manner.xattrs.then(|| opened.as_fd()));
        }
        if new {
            let mode = Mode::from_raw_mode(source.st_mode & 0o777 & !crate::sys::process::current_umask());
            fs::fchmod(target, mode).map_err(|errno| Error::on(to, errno))?;
        }
        Ok(())
    }

    fn copy_file(&mut self, item: &Item<'_>, exists: bool) -> Result<()> {
        let &Item { from, to, ref source, .. } = item;
        let cannot = |errno| Error::cannot("create", to.path, errno);
        let links = self.manner.hard_links || self.manner.symbolic_links;
        // Without -R a device or pipe is read, and what it says goes into the file that is there.
        let made_anew = !links && !is_read(item, &self.manner);
        if exists && (self.manner.remove_first || links && self.manner.force || made_anew) {
            unlinkat(to.at, to.name, AtFlags::empty()).map_err(|errno| Error::cannot("remove", to.path, errno))?;
        }
        if self.manner.symbolic_links {
            symlinkat(from.path, to.at, to.name).map_err(cannot)?;
            return self.note(item, None);
        }
        if self.manner.hard_links {
            let flags = if item.follow { AtFlags::SYMLINK_FOLLOW } else { AtFlags::empty() };
            linkat(from.at, from.name, to.at, to.name, flags).map_err(cannot)?;
            return self.note(item, None);
        }
        if self.link_to_earlier_copy(item, exists)? {
            return Ok(());
        }
        match kind(source) {
            FileType::Symlink => {
                let target = readlinkat(from.at, from.name, Vec::new()).map_err(|errno| Error::on(from.path, errno))?;
                symlinkat(target.as_c_str(), to.at, to.name).map_err(cannot)?;
                self.keep_special(to, source)?;
            }
            _ if is_read(item, &self.manner) => {
                let copied = self.copy_bytes(item, exists)?;
                return self.note(item, Some(copied));
            }
            kind => {
                mknodat(to.at, to.name, kind, Mode::from_raw_mode(source.st_mode & 0o777), source.st_rdev)
                    .map_err(cannot)?;
                self.keep_special(to, source)?;
            }
        }
        self.note(item, None)
    }

    /// Remembers the copy, if another file may be linked to it or must not replace it.
    fn note(&mut self, item: &Item<'_>, copied: Option<FileId>) -> Result<()> {
        let is_linked = self.manner.keep_links && item.source.st_nlink > 1;
        let is_operand = self.manner.several && item.root_length.is_none();
        if !is_linked && !is_operand {
            return Ok(());
        }
        let copied =
            match copied {
                Some(copied) => copied,
                None => id(&stat(item.to.at, item.to.name, false)
                    .map_err(|errno| Error::cannot("stat", item.to.path, errno))?),
            };
        if is_operand {
            self.made_files.insert(copied, ());
        }
        if is_linked {
            let path = item.to.path.to_vec();
            let earlier = Earlier { path, id: copied, root_length: item.root_length.unwrap_or(0) };
            self.linked.insert(id(&item.source), earlier);
        }
        Ok(())
    }

    fn link_to_earlier_copy(&mut self, item: &Item<'_>, exists: bool) -> Result<bool> {
        if !self.manner.keep_links || item.source.st_nlink < 2 {
            return Ok(false);
        }
        let Some(earlier) = self.linked.get(id(&item.source)) else { return Ok(false) };
        let to = item.to;
        if exists {
            // What cannot be removed is met by the link below.
            let _ = unlinkat(to.at, to.name, AtFlags::empty());
        }
        let cannot = |errno| Error::cannot("create link", to.path, errno);
        let name = bytes::base_name(&earlier.path);
        let directory = &earlier.path[..earlier.path.len() - name.len()];
        if self.linked_from.as_ref().is_none_or(|(path, _)| path != directory) {
            let opened = open_below(directory, earlier.root_length).map_err(cannot)?;
            self.linked_from = Some((directory.to_vec(), opened));
        }
        let Some((_, directory)) = &self.linked_from else { return Ok(false) };
        linkat(directory, name, to.at, to.name, AtFlags::empty()).map_err(cannot)?;
        if stat(to.at, to.name, false).map(|stat| id(&stat)) != Ok(earlier.id) {
            // Another file was put where there was the copy: what was made is no copy.
            let _ = unlinkat(to.at, to.name, AtFlags::empty());
            return Err(replaced(&earlier.path));
        }
        Ok(true)
    }

    fn copy_bytes(&self, item: &Item<'_>, exists: bool) -> Result<FileId> {
        let &Item { from, to, ref source, follow, .. } = item;
        // A pipe is waited for only where one was seen: what was put where there was a file must not stop the copy.
        let wait = if kind(source) == FileType::RegularFile { OFlags::NONBLOCK } else { OFlags::empty() };
        let no_follow = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | wait | no_follow;
        let opened = openat(from.at, from.name, flags, Mode::empty())
            .map_err(|errno| Error::cannot("open", from.path, errno))?;
        let now = fs::fstat(&opened).map_err(|errno| Error::cannot("stat", from.path, errno))?;
        check_same(from, source, &now)?;
        let target = self.open_target(item, &now, exists)?;
        data::copy(&opened, &target, [from.path, to.path], &now, self.manner.sparse, self.manner.reflink)?;
        if self.manner.preserve {
            keep(target.as_fd(), to.path, &now, self.manner.xattrs.then(|| opened.as_fd()))?;
        }
        identity(&target).map_err(|errno| Error::cannot("stat", to.path, errno))
    }

    /// The target is made with no more rights than the source has, and none for others while it is being filled.
    fn open_target(&self, item: &Item<'_>, source: &Stat, exists: bool) -> Result<OwnedFd> {
        let to = item.to;
        let mode = source.st_mode & if self.manner.preserve { 0o700 } else { 0o777 };
        let create = || {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            openat(to.at, to.name, flags, Mode::from_raw_mode(mode))
        };
        // The user names a link as he likes; in a tree somebody else may have put it there.
        let no_follow = if item.root_length.is_some() { OFlags::NOFOLLOW } else { OFlags::empty() };
        let opened = match exists && !self.manner.remove_first {
            true => openat(to.at, to.name, OFlags::WRONLY | OFlags::CLOEXEC | no_follow, Mode::empty()),
            false => create(),
        };
        let opened = match opened {
            Err(_) if self.manner.force && unlinkat(to.at, to.name, AtFlags::empty()).is_ok() => create(),
            opened => opened,
        };
        let opened = opened.map_err(|errno| Error::cannot("create", to.path, errno))?;
        if exists && !self.manner.remove_first {
            let there = fs::fstat(&opened).map_err(|errno| Error::cannot("stat", to.path, errno))?;
            if id(&there) == id(source) {
                return Err(same_file(item.from, to));
            }
            if kind(&there) == FileType::RegularFile && there.st_size > 0 {
                fs::ftruncate(&opened, 0).map_err(|errno| Error::cannot("create", to.path, errno))?;
            }
        }
        Ok(opened)
    }

    fn keep_special(&self, to: Place<'_>, source: &Stat) -> Result<()> {
        if !self.manner.preserve {
            return Ok(());
        }
        let (uid, gid) = (Uid::from_raw(source.st_uid), Gid::from_raw(source.st_gid));
        let owned = fs::chownat(to.at, to.name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW);
        if kind(source) != FileType::Symlink {
            let mask = if owned.is_ok() { 0o7777 } else { 0o1777 };
            crate::files::chmod(to.at, to.name, source.st_mode & mask).map_err(|errno| Error::on(to.path, errno))?;
        }
        utimensat(to.at, to.name, &times(source), AtFlags::SYMLINK_NOFOLLOW).map_err(|errno| Error::on(to.path, errno))
    }
}

/// Closes the directory that is too far up, unless a link may have led down from it.
fn close_far(levels: &mut [Level]) {
    if let Some(far) = levels.len().checked_sub(MOST_OPEN / 2 + 1)
        && !levels[far + 1].by_link
    {
        levels[far].open = None;
    }
}

/// A file to copy.
struct Item<'a> {
    from: Place<'a>,
    to: Place<'a>,
    /// Its attributes, and of what a link leads to where links are followed.
    source: Stat,
    follow: bool,
    /// The length of the target's path that the user named, if the file is below it.
    root_length: Option<usize>,
}

/// Whether the source is opened and read, rather than made anew.
fn is_read(item: &Item<'_>, manner: &Manner) -> bool {
    let is_link = manner.hard_links || manner.symbolic_links;
    match kind(&item.source) {
        FileType::RegularFile => !is_link,
        FileType::Symlink => false,
        _ => !is_link && !manner.recursive,
    }
}

/// Opens the directory at `path` without following links, but for the first `root_length` bytes, which the user named.
fn open_below(path: &[u8], root_length: usize) -> core::result::Result<OwnedFd, Errno> {
    let (root, rest) = path.split_at(root_length.min(path.len()));
    let (root, rest): (&[u8], &[u8]) = match root_length {
        // The copy is the operand itself.
        0 if path.is_empty() => (b".", b""),
        0 => (path, b""),
        _ => (root, rest),
    };
    let mut directory = open_directory(fs::CWD, root, true)?;
    for name in rest.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
        directory = open_directory(directory.as_fd(), name, false)?;
    }
    Ok(directory)
}

/// A file that is not the one that was looked at is not what the user named, and may have rights of its own.
fn check_same(from: Place<'_>, seen: &Stat, opened: &Stat) -> Result<()> {
    if id(seen) == id(opened) && kind(seen) == kind(opened) { Ok(()) } else { Err(replaced(from.path)) }
}

fn replaced(path: &[u8]) -> Error {
    Error::parts(&[b"'", path, b"' was replaced while being copied"])
}

/// One source of several would replace what another one made.
pub fn just_created(from: &[u8], to: &[u8]) -> Error {
    Error::parts(&[b"will not overwrite just-created '", to, b"' with '", from, b"'"])
}

/// Whether the target is the source, or a link to it.
fn leads_to(to: Place<'_>, source: &Stat) -> bool {
    stat(to.at, to.name, true).is_ok_and(|end| id(&end) == id(source))
}

fn same_file(from: Place<'_>, to: Place<'_>) -> Error {
    Error::parts(&[b"'", from.path, b"' and '", to.path, b"' are the same file"])
}

/// Gives `target`, a file that messages call `name`, the owner, the mode and the times of `source`, and the extended
/// attributes of the file `attributes`.
///
/// Owner first, since chown(2) takes set-id bits and capabilities (an attribute) away; times last. An ordinary user
/// cannot give files away.
pub fn keep(target: BorrowedFd<'_>, name: &[u8], source: &Stat, attributes: Option<BorrowedFd<'_>>) -> Result<()> {
    let mut mode = source.st_mode & 0o7777;
    if fs::fchown(target, Some(Uid::from_raw(source.st_uid)), Some(Gid::from_raw(source.st_gid))).is_err() {
        mode &= 0o1777;
    }
    if let Some(source) = attributes {
        keep_xattrs(source, target);
    }
    fs::fchmod(target, Mode::from_raw_mode(mode)).map_err(|errno| Error::on(name, errno))?;
    fs::futimens(target, &times(source)).map_err(|errno| Error::on(name, errno))
}

fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: stat.st_atime, tv_nsec: stat.st_atime_nsec as i64 },
        last_modification: Timespec { tv_sec: stat.st_mtime, tv_nsec: stat.st_mtime_nsec as i64 },
    }
}

/// Copies the extended attributes. Those that the target's file system does not take are left out, as GNU `cp -a` does.
pub fn keep_xattrs(source: BorrowedFd<'_>, target: BorrowedFd<'_>) {
    let mut names = vec![0; 65_536];
    let Ok(length) = fs::flistxattr(source, &mut names[..]) else { return };
    for name in names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 65_536];
        if let Ok(length) = fs::fgetxattr(source, name, &mut value[..]) {
            // The target file system may not have attributes of this namespace.
            let _ = fs::fsetxattr(target, name, &value[..length], XattrFlags::empty());
        }
    }
}
