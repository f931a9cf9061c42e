//! Writes inodes, directories, the journal, and at last the groups' tables.
//!
//! Blocks are allocated in ascending order and never freed: the blocks in use are those below the next one, and the groups'
//! own.

use std::collections::BTreeMap;

use super::{Features, JOURNAL, LOST_FOUND, Layout, Params, RESIZE};
use crate::block::{Image, put};
use crate::error::{Error, Result};

/// i_flags: the file is mapped by extents.
const EXTENTS_FLAG: u64 = 0x8_0000;

/// A run of blocks of one file: (first block within the file, first block of the disk, number of blocks).
type Extent = (u32, u32, u32);

/// An entry of a directory: name, inode, type.
pub type Entry<'a> = (&'a [u8], u32, u8);

/// The attributes of an inode.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Type and permissions, as st_mode has them.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Names that lead to it.
    pub links: u16,
}

/// What an inode has.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// Data, in blocks.
    Data(&'a [u8]),
    /// At most 60 bytes in the inode itself, and the size that it states: a short link, a device's number, nothing.
    Inline(&'a [u8], u64),
}

/// The filesystem while it is being written.
pub struct Writer<'a> {
    image: &'a Image,
    /// Where in the image it begins, in bytes.
    start: u64,
    layout: Layout,
    params: &'a Params<'a>,
    next_block: u32,
    inodes: BTreeMap<u32, Vec<u8>>,
    directories: Vec<u16>,
}

impl<'a> Writer<'a> {
    /// Clears the tables of the filesystem at `start` and writes its journal.
    pub fn new(image: &'a Image, start: u64, layout: Layout, params: &'a Params<'a>) -> Result<Self> {
        if params.label.len() > 16 {
            return Err(Error::parts(&[params.label, b": a label has at most 16 bytes"]));
        }
        if params.time >= 1 << 31 {
            return Err(Error::new("the time stamp is past 2038"));
        }
        let directories = vec![0; layout.groups as usize];
        let mut writer = Self { image, start, layout, params, next_block: 0, inodes: BTreeMap::new(), directories };
        for group in 0..layout.groups {
            let first = if group == 0 { 0 } else { layout.start(group) };
            writer.clear(first, layout.start(group) + layout.overhead(group) - first)?;
        }
        if writer.has(Features::JOURNAL) {
            writer.write_journal()?;
        }
        if writer.has(Features::RESIZE) {
            writer.write_resize_inode()?;
        }
        Ok(writer)
    }

    fn has(&self, features: Features) -> bool {
        self.params.features.has(features)
    }

    fn at(&self, block: u32) -> u64 {
        self.start + u64::from(block) * u64::from(self.params.block)
    }

    fn block_size(&self) -> usize {
        self.params.block as usize
    }

    fn clear(&self, block: u32, count: u32) -> Result<()> {
        self.image.clear(self.at(block), u64::from(count) * u64::from(self.params.block))
    }

    /// Writes at a block, which is clear: a block of zeros is left as it is.
    fn write_block(&self, block: u32, bytes: &[u8]) -> Result<()> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        self.image.write(self.at(block), bytes)
    }

    /// Takes the next `count` free blocks, in as few runs as the group tables between them allow, and clears them.
    fn allocate(&mut self, count: u32) -> Result<Vec<Extent>> {
        let mut extents: Vec<Extent> = Vec::new();
        for logical in 0..count {
            while self.next_block < self.layout.blocks && self.layout.is_overhead(self.next_block) {
                self.next_block += 1;
            }
            if self.next_block >= self.layout.blocks {
                return Err(Error::new("the contents do not fit into the filesystem"));
            }
            let block = self.next_block;
            self.next_block += 1;
            match extents.last_mut() {
                Some((_, first, length)) if *first + *length == block && *length < 32768 => *length += 1,
                _ => extents.push((logical, block, 1)),
            }
        }
        for &(_, first, length) in &extents {
            self.clear(first, length)?;
        }
        Ok(extents)
    }

    /// Writes a file's contents and returns their extents.
    fn store(&mut self, content: &[u8]) -> Result<Vec<Extent>> {
        let size = self.block_size();
        let count = u32::try_from(content.len().div_ceil(size)).map_err(|_| Error::new("a file is too large"))?;
        let extents = self.allocate(count)?;
        for (logical, first, length) in &extents {
            let from = *logical as usize * size;
            let to = content.len().min(from + *length as usize * size);
            for (index, part) in content[from..to].chunks(16 * size).enumerate() {
                self.write_block(first + index as u32 * 16, part)?;
            }
        }
        Ok(extents)
    }

    /// The journal: all zeros but its superblock, which is big-endian.
    fn write_journal(&mut self) -> Result<()> {
        let length = self.params.journal;
        let extents = self.allocate(length)?;
        let mut head = vec![0; self.block_size()];
        let fields = [
            (0x00, 0xc03b_3998),       // magic
            (0x04, 4),                 // superblock, version 2
            (0x0c, self.params.block), // block size
            (0x10, length),            // length
            (0x14, 1),                 // first block of the log
            (0x18, 1),                 // first commit expected
            (0x40, 1),                 // number of users
        ];
        for (at, value) in fields {
            head[at..at + 4].copy_from_slice(&u32::to_be_bytes(value));
        }
        head[0x30..0x40].copy_from_slice(&self.params.uuid);
        self.write_block(extents[0].1, &head)?;
        let node = Node { mode: 0o100_600, uid: 0, gid: 0, links: 1 };
        let (map, blocks) = self.map(&extents)?;
        let size = u64::from(length) * u64::from(self.params.block);
        self.put_inode(JOURNAL, node, size, blocks, &map);
        Ok(())
    }

    /// Inode 7 has the blocks that are reserved for descriptors. Its double indirect block has those after the first
    /// superblock; each of them has its copies after the other superblocks.
    fn write_resize_inode(&mut self) -> Result<()> {
        let (layout, size) = (self.layout, self.block_size());
        let pointers = size / 4;
        let copies: Vec<u32> = (1..layout.groups).filter(|&group| layout.has_superblock(group)).collect();
        let double = self.allocate(1)?[0].1;
        let mut block = vec![0; size];
        for index in 0..layout.reserved_blocks {
            let slot = layout.descriptor_blocks + index;
            put(&mut block, slot as usize % pointers * 4, 4, (layout.first + 1 + slot).into());
            let mut below = vec![0; size];
            for (at, &group) in copies.iter().enumerate() {
                put(&mut below, at * 4, 4, (layout.start(group) + 1 + slot).into());
            }
            self.write_block(layout.first + 1 + slot, &below)?;
        }
        self.write_block(double, &block)?;
        let mut map = [0; 60];
        put(&mut map, 13 * 4, 4, double.into());
        let length = (12 + pointers + pointers * pointers) as u64 * size as u64;
        let blocks = 1 + layout.reserved_blocks * (1 + copies.len() as u32);
        let node = Node { mode: 0o100_600, uid: 0, gid: 0, links: 1 };
        self.put_inode(RESIZE, node, length, blocks, &map);
        if !self.has(Features::EXTENTS) {
            return Ok(());
        }
        // This inode is never mapped by extents.
        if let Some(raw) = self.inodes.get_mut(&RESIZE) {
            put(raw, 0x20, 4, 0);
        }
        Ok(())
    }

    /// The bytes by which an inode finds its blocks, and the number of blocks with those of the map itself.
    fn map(&mut self, extents: &[Extent]) -> Result<([u8; 60], u32)> {
        let blocks: u32 = extents.iter().map(|(_, _, length)| length).sum();
        let mut map = [0; 60];
        if !self.has(Features::EXTENTS) {
            let all: Vec<u32> = extents.iter().flat_map(|&(_, first, length)| first..first + length).collect();
            let below = self.map_blocks(&all, &mut map)?;
            return Ok((map, blocks + below));
        }
        let depth = extents.len() > 4;
        let entries = if depth { 1 } else { extents.len() };
        extent_header(&mut map, entries, 4, depth.into());
        if !depth {
            put_extents(&mut map, extents);
            return Ok((map, blocks));
        }
        // One block of extents is enough for 84 groups and more.
        let most = (self.block_size() - 12) / 12;
        if extents.len() > most {
            return Err(Error::new("a file is too large for the filesystem"));
        }
        let leaf = self.allocate(1)?[0].1;
        let mut block = vec![0; self.block_size()];
        extent_header(&mut block, extents.len(), most, 0);
        put_extents(&mut block, extents);
        self.write_block(leaf, &block)?;
        put(&mut map, 16, 4, leaf.into());
        Ok((map, blocks + 1))
    }

    /// ext2's map: twelve blocks, then blocks of blocks, once, twice and three times. Returns the number of these.
    fn map_blocks(&mut self, blocks: &[u32], map: &mut [u8]) -> Result<u32> {
        let (direct, mut rest) = blocks.split_at(blocks.len().min(12));
        direct.iter().enumerate().for_each(|(at, &block)| put(map, at * 4, 4, block.into()));
        let (per, mut count) = (self.block_size() / 4, 0);
        for depth in 0..3 {
            let reach = per.saturating_pow(depth + 1).min(rest.len());
            if reach > 0 {
                let block = self.indirect(&rest[..reach], depth, &mut count)?;
                put(map, (12 + depth as usize) * 4, 4, block.into());
                rest = &rest[reach..];
            }
        }
        if rest.is_empty() { Ok(count) } else { Err(Error::new("a file is too large for the filesystem")) }
    }

    fn indirect(&mut self, blocks: &[u32], depth: u32, count: &mut u32) -> Result<u32> {
        let own = self.allocate(1)?[0].1;
        *count += 1;
        let reach = (self.block_size() / 4).pow(depth);
        let mut content = vec![0; self.block_size()];
        for (at, part) in blocks.chunks(reach).enumerate() {
            let below = if depth == 0 { part[0] } else { self.indirect(part, depth - 1, count)? };
            put(&mut content, at * 4, 4, below.into());
        }
        self.write_block(own, &content)?;
        Ok(own)
    }

    /// Writes a file of any type but a directory.
    pub fn write_node(&mut self, number: u32, node: Node, content: Content<'_>) -> Result<()> {
        match content {
            Content::Data(data) => {
                let extents = self.store(data)?;
                let (map, blocks) = self.map(&extents)?;
                self.put_inode(number, node, data.len() as u64, blocks, &map);
            }
            Content::Inline(area, size) => {
                let mut map = [0; 60];
                map[..area.len()].copy_from_slice(area);
                self.put_inode(number, node, size, 0, &map);
                if let Some(raw) = self.inodes.get_mut(&number) {
                    put(raw, 0x20, 4, 0);
                }
            }
        }
        Ok(())
    }

    /// Writes a directory of at least `least` bytes; its first entries are itself and its parent.
    pub fn write_directory(
        &mut self,
        number: u32,
        parent: u32,
        node: Node,
        inside: &[Entry<'_>],
        least: usize,
    ) -> Result<()> {
        let mut entries: Vec<Entry<'_>> = vec![(b".", number, 2), (b"..", parent, 2)];
        entries.extend(inside);
        let content = directory_blocks(&entries, self.block_size(), self.has(Features::FILE_TYPE), least);
        // dir_nlink: a count past 65000 is written as 1.
        let directories = inside.iter().filter(|(_, _, kind)| *kind == 2).count();
        let links = u16::try_from(directories + 2).ok().filter(|count| *count < 65000).unwrap_or(1);
        self.write_node(number, Node { links, ..node }, Content::Data(&content))?;
        let group = (number - 1) / self.layout.inodes_per_group;
        self.directories[group as usize] += 1;
        Ok(())
    }

    fn put_inode(&mut self, number: u32, node: Node, size: u64, blocks: u32, map: &[u8; 60]) {
        let mut raw = vec![0; self.params.inode as usize];
        let time = u64::from(self.params.time);
        let fields = [
            (0x00, 2, node.mode.into()),
            (0x02, 2, u64::from(node.uid)),
            (0x04, 4, size),
            (0x08, 4, time), // access
            (0x0c, 4, time), // change
            (0x10, 4, time), // modification
            (0x18, 2, u64::from(node.gid)),
            (0x1a, 2, node.links.into()),
            (0x1c, 4, u64::from(blocks) * u64::from(self.params.block / 512)),
            (0x20, 4, if self.has(Features::EXTENTS) { EXTENTS_FLAG } else { 0 }),
            (0x6c, 4, size >> 32),
            (0x78, 2, u64::from(node.uid >> 16)),
            (0x7a, 2, u64::from(node.gid >> 16)),
        ];
        for (at, length, value) in fields {
            put(&mut raw, at, length, value);
        }
        raw[0x28..0x64].copy_from_slice(map);
        if raw.len() > 128 {
            put(&mut raw, 0x80, 2, 32); // extra size
            put(&mut raw, 0x90, 4, time); // creation
        }
        self.inodes.insert(number, raw);
    }

    /// Writes bitmaps, inode tables, descriptors and superblocks; returns the bytes in use.
    pub fn finish(&mut self) -> Result<u64> {
        let layout = self.layout;
        let mut descriptors = vec![0; layout.descriptor_blocks as usize * self.block_size()];
        let (mut free_blocks, mut free_inodes) = (0, 0);
        for group in 0..layout.groups {
            let (blocks, inodes) = self.write_group(group, &mut descriptors)?;
            free_blocks += blocks;
            free_inodes += inodes;
        }
        for group in (0..layout.groups).filter(|group| layout.has_superblock(*group)) {
            let superblock = self.superblock(group, free_blocks, free_inodes);
            let first = layout.start(group);
            // The first 1024 bytes of the filesystem belong to a boot loader.
            let offset = if first == 0 { 1024 } else { 0 };
            self.image.write(self.at(first) + offset, &superblock)?;
            self.write_block(first + 1, &descriptors)?;
        }
        Ok(u64::from(layout.blocks - free_blocks) * u64::from(self.params.block))
    }

    /// Writes one group's bitmaps and inodes and fills its descriptor; returns its free blocks and inodes.
    fn write_group(&self, group: u32, descriptors: &mut [u8]) -> Result<(u32, u32)> {
        let (layout, size) = (&self.layout, self.block_size());
        let (first, blocks) = (layout.start(group), layout.group_blocks(group));
        // Used are the group's own blocks and those below the next one; bits after the last block are set.
        let used = layout.overhead(group).max(self.next_block.saturating_sub(first)).min(blocks);
        let block_map = bitmap(size, used, blocks);
        let first_inode = group * layout.inodes_per_group + 1;
        let own = self.inodes.range(first_inode..first_inode + layout.inodes_per_group);
        // The reserved ones count as used; the others are numbered in order, but a tree may lack `lost+found`.
        let mut inode_map =
            bitmap(size, LOST_FOUND.saturating_sub(first_inode).min(layout.inodes_per_group), layout.inodes_per_group);
        for (&number, raw) in own {
            let index = number - first_inode;
            inode_map[index as usize / 8] |= 1 << (index % 8);
            let at = self.at(layout.bitmap_at(group) + 2) + u64::from(index) * raw.len() as u64;
            self.image.write(at, raw)?;
        }
        let set: u32 = inode_map.iter().map(|byte| byte.count_ones()).sum();
        let free_inodes = 8 * size as u32 - set;
        let bitmap_at = layout.bitmap_at(group);
        self.write_block(bitmap_at, &block_map)?;
        self.write_block(bitmap_at + 1, &inode_map)?;
        let raw = &mut descriptors[group as usize * 32..][..32];
        put(raw, 0, 4, bitmap_at.into());
        put(raw, 4, 4, (bitmap_at + 1).into());
        put(raw, 8, 4, (bitmap_at + 2).into());
        put(raw, 12, 2, (blocks - used).into());
        put(raw, 14, 2, free_inodes.into());
        put(raw, 16, 2, self.directories[group as usize].into());
        put(raw, 18, 2, 4); // the inode table is zeroed
        Ok((blocks - used, free_inodes))
    }

    fn superblock(&self, group: u32, free_blocks: u32, free_inodes: u32) -> Vec<u8> {
        let (layout, params) = (&self.layout, self.params);
        let (time, Features(features)) = (params.time, params.features);
        let mut raw = vec![0; 1024];
        let reserved = u64::from(layout.blocks) * u64::from(params.reserved) / 100;
        let scale = params.block.trailing_zeros() - 10;
        let words = [
            (0, layout.inodes()),
            (4, layout.blocks),
            (8, reserved as u32), // for root
            (12, free_blocks),
            (16, free_inodes),
            (20, layout.first),
            (24, scale), // block size: 1024 << scale
            (28, scale), // cluster size, the same
            (32, layout.group),
            (36, layout.group),
            (40, layout.inodes_per_group),
            (48, time), // last write
            (64, time), // last check
            (76, 1),    // revision: inode size and features are in the superblock
            (84, LOST_FOUND),
            (92, features[0]),
            (96, features[1]),
            (100, features[2]),
            (256, if self.has(Features::ATTRIBUTES) { 0xc } else { 0 }), // default mount options: user_xattr, acl
            (264, time),
            (352, 1), // signed directory hash
        ];
        let extra = if params.inode > 128 { 32 } else { 0 };
        let halves = [
            (54, 0xffff), // no forced check after so many mounts
            (56, 0xef53),
            (58, 1), // clean
            (60, 1), // on errors: continue
            (88, params.inode),
            (90, group),
            (206, layout.reserved_blocks),
            (348, extra),
            (350, extra),
        ];
        words.into_iter().for_each(|(at, value)| put(&mut raw, at, 4, value.into()));
        halves.into_iter().for_each(|(at, value)| put(&mut raw, at, 2, value.into()));
        raw[104..120].copy_from_slice(&params.uuid);
        raw[120..120 + params.label.len()].copy_from_slice(params.label);
        raw[136..136 + params.mounted.len()].copy_from_slice(params.mounted);
        raw[236..252].copy_from_slice(&params.uuid); // hash seed
        raw[252] = 1; // half MD4
        if let Some(journal) = self.inodes.get(&JOURNAL) {
            put(&mut raw, 224, 4, JOURNAL.into());
            raw[253] = 1; // the journal's i_block is backed up below
            raw[268..328].copy_from_slice(&journal[0x28..0x64]);
            raw[328..332].copy_from_slice(&journal[0x6c..0x70]);
            raw[332..336].copy_from_slice(&journal[0x04..0x08]);
        }
        raw
    }
}

/// A bitmap of a block: `used` bits and those from `end` on are set.
fn bitmap(size: usize, used: u32, end: u32) -> Vec<u8> {
    let mut map = vec![0; size];
    let mut set = |from: u32, to: u32| {
        for bit in from..to {
            map[bit as usize / 8] |= 1 << (bit % 8);
        }
    };
    set(0, used);
    set(end, 8 * size as u32);
    map
}

fn extent_header(block: &mut [u8], entries: usize, most: usize, depth: u64) {
    put(block, 0, 2, 0xf30a);
    put(block, 2, 2, entries as u64);
    put(block, 4, 2, most as u64);
    put(block, 6, 2, depth);
}

fn put_extents(block: &mut [u8], extents: &[Extent]) {
    for (index, &(logical, first, length)) in extents.iter().enumerate() {
        let at = 12 + index * 12;
        put(block, at, 4, logical.into());
        put(block, at + 4, 2, length.into());
        put(block, at + 8, 4, first.into());
    }
}

/// Linear directory blocks: no entry crosses a block, the last one of a block reaches its end.
fn directory_blocks(entries: &[Entry<'_>], size: usize, has_types: bool, least: usize) -> Vec<u8> {
    let mut content: Vec<u8> = Vec::new();
    let mut last = 0;
    for (name, number, kind) in entries {
        let length = (8 + name.len()).next_multiple_of(4);
        let space = content.len().next_multiple_of(size) - content.len();
        if space < length {
            lengthen_last(&mut content, last, space);
        }
        last = content.len();
        content.extend_from_slice(&number.to_le_bytes());
        content.extend_from_slice(&(length as u16).to_le_bytes());
        content.extend_from_slice(&[name.len() as u8, if has_types { *kind } else { 0 }]);
        content.extend_from_slice(name);
        content.resize(last + length, 0);
    }
    let space = content.len().next_multiple_of(size) - content.len();
    lengthen_last(&mut content, last, space);
    while content.len() < least {
        last = content.len();
        content.resize(last + size, 0);
        put(&mut content, last + 4, 2, size as u64);
    }
    content
}

/// Lengthens the entry at `last`, the last one, by `space` bytes.
fn lengthen_last(content: &mut Vec<u8>, last: usize, space: usize) {
    if space > 0 {
        let length = content.len() - last + space;
        put(content, last + 4, 2, length as u64);
        content.resize(last + length, 0);
    }
}
