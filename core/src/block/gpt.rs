//! GUID partition tables (UEFI 5.3): a header after the first sector and a copy in the last one, each with its own copy of the
//! entries; both have checksums.

use rbox_codecs::crc::Crc;

use super::{Image, get, put, random_uuid, uuid_text};
use crate::error::{Error, Result};

const MAGIC: &[u8] = b"EFI PART";
/// Bytes of a header that this version has.
const HEADER: usize = 92;
/// Bytes of all entries at most.
const MOST: u64 = 1 << 20;
/// What a table that is made here has.
const COUNT: usize = 128;
const ENTRY: usize = 128;

/// A table in memory. Numbers of sectors are those of the disk's logical sectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpt {
    /// The disk's own GUID.
    pub guid: [u8; 16],
    /// The first and the last sector that a partition may have.
    pub first: u64,
    /// See `first`.
    pub last: u64,
    /// The entries, as they are on the disk.
    entries: Vec<u8>,
    /// Bytes of an entry.
    size: usize,
    /// Which copies were right: the one at the start, the one at the end.
    pub copies: (bool, bool),
}

/// Reads bytes at an offset; `None` beyond the end or when the medium fails.
pub type Read<'a> = &'a dyn Fn(u64, usize) -> Option<Vec<u8>>;

impl Gpt {
    /// A table without partitions for a disk of `total` sectors. Fails for a disk that is too small.
    pub fn new(sector: u64, total: u64) -> Result<Self> {
        let space = (COUNT * ENTRY) as u64 / sector;
        if total < 2 * space + 8 {
            return Err(Error::new("the disk is too small for a GUID partition table"));
        }
        let (first, last) = (2 + space, total - space - 2);
        let entries = vec![0; COUNT * ENTRY];
        Ok(Self { guid: random_guid()?, first, last, entries, size: ENTRY, copies: (true, true) })
    }

    /// Reads the table of a disk of `total` sectors: the copy at the start if its checksums are right, else that at the end.
    pub fn read(read: Read<'_>, sector: u64, total: u64) -> Option<Self> {
        let end = total.checked_sub(1)?;
        let (primary, backup) = (Self::read_copy(read, sector, 1, total), Self::read_copy(read, sector, end, total));
        let copies = (primary.is_some(), backup.is_some());
        primary.or(backup).map(|table| Self { copies, ..table })
    }

    fn read_copy(read: Read<'_>, sector: u64, at: u64, total: u64) -> Option<Self> {
        let mut head = read(at.checked_mul(sector)?, sector as usize)?;
        let length = get(&head, 12, 4) as usize;
        if !head.starts_with(MAGIC) || !(HEADER..=head.len()).contains(&length) || get(&head, 24, 8) != at {
            return None;
        }
        let sum = get(&head, 16, 4);
        put(&mut head, 16, 4, 0);
        let (first, last) = (get(&head, 40, 8), get(&head, 48, 8));
        let (count, size) = (get(&head, 80, 4), get(&head, 84, 4));
        let bytes = count.checked_mul(size)?;
        if checksum(&head[..length]) != sum || first > last || last >= total || bytes > MOST || size < ENTRY as u64 {
            return None;
        }
        let entries = read(get(&head, 72, 8).checked_mul(sector)?, bytes as usize)?;
        if checksum(&entries) != get(&head, 88, 4) {
            return None;
        }
        let guid = head[56..72].try_into().ok()?;
        Some(Self { guid, first, last, entries, size: size as usize, copies: (true, true) })
    }

    /// The number of entries, used or not.
    pub fn count(&self) -> usize {
        self.entries.len() / self.size
    }

    /// The entry at an index below `count`.
    pub fn entry(&self, index: usize) -> Entry<'_> {
        Entry(&self.entries[index * self.size..][..self.size])
    }

    /// The bytes of an entry, to be changed: type, GUID, first and last sector, attributes, name (UEFI 5.3.3).
    pub fn entry_mut(&mut self, index: usize) -> &mut [u8] {
        &mut self.entries[index * self.size..][..self.size]
    }

    /// Sorts the entries by their first sectors; unused ones come last.
    pub fn sort(&mut self) {
        let mut entries: Vec<&[u8]> = self.entries.chunks_exact(self.size).collect();
        entries.sort_unstable_by_key(|entry| if Entry(entry).is_used() { Entry(entry).first() } else { u64::MAX });
        self.entries = entries.concat();
    }

    /// Writes both copies to a disk of `total` sectors, and a protective master boot record unless `keeps_mbr`.
    pub fn write(&self, image: &Image, sector: u64, total: u64, keeps_mbr: bool) -> Result<()> {
        let space = (self.entries.len() as u64).div_ceil(sector);
        if self.first < 2 + space || self.last >= total - 1 - space {
            return Err(Error::new("the table does not fit: usable sectors overlap it"));
        }
        // The copy comes first: there is a whole one at any time.
        for (at, other, entries) in [(total - 1, 1, total - 1 - space), (1, total - 1, 2)] {
            image.write(entries * sector, &self.entries)?;
            let mut head = vec![0; sector as usize];
            head[..8].copy_from_slice(MAGIC);
            head[56..72].copy_from_slice(&self.guid);
            let fields = [
                (8, 4, 0x1_0000), // revision 1.0
                (12, 4, HEADER as u64),
                (24, 8, at),
                (32, 8, other),
                (40, 8, self.first),
                (48, 8, self.last),
                (72, 8, entries),
                (80, 4, self.count() as u64),
                (84, 4, self.size as u64),
                (88, 4, checksum(&self.entries)),
            ];
            for (offset, length, value) in fields {
                put(&mut head, offset, length, value);
            }
            let sum = checksum(&head[..HEADER]);
            put(&mut head, 16, 4, sum);
            image.write(at * sector, &head)?;
            image.sync()?;
        }
        if keeps_mbr {
            return Ok(());
        }
        let mut table = [0; 66];
        table[..8].copy_from_slice(&[0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff]);
        put(&mut table, 8, 4, 1);
        put(&mut table, 12, 4, (total - 1).min(u32::MAX.into()));
        table[64..].copy_from_slice(&[0x55, 0xaa]);
        image.write(446, &table)
    }
}

/// An entry of a table.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a>(&'a [u8]);

impl<'a> Entry<'a> {
    /// Whether it has a type.
    pub fn is_used(self) -> bool {
        self.0[..16] != [0; 16]
    }

    /// The GUID of its type, as text.
    pub fn kind(self) -> Vec<u8> {
        guid_text(&self.0[..16])
    }

    /// Its own GUID, as text.
    pub fn guid(self) -> Vec<u8> {
        guid_text(&self.0[16..32])
    }

    /// Its first sector.
    pub fn first(self) -> u64 {
        get(self.0, 32, 8)
    }

    /// Its last sector.
    pub fn last(self) -> u64 {
        get(self.0, 40, 8)
    }

    /// Its attributes: bit 0 required, 1 no block IO, 2 legacy BIOS bootable.
    pub fn attributes(self) -> u64 {
        get(self.0, 48, 8)
    }

    /// Its name, UTF-16 on the disk.
    pub fn name(self) -> Vec<u8> {
        let units = self.0[56..128].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        let name = char::decode_utf16(units.take_while(|&unit| unit != 0)).map(|unit| unit.unwrap_or('?'));
        name.collect::<String>().into_bytes()
    }
}

/// A GUID as text: its first three groups are little-endian numbers.
pub fn guid_text(guid: &[u8]) -> Vec<u8> {
    let mut bytes = guid.to_vec();
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    uuid_text(&bytes)
}

/// A random GUID, as it is on the disk.
pub fn random_guid() -> Result<[u8; 16]> {
    let mut guid = random_uuid()?;
    // The version is in the upper half of the third group, whose bytes are swapped here.
    guid.swap(6, 7);
    Ok(guid)
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut crc = Crc::gzip();
    crc.update(bytes);
    crc.finish(bytes.len() as u64).into()
}

/// Reads a table from any bytes.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let read = |offset: u64, count: usize| {
        let start = usize::try_from(offset).ok()?;
        data.get(start..start.checked_add(count)?).map(<[u8]>::to_vec)
    };
    if let Some(table) = Gpt::read(&read, 512, data.len() as u64 / 512) {
        (0..table.count()).for_each(|index| drop((table.entry(index).name(), table.entry(index).guid())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_types_and_names() {
        let mut raw = vec![0; 128];
        raw[16..32].copy_from_slice(b"\x67\x45\x23\x01\xab\x89\xef\xcd\0\x11\x22\x33\x44\x55\x66\x77");
        raw[56..64].copy_from_slice(b"r\0o\0\xe9\0t\0");
        let entry = Entry(&raw);
        assert_eq!(entry.guid(), b"01234567-89ab-cdef-0011-223344556677");
        assert_eq!((entry.name(), entry.is_used()), ("roét".as_bytes().to_vec(), false));
    }
}
