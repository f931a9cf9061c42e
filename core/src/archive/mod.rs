//! Archives: their formats, and the one way in which extractors make files.
//!
//! Readers take a stream and never more memory than they name; writers append the bytes of a header to a buffer and leave
//! the data to their caller, so that the host's tool uses them as well.

pub mod ar;
pub mod cpio;
pub mod guard;
pub mod rpm;
pub mod tar;
pub mod zip;

use crate::sys::fs::FileType;
use crate::time::Moment;

/// One file of an archive, without its data.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// The name as the archive has it.
    pub name: Vec<u8>,
    /// Type and permissions, as `st_mode` (inode(7)).
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// Names of both, empty where the archive has none.
    pub user: Vec<u8>,
    /// The group's name.
    pub group: Vec<u8>,
    /// Bytes of data that follow in the archive.
    pub size: u64,
    /// The time of the last change of the data.
    pub modified: Moment,
    /// The time of the last access, where the archive has one.
    pub accessed: Option<Moment>,
    /// The time of the last change of the status, where the archive has one.
    pub changed: Option<Moment>,
    /// What a symbolic link says, or the name of the file that a hard link is to.
    pub target: Vec<u8>,
    /// Whether it is another name of `target`.
    pub is_hard_link: bool,
    /// The number of a device.
    pub device: (u32, u32),
    /// Extended attributes: names with their namespace, and values.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where the data belong in a file with holes.
    pub sparse: Option<Sparse>,
}

/// A file with holes.
#[derive(Clone, Debug, Default)]
pub struct Sparse {
    /// Offset and length of each part that has data, in their order; what is between them is zero.
    pub parts: Vec<(u64, u64)>,
    /// The length of the whole, in bytes.
    pub size: u64,
}

impl Entry {
    /// The type of the file.
    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.mode)
    }

    /// The length of the file, in bytes.
    pub fn length(&self) -> u64 {
        self.sparse.as_ref().map_or(self.size, |sparse| sparse.size)
    }
}
