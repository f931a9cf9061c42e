//! Writes ext2, ext3 and ext4 filesystems: no mount, no privilege, the same bytes for the same parameters.
//!
//! Format: Documentation/filesystems/ext4 of the kernel. 64bit, flex_bg and checksums are left out; none is required.

mod layout;
mod writer;

pub use layout::{Features, Layout, Params};
pub use writer::{Content, Entry, Node, Writer};

/// The root directory's inode.
pub const ROOT: u32 = 2;
/// The inode of `lost+found`, the first that is not reserved.
pub const LOST_FOUND: u32 = 11;
const RESIZE: u32 = 7;
const JOURNAL: u32 = 8;
