//! The MINIX filesystem, versions 1 and 2 (linux/minix_fs.h): blocks of 1024 bytes; a boot block, the superblock, bitmaps of
//! inodes and zones, the inodes, then the zones. A zone is a block.

use rbox_core::block::{get, put};

/// Bytes of a block.
pub const BLOCK: usize = 1024;
/// Bits of a block of a bitmap.
pub const BITS: u64 = 8 * BLOCK as u64;
/// The states of a superblock: it was unmounted, and an error was found.
pub const VALID: u64 = 1;
pub const ERROR: u64 = 2;

/// The superblock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Super {
    /// 1 or 2.
    pub version: u8,
    /// Bytes of a name: 14 or 30.
    pub name: usize,
    pub inodes: u64,
    pub zones: u64,
    /// Blocks of the bitmap of inodes.
    pub inode_map: u64,
    /// Blocks of the bitmap of zones.
    pub zone_map: u64,
    pub first_zone: u64,
    pub state: u64,
}

impl Super {
    /// Bytes of an inode.
    pub fn inode(&self) -> usize {
        if self.version == 1 { 32 } else { 64 }
    }

    /// Bytes of a zone's number.
    pub fn pointer(&self) -> usize {
        if self.version == 1 { 2 } else { 4 }
    }

    /// The largest file, in bytes.
    pub fn max_size(&self) -> u64 {
        if self.version == 1 { (7 + 512 + 512 * 512) * BLOCK as u64 } else { 0x7fff_ffff }
    }

    /// Blocks of all inodes.
    pub fn table(&self) -> u64 {
        self.inodes.div_ceil((BLOCK / self.inode()) as u64)
    }

    /// The block where the inodes begin.
    pub fn table_at(&self) -> u64 {
        2 + self.inode_map + self.zone_map
    }

    /// Reads a superblock. `None` for one of another format, or whose tables do not fit before its first zone.
    pub fn parse(raw: &[u8]) -> Option<Self> {
        let (version, name) = match get(raw, 16, 2) {
            0x137f => (1, 14),
            0x138f => (1, 30),
            0x2468 => (2, 14),
            0x2478 => (2, 30),
            _ => return None,
        };
        let zones = if version == 1 { get(raw, 2, 2) } else { get(raw, 20, 4) };
        let found = Self {
            version,
            name,
            inodes: get(raw, 0, 2),
            zones,
            inode_map: get(raw, 4, 2),
            zone_map: get(raw, 6, 2),
            first_zone: get(raw, 8, 2),
            state: get(raw, 18, 2),
        };
        let is_whole = get(raw, 10, 2) == 0
            && found.inodes > 0
            && found.first_zone >= found.table_at() + found.table()
            && found.first_zone < zones
            && found.inode_map * BITS > found.inodes
            && found.zone_map * BITS > zones - found.first_zone;
        is_whole.then_some(found)
    }

    /// The superblock's bytes.
    pub fn bytes(&self) -> [u8; BLOCK] {
        let mut raw = [0; BLOCK];
        let magic = match (self.version, self.name) {
            (1, 14) => 0x137f,
            (1, _) => 0x138f,
            (_, 14) => 0x2468,
            _ => 0x2478,
        };
        let fields = [
            (0, 2, self.inodes),
            (2, 2, if self.version == 1 { self.zones } else { 0 }),
            (4, 2, self.inode_map),
            (6, 2, self.zone_map),
            (8, 2, self.first_zone),
            (12, 4, self.max_size()),
            (16, 2, magic),
            (18, 2, self.state),
            (20, 4, if self.version == 1 { 0 } else { self.zones }),
        ];
        for (at, length, value) in fields {
            put(&mut raw, at, length, value);
        }
        raw
    }

    /// The offset and the length of an inode's count of links, its size, and its zones.
    pub fn links(&self) -> (usize, usize) {
        if self.version == 1 { (13, 1) } else { (2, 2) }
    }

    pub fn size(&self) -> (usize, usize) {
        (if self.version == 1 { 4 } else { 8 }, 4)
    }

    /// The offset of the pointer `index` of an inode: seven zones, then a block of zones, and of such blocks.
    pub fn zone(&self, index: usize) -> (usize, usize) {
        if self.version == 1 { (14 + 2 * index, 2) } else { (24 + 4 * index, 4) }
    }

    /// How many pointers an inode has.
    pub fn pointers(&self) -> usize {
        if self.version == 1 { 9 } else { 10 }
    }

    /// The lines that describe it.
    pub fn describe(&self) -> Vec<u8> {
        rbox_core::text!(
            self.inodes,
            " inodes\n",
            self.zones,
            " blocks\nFirstdatazone=",
            self.first_zone,
            " (",
            self.table_at() + self.table(),
            ")\nZonesize=1024\nMaxsize=",
            self.max_size(),
            "\n"
        )
    }
}

/// Whether a bit of a map is set.
pub fn is_set(map: &[u8], bit: u64) -> bool {
    map[(bit / 8) as usize] & 1 << (bit % 8) != 0
}

/// Sets or clears a bit of a map.
pub fn set(map: &mut [u8], bit: u64, value: bool) {
    let (byte, mask) = (&mut map[(bit / 8) as usize], 1 << (bit % 8));
    if value { *byte |= mask } else { *byte &= !mask }
}
