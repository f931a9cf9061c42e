//! A map of files by device and inode, at a constant cost however many there are.

/// What identifies a file: the ID of its device and its inode number.
pub type FileId = (u64, u64);

/// A map from files to values; with `()` for values, a set.
#[derive(Debug)]
pub struct FileIds<T = ()> {
    /// Open addressing with linear probing; the length is 0 or a power of two, and at least a quarter is free.
    slots: Vec<Option<(FileId, T)>>,
    count: usize,
}

impl<T> Default for FileIds<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), count: 0 }
    }
}

impl<T> FileIds<T> {
    /// The value of a file.
    pub fn get(&self, id: FileId) -> Option<&T> {
        if self.slots.is_empty() {
            return None;
        }
        self.slots[self.find(id)].as_ref().map(|(_, value)| value)
    }

    /// Adds a file; false, with nothing changed, when it is there already.
    pub fn insert(&mut self, id: FileId, value: T) -> bool {
        if self.count >= self.slots.len() / 4 * 3 {
            let length = (self.slots.len() * 2).max(16);
            let old = core::mem::take(&mut self.slots);
            self.slots.resize_with(length, || None);
            for (id, value) in old.into_iter().flatten() {
                let at = self.find(id);
                self.slots[at] = Some((id, value));
            }
        }
        let at = self.find(id);
        let is_new = self.slots[at].is_none();
        if is_new {
            self.slots[at] = Some((id, value));
            self.count += 1;
        }
        is_new
    }

    /// The slot of a file, or the free one where it belongs.
    fn find(&self, id: FileId) -> usize {
        // Inodes are small numbers in a row: the golden ratio spreads them over the upper bits (Knuth, TAOCP 6.4).
        let hash = (id.1 ^ id.0.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mask = self.slots.len() - 1;
        let mut at = (hash >> 32) as usize & mask;
        while self.slots[at].as_ref().is_some_and(|(known, _)| *known != id) {
            at = (at + 1) & mask;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_one_value() {
        let mut ids = FileIds::default();
        assert_eq!(ids.get((1, 1)), None);
        for inode in 0..10_000 {
            assert!(ids.insert((inode % 3, inode), inode));
            assert!(!ids.insert((inode % 3, inode), 0));
        }
        for inode in 0..10_000 {
            assert_eq!(ids.get((inode % 3, inode)), Some(&inode));
            assert_eq!(ids.get((inode % 3 + 1, inode)), None);
        }
    }
}
