//! Where the structures of an ext filesystem are, and what is known before anything is written.

use super::LOST_FOUND;
use crate::error::{Error, Result};

/// The three words of a superblock's features: compatible, incompatible, and compatible for reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features(pub [u32; 3]);

impl Features {
    /// Inode 8 is a journal: ext3 and ext4.
    pub const JOURNAL: Self = Self([0x4, 0, 0]);
    /// Extended attributes.
    pub const ATTRIBUTES: Self = Self([0x8, 0, 0]);
    /// Blocks after the descriptors are reserved for more of them, in inode 7.
    pub const RESIZE: Self = Self([0x10, 0, 0]);
    /// Large directories may have hash trees.
    pub const INDEX: Self = Self([0x20, 0, 0]);
    /// Entries of directories have types.
    pub const FILE_TYPE: Self = Self([0, 0x2, 0]);
    /// Files are mapped by extents.
    pub const EXTENTS: Self = Self([0, 0x40, 0]);
    /// Few groups have copies of the superblock.
    pub const SPARSE_SUPER: Self = Self([0, 0, 0x1]);
    /// Files may be larger than 2 GiB.
    pub const LARGE_FILE: Self = Self([0, 0, 0x2]);
    /// Files may be counted in blocks of the filesystem.
    pub const HUGE_FILE: Self = Self([0, 0, 0x8]);
    /// Directories may have more than 65000 subdirectories.
    pub const MANY_LINKS: Self = Self([0, 0, 0x20]);
    /// Inodes have fields after the first 128 bytes.
    pub const EXTRA_SIZE: Self = Self([0, 0, 0x40]);

    /// Both sets.
    pub const fn with(self, other: Self) -> Self {
        let ([a, b, c], [d, e, f]) = (self.0, other.0);
        Self([a | d, b | e, c | f])
    }

    /// The set without `other`.
    pub const fn without(self, other: Self) -> Self {
        let ([a, b, c], [d, e, f]) = (self.0, other.0);
        Self([a & !d, b & !e, c & !f])
    }

    /// Whether all of `other` are in the set.
    pub fn has(self, other: Self) -> bool {
        self.with(other) == self
    }
}

/// What a filesystem is to be.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a> {
    /// At most 16 bytes.
    pub label: &'a [u8],
    /// The directory where it is mounted last; at most 64 bytes.
    pub mounted: &'a [u8],
    /// Its UUID, from which the seed of directories' hashes is taken too.
    pub uuid: [u8; 16],
    /// Seconds since 1970, for every time stamp; below 2^31.
    pub time: u32,
    /// Bytes of a block: 1024, 2048 or 4096.
    pub block: u32,
    /// Bytes of an inode: a power of two from 128 to a block.
    pub inode: u32,
    /// Inodes that are needed at least.
    pub inodes: u32,
    /// Bytes of the filesystem for each inode; 0 for as many inodes as are needed.
    pub ratio: u32,
    /// Hundredths of the blocks that are reserved for root.
    pub reserved: u32,
    /// Blocks of the journal, if there is one.
    pub journal: u32,
    /// What it has.
    pub features: Features,
}

/// The last group is left out if it has fewer blocks than its own tables and this many more.
const LEAST_GROUP_SPACE: u32 = 50;

/// The position of each structure, in blocks.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// All blocks, with those before the first group.
    pub blocks: u32,
    /// The number of groups.
    pub groups: u32,
    /// Inodes of a group.
    pub inodes_per_group: u32,
    /// Blocks of the groups' descriptors.
    pub descriptor_blocks: u32,
    /// Blocks for descriptors of a larger filesystem.
    pub reserved_blocks: u32,
    /// Blocks of a group's inodes.
    pub table_blocks: u32,
    /// The first block that a group has: 1 where a block holds the boot sector alone.
    pub first: u32,
    /// Blocks of a whole group.
    pub group: u32,
    is_sparse: bool,
}

impl Layout {
    /// The layout of a filesystem of that many bytes.
    pub fn new(bytes: u64, params: &Params<'_>) -> Result<Self> {
        let blocks = u32::try_from(bytes / u64::from(params.block))
            .map_err(|_| Error::new("the filesystem has more than 4294967295 blocks"))?;
        let (first, group) = (u32::from(params.block == 1024), 8 * params.block);
        let mut layout = Self {
            blocks,
            groups: blocks.saturating_sub(first).div_ceil(group).max(1),
            inodes_per_group: 0,
            descriptor_blocks: 0,
            reserved_blocks: 0,
            table_blocks: 0,
            first,
            group,
            is_sparse: params.features.has(Features::SPARSE_SUPER),
        };
        layout.size_tables(params);
        let last = layout.groups - 1;
        if last > 0 && blocks - layout.start(last) < layout.overhead(last) + LEAST_GROUP_SPACE {
            layout.groups = last;
            layout.blocks = layout.start(last);
            layout.size_tables(params);
        }
        if layout.inodes_per_group > 8 * params.block {
            return Err(Error::new("too many inodes"));
        }
        // Not only the last one: the others may have more copies.
        let is_full = |group| layout.group_blocks(group) <= layout.overhead(group) + 2;
        if (0..layout.groups).any(is_full) || layout.inodes() <= LOST_FOUND {
            return Err(Error::new(match layout.groups {
                1 => "the filesystem is too small",
                _ => "no blocks are left beside the tables: use larger blocks",
            }));
        }
        Ok(layout)
    }

    fn size_tables(&mut self, params: &Params<'_>) {
        let usual = (u64::from(self.blocks) * u64::from(params.block)).checked_div(params.ratio.into()).unwrap_or(0);
        // A bitmap is a block.
        let most = u64::from(self.groups) * u64::from(8 * params.block);
        let inodes = usual.min(most).max(params.inodes.into());
        // Whole blocks of the inode table, and whole bytes of its bitmap.
        let per_block = params.block / params.inode;
        let per_group = inodes.div_ceil(self.groups.into()).next_multiple_of(per_block.max(8).into());
        self.inodes_per_group = u32::try_from(per_group).unwrap_or(u32::MAX);
        self.descriptor_blocks = (self.groups * 32).div_ceil(params.block);
        self.table_blocks = self.inodes_per_group / per_block;
        if params.features.has(Features::RESIZE) {
            // As mke2fs(8) does: for 1024 times as many blocks, as far as one block of pointers reaches.
            let blocks = u64::from(self.blocks) * 1024;
            let groups = blocks.min(u32::MAX.into()).div_ceil(self.group.into());
            let descriptors = (groups as u32).div_ceil(params.block / 32);
            self.reserved_blocks = descriptors.saturating_sub(self.descriptor_blocks).min(params.block / 4);
        }
    }

    /// The first block of a group.
    pub fn start(&self, group: u32) -> u32 {
        self.first + group * self.group
    }

    /// Whether a group holds copies of the superblock and the descriptors. sparse_super: groups 0, 1 and the powers of 3,
    /// 5 and 7.
    pub fn has_superblock(&self, group: u32) -> bool {
        let power_of = |base: u32| {
            let mut n = group;
            while n > 1 && n.is_multiple_of(base) {
                n /= base;
            }
            n == 1
        };
        !self.is_sparse || group <= 1 || power_of(3) || power_of(5) || power_of(7)
    }

    /// First block of a group's block bitmap.
    pub fn bitmap_at(&self, group: u32) -> u32 {
        let copies = if self.has_superblock(group) { 1 + self.descriptor_blocks + self.reserved_blocks } else { 0 };
        self.start(group) + copies
    }

    /// The blocks at a group's start that no file has.
    pub fn overhead(&self, group: u32) -> u32 {
        self.bitmap_at(group) - self.start(group) + 2 + self.table_blocks
    }

    /// The blocks of a group.
    pub fn group_blocks(&self, group: u32) -> u32 {
        self.blocks.saturating_sub(self.start(group)).min(self.group)
    }

    /// All inodes.
    pub fn inodes(&self) -> u32 {
        self.inodes_per_group.saturating_mul(self.groups)
    }

    /// The blocks for files.
    pub fn free(&self) -> u32 {
        let own: u32 = (0..self.groups).map(|group| self.overhead(group)).sum();
        self.blocks - self.first - own
    }

    /// Whether a block is one of a group's own.
    pub fn is_overhead(&self, block: u32) -> bool {
        let Some(from) = block.checked_sub(self.first) else { return true };
        from % self.group < self.overhead(from / self.group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn superblocks_are_in_groups_of_three_powers() {
        let params = Params {
            label: b"",
            mounted: b"",
            uuid: [0; 16],
            time: 0,
            block: 1024,
            inode: 128,
            inodes: 0,
            ratio: 4096,
            reserved: 5,
            journal: 0,
            features: Features::SPARSE_SUPER,
        };
        let layout = Layout::new(64 << 20, &params).expect("it fits");
        let with: Vec<u32> = (0..130).filter(|&group| layout.has_superblock(group)).collect();
        assert_eq!(with, [0, 1, 3, 5, 7, 9, 25, 27, 49, 81, 125]);
        assert_eq!((layout.groups, layout.inodes(), layout.overhead(0), layout.overhead(2)), (8, 16384, 260, 258));
        assert!(Layout::new(20 << 10, &params).is_err());
        assert!(Layout::new(1 << 50, &params).is_err());
        // No block at all, and descriptors that fill more than a group.
        assert!(Layout::new(0, &params).is_err() && Layout::new(3 << 40, &params).is_err());
    }
}
