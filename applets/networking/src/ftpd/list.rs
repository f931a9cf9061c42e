//! Listings: LIST and NLST by our ls, MLSD and MLST as facts (RFC 3659, 7).

use rbox_core::bytes::{base_name, join_path};
use rbox_core::call;
use rbox_core::files::list_at;
use rbox_core::io::{Input, Output};
use rbox_core::number::octal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, Stat};
use rbox_core::sys::{Errno, fs};
use rbox_core::text;
use rbox_core::text::Right;
use rbox_core::time::{Moment, Zone, format};

/// What ls prints of a path, `.` if it is empty; lines end as those of FTP do.
pub fn by_ls(env: &Env, option: &[u8], path: &[u8]) -> core::result::Result<Vec<u8>, Errno> {
    let path = if path.is_empty() { b"." } else { path };
    fs::lstat(path)?;
    let words = [b"ls", option, b"--", path];
    let Some((_, output)) = call::here(env, Input::from_bytes(Vec::new()), Output::memory(), &words) else {
        return Err(Errno::NOSYS);
    };
    let printed = output.into_bytes();
    let mut lines = Vec::with_capacity(printed.len() + printed.len() / 16);
    for line in printed.split_inclusive(|&byte| byte == b'\n') {
        // The sum of blocks is none of the files.
        if option.contains(&b'l') && line.starts_with(b"total ") && lines.is_empty() {
            continue;
        }
        lines.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
        lines.extend_from_slice(b"\r\n");
    }
    Ok(lines)
}

/// The facts of all files of a directory, a line for each.
pub fn facts_of_directory(path: &[u8]) -> core::result::Result<Vec<u8>, Errno> {
    let path = if path.is_empty() { b"." } else { path };
    let mut lines = Vec::new();
    for entry in list_at(path)? {
        // It may have gone meanwhile.
        if let Ok(stat) = fs::lstat(join_path(path, &entry.name)) {
            lines.extend_from_slice(&text!(facts(&stat), " ", &entry.name, "\r\n"));
        }
    }
    Ok(lines)
}

/// The facts of one file, and its name.
pub fn facts_of_file(path: &[u8]) -> core::result::Result<Vec<u8>, Errno> {
    let path = if path.is_empty() { b"." } else { path };
    Ok(text!(facts(&fs::stat(path)?), " ", base_name(path)))
}

fn facts(stat: &Stat) -> Vec<u8> {
    let (kind, size) = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => ("dir", None),
        FileType::RegularFile => ("file", Some(stat.st_size as u64)),
        FileType::Symlink => ("OS.unix=slink", None),
        _ => ("OS.unix=other", None),
    };
    let size = size.map_or_else(Vec::new, |size| text!("size=", size, ";"));
    let mode = octal(u64::from(stat.st_mode & 0o7777));
    text!("type=", kind, ";", size, "modify=", date(stat), ";UNIX.mode=", Right(&mode[..], 4, b'0'), ";")
}

/// RFC 3659 2.3: year to second, in UTC.
pub fn date(stat: &Stat) -> Vec<u8> {
    format(b"%Y%m%d%H%M%S", Moment { seconds: stat.st_mtime, nanos: 0 }, &Zone::utc())
}
