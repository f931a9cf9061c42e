//! Names of partitions: those of a GUID partition table, or of a master boot record the disk's signature and the number, as
//! the kernel's `root=PARTUUID=` has it.

use super::{Dos, Gpt, device_path, get_size, open, push_hex, read_at};
use crate::io::Input;
use crate::mounts::real_path;
use crate::number::parse_decimal;
use crate::sys::OwnedFd;

/// What a partition is called.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Identity {
    pub uuid: Vec<u8>,
    pub label: Vec<u8>,
}

/// The names of the partition whose device is called `name`; `None` for a whole disk or one without a table.
pub fn identity(name: &[u8]) -> Option<Identity> {
    let directory = real_path(&[b"/sys/class/block/", name].concat());
    let mut number = Input::open(&[&directory, &b"/partition"[..]].concat()).ok()?;
    let number = parse_decimal(number.line().ok()??)?;
    // /sys/devices/.../DISK/PARTITION
    let disk = directory.rsplit(|&byte| byte == b'/').nth(1)?;
    let disk = open(&device_path(disk)).ok()?;
    gpt(&disk, number).or_else(|| mbr(&disk, number))
}

fn mbr(disk: &OwnedFd, number: u64) -> Option<Identity> {
    let table = Dos::read(&|offset, count| read_at(disk, offset, count), 512).filter(|table| table.id != 0)?;
    let mut uuid = Vec::new();
    for byte in table.id.to_be_bytes() {
        push_hex(&mut uuid, byte, b"0123456789abcdef");
    }
    uuid.push(b'-');
    push_hex(&mut uuid, u8::try_from(number).ok()?, b"0123456789abcdef");
    Some(Identity { uuid, label: Vec::new() })
}

fn gpt(disk: &OwnedFd, number: u64) -> Option<Identity> {
    let (size, sector) = get_size(disk)?;
    let table = Gpt::read(&|offset, count| read_at(disk, offset, count), sector, size / sector)?;
    let index = usize::try_from(number).ok()?.checked_sub(1).filter(|&index| index < table.count())?;
    let entry = table.entry(index);
    Some(Identity { uuid: entry.guid(), label: entry.name() })
}
