//! Partition tables of the master boot record: four entries, one of which may be an extended partition with a chain of
//! logical ones, each in a boot record of its own.

use super::{Image, get, put};
use crate::error::{Error, Result};

/// Bytes of a boot record; the rest of a larger sector is not its own.
const RECORD: usize = 512;
/// Where the entries are.
const TABLE: usize = 446;
/// Logical partitions at most: a chain that is longer is taken for damaged.
pub const MOST_LOGICAL: usize = 128;

/// An entry: sectors are counted from the start of the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// 0x80 for the partition that old firmware boots.
    pub boot: u8,
    /// The type; 0 in an unused entry.
    pub kind: u8,
    /// The first sector.
    pub start: u64,
    /// The number of sectors.
    pub count: u64,
    /// First and last sector in cylinders, heads and sectors, as they are on the disk.
    pub chs: [u8; 6],
}

impl Entry {
    /// Whether it is a partition.
    pub fn is_used(&self) -> bool {
        self.kind != 0 && self.count > 0
    }

    /// Whether it has logical partitions.
    pub fn is_extended(&self) -> bool {
        matches!(self.kind, 5 | 0x0f | 0x85)
    }

    /// The last sector.
    pub fn last(&self) -> u64 {
        self.start + self.count.saturating_sub(1)
    }

    /// Sets the old addresses of its first and last sector.
    pub fn set_chs(&mut self, chs: &dyn Fn(u64) -> [u8; 3]) {
        let (first, last) = (chs(self.start), chs(self.last()));
        self.chs[..3].copy_from_slice(&first);
        self.chs[3..].copy_from_slice(&last);
    }

    fn parse(raw: &[u8], base: u64) -> Self {
        let mut chs = [0; 6];
        chs[..3].copy_from_slice(&raw[1..4]);
        chs[3..].copy_from_slice(&raw[5..8]);
        Self { boot: raw[0], kind: raw[4], start: base + get(raw, 8, 4), count: get(raw, 12, 4), chs }
    }

    /// The entry's bytes; sectors are counted from `base`.
    fn bytes(&self, base: u64) -> [u8; 16] {
        let mut raw = [0; 16];
        raw[0] = self.boot;
        raw[1..4].copy_from_slice(&self.chs[..3]);
        raw[4] = self.kind;
        raw[5..8].copy_from_slice(&self.chs[3..]);
        put(&mut raw, 8, 4, self.start.saturating_sub(base));
        put(&mut raw, 12, 4, self.count);
        raw
    }
}

/// A logical partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Logical {
    /// The sector of its boot record.
    pub at: u64,
    /// The partition.
    pub entry: Entry,
}

/// A table in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dos {
    /// The disk's signature.
    pub id: u32,
    /// The entries 1 to 4.
    pub primary: [Entry; 4],
    /// The logical partitions, 5 and on, in the order of their chain.
    pub logical: Vec<Logical>,
    /// Why the chain ends before its end, if it does.
    pub damage: Option<&'static str>,
    /// The chain is not what is on the disk.
    pub chain_changed: bool,
}

impl Dos {
    /// Reads the table of a disk. `None` if its first sector has no signature.
    pub fn read(read: super::gpt::Read<'_>, sector: u64) -> Option<Self> {
        let record = read(0, RECORD)?;
        if record[510..512] != [0x55, 0xaa] {
            return None;
        }
        let entry = |index: usize| Entry::parse(&record[TABLE + index * 16..][..16], 0);
        let primary = [entry(0), entry(1), entry(2), entry(3)];
        let id = get(&record, 440, 4) as u32;
        let mut table = Self { id, primary, logical: Vec::new(), damage: None, chain_changed: false };
        if let Some(extended) = table.extended() {
            table.damage = table.read_chain(read, sector, primary[extended].start);
            if primary[extended + 1..].iter().any(|entry| entry.is_used() && entry.is_extended()) {
                table.damage = table.damage.or(Some("there is a second extended partition"));
            }
        }
        Some(table)
    }

    /// Follows the chain. Returns what is wrong with it.
    fn read_chain(&mut self, read: super::gpt::Read<'_>, sector: u64, base: u64) -> Option<&'static str> {
        let (mut at, mut seen) = (base, Vec::new());
        loop {
            if seen.contains(&at) {
                return Some("the chain of logical partitions is a circle");
            }
            if seen.len() == MOST_LOGICAL {
                return Some("the chain of logical partitions is too long");
            }
            seen.push(at);
            let Some(record) = at.checked_mul(sector).and_then(|offset| read(offset, RECORD)) else {
                return Some("a logical partition's boot record cannot be read");
            };
            if record[510..512] != [0x55, 0xaa] {
                // Without any logical partition there need not be a record.
                return (at != base).then_some("a logical partition's boot record has no signature");
            }
            let mut next = None;
            for raw in record[TABLE..TABLE + 64].chunks_exact(16) {
                let (own, link) = (Entry::parse(raw, at), Entry::parse(raw, base));
                if !own.is_used() {
                    continue;
                }
                if own.is_extended() {
                    next = next.or(Some(link.start));
                } else if self.logical.last().is_some_and(|logical| logical.at == at) {
                    return Some("a logical partition's boot record has a second partition");
                } else {
                    self.logical.push(Logical { at, entry: own });
                }
            }
            at = next?;
        }
    }

    /// The index of the first extended partition among the primary ones.
    pub fn extended(&self) -> Option<usize> {
        self.primary.iter().position(|entry| entry.is_used() && entry.is_extended())
    }

    /// How many numbers of partitions there are: four, and the logical ones.
    pub fn count(&self) -> usize {
        4 + self.logical.len()
    }

    /// The entry at an index below `count`.
    pub fn entry(&self, index: usize) -> &Entry {
        if index < 4 { &self.primary[index] } else { &self.logical[index - 4].entry }
    }

    /// The same, to be changed. The caller sets `chain_changed` for a logical one.
    pub fn entry_mut(&mut self, index: usize) -> &mut Entry {
        if index < 4 { &mut self.primary[index] } else { &mut self.logical[index - 4].entry }
    }

    /// The boot record of an index, 0 to 3 for the master's, as it is now on the disk, with its entries as they are to be.
    /// Returns its sector too.
    pub fn record(
        &self,
        image: &Image,
        sector: u64,
        index: usize,
        chs: &dyn Fn(u64) -> [u8; 3],
    ) -> Result<(u64, Vec<u8>)> {
        let mut record = vec![0; RECORD];
        let Some(logical) = index.checked_sub(4).map(|index| self.logical[index]) else {
            image.read(0, &mut record)?;
            put(&mut record, 440, 4, self.id.into());
            for (raw, entry) in record[TABLE..510].chunks_exact_mut(16).zip(&self.primary) {
                raw.copy_from_slice(&entry.bytes(0));
            }
            record[510..].copy_from_slice(&[0x55, 0xaa]);
            return Ok((0, record));
        };
        image.read(logical.at * sector, &mut record)?;
        let base = self.extended().map_or(0, |extended| self.primary[extended].start);
        record[TABLE..510].fill(0);
        record[TABLE..TABLE + 16].copy_from_slice(&logical.entry.bytes(logical.at));
        if let Some(next) = self.logical.get(index - 3) {
            // A link covers the next record and its partition.
            let (start, count) = (next.at, next.entry.last() + 1 - next.at);
            let mut link = Entry { boot: 0, kind: 5, start, count, chs: [0; 6] };
            link.set_chs(chs);
            record[TABLE + 16..TABLE + 32].copy_from_slice(&link.bytes(base));
        }
        record[510..].copy_from_slice(&[0x55, 0xaa]);
        Ok((logical.at, record))
    }

    /// Writes the table: the master boot record, and the chain if it has changed. `chs` gives old addresses of sectors.
    pub fn write(&self, image: &Image, sector: u64, chs: &dyn Fn(u64) -> [u8; 3]) -> Result<()> {
        let all = [&self.primary[..], &self.logical.iter().map(|logical| logical.entry).collect::<Vec<_>>()].concat();
        if all.iter().any(|entry| entry.start.max(entry.count) > u32::MAX.into()) {
            return Err(Error::new("a partition is beyond 4294967295 sectors, which this table cannot say"));
        }
        if self.chain_changed {
            // From the last on: the chain that is there is right until it is exchanged at its start.
            for index in (4..self.count()).rev() {
                let (at, record) = self.record(image, sector, index, chs)?;
                image.write(at * sector, &record)?;
            }
            if let (Some(extended), true) = (self.extended(), self.logical.is_empty()) {
                let mut empty = [0; 66];
                empty[64..].copy_from_slice(&[0x55, 0xaa]);
                image.write(self.primary[extended].start * sector + TABLE as u64, &empty)?;
            }
            image.sync()?;
        }
        let (_, record) = self.record(image, sector, 0, chs)?;
        image.write(0, &record)?;
        image.sync()
    }
}

/// Reads a table from any bytes.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let read = |offset: u64, count: usize| {
        let start = usize::try_from(offset).ok()?;
        data.get(start..start.checked_add(count)?).map(<[u8]>::to_vec)
    };
    if let Some(table) = Dos::read(&read, 512) {
        assert!(table.logical.len() <= MOST_LOGICAL);
        (0..table.count()).for_each(|index| assert!(table.entry(index).last() < 1 << 60));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    /// A record's sector, then type, start and count of its entries.
    type Record<'a> = (usize, &'a [(u8, u64, u64)]);

    /// A disk of 64 sectors.
    fn read(records: &[Record<'_>]) -> Dos {
        let mut disk = vec![0; 64 * 512];
        for (at, entries) in records {
            let record = &mut disk[at * 512..][..512];
            for (index, &(kind, start, count)) in entries.iter().enumerate() {
                let entry = Entry { kind, start, count, ..Entry::default() };
                record[TABLE + index * 16..][..16].copy_from_slice(&entry.bytes(0));
            }
            record[510..].copy_from_slice(&[0x55, 0xaa]);
        }
        Dos::read(&|offset, count| disk.get(offset as usize..offset as usize + count).map(<[u8]>::to_vec), 512)
            .expect("a signature")
    }

    #[test]
    fn a_chain_is_followed_to_its_end_or_to_its_damage() {
        let master: Record<'_> = (0, &[(0x83, 1, 9), (5, 10, 50)]);
        let logical = |table: &Dos| table.logical.iter().map(|one| (one.at, one.entry.start)).collect::<Vec<_>>();
        let table = read(&[master, (10, &[(0x83, 1, 9), (5, 10, 10)]), (20, &[(0x82, 1, 9)])]);
        assert_eq!((logical(&table), table.damage), (vec![(10, 11), (20, 21)], None));
        let table = read(&[master, (10, &[(0x83, 1, 9), (5, 10, 10)]), (20, &[(0x82, 1, 9), (5, 0, 10)])]);
        assert_eq!((logical(&table).len(), table.damage), (2, Some("the chain of logical partitions is a circle")));
        let table = read(&[master, (10, &[(0x83, 1, 9), (5, 5000, 10)])]);
        assert_eq!(table.damage, Some("a logical partition's boot record cannot be read"));
        let table = read(&[master, (10, &[(0x83, 1, 9), (5, 30, 10)])]);
        assert_eq!(table.damage, Some("a logical partition's boot record has no signature"));
        assert_eq!((read(&[master]).damage, read(&[master]).count()), (None, 4));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        let mut random = Random::new(9);
        for _ in 0..300 {
            let mut disk = random.bytes(8192);
            disk.resize(8192, 0);
            for sector in disk.chunks_exact_mut(512) {
                sector[TABLE + 4] = 5;
                sector[510..].copy_from_slice(&[0x55, 0xaa]);
            }
            let read = |offset: u64, count: usize| {
                let start = usize::try_from(offset).ok()?;
                disk.get(start..start.checked_add(count)?).map(<[u8]>::to_vec)
            };
            let table = Dos::read(&read, 512).expect("a signature");
            assert!(table.logical.len() <= MOST_LOGICAL);
        }
    }
}
