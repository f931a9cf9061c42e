//! Streams: where an applet reads and writes. A stream is a file descriptor or memory.

mod copy;
mod input;
mod output;
mod records;

pub use copy::{copy, copy_part, copy_range};
pub use input::{Filter, Input, read, read_file};
pub use output::{Output, write_all};
pub use records::Chunk;

/// Bytes moved by one read or write of a stream: large enough that the calls do not show, small enough for the cache.
pub const CHUNK: usize = 64 * 1024;
