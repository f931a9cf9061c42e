//! Writes an ext4 filesystem from a manifest in one go, by `rbox_core::ext4`: no loop device, no mount, no privilege, the same bytes
//! each time.
//!
//! Blocks of 4096 bytes, inodes of 256; a journal, extents, file types in directories. Hashed directories and space for growth are
//! left out; none is required.

use std::collections::BTreeMap;
use std::fs::File;

use anyhow::{Context, Result, anyhow, ensure};
use rbox_core::block::Image;
use rbox_core::error::Error;
use rbox_core::ext4::{self, Content, Entry, Features, LOST_FOUND, Layout, ROOT, Writer};

use crate::manifest::{Kind, Manifest, Node};

const BLOCK: u32 = 4096;
/// 4 MiB: the smallest journal that e2fsprogs makes and e2fsck accepts.
const JOURNAL_BLOCKS: u32 = 1024;
const FEATURES: Features = Features::JOURNAL
    .with(Features::ATTRIBUTES)
    .with(Features::FILE_TYPE)
    .with(Features::EXTENTS)
    .with(Features::SPARSE_SUPER)
    .with(Features::LARGE_FILE)
    .with(Features::MANY_LINKS)
    .with(Features::EXTRA_SIZE);

/// What the filesystem is called and when it was made.
pub struct Params<'a> {
    /// At most 16 bytes.
    pub label: &'a str,
    pub uuid: [u8; 16],
    /// Seconds since 1970, for every time stamp; below 2^31.
    pub time: u32,
}

/// Writes the tree into `bytes` bytes of `file` at `start`. Returns the bytes in use.
pub fn write(file: &File, start: u64, bytes: u64, tree: &Manifest, params: &Params) -> Result<u64> {
    let params = ext4::Params {
        label: params.label.as_bytes(),
        mounted: b"",
        uuid: params.uuid,
        time: params.time,
        block: BLOCK,
        inode: 256,
        inodes: u32::try_from(tree.len())? + LOST_FOUND + 1,
        ratio: 16384,
        reserved: 1,
        journal: JOURNAL_BLOCKS,
        features: FEATURES,
    };
    let image = Image::of(file.try_clone().context("image")?.into(), b"image").map_err(failed)?;
    let layout = Layout::new(bytes, &params).map_err(failed)?;
    let mut writer = Writer::new(&image, start, layout, &params).map_err(failed)?;
    write_tree(&mut writer, tree)?;
    writer.finish().map_err(failed)
}

fn failed(error: Error) -> anyhow::Error {
    anyhow!("{}", String::from_utf8_lossy(error.message()))
}

/// Numbers every path, then writes contents and inodes in the order of the paths.
fn write_tree(writer: &mut Writer, tree: &Manifest) -> Result<()> {
    let mut numbers: BTreeMap<&[u8], u32> = BTreeMap::new();
    let mut children: BTreeMap<&[u8], Vec<Entry>> = BTreeMap::new();
    let mut next = LOST_FOUND + 1;
    for (path, node) in tree.iter() {
        if path.is_empty() {
            numbers.insert(path, ROOT);
            continue;
        }
        let number = if path == b"lost+found" {
            LOST_FOUND
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
        numbers.insert(b"lost+found", LOST_FOUND);
        let entry = (b"lost+found".as_slice(), LOST_FOUND, 2);
        children.entry(b"").or_default().push(entry);
        nodes.push((b"lost+found", &lost_found));
    }
    for (path, node) in nodes {
        let number = numbers[path];
        let attributes = ext4::Node { mode: node.type_bits() | node.mode, uid: node.uid, gid: node.gid, links: 1 };
        if node.kind == Kind::Directory {
            let inside = children.remove(path).unwrap_or_default();
            let parent = numbers[split(path).0];
            writer.write_directory(number, parent, attributes, &inside, 0).map_err(failed)?;
        } else {
            write_node(writer, number, node, attributes)?;
        }
    }
    Ok(())
}

fn write_node(writer: &mut Writer, number: u32, node: &Node, attributes: ext4::Node) -> Result<()> {
    let device;
    let content = match &node.kind {
        // The inode itself has a short target.
        Kind::Symlink(target) if target.len() < 60 => Content::Inline(target, target.len() as u64),
        Kind::Symlink(bytes) | Kind::File(bytes) => {
            let long_target = matches!(node.kind, Kind::Symlink(_)) && bytes.len() >= BLOCK as usize;
            ensure!(!long_target, "a symbolic link's target is too long");
            Content::Data(bytes)
        }
        Kind::Character(major, minor) | Kind::Block(major, minor) => {
            // The old encoding, for numbers below 256.
            device = (major << 8 | minor).to_le_bytes();
            Content::Inline(&device, 0)
        }
        Kind::Fifo | Kind::Directory => Content::Inline(&[], 0),
    };
    writer.write_node(number, attributes, content).map_err(failed)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::process::Command;

    const PARAMS: Params = Params { label: "test", uuid: [7; 16], time: 1_700_000_000 };

    fn image(name: &str, bytes: u64, tree: &Manifest) -> PathBuf {
        let path = std::env::temp_dir().join(format!("rbox-ext4-{name}-{}", std::process::id()));
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
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
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).unwrap();
        for bytes in [0, 4096, 1 << 20, 8 << 20] {
            assert!(write(&file, 0, bytes, &tree, &PARAMS).is_err());
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn the_same_tree_gives_the_same_bytes() {
        let path = image("bytes", 64 << 20, &varied_tree());
        let digest = crate::cache::sha256_file(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        assert_eq!(digest, "8f9bfc980778c07490bc094b0ab2cb4bf26cc4dc43b3c334d28936123745aef1");
    }
}
