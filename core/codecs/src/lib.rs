//! The loops of the codecs that are rbox's own: bzip2's and zstd's decoders, LZW, LZO and CRCs. A crate of its own for its optimisation level; the formats of
//! files and all reading and writing are in `rbox_core::codec`.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod bzip2;
pub mod crc;
pub mod lzo;
pub mod lzw;
pub mod xxhash;
pub mod zstd;

/// The data are not in the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupted;

/// What the loops return.
pub type Result<T> = core::result::Result<T, Corrupted>;
