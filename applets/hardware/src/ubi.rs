//! What the applets of UBI volumes share (mtd/ubi-user.h, the kernel's Documentation/ABI/stable/sysfs-class-ubi).

use rbox_core::bytes::{base_name, join_path};
use rbox_core::io::read_file;
use rbox_core::number::{invalid, parse_decimal};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{OwnedFd, fs};
use rbox_core::text;

const CLASS: &[u8] = b"/sys/class/ubi";

/// Opens a device.
pub fn open(path: &[u8], flags: OFlags) -> Result<OwnedFd> {
    fs::open(path, flags | OFlags::CLOEXEC, Mode::empty()).map_err(|errno| Error::cannot("open", path, errno))
}

/// A number of 31 bits.
pub fn number(word: &[u8]) -> Result<i32> {
    parse_decimal(word).and_then(|number| i32::try_from(number).ok()).ok_or_else(|| invalid(word))
}

/// An attribute of a UBI device or volume that is a number.
pub fn attribute(name: &[u8], attribute: &[u8]) -> Result<u64> {
    let path = join_path(&join_path(CLASS, base_name(name)), attribute);
    let text = read_file(&path)?;
    parse_decimal(text.trim_ascii()).ok_or_else(|| Error::parts(&[&path, b": not a number"]))
}

/// The number of the volume of a device that -n or -N names; one of both must be given.
pub fn chosen(device: &[u8], id: Option<&[u8]>, name: Option<&[u8]>) -> Result<i32> {
    match (id, name) {
        (Some(id), None) => number(id),
        (None, Some(name)) => volume(device, name),
        _ => Err(Error::usage()),
    }
}

/// The number of the volume of a device that has this name.
pub fn volume(device: &[u8], name: &[u8]) -> Result<i32> {
    let prefix = text!(base_name(device), "_");
    for entry in super::sysfs::devices(CLASS)? {
        if let Some(id) = entry.name.strip_prefix(&prefix[..])
            && entry.attribute("name") == name
        {
            return number(id);
        }
    }
    Err(Error::parts(&[device, b": no volume '", name, b"'"]))
}
