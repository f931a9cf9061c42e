//! bzip2, by libbz2-rs.

use bzip2::{Action, Compress, Compression, Decompress, Status};

use super::{corrupted, truncated};
use crate::error::{Error, Result};
use crate::io::{CHUNK, Input, Output};

/// A decoder of one stream, with at most 4 MB of memory.
pub struct Reader {
    state: Decompress,
    ended: bool,
}

impl Reader {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self { state: Decompress::new(false), ended: false }
    }

    /// Decodes up to `into.len()` bytes; 0 means the end of the stream.
    pub fn decode(&mut self, input: &mut Input, into: &mut [u8]) -> Result<usize> {
        while !self.ended && !into.is_empty() {
            let content = input.fill()?;
            let is_end = content.is_empty();
            let before = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(content, into).map_err(|error| match error {
                bzip2::Error::DataMagic => Error::new("invalid magic"),
                _ => corrupted(),
            })?;
            let used = (self.state.total_in() - before.0) as usize;
            let made = (self.state.total_out() - before.1) as usize;
            input.consume(used);
            match status {
                Status::StreamEnd => self.ended = true,
                Status::MemNeeded => return Err(Error::out_of_memory()),
                _ if is_end && made == 0 => return Err(truncated()),
                _ => {}
            }
            if made > 0 {
                return Ok(made);
            }
        }
        Ok(0)
    }
}

/// An encoder of one stream.
pub struct Writer {
    state: Compress,
    buffer: Vec<u8>,
}

impl Writer {
    /// An encoder with blocks of `level` times 100,000 bytes.
    pub fn new(level: u8) -> Self {
        Self { state: Compress::new(Compression::new(level.into()), 0), buffer: vec![0; CHUNK] }
    }

    /// Encodes bytes.
    pub fn encode(&mut self, mut content: &[u8], output: &mut Output) -> Result<()> {
        while !content.is_empty() {
            let before = self.state.total_in();
            self.step(content, output, Action::Run)?;
            content = &content[(self.state.total_in() - before) as usize..];
        }
        Ok(())
    }

    /// Ends the stream.
    pub fn finish(mut self, output: &mut Output) -> Result<()> {
        while self.step(&[], output, Action::Finish)? != Status::StreamEnd {}
        Ok(())
    }

    fn step(&mut self, content: &[u8], output: &mut Output, action: Action) -> Result<Status> {
        let before = self.state.total_out();
        let status = self.state.compress(content, &mut self.buffer, action).map_err(|_| corrupted())?;
        output.write(&self.buffer[..(self.state.total_out() - before) as usize])?;
        Ok(status)
    }
}
