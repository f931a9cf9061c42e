//! The .xz and .lzma formats, by lzma-rust2.

use lzma_rust2::{Action, LzmaOptions, LzmaStream, LzmaWriter, Status, Write, XzOptions, XzStream, XzWriter};

use super::truncated;
use crate::error::{Error, Result};
use crate::io::{Input, Output};

/// A decoder of one stream. Its dictionary grows with the data, up to the size that the header states.
pub struct Reader {
    state: Stream,
    ended: bool,
}

#[allow(clippy::large_enum_variant, reason = "one of them is made for a file")]
enum Stream {
    Xz(XzStream),
    Lzma(LzmaStream),
}

impl Reader {
    /// A decoder of a stream in the .xz format.
    pub fn xz() -> Self {
        Self { state: Stream::Xz(XzStream::new(false)), ended: false }
    }

    /// A decoder of a stream in the .lzma format.
    pub fn lzma() -> Self {
        Self { state: Stream::Lzma(LzmaStream::new_mem_limit(u32::MAX, None)), ended: false }
    }

    /// Decodes up to `into.len()` bytes; 0 means the end of the stream, whose checks are right.
    pub fn decode(&mut self, input: &mut Input, into: &mut [u8]) -> Result<usize> {
        while !self.ended && !into.is_empty() {
            let content = input.fill()?;
            let is_end = content.is_empty();
            let action = if is_end { Action::Finish } else { Action::Run };
            let step = match &mut self.state {
                Stream::Xz(state) => state.process(content, into, action),
                Stream::Lzma(state) => state.process(content, into, action),
            };
            let step = step.map_err(describe)?;
            input.consume(step.bytes_consumed);
            self.ended = step.status == Status::StreamEnd;
            if step.bytes_produced > 0 {
                return Ok(step.bytes_produced);
            }
            if is_end && !self.ended && step.bytes_consumed == 0 {
                return Err(truncated());
            }
        }
        Ok(0)
    }
}

/// The error of the crate as ours.
fn describe(error: lzma_rust2::Error) -> Error {
    match error {
        lzma_rust2::Error::Eof => truncated(),
        lzma_rust2::Error::OutOfMemory(_) => Error::out_of_memory(),
        lzma_rust2::Error::Unsupported(_) => Error::new("unsupported options"),
        _ => super::corrupted(),
    }
}

/// An encoder of one stream.
pub enum Writer {
    /// In the .xz format.
    Xz(Box<XzWriter<Buffer>>),
    /// In the .lzma format.
    Lzma(Box<LzmaWriter<Buffer>>),
}

/// What was encoded and not written yet.
#[derive(Default)]
pub struct Buffer(Vec<u8>);

impl Write for Buffer {
    fn write(&mut self, content: &[u8]) -> lzma_rust2::Result<usize> {
        crate::bytes::append(&mut self.0, content).map_err(|_| lzma_rust2::Error::OutOfMemory(""))?;
        Ok(content.len())
    }

    fn flush(&mut self) -> lzma_rust2::Result<()> {
        Ok(())
    }
}

impl Writer {
    /// An encoder with xz's preset of that level, in the .xz format or in .lzma's.
    pub fn new(level: u8, is_xz: bool) -> Result<Self> {
        let writer = match is_xz {
            true => XzWriter::new(Buffer::default(), XzOptions::with_preset(level.into()))
                .map(|writer| Self::Xz(Box::new(writer))),
            false => LzmaWriter::new_use_header(Buffer::default(), &LzmaOptions::with_preset(level.into()), None)
                .map(|writer| Self::Lzma(Box::new(writer))),
        };
        writer.map_err(describe)
    }

    /// Encodes bytes.
    pub fn encode(&mut self, mut content: &[u8], output: &mut Output) -> Result<()> {
        while !content.is_empty() {
            let (count, buffer) = match self {
                Self::Xz(writer) => (writer.write(content), writer.inner_mut()),
                Self::Lzma(writer) => (writer.write(content), writer.inner_mut()),
            };
            content = &content[count.map_err(describe)?..];
            output.write(&buffer.0)?;
            buffer.0.clear();
        }
        Ok(())
    }

    /// Ends the stream.
    pub fn finish(self, output: &mut Output) -> Result<()> {
        let buffer = match self {
            Self::Xz(writer) => writer.finish(),
            Self::Lzma(writer) => writer.finish(),
        };
        output.write(&buffer.map_err(describe)?.0)
    }
}
