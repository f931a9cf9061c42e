//! Changing /etc/passwd and /etc/shadow: under their lock, whole files at a time, safe against a loss of power.

use crate::bytes;
use crate::daemon::pause;
use crate::error::{Error, Result};
use crate::files::canonical;
use crate::io::{Input, Output};
use crate::number::Decimal;
use crate::sys::fs::{FlockOperation, Mode, OFlags};
use crate::sys::{Errno, OwnedFd, fd, fs};
use crate::time::Moment;

/// lckpwdf(3): whoever changes these files holds a write lock of this one.
const LOCK: &str = "/etc/.pwd.lock";

/// Seconds to wait for the lock, as lckpwdf(3): a program that is stopped while it holds it must not stop all others.
const PATIENCE: u32 = 15;

/// Holds the lock of the account files; waits for another program that has it. Dropping it releases it.
pub fn lock() -> Result<OwnedFd> {
    let failed = |errno| Error::on(LOCK, errno);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = fs::open(LOCK, flags, Mode::from_raw_mode(0o600)).map_err(failed)?;
    for _ in 0..PATIENCE * 10 {
        match fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(Errno::AGAIN | Errno::ACCESS) => pause(100),
            Err(errno) => return Err(failed(errno)),
        }
    }
    Err(Error::parts(&[LOCK.as_bytes(), b": locked by another program"]))
}

/// Sets the password hash of `name`: in /etc/shadow, with the day of the change, where it has a line there; else in
/// /etc/passwd. False when neither file knows the name. The caller holds the lock.
pub fn set_hash(name: &[u8], hash: &[u8]) -> Result<bool> {
    let today = Moment::now().seconds.max(0) as u64 / 86_400;
    let day = Decimal::new(today);
    let in_shadow = change_line(b"/etc/shadow", name, &[(1, hash), (2, day.as_bytes())]);
    let in_shadow = match in_shadow {
        // A system without shadow(5).
        Err(error) if error.errno() == Some(Errno::NOENT) => false,
        result => result?,
    };
    // The hash must not are in the file that all may read as well.
    let other: &[u8] = if in_shadow { b"x" } else { hash };
    Ok(change_line(b"/etc/passwd", name, &[(1, other)])? || in_shadow)
}

/// Sets fields, counted from 0, of the line of `name` in the file at `path`. False when there is no such line.
fn change_line(path: &[u8], name: &[u8], fields: &[(usize, &[u8])]) -> Result<bool> {
    // The file may be a link to where it can be written: the file there is replaced, not the link.
    let path = &canonical(path, false).map_err(|errno| Error::on(path, errno))?[..];
    let mut file = Input::open(path)?;
    let text = file.read_to_end()?;
    let Some(new) = with_fields(&text, name, fields) else { return Ok(false) };
    if new != text {
        replace(path, &new)?;
    }
    Ok(true)
}

fn with_fields(text: &[u8], name: &[u8], fields: &[(usize, &[u8])]) -> Option<Vec<u8>> {
    let mut new = Vec::with_capacity(text.len() + 128);
    let mut found = false;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let is_it = bytes::split_once(line, b':').is_some_and(|(other, _)| other == name);
        // A second line of that name is never read.
        if !is_it || found {
            new.extend_from_slice(line);
            continue;
        }
        found = true;
        let (line, end) = line.strip_suffix(b"\n").map_or((line, &b""[..]), |line| (line, b"\n"));
        let mut words: Vec<&[u8]> = line.split(|&byte| byte == b':').collect();
        for (number, value) in fields {
            if words.len() <= *number {
                words.resize(number + 1, b"");
            }
            words[*number] = value;
        }
        new.extend_from_slice(&words.join(&b':'));
        new.extend_from_slice(end);
    }
    found.then_some(new)
}

/// Puts `text` in place of the file: written beside it, synced, and renamed, so that at any moment one of both is
/// whole. The old one is kept as `PATH-`.
fn replace(path: &[u8], text: &[u8]) -> Result<()> {
    let (new, old) = ([path, b"+"].concat(), [path, b"-"].concat());
    let failed = |errno| Error::cannot("create", &new, errno);
    let stat = fs::stat(path).map_err(|errno| Error::on(path, errno))?;
    // A killed program may have left it: no other process writes here while the lock is held.
    let _ = fs::unlink(&new[..]);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = fs::open(&new[..], flags, Mode::from_raw_mode(0o600)).map_err(failed)?;
    let written = write_synced(&file, text, &stat);
    if let Err(error) = written {
        // The write error is the one to report; the next change removes the file too.
        let _ = fs::unlink(&new[..]);
        return Err(error.context(&new));
    }
    // The backup is optional: the change is complete without it.
    let _ = fs::unlink(&old[..]);
    let _ = fs::link(path, &old[..]);
    fs::rename(&new[..], path).map_err(|errno| Error::cannot("rename", &new, errno))?;
    // The new name must last too. A filesystem that cannot sync directories does so in its own time.
    let directory = &path[..bytes::find_byte_back(b'/', path).unwrap_or(0)];
    if let Ok(directory) = fs::open(directory, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) {
        // Some file systems cannot sync a directory; the new file itself is synced.
        let _ = fs::fsync(&directory);
    }
    Ok(())
}

fn write_synced(file: &OwnedFd, text: &[u8], like: &fs::Stat) -> Result<()> {
    use crate::sys::process::{Gid, Uid};
    fs::fchown(file, Some(Uid::from_raw(like.st_uid)), Some(Gid::from_raw(like.st_gid)))?;
    fs::fchmod(file, Mode::from_raw_mode(like.st_mode & 0o7777))?;
    let mut output = Output::from_fd(fd::fcntl_dupfd_cloexec(file, 0)?);
    output.write(text)?;
    output.flush()?;
    fs::fsync(file)?;
    Ok(())
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let fields: [(usize, &[u8]); 2] = [(1, b"new"), (7, b"9")];
    if let Some(new) = with_fields(data, b"root", &fields) {
        assert_eq!(with_fields(&new, b"root", &fields), Some(new));
    }
}

#[cfg(test)]
mod tests {
    use super::with_fields;
    use crate::testing::Random;

    #[test]
    fn a_line_gets_new_fields() {
        let text = b"root::1:2\n# x\nuser:x\nroot:again\nroots:y";
        let new = with_fields(text, b"root", &[(1, b"h"), (2, b"9")]).expect("a line");
        assert_eq!(new, b"root:h:9:2\n# x\nuser:x\nroot:again\nroots:y");
        assert_eq!(
            with_fields(text, b"user", &[(2, b"9")]).expect("a line"),
            b"root::1:2\n# x\nuser:x:9\nroot:again\nroots:y"
        );
        assert_eq!(
            with_fields(text, b"roots", &[(1, b"")]).expect("a line"),
            b"root::1:2\n# x\nuser:x\nroot:again\nroots:"
        );
        assert_eq!(with_fields(text, b"nobody", &[]), None);
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        let mut random = Random::new(9);
        for _ in 0..5000 {
            let text = [&b"name:old:1\n"[..], &random.bytes(100)].concat();
            let new = with_fields(&text, b"name", &[(1, b"new")]).expect("the first line");
            assert_eq!((&new[..11], &new[11..]), (&b"name:new:1\n"[..], &text[11..]));
        }
    }
}
