//! Replacing the contents of a file, safe against a loss of power.

use super::canonical;
use crate::bytes;
use crate::error::{Error, Result};
use crate::io::Output;
use crate::sys::fs::{FileType, Mode, OFlags};
use crate::sys::{Errno, OwnedFd, fd, fs};

/// Puts `text` in place of the file: written beside it, synced, and renamed, so that at any moment one of both is
/// whole. With `keeps` the old one is kept as `PATH-`. The caller sees to it that no other process does so at the same time.
///
/// The path may be a link to where it can be written: the file there is replaced, not the link. A device or a FIFO is
/// written to.
pub fn replace(path: &[u8], text: &[u8], keeps: bool) -> Result<()> {
    let path = &canonical(path, true).map_err(|errno| Error::on(path, errno))?[..];
    let (new, old) = ([path, b"+"].concat(), [path, b"-"].concat());
    let failed = |errno| Error::cannot("create", &new, errno);
    let stat = match fs::stat(path) {
        Ok(stat) => Some(stat),
        Err(Errno::NOENT) => None,
        Err(errno) => return Err(Error::on(path, errno)),
    };
    if stat.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile) {
        let mut output = Output::open(path, false).map_err(|errno| Error::on(path, errno))?;
        return output.write(text).and_then(|()| output.flush());
    }
    // A killed program may have left it: no other process writes here meanwhile.
    let _ = fs::unlink(&new[..]);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = fs::open(&new[..], flags, Mode::from_raw_mode(0o600)).map_err(failed)?;
    let written = write_synced(&file, text, stat.as_ref());
    if let Err(error) = written {
        // The write error is the one to report; the next change removes the file too.
        let _ = fs::unlink(&new[..]);
        return Err(error.context(&new));
    }
    if keeps {
        // The backup is optional: the change is complete without it.
        let _ = fs::unlink(&old[..]);
        let _ = fs::link(path, &old[..]);
    }
    fs::rename(&new[..], path).map_err(|errno| Error::cannot("rename", &new, errno))?;
    // The new name must last too. A filesystem that cannot sync directories does so in its own time.
    let directory = &path[..bytes::find_byte_back(b'/', path).unwrap_or(0)];
    if let Ok(directory) = fs::open(directory, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
        // Some file systems cannot sync a directory; the new file itself is synced.
        let _ = fs::fsync(&directory);
    }
    Ok(())
}

/// Writes a file like the one that it replaces; one that all may read if it replaces none.
fn write_synced(file: &OwnedFd, text: &[u8], like: Option<&fs::Stat>) -> Result<()> {
    use crate::sys::process::{Gid, Uid};
    if let Some(like) = like {
        fs::fchown(file, Some(Uid::from_raw(like.st_uid)), Some(Gid::from_raw(like.st_gid)))?;
    }
    fs::fchmod(file, Mode::from_raw_mode(like.map_or(0o644, |like| like.st_mode & 0o7777)))?;
    let mut output = Output::from_fd(fd::fcntl_dupfd_cloexec(file, 0)?);
    output.write(text)?;
    output.flush()?;
    fs::fsync(file)?;
    Ok(())
}
