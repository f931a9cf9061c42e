//! Writes an ext4 filesystem from a manifest in one go: no loop device, no mount, no privilege, the same bytes each time.
//!
//! Format: Documentation/filesystems/ext4 of the kernel. Blocks of 4096 bytes, inodes of 256, groups of 32768 blocks; a journal,
//! extents, file types in directories. 64bit, flex_bg, checksums, hashed directories and space for growth are left out; none is
//! required.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, ensure};

use crate::manifest::{Kind, Manifest, Node};

const BLOCK: usize = 4096;
const INODE: usize = 256;
const GROUP_BLOCKS: u32 = 32768;
/// 4 MiB: the smallest journal that e2fsprogs makes and e2fsck accepts.
const JOURNAL_BLOCKS: u32 = 1024;
const ROOT_INODE: u32 = 2;
const JOURNAL_INODE: u32 = 8;
const LOST_FOUND_INODE: u32 = 11;
/// i_flags: the file is mapped by extents.
const EXTENTS_FLAG: u32 = 0x8_0000;
/// The last group is left out if it has fewer blocks than its own tables and this many more.
const LEAST_GROUP_SPACE: u32 = 50;

/// What the filesystem is called and when it was made.
pub struct Params<'a> {
    /// At most 16 bytes.
    pub label: &'a str,
    pub uuid: [u8; 16],
    /// Seconds since 1970, for every time stamp; below 2^31.
    pub time: u32,
}

/// A run of blocks of one file: (first block within the file, first block of the disk, number of blocks).
type Extent = (u32, u32, u32);

/// An entry of a directory: name, inode, type.
type Entry<'a> = (&'a [u8], u32, u8);

/// The position of each structure.
struct Layout {
    blocks: u32,
    groups: u32,
    inodes_per_group: u32,
    descriptor_blocks: u32,
    table_blocks: u32,
}

impl Layout {
    fn new(bytes: u64, inodes_needed: u32) -> Result<Self> {
        let blocks = u32::try_from(bytes / BLOCK as u64).context("filesystem past 16 TiB")?;
        let mut layout = Self {
            blocks,
            groups: blocks.div_ceil(GROUP_BLOCKS).max(1),
            inodes_per_group: 0,
            descriptor_blocks: 0,
            table_blocks: 0,
        };
        layout.size_tables(inodes_needed);
        let last = layout.groups - 1;
        let space = layout.blocks - last * GROUP_BLOCKS;
        if last > 0 && space < layout.overhead(last) + LEAST_GROUP_SPACE {
            layout.groups = last;
            layout.blocks = last * GROUP_BLOCKS;
            layout.size_tables(inodes_needed);
        }
        ensure!(
            layout.inodes_per_group <= 8 * BLOCK as u32
                && layout.group_blocks(layout.groups - 1) > layout.overhead(layout.groups - 1) + 2,
            "the filesystem is too small"
        );
        Ok(layout)
    }

    fn size_tables(&mut self, inodes_needed: u32) {
        let usual = (u64::from(self.blocks) * BLOCK as u64 / 16384) as u32;
        let inodes = usual.max(inodes_needed);
        // Whole blocks of the inode table: 16 inodes each.
        self.inodes_per_group = inodes.div_ceil(self.groups).next_multiple_of(16);
        self.descriptor_blocks = (self.groups * 32).div_ceil(BLOCK as u32);
        self.table_blocks = self.inodes_per_group / (BLOCK / INODE) as u32;
    }

    /// sparse_super: groups 0, 1 and the powers of 3, 5 and 7 hold copies of the superblock and the descriptors.
    fn has_superblock(group: u32) -> bool {
        let power_of = |base: u32| {
            let mut n = group;
            while n > 1 && n.is_multiple_of(base) {
                n /= base;
            }
            n == 1
        };
        group <= 1 || power_of(3) || power_of(5) || power_of(7)
    }

    /// First block of a group's block bitmap.
    fn bitmap_at(&self, group: u32) -> u32 {
        let copies = if Self::has_superblock(group) { 1 + self.descriptor_blocks } else { 0 };
        group * GROUP_BLOCKS + copies
    }

    fn overhead(&self, group: u32) -> u32 {
        self.bitmap_at(group) - group * GROUP_BLOCKS + 2 + self.table_blocks
    }

    fn group_blocks(&self, group: u32) -> u32 {
        (self.blocks - group * GROUP_BLOCKS).min(GROUP_BLOCKS)
    }

    fn inodes(&self) -> u32 {
        self.inodes_per_group * self.groups
    }
}

/// The filesystem while it is being written.
struct Writer<'a> {
    file: &'a File,
    /// Where in the file it begins, in bytes.
    start: u64,
    layout: Layout,
    params: &'a Params<'a>,
    used: Vec<bool>,
    next_block: u32,
    inodes: BTreeMap<u32, [u8; INODE]>,
    directories_in_group: Vec<u32>,
}

/// Writes the tree into `bytes` bytes of `file` at `start`; the file must read as zeros there. Returns the bytes in use.
pub fn write(file: &File, start: u64, bytes: u64, tree: &Manifest, params: &Params) -> Result<u64> {
    ensure!(params.label.len() <= 16, "{}: a label has at most 16 bytes", params.label);
    ensure!(params.time < 1 << 31, "the time stamp is past 2038");
    let needed = u32::try_from(tree.len())? + LOST_FOUND_INODE + 1;
    let layout = Layout::new(bytes, needed)?;
    let mut used = vec![false; layout.blocks as usize];
    for group in 0..layout.groups {
        let first = (group * GROUP_BLOCKS) as usize;
        used[first..first + layout.overhead(group) as usize].fill(true);
    }
    let mut writer = Writer {
        file,
        start,
        directories_in_group: vec![0; layout.groups as usize],
        layout,
        params,
        used,
        next_block: 0,
        inodes: BTreeMap::new(),
    };
    writer.write_journal()?;
    writer.write_tree(tree)?;
    writer.write_groups()
}

impl Writer<'_> {
    /// Writes at a block; a block of zeros is left as a hole.
    fn write_block(&self, block: u32, bytes: &[u8]) -> Result<()> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        let at = self.start + u64::from(block) * BLOCK as u64;
        self.file.write_all_at(bytes, at).context("image")
    }

    /// Takes the next `count` free blocks, in as few runs as the group tables between them allow.
    fn allocate(&mut self, count: u32) -> Result<Vec<Extent>> {
        let mut extents: Vec<Extent> = Vec::new();
        for logical in 0..count {
            while self.used.get(self.next_block as usize) == Some(&true) {
                self.next_block += 1;
            }
            ensure!(
                self.next_block < self.layout.blocks,
                "the tree does not fit into the filesystem: give a larger --size"
            );
            let block = self.next_block;
            self.used[block as usize] = true;
            match extents.last_mut() {
                Some((_, first, length)) if *first + *length == block && *length < 32768 => {
                    *length += 1;
                }
                _ => extents.push((logical, block, 1)),
            }
        }
        // i_block holds four extents; a tree of them is not needed below 500 MB.
        ensure!(extents.len() <= 4, "a file is too large for the image");
        Ok(extents)
    }

    /// Writes a file's contents and returns their extents.
    fn store(&mut self, bytes: &[u8]) -> Result<Vec<Extent>> {
        let count = u32::try_from(bytes.len().div_ceil(BLOCK))?;
        let extents = self.allocate(count)?;
        for (logical, first, length) in &extents {
            let from = *logical as usize * BLOCK;
            let to = bytes.len().min(from + *length as usize * BLOCK);
            for (index, part) in bytes[from..to].chunks(16 * BLOCK).enumerate() {
                self.write_block(first + index as u32 * 16, part)?;
            }
        }
        Ok(extents)
    }

    /// The journal: all zeros but its superblock, which is big-endian.
    fn write_journal(&mut self) -> Result<()> {
        let extents = self.allocate(JOURNAL_BLOCKS)?;
        let mut head = vec![0; BLOCK];
        let fields = [
            (0x00, 0xc03b_3998),    // magic
            (0x04, 4),              // superblock, version 2
            (0x0c, BLOCK as u32),   // block size
            (0x10, JOURNAL_BLOCKS), // length
            (0x14, 1),              // first block of the log
            (0x18, 1),              // first commit expected
            (0x40, 1),              // number of users
        ];
        for (at, value) in fields {
            head[at..at + 4].copy_from_slice(&u32::to_be_bytes(value));
        }
        head[0x30..0x40].copy_from_slice(&self.params.uuid);
        self.write_block(extents[0].1, &head)?;
        let node = Node::new(Kind::File(Vec::new()), 0o600);
        let size = u64::from(JOURNAL_BLOCKS) * BLOCK as u64;
        self.put_inode(JOURNAL_INODE, &node, size, 1, &extents);
        Ok(())
    }

    /// Numbers every path, then writes contents and inodes in the order of the paths.
    fn write_tree(&mut self, tree: &Manifest) -> Result<()> {
        let mut numbers: BTreeMap<&[u8], u32> = BTreeMap::new();
        let mut children: BTreeMap<&[u8], Vec<Entry>> = BTreeMap::new();
        let mut next = LOST_FOUND_INODE + 1;
        for (path, node) in tree.iter() {
            if path.is_empty() {
                numbers.insert(path, ROOT_INODE);
                continue;
            }
            let number = if path == b"lost+found" {
                LOST_FOUND_INODE
            } else {
                next += 1;
                next - 1
            };
            numbers.insert(path, number);
            let (parent, name) = split(path);
            let entry = (name, number, directory_type(node));
            children.entry(parent).or_default().push(entry);
        }
        let lost_found = Node::new(Kind::Directory, 0o700);
        let mut nodes: Vec<(&[u8], &Node)> = tree.iter().collect();
        if !numbers.contains_key(b"lost+found".as_slice()) {
            numbers.insert(b"lost+found", LOST_FOUND_INODE);
            let entry = (b"lost+found".as_slice(), LOST_FOUND_INODE, 2);
            children.entry(b"").or_default().push(entry);
            nodes.push((b"lost+found", &lost_found));
        }
        for (path, node) in nodes {
            let number = numbers[path];
            if node.kind == Kind::Directory {
                let inside = children.remove(path).unwrap_or_default();
                self.write_directory(number, numbers[split(path).0], node, &inside)?;
            } else {
                self.write_node(number, node)?;
            }
        }
        Ok(())
    }

    fn write_directory(&mut self, number: u32, parent: u32, node: &Node, inside: &[Entry]) -> Result<()> {
        let mut entries: Vec<Entry> = vec![(b".", number, 2), (b"..", parent, 2)];
        entries.extend(inside);
        let bytes = directory_blocks(&entries);
        let extents = self.store(&bytes)?;
        let directories = inside.iter().filter(|(_, _, kind)| *kind == 2).count();
        // dir_nlink: a count past 65000 is written as 1.
        let links = u16::try_from(directories + 2).ok().filter(|count| *count < 65000).unwrap_or(1);
        self.put_inode(number, node, bytes.len() as u64, links, &extents);
        let group = (number - 1) / self.layout.inodes_per_group;
        self.directories_in_group[group as usize] += 1;
        Ok(())
    }

    fn write_node(&mut self, number: u32, node: &Node) -> Result<()> {
        match &node.kind {
            // The inode itself has a short target.
            Kind::Symlink(target) if target.len() < 60 => {
                self.put_inode(number, node, target.len() as u64, 1, &[]);
                self.set_block_area(number, target);
            }
            Kind::Symlink(bytes) | Kind::File(bytes) => {
                let long_target = matches!(node.kind, Kind::Symlink(_)) && bytes.len() >= BLOCK;
                ensure!(!long_target, "a symbolic link's target is too long");
                let extents = self.store(bytes)?;
                self.put_inode(number, node, bytes.len() as u64, 1, &extents);
            }
            Kind::Character(major, minor) | Kind::Block(major, minor) => {
                self.put_inode(number, node, 0, 1, &[]);
                // The old encoding, for numbers below 256.
                self.set_block_area(number, &(major << 8 | minor).to_le_bytes());
            }
            Kind::Fifo | Kind::Directory => {
                self.put_inode(number, node, 0, 1, &[]);
                self.set_block_area(number, &[]);
            }
        }
        Ok(())
    }

    /// Fills an inode that is mapped by extents.
    fn put_inode(&mut self, number: u32, node: &Node, size: u64, links: u16, extents: &[Extent]) {
        let mut raw = [0; INODE];
        let time = self.params.time;
        let sectors: u32 = extents.iter().map(|(_, _, length)| length * 8).sum();
        put16(&mut raw, 0x00, (node.type_bits() | node.mode) as u16);
        put16(&mut raw, 0x02, node.uid as u16);
        put32(&mut raw, 0x04, size as u32);
        for at in [0x08, 0x0c, 0x10, 0x90] {
            put32(&mut raw, at, time); // access, change, modification, creation
        }
        put16(&mut raw, 0x18, node.gid as u16);
        put16(&mut raw, 0x1a, links);
        put32(&mut raw, 0x1c, sectors);
        put32(&mut raw, 0x20, EXTENTS_FLAG);
        put16(&mut raw, 0x28, 0xf30a); // extent header: magic, entries, most entries, depth
        put16(&mut raw, 0x2a, extents.len() as u16);
        put16(&mut raw, 0x2c, 4);
        for (index, (logical, first, length)) in extents.iter().enumerate() {
            let at = 0x34 + index * 12;
            put32(&mut raw, at, *logical);
            put16(&mut raw, at + 4, *length as u16);
            put32(&mut raw, at + 8, *first);
        }
        put32(&mut raw, 0x6c, (size >> 32) as u32);
        put16(&mut raw, 0x78, (node.uid >> 16) as u16);
        put16(&mut raw, 0x7a, (node.gid >> 16) as u16);
        put16(&mut raw, 0x80, 32); // extra size
        self.inodes.insert(number, raw);
    }

    /// Replaces an inode's extents by plain bytes: a short link target or a device number.
    fn set_block_area(&mut self, number: u32, bytes: &[u8]) {
        if let Some(raw) = self.inodes.get_mut(&number) {
            put32(raw, 0x20, 0);
            raw[0x28..0x64].fill(0);
            raw[0x28..0x28 + bytes.len()].copy_from_slice(bytes);
        }
    }

    /// Writes bitmaps, inode tables, descriptors and superblocks; returns the bytes in use.
    fn write_groups(&mut self) -> Result<u64> {
        let mut descriptors = vec![0; self.layout.descriptor_blocks as usize * BLOCK];
        let (mut free_blocks, mut free_inodes) = (0, 0);
        for group in 0..self.layout.groups {
            let (blocks, inodes) = self.write_group(group, &mut descriptors)?;
            free_blocks += blocks;
            free_inodes += inodes;
        }
        for group in (0..self.layout.groups).filter(|group| Layout::has_superblock(*group)) {
            let superblock = self.superblock(group, free_blocks, free_inodes);
            let first = group * GROUP_BLOCKS;
            let mut block = vec![0; BLOCK];
            // The first 1024 bytes of the filesystem belong to a boot loader.
            let at = if group == 0 { 1024 } else { 0 };
            block[at..at + 1024].copy_from_slice(&superblock);
            self.write_block(first, &block)?;
            self.write_block(first + 1, &descriptors)?;
        }
        Ok(u64::from(self.layout.blocks - free_blocks) * BLOCK as u64)
    }

    /// Writes one group's bitmaps and inode table and fills its descriptor; returns its free blocks and inodes.
    fn write_group(&self, group: u32, descriptors: &mut [u8]) -> Result<(u32, u32)> {
        let layout = &self.layout;
        let first = group * GROUP_BLOCKS;
        let mut block_map = vec![0xff; BLOCK];
        let mut free_blocks = 0;
        for index in 0..layout.group_blocks(group) {
            if !self.used[(first + index) as usize] {
                block_map[index as usize / 8] &= !(1 << (index % 8));
                free_blocks += 1;
            }
        }
        let mut inode_map = vec![0xff; BLOCK];
        let mut table = vec![0; layout.table_blocks as usize * BLOCK];
        let mut free_inodes = 0;
        for index in 0..layout.inodes_per_group {
            let number = group * layout.inodes_per_group + index + 1;
            if let Some(raw) = self.inodes.get(&number) {
                table[index as usize * INODE..][..INODE].copy_from_slice(raw);
            } else if number >= LOST_FOUND_INODE {
                // Those below are reserved, used or not.
                inode_map[index as usize / 8] &= !(1 << (index % 8));
                free_inodes += 1;
            }
        }
        let bitmap = layout.bitmap_at(group);
        self.write_block(bitmap, &block_map)?;
        self.write_block(bitmap + 1, &inode_map)?;
        for (index, part) in table.chunks(BLOCK).enumerate() {
            self.write_block(bitmap + 2 + index as u32, part)?;
        }
        let raw = &mut descriptors[group as usize * 32..][..32];
        put32(raw, 0, bitmap);
        put32(raw, 4, bitmap + 1);
        put32(raw, 8, bitmap + 2);
        put16(raw, 12, free_blocks as u16);
        put16(raw, 14, free_inodes as u16);
        put16(raw, 16, self.directories_in_group[group as usize] as u16);
        put16(raw, 18, 4); // the inode table is zeroed
        Ok((free_blocks, free_inodes))
    }

    fn superblock(&self, group: u32, free_blocks: u32, free_inodes: u32) -> Vec<u8> {
        let (layout, time) = (&self.layout, self.params.time);
        let mut raw = vec![0; 1024];
        let words = [
            (0, layout.inodes()),
            (4, layout.blocks),
            (8, layout.blocks / 100), // reserved for root
            (12, free_blocks),
            (16, free_inodes),
            (24, 2), // block size: 1024 << 2
            (28, 2), // cluster size, the same
            (32, GROUP_BLOCKS),
            (36, GROUP_BLOCKS),
            (40, layout.inodes_per_group),
            (48, time), // last write
            (64, time), // last check
            (76, 1),    // revision: inode size and features are in the superblock
            (84, LOST_FOUND_INODE),
            (92, 0x4 | 0x8),                // has_journal, ext_attr
            (96, 0x2 | 0x40),               // filetype, extents
            (100, 0x1 | 0x2 | 0x20 | 0x40), // sparse_super, large_file, dir_nlink, extra_isize
            (224, JOURNAL_INODE),
            (256, 0xc), // default mount options: user_xattr, acl
            (264, time),
            (352, 1), // signed directory hash
        ];
        for (at, value) in words {
            put32(&mut raw, at, value);
        }
        let halves = [
            (54, 0xffff), // no forced check after so many mounts
            (56, 0xef53),
            (58, 1), // clean
            (60, 1), // on errors: continue
            (88, INODE as u16),
            (90, group as u16),
            (348, 32),
            (350, 32),
        ];
        for (at, value) in halves {
            put16(&mut raw, at, value);
        }
        raw[104..120].copy_from_slice(&self.params.uuid);
        raw[120..120 + self.params.label.len()].copy_from_slice(self.params.label.as_bytes());
        raw[236..252].copy_from_slice(&self.params.uuid); // hash seed
        raw[252] = 1; // half MD4
        raw[253] = 1; // the journal's i_block is backed up below
        let journal = &self.inodes[&JOURNAL_INODE];
        raw[268..328].copy_from_slice(&journal[0x28..0x64]);
        raw[328..332].copy_from_slice(&journal[0x6c..0x70]);
        raw[332..336].copy_from_slice(&journal[0x04..0x08]);
        raw
    }
}

/// A path's directory and its last part.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

/// The file type in a directory entry.
fn directory_type(node: &Node) -> u8 {
    match node.kind {
        Kind::File(_) => 1,
        Kind::Directory => 2,
        Kind::Character(..) => 3,
        Kind::Block(..) => 4,
        Kind::Fifo => 5,
        Kind::Symlink(_) => 7,
    }
}

/// Linear directory blocks: no entry crosses a block, the last one of a block reaches its end.
fn directory_blocks(entries: &[Entry]) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    let mut last = 0;
    for (name, number, kind) in entries {
        let length = (8 + name.len()).next_multiple_of(4);
        let space = bytes.len().next_multiple_of(BLOCK) - bytes.len();
        if space < length {
            lengthen_last(&mut bytes, last, space);
        }
        last = bytes.len();
        bytes.extend(number.to_le_bytes());
        bytes.extend((length as u16).to_le_bytes());
        bytes.extend([name.len() as u8, *kind]);
        bytes.extend(*name);
        bytes.resize(last + length, 0);
    }
    let space = bytes.len().next_multiple_of(BLOCK) - bytes.len();
    lengthen_last(&mut bytes, last, space);
    bytes
}

/// Lengthens the entry at `last`, the last one, by `space` bytes.
fn lengthen_last(bytes: &mut Vec<u8>, last: usize, space: usize) {
    if space > 0 {
        let length = bytes.len() - last + space;
        put16(bytes, last + 4, length as u16);
        bytes.resize(last + length, 0);
    }
}

fn put16(raw: &mut [u8], at: usize, value: u16) {
    raw[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

fn put32(raw: &mut [u8], at: usize, value: u32) {
    raw[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::process::Command;

    const PARAMS: Params = Params { label: "test", uuid: [7; 16], time: 1_700_000_000 };

    fn image(name: &str, bytes: u64, tree: &Manifest) -> PathBuf {
        let path = std::env::temp_dir().join(format!("rbox-ext4-{name}-{}", std::process::id()));
        let file = File::create(&path).unwrap();
        file.set_len(bytes).unwrap();
        write(&file, 0, bytes, tree, &PARAMS).unwrap();
        path
    }

    /// Runs e2fsck if the machine has it.
    fn check(path: &PathBuf) {
        if let Some(tool) = crate::tools::find("e2fsck") {
            let output = Command::new(tool).arg("-fn").arg(path).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{text}");
            assert!(!text.contains("? no"), "{text}");
        }
    }

    fn debugfs(path: &PathBuf, request: &str) -> Option<Vec<u8>> {
        let tool = crate::tools::find("debugfs")?;
        let output = Command::new(tool).arg("-R").arg(request).arg(path).output();
        Some(output.unwrap().stdout)
    }

    fn varied_tree() -> Manifest {
        let mut tree = Manifest::new();
        for size in [0, 1, 4095, 4096, 4097, 70_000] {
            let bytes = (0..size).map(|n| (n % 251) as u8 + 1).collect();
            tree.put(format!("files/{size}").as_bytes(), Node::new(Kind::File(bytes), 0o644)).unwrap();
        }
        for length in [1, 59, 60, 61, 255] {
            let node = Node::new(Kind::Symlink(vec![b't'; length]), 0o777);
            tree.put(format!("links/{length}").as_bytes(), node).unwrap();
        }
        for number in 0..2000 {
            let name = format!("many/entry-with-a-longer-name-{number}");
            let node = Node::new(Kind::Symlink(b"/bin/rbox".to_vec()), 0o777);
            tree.put(name.as_bytes(), node).unwrap();
        }
        tree.apply_table(
            "c /dev/null 0666 0 0 1 3\nb /dev/sda 0660 0 6 8 0\np /dev/fifo 0600 70000 70000\nd /tmp 1777 0 0\n",
        )
        .unwrap();
        tree
    }

    #[test]
    fn sizes_links_devices_and_large_directories_are_clean() {
        let tree = varied_tree();
        let path = image("varied", 64 << 20, &tree);
        check(&path);
        if let Some(bytes) = debugfs(&path, "cat /files/4097") {
            let Kind::File(expected) = &tree.get(b"files/4097").unwrap().kind else {
                panic!("not a file");
            };
            assert_eq!(&bytes, expected);
            let text = String::from_utf8(debugfs(&path, "stat /dev/fifo").unwrap()).unwrap();
            assert!(text.contains("Type: FIFO") && text.contains("User: 70000"), "{text}");
            let text = String::from_utf8(debugfs(&path, "stat /dev/null").unwrap()).unwrap();
            assert!(text.contains("Device major/minor number: 01:03"), "{text}");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_file_across_groups_and_a_short_last_group_are_clean() {
        let mut tree = varied_tree();
        let large = Node::new(Kind::File(vec![0x5a; 130 << 20]), 0o644);
        tree.put(b"large", large).unwrap();
        for bytes in [300 << 20, (256 << 20) + (100 << 10), (256 << 20) + (8 << 20)] {
            let path = image("groups", bytes, &tree);
            check(&path);
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn an_empty_tree_fits_into_six_mebibytes() {
        let path = image("small", 6 << 20, &Manifest::new());
        check(&path);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_tree_that_does_not_fit_is_an_error() {
        let mut tree = Manifest::new();
        tree.put(b"f", Node::new(Kind::File(vec![1; 8 << 20]), 0o644)).unwrap();
        let path = std::env::temp_dir().join(format!("rbox-ext4-full-{}", std::process::id()));
        let file = File::create(&path).unwrap();
        for bytes in [0, 4096, 1 << 20, 8 << 20] {
            assert!(write(&file, 0, bytes, &tree, &PARAMS).is_err());
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn superblocks_lie_in_groups_of_three_powers() {
        let with: Vec<u32> = (0..130).filter(|g| Layout::has_superblock(*g)).collect();
        assert_eq!(with, [0, 1, 3, 5, 7, 9, 25, 27, 49, 81, 125]);
    }
}
