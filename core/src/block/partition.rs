//! Names of partitions: those of a GUID partition table (UEFI 5.3), or of a master boot record the disk's signature and
//! the number, as the kernel's `root=PARTUUID=` has it.

use super::{device_path, open, push_hex, read_at, uuid_text};
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
    let sector = read_at(disk, 0, 512)?;
    if sector[510..] != [0x55, 0xaa] || sector[440..444] == [0; 4] {
        return None;
    }
    let mut uuid = Vec::new();
    for byte in sector[440..444].iter().rev() {
        push_hex(&mut uuid, *byte, b"0123456789abcdef");
    }
    uuid.push(b'-');
    push_hex(&mut uuid, u8::try_from(number).ok()?, b"0123456789abcdef");
    Some(Identity { uuid, label: Vec::new() })
}

fn gpt(disk: &OwnedFd, number: u64) -> Option<Identity> {
    // The header is in the second sector, whose size is not known here.
    let (sector, head) = [512, 4096].into_iter().find_map(|sector| {
        let head = read_at(disk, sector, 92)?;
        head.starts_with(b"EFI PART").then_some((sector, head))
    })?;
    let first = u64::from_le_bytes(head[72..80].try_into().ok()?);
    let count = u32::from_le_bytes(head[80..84].try_into().ok()?);
    let size = u32::from_le_bytes(head[84..88].try_into().ok()?);
    if !(1..=u64::from(count)).contains(&number) || !(128..=4096).contains(&size) {
        return None;
    }
    let offset = first.checked_mul(sector)?.checked_add((number - 1) * u64::from(size))?;
    Some(gpt_entry(&read_at(disk, offset, 128)?))
}

/// UEFI 5.3.3: the partition's own GUID at 16, its name at 56 in UTF-16.
fn gpt_entry(entry: &[u8]) -> Identity {
    let mut guid = entry[16..32].to_vec();
    // The first three groups of a GUID are little-endian numbers.
    guid[..4].reverse();
    guid[4..6].reverse();
    guid[6..8].reverse();
    let units = entry[56..128].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let name = char::decode_utf16(units.take_while(|&unit| unit != 0)).map(|letter| letter.unwrap_or('?'));
    Identity { uuid: uuid_text(&guid), label: name.collect::<String>().into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_a_guid_table_have_names() {
        let mut entry = vec![0; 128];
        entry[16..32].copy_from_slice(b"\x67\x45\x23\x01\xab\x89\xef\xcd\0\x11\x22\x33\x44\x55\x66\x77");
        entry[56..64].copy_from_slice(b"r\0o\0\xe9\0t\0");
        let identity = gpt_entry(&entry);
        assert_eq!(identity.uuid, b"01234567-89ab-cdef-0011-223344556677");
        assert_eq!(identity.label, "roét".as_bytes());
    }
}
