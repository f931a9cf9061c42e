//! The binary form of the files of depmod, which kmod reads: a trie of keys.
//!
//! All numbers are of 32 bits, big-endian. The file begins with a magic number, the version, and the offset of the root.
//! A node is its prefix and NUL; the first and the last byte of its children and an offset for each byte between them;
//! the number of values, and for each a priority, its bytes and NUL. The upper bits of an offset say which of the three
//! the node has.

use std::collections::BTreeMap;

const MAGIC: u32 = 0xb007_f457;
const VERSION: u32 = 0x0002_0001;
const HAS_PREFIX: u32 = 0x8000_0000;
const HAS_VALUES: u32 = 0x4000_0000;
const HAS_CHILDREN: u32 = 0x2000_0000;

#[derive(Default)]
pub struct Index {
    prefix: Vec<u8>,
    values: Vec<(u32, Vec<u8>)>,
    children: BTreeMap<u8, Index>,
}

impl Index {
    /// Adds a value; those of one key are ordered by their priority, the smallest first. Keys are ASCII.
    pub fn insert(&mut self, key: &[u8], value: &[u8], priority: u32) {
        let common = rbox_core::bytes::common_prefix(&self.prefix, key);
        if common < self.prefix.len() {
            // The node is split where the keys part.
            let mut below = Self { prefix: self.prefix[common + 1..].to_vec(), ..Self::default() };
            let first = self.prefix[common];
            core::mem::swap(&mut below.values, &mut self.values);
            core::mem::swap(&mut below.children, &mut self.children);
            self.prefix.truncate(common);
            self.children.insert(first, below);
        }
        match key[common..].split_first() {
            None => {
                let at = self.values.partition_point(|(other, _)| *other <= priority);
                self.values.insert(at, (priority, value.to_vec()));
            }
            Some((first, rest)) => match self.children.get_mut(first) {
                Some(child) => child.insert(rest, value, priority),
                None => {
                    let child =
                        Self { prefix: rest.to_vec(), values: vec![(priority, value.to_vec())], ..Self::default() };
                    self.children.insert(*first, child);
                }
            },
        }
    }

    /// The content of the file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = [MAGIC, VERSION, 0].map(u32::to_be_bytes).concat();
        let root = self.write(&mut out);
        out[8..12].copy_from_slice(&root.to_be_bytes());
        out
    }

    /// Writes the children and then the node, and returns its offset.
    fn write(&self, out: &mut Vec<u8>) -> u32 {
        let offsets: Vec<(u8, u32)> = self.children.iter().map(|(first, child)| (*first, child.write(out))).collect();
        let mut offset = out.len() as u32;
        if !self.prefix.is_empty() {
            out.extend_from_slice(&[&self.prefix[..], b"\0"].concat());
            offset |= HAS_PREFIX;
        }
        if let (Some((first, _)), Some((last, _))) = (offsets.first(), offsets.last()) {
            out.extend_from_slice(&[*first, *last]);
            for byte in *first..=*last {
                let child = self.children.contains_key(&byte).then(|| offsets.iter().find(|(first, _)| *first == byte));
                out.extend_from_slice(&child.flatten().map_or(0, |(_, offset)| *offset).to_be_bytes());
            }
            offset |= HAS_CHILDREN;
        }
        if !self.values.is_empty() {
            out.extend_from_slice(&(self.values.len() as u32).to_be_bytes());
            for (priority, value) in &self.values {
                out.extend_from_slice(&[&priority.to_be_bytes()[..], value, b"\0"].concat());
            }
            offset |= HAS_VALUES;
        }
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_split_and_written() {
        let mut index = Index::default();
        index.insert(b"abc", b"1", 7);
        index.insert(b"abd", b"2", 0);
        index.insert(b"ab", b"3", 2);
        index.insert(b"ab", b"4", 1);
        let root = &index.children[&b'a'];
        assert_eq!((root.prefix.as_slice(), root.children.len()), (&b"b"[..], 2));
        assert_eq!(root.values, [(1, b"4".to_vec()), (2, b"3".to_vec())]);
        let bytes = index.bytes();
        assert_eq!(bytes[..8], [0xb0, 0x07, 0xf4, 0x57, 0, 2, 0, 1]);
        // The leaf of `abc`: one value, priority 7.
        assert_eq!(bytes[12..22], [0, 0, 0, 1, 0, 0, 0, 7, b'1', 0]);
    }
}
