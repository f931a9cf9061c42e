//! Deflate (RFC 1951), by miniz_oxide.

use miniz_oxide::deflate::core as deflate;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core as inflate;

use super::{corrupted, truncated};
use crate::error::Result;
use crate::io::{CHUNK, Input, Output};
use crate::sys::alloc;

/// A decoder of one stream.
pub struct Inflate {
    state: Box<inflate::DecompressorOxide>,
    /// What was decoded last, in a ring; `window[start..end]` has not been handed out.
    window: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl Inflate {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self { state: Box::default(), window: Vec::new(), start: 0, end: 0, ended: false }
    }

    /// Decodes up to `into.len()` bytes; 0 means the end of the stream.
    pub fn decode(&mut self, input: &mut Input, into: &mut [u8]) -> Result<usize> {
        while self.start == self.end && !self.ended {
            self.fill(input)?;
        }
        let count = into.len().min(self.end - self.start);
        into[..count].copy_from_slice(&self.window[self.start..self.start + count]);
        self.start += count;
        Ok(count)
    }

    /// Decodes more into the window.
    fn fill(&mut self, input: &mut Input) -> Result<()> {
        if self.window.is_empty() {
            // A power of two, at least the 32 KB that a distance reaches.
            self.window = alloc::zeroed(CHUNK).ok_or_else(crate::error::Error::out_of_memory)?;
        }
        let at = self.end % self.window.len();
        let content = input.fill()?;
        let flags = if content.is_empty() { 0 } else { inflate::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT };
        let (status, used, made) = inflate::decompress(&mut self.state, content, &mut self.window, at, flags);
        input.consume(used);
        (self.start, self.end) = (at, at + made);
        match status {
            TINFLStatus::Done => self.ended = true,
            TINFLStatus::NeedsMoreInput | TINFLStatus::HasMoreOutput => {}
            TINFLStatus::FailedCannotMakeProgress => return Err(truncated()),
            _ => return Err(corrupted()),
        }
        Ok(())
    }
}

/// For each level how many earlier occurrences are tried, and whether the first match is taken: each level is faster than
/// that of GNU's gzip, and within 0.3 % of its size or below.
const PROBES: [u16; 10] = [0, 6 | GREEDY, 10 | GREEDY, 20 | GREEDY, 16, 32, 64, 128, 256, 1500];
const GREEDY: u16 = deflate::deflate_flags::TDEFL_GREEDY_PARSING_FLAG as u16;

/// An encoder of one stream.
pub struct Deflate {
    state: Box<deflate::CompressorOxide>,
    buffer: Vec<u8>,
}

impl Deflate {
    /// An encoder with a level from 1 to 9.
    pub fn new(level: u8) -> Self {
        let flags = PROBES[usize::from(level.clamp(1, 9))].into();
        Self { state: Box::new(deflate::CompressorOxide::new(flags)), buffer: vec![0; CHUNK] }
    }

    /// Encodes bytes; `is_last` ends the stream.
    pub fn encode(&mut self, mut content: &[u8], output: &mut Output, is_last: bool) -> Result<()> {
        let flush = if is_last { deflate::TDEFLFlush::Finish } else { deflate::TDEFLFlush::None };
        loop {
            let (status, used, made) = deflate::compress(&mut self.state, content, &mut self.buffer, flush);
            output.write(&self.buffer[..made])?;
            content = &content[used..];
            match status {
                deflate::TDEFLStatus::Okay if content.is_empty() && !is_last && made < self.buffer.len() => {
                    return Ok(());
                }
                deflate::TDEFLStatus::Okay => {}
                deflate::TDEFLStatus::Done => return Ok(()),
                _ => return Err(corrupted()),
            }
        }
    }
}
