//! The primaries that only look at a file.

use rbox_core::bytes;
use rbox_core::files::{kind, list, open_directory, stat};
use rbox_core::mode::symbolic;
use rbox_core::mounts;
use rbox_core::pattern::glob;
use rbox_core::pattern::regex::{Exec, Regex};
use rbox_core::prelude::*;
use rbox_core::sys::AsFd;
use rbox_core::sys::fs::{self as sys, Access, AtFlags, FileType, Stat, StatxFlags, accessat, readlinkat, statx};
use rbox_core::time::Moment;
use rbox_core::users::{Group, User};

use super::{File, Finder};

/// A number to compare with, as N, +N and -N.
#[derive(Clone, Copy)]
pub enum Compare {
    /// The same.
    Equal(i64),
    /// More.
    More(i64),
    /// Less.
    Less(i64),
}

impl Compare {
    fn holds(self, number: i64) -> bool {
        match self {
            Self::Equal(wanted) => number == wanted,
            Self::More(wanted) => number > wanted,
            Self::Less(wanted) => number < wanted,
        }
    }
}

/// Which of a file's times.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// The last access.
    Access,
    /// When it was made, where the file system keeps that.
    Birth,
    /// The last change of the inode.
    Change,
    /// The last change of the content.
    Modification,
}

/// A primary.
pub enum Test {
    /// -true, -false and the options.
    Constant(bool),
    /// -name: the last component.
    Name(Vec<u8>, glob::Flags),
    /// -path: the whole path.
    Path(Vec<u8>, glob::Flags),
    /// -lname: what a link says.
    Link(Vec<u8>, glob::Flags),
    /// -regex: the whole path. Boxed, as the others are small.
    Regex(Box<Regex>),
    /// -type: one of the characters.
    Type(Vec<u8>),
    /// -xtype: as with links followed, or not when they are.
    OtherType(Vec<u8>),
    /// -perm: `-` for all of the bits, `/` for one of them, `=` for those alone.
    Mode(u8, u32),
    /// -size in units of so many bytes.
    Size(Compare, i64),
    /// -empty.
    Empty,
    /// -links.
    Links(Compare),
    /// -inum.
    Inode(Compare),
    /// -samefile: device and inode.
    Same(u64, u64),
    /// -user, -uid.
    User(Compare),
    /// -group, -gid.
    Group(Compare),
    /// -nouser.
    NoUser,
    /// -nogroup.
    NoGroup,
    /// -mtime and the like: the age in units of so many seconds, as of then.
    Age(Time, i64, Compare, Moment),
    /// -newer and the like.
    Newer(Time, Moment),
    /// -readable and the like.
    Access(Access),
    /// -fstype.
    FileSystem(Vec<u8>),
}

/// The character of a type: that of `ls -l` but for files and what is unknown.
pub fn type_letter(kind: FileType) -> u8 {
    match symbolic(kind.as_raw_mode())[0] {
        b'-' => b'f',
        b'?' => b'U',
        letter => letter,
    }
}

/// A time of those that stat(2) returns.
pub fn time_of(stat: &Stat, time: Time) -> Moment {
    let (seconds, nanos) = match time {
        Time::Access => (stat.st_atime, stat.st_atime_nsec),
        Time::Change => (stat.st_ctime, stat.st_ctime_nsec),
        _ => (stat.st_mtime, stat.st_mtime_nsec),
    };
    Moment { seconds, nanos: nanos as u32 }
}

impl File<'_> {
    /// Its last component, as -name and -execdir have it.
    pub fn base_name(&self) -> &[u8] {
        if self.visit.depth == 0 { bytes::base_name(self.visit.path) } else { self.visit.name }
    }

    /// One of its times; `None` for a birth that nobody has noted.
    pub fn time(&mut self, time: Time) -> Result<Option<Moment>> {
        if time != Time::Birth {
            return Ok(Some(time_of(self.stat()?, time)));
        }
        let flags =
            if kind(self.visit.stat) == FileType::Symlink { AtFlags::SYMLINK_NOFOLLOW } else { AtFlags::empty() };
        let found = statx(self.visit.at, self.visit.name, flags, StatxFlags::BTIME);
        let found = found.ok().filter(|found| found.stx_mask & StatxFlags::BTIME.bits() != 0);
        Ok(found.map(|found| Moment { seconds: found.stx_btime.tv_sec, nanos: found.stx_btime.tv_nsec }))
    }

    /// What a link says.
    pub fn target(&self) -> Option<Vec<u8>> {
        if kind(self.visit.stat) != FileType::Symlink {
            return None;
        }
        Some(readlinkat(self.visit.at, self.visit.name, Vec::new()).ok()?.into_bytes())
    }

    /// The character of what a link leads to, `N` for nothing and `L` for a loop.
    pub fn target_letter(&self) -> u8 {
        use rbox_core::sys::Errno;
        if kind(self.visit.stat) != FileType::Symlink {
            return type_letter(kind(self.visit.stat));
        }
        match stat(self.visit.at, self.visit.name, true) {
            Ok(stat) => type_letter(kind(&stat)),
            Err(Errno::NOENT | Errno::NOTDIR) => b'N',
            Err(Errno::LOOP) => b'L',
            Err(_) => b'?',
        }
    }

    fn is_empty(&mut self) -> Result<bool> {
        match kind(self.visit.stat) {
            FileType::RegularFile => Ok(self.stat()?.st_size == 0),
            FileType::Directory => {
                let visit = self.visit;
                let entries = open_directory(visit.at, visit.name, true).and_then(|directory| list(directory.as_fd()));
                Ok(entries.map_err(|errno| Error::on(visit.path, errno))?.is_empty())
            }
            _ => Ok(false),
        }
    }
}

impl Finder {
    /// Evaluates a primary.
    pub fn test(&mut self, test: &Test, file: &mut File<'_>) -> Result<bool> {
        let visit = file.visit;
        Ok(match test {
            Test::Constant(holds) => *holds,
            Test::Name(pattern, flags) => glob::matches(pattern, file.base_name(), *flags),
            Test::Path(pattern, flags) => glob::matches(pattern, visit.path, *flags),
            Test::Link(pattern, flags) => file.target().is_some_and(|target| glob::matches(pattern, &target, *flags)),
            Test::Regex(regex) => {
                let found = regex.find_at(visit.path, 0, Exec::default());
                regex.check().map_err(|error| error.context(visit.path))?;
                found == Some((0, visit.path.len()))
            }
            Test::Type(letters) => letters.contains(&type_letter(kind(visit.stat))),
            Test::OtherType(letters) => letters.contains(&self.other_letter(file)?),
            Test::Mode(form, bits) => {
                let mode = file.stat()?.st_mode & 0o7777;
                match form {
                    b'-' => mode & bits == *bits,
                    b'/' => *bits == 0 || mode & bits != 0,
                    _ => mode == *bits,
                }
            }
            Test::Size(compare, unit) => {
                let size = file.stat()?.st_size;
                compare.holds(size / unit + i64::from(size % unit != 0))
            }
            Test::Empty => file.is_empty()?,
            Test::Links(compare) => compare.holds(i64::try_from(file.stat()?.st_nlink).unwrap_or(i64::MAX)),
            Test::Inode(compare) => compare.holds(i64::try_from(visit.stat.st_ino).unwrap_or(i64::MAX)),
            // The inode number is known without asking.
            Test::Same(device, inode) => visit.stat.st_ino == *inode && file.stat()?.st_dev == *device,
            Test::User(compare) => compare.holds(file.stat()?.st_uid.into()),
            Test::Group(compare) => compare.holds(file.stat()?.st_gid.into()),
            Test::NoUser => !is_known(file.stat()?.st_uid, &mut self.known_user, |id| User::by_id(id).is_some()),
            Test::NoGroup => !is_known(file.stat()?.st_gid, &mut self.known_group, |id| Group::by_id(id).is_some()),
            Test::Age(time, unit, compare, now) => {
                file.time(*time)?.is_some_and(|moment| compare.holds(whole_seconds(moment, *now).div_euclid(*unit)))
            }
            Test::Newer(time, than) => file.time(*time)?.is_some_and(|moment| moment > *than),
            Test::Access(access) => accessat(visit.at, visit.name, *access, AtFlags::empty()).is_ok(),
            Test::FileSystem(name) => {
                let device = file.stat()?.st_dev;
                self.file_system(device) == name.as_slice()
            }
        })
    }

    fn other_letter(&self, file: &File<'_>) -> Result<u8> {
        let visit = file.visit;
        if !self.settings.follow.holds_at(visit.depth) {
            // A link that leads nowhere is a link still.
            let letter = file.target_letter();
            return Ok(if letter == b'N' { b'l' } else { letter });
        }
        let found = stat(visit.at, visit.name, false).map_err(|errno| Error::on(visit.path, errno))?;
        Ok(type_letter(kind(&found)))
    }

    /// The type of the file system on a device, from the table of mounts.
    pub fn file_system(&mut self, device: u64) -> &[u8] {
        let at = self.file_systems.iter().position(|(known, _)| *known == device).unwrap_or_else(|| {
            let on_it = |mount: &mounts::Mount| sys::stat(&mount.target).is_ok_and(|stat| stat.st_dev == device);
            let mounts = mounts::read(b"/proc/mounts").unwrap_or_default();
            let kind = mounts.into_iter().rev().find(on_it).map_or(b"unknown".to_vec(), |mount| mount.kind);
            self.file_systems.push((device, kind));
            self.file_systems.len() - 1
        });
        &self.file_systems[at].1
    }
}

/// Seconds from one moment to another, a begun one not counted.
fn whole_seconds(from: Moment, to: Moment) -> i64 {
    to.seconds.saturating_sub(from.seconds).saturating_sub(i64::from(to.nanos < from.nanos))
}

fn is_known(id: u32, last: &mut Option<(u32, bool)>, look_up: fn(u32) -> bool) -> bool {
    match last {
        Some((known, exists)) if *known == id => *exists,
        _ => {
            let exists = look_up(id);
            *last = Some((id, exists));
            exists
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_count_whole_units() {
        let moment = |seconds, nanos| Moment { seconds, nanos };
        assert_eq!(whole_seconds(moment(10, 5), moment(12, 5)), 2);
        assert_eq!(whole_seconds(moment(10, 6), moment(12, 5)), 1);
        assert_eq!(whole_seconds(moment(12, 6), moment(12, 5)), -1);
    }
}
