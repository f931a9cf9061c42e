//! Block devices: what is on them, and which of them a name like `UUID=...` means.

pub mod dos;
mod fields;
pub mod gpt;
mod image;
mod partition;
mod superblock;
mod uuid;

pub use dos::Dos;
pub use fields::{get, put};
pub use gpt::Gpt;
pub use image::{Image, write_at};
pub use superblock::{Content, probe};
pub use uuid::{parse_uuid, random_uuid, uuid_text};

use crate::bytes;
use crate::error::{Error, Result};
use crate::files;
use crate::io::Input;
use crate::sys::block_device::{Number, get as get_number};
use crate::sys::fs::{FileType, Mode, OFlags, SeekFrom};
use crate::sys::loop_device::{self, View};
use crate::sys::{AsFd, BorrowedFd, Errno, OwnedFd, fd, fs};
use crate::text;

/// Reads exactly `count` bytes at `offset`; `None` beyond the end or when the medium fails.
fn read_at(file: &OwnedFd, offset: u64, count: usize) -> Option<Vec<u8>> {
    let mut buffer = vec![0; count];
    let mut done = 0;
    while done < count {
        match fd::pread(file, &mut buffer[done..], offset + done as u64) {
            Ok(0) => return None,
            Ok(got) => done += got,
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
    Some(buffer)
}

/// The size in bytes of a device or an image of one, and that of its logical sectors.
fn get_size(file: &OwnedFd) -> Option<(u64, u64)> {
    let is_device = files::kind(&fs::fstat(file).ok()?) == FileType::BlockDevice;
    let size = if is_device { get_number(file.as_fd(), Number::Size) } else { fs::seek(file, SeekFrom::End(0)) };
    let sector = if is_device { get_number(file.as_fd(), Number::SectorSize).unwrap_or(512) } else { 512 };
    Some((size.ok()?, sector))
}

/// Makes a free loop device show `file`, as `loop_device::attach_to` does. Returns its path too.
pub fn attach_loop_device(
    file: BorrowedFd<'_>,
    name: &[u8],
    view: View,
) -> core::result::Result<(Vec<u8>, OwnedFd), Errno> {
    // Between the question and the use another program may take the device: then ask again.
    for _ in 0..64 {
        let path = text!("/dev/loop", loop_device::free_number()?);
        match loop_device::attach_to(&path, file, name, view) {
            Err(Errno::BUSY) => {}
            Ok(device) => return Ok((path, device)),
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::BUSY)
}

/// Opens a device or an image of one for reading. A drive without a medium does not keep the caller waiting.
pub fn open(path: &[u8]) -> core::result::Result<OwnedFd, Errno> {
    fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty())
}

/// The names of all block devices that the kernel knows, in its order: /proc/partitions.
pub fn devices() -> Vec<Vec<u8>> {
    let mut names = Vec::new();
    let Ok(mut input) = Input::open(b"/proc/partitions") else { return names };
    while let Ok(Some(line)) = input.line() {
        // major minor blocks name; the first line is a heading.
        if let Some(name) = bytes::words(line).nth(3).filter(|name| *name != b"name") {
            names.push(name.to_vec());
        }
    }
    names
}

/// The path that `source` means in mount(8) and fstab(5): itself, or the device with that `UUID=`, `LABEL=`, `PARTUUID=`
/// or `PARTLABEL=`. The error is `can't find SOURCE`.
pub fn find(source: &[u8]) -> Result<Vec<u8>> {
    let Some((tag, value)) = bytes::split_once(source, b'=') else { return Ok(source.to_vec()) };
    // fstab(5) allows quotes around the value.
    let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
    let matches: fn(&[u8], &[u8], &[u8]) -> bool = match tag {
        b"UUID" | b"LABEL" => |name, tag, value| {
            let content = open(&device_path(name)).ok().and_then(|file| probe(&file));
            content.is_some_and(|content| match tag {
                b"UUID" => content.uuid.eq_ignore_ascii_case(value),
                _ => content.label == value,
            })
        },
        b"PARTUUID" | b"PARTLABEL" => |name, tag, value| {
            partition::identity(name).is_some_and(|identity| match tag {
                b"PARTUUID" => identity.uuid.eq_ignore_ascii_case(value),
                _ => identity.label == value,
            })
        },
        _ => return Ok(source.to_vec()),
    };
    // An empty value is no name: most devices have an empty label.
    let found = devices().into_iter().find(|name| !value.is_empty() && matches(name, tag, value));
    found.map(|name| device_path(&name)).ok_or_else(|| Error::parts(&[b"can't find ", source]))
}

fn device_path(name: &[u8]) -> Vec<u8> {
    // The kernel writes a slash in a device's name as `!` in /sys and as itself here.
    [b"/dev/", name].concat()
}

fn push_hex(text: &mut Vec<u8>, byte: u8, digits: &[u8; 16]) {
    text.extend_from_slice(&[digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_means_itself() {
        assert_eq!(find(b"/dev/sda1").ok().as_deref(), Some(&b"/dev/sda1"[..]));
        assert_eq!(find(b"overlay=x").ok().as_deref(), Some(&b"overlay=x"[..]));
        assert_eq!(find(b"LABEL=").unwrap_err().message(), b"can't find LABEL=");
    }
}
