//! `tar d`: members compared with the files that they were.

use rbox_core::archive::Entry;
use rbox_core::archive::tar::Reader;
use rbox_core::files::{id, kind};
use rbox_core::io;
use rbox_core::prelude::*;
use rbox_core::sys::AsFd;
use rbox_core::sys::fs::{self, AtFlags, FileType, Mode, OFlags, Stat};

use crate::data::Put;

use super::extract::contents;
use super::list::{Lister, each_member};
use super::names::stripped;
use super::transform::{Of, Transform};
use super::{STRIP, joined, number};

pub fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let transform = Transform::of(env, args)?;
    let strip = number(args, STRIP)?.unwrap_or(0);
    let mut lister = Lister::of(env, args, 2)?;
    let mut differs = false;
    let mut status = each_member(env, args, &mut |(env, reader, member, directory)| {
        let Some(name) = stripped(&member.name, strip) else { return Ok(()) };
        let name = transform.apply(name, Of::File)?;
        lister.at(reader.start());
        lister.print(env, &member, &member.name)?;
        differs |= compare(env, reader, &member, &name, directory)?;
        Ok(())
    })?;
    status.worsen(ExitStatus::from_ok(!differs));
    Ok(status)
}

/// Compares a member with a file, and says what differs.
fn compare(env: &mut Env, reader: &mut Reader, member: &Entry, name: &[u8], directory: &[u8]) -> Result<bool> {
    let path = joined(directory, name);
    let mut differs = false;
    let mut say = |env: &mut Env, what: &[u8]| {
        differs = true;
        env.stdout.write(&[name, b": ", what, b"\n"].concat())
    };
    let stat = match fs::statat(fs::CWD, &path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(errno) => {
            env.report(&Error::on(name, errno));
            return Ok(true);
        }
    };
    if member.is_hard_link {
        let target = fs::lstat(joined(directory, &member.target));
        if target.map(|target| id(&target)) != Ok(id(&stat)) {
            say(env, &[b"Not linked to ", &member.target[..]].concat())?;
        }
        return Ok(differs);
    }
    if kind(&stat) != member.kind() {
        say(env, b"File type differs")?;
        return Ok(differs);
    }
    for (is_different, what) in attributes(member, &stat) {
        if is_different {
            say(env, what.as_bytes())?;
        }
    }
    match member.kind() {
        FileType::Symlink if fs::readlink(&path).ok().as_deref() != Some(&member.target) => {
            say(env, b"Symlink differs")?;
        }
        FileType::RegularFile if stat.st_size as u64 != member.length() => say(env, b"Size differs")?,
        FileType::RegularFile if !has_contents(reader, member, &path)? => say(env, b"Contents differ")?,
        _ => {}
    }
    Ok(differs)
}

/// What differs about the attributes of both. Links have no mode and no time that counts.
fn attributes(member: &Entry, stat: &Stat) -> [(bool, &'static str); 5] {
    let is_link = member.kind() == FileType::Symlink;
    let is_device = matches!(member.kind(), FileType::CharacterDevice | FileType::BlockDevice);
    let has_time = !is_link && member.kind() != FileType::Directory;
    let is_other_time = stat.st_mtime != member.modified.seconds
        || member.modified.nanos != 0 && member.modified.nanos != stat.st_mtime_nsec as u32;
    [
        (!is_link && (stat.st_mode ^ member.mode) & 0o7777 != 0, "Mode differs"),
        (stat.st_uid != member.uid, "Uid differs"),
        (stat.st_gid != member.gid, "Gid differs"),
        (has_time && is_other_time, "Mod time differs"),
        (is_device && stat.st_rdev != fs::makedev(member.device.0, member.device.1), "Device number differs"),
    ]
}

fn has_contents(reader: &mut Reader, member: &Entry, path: &[u8]) -> Result<bool> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let file = fs::open(path, flags, Mode::empty()).map_err(|errno| Error::cannot("open", path, errno))?;
    let mut is_same = true;
    let mut buffer = vec![0; io::CHUNK];
    let mut compare = |mut data: &[u8]| {
        while is_same && !data.is_empty() {
            let wanted = data.len().min(buffer.len());
            match io::read(file.as_fd(), &mut buffer[..wanted]) {
                Ok(count) => {
                    is_same = count > 0 && data[..count] == buffer[..count];
                    data = &data[count..];
                }
                Err(errno) => return Err(Error::cannot("read", path, errno)),
            }
        }
        Ok(())
    };
    contents(reader, member, Put::new(&mut compare))?;
    Ok(is_same)
}
