//! The .xz and .lzma formats, by lzma-rust2. What is around the data of an .xz file is written here: the crate's own writer
//! has all filters and is 8 KB larger.

use std::cell::Cell;
use std::rc::Rc;

use lzma_rust2::{Lzma2Options, Lzma2Writer, LzmaOptions, LzmaReader, LzmaWriter, Read, Write, XzReader};

use super::truncated;
use crate::error::{Error, Result};
use crate::hash::crc::Crc;
use crate::io::{Input, Output};
use crate::text;

/// The most bytes of memory that a stream may ask for: four times what `xz -9` asks for.
const MEMORY_MAX: u64 = 256 << 20;

/// A decoder of one stream. Its dictionary grows with the data, up to the size that the header states.
pub struct Reader {
    state: Stream,
    lent: Lent,
    limit: u64,
    ended: bool,
}

enum Stream {
    Xz(Box<XzReader<Lent>>),
    Lzma(Box<LzmaReader<Lent>>),
}

/// The input while the crate's readers, which own what they read from, need it; and its failure, which their error does
/// not hold.
#[derive(Clone, Default)]
struct Lent(Rc<Cell<Option<Loan>>>);

type Loan = (Input, Result<()>);

impl Read for Lent {
    fn read(&mut self, into: &mut [u8]) -> lzma_rust2::Result<usize> {
        let Some((mut input, _)) = self.0.take() else { return Ok(0) };
        let (count, failure) = match input.read(into) {
            Ok(count) => (Ok(count), Ok(())),
            Err(error) => (Err(lzma_rust2::Error::Other("")), Err(error)),
        };
        self.0.set(Some((input, failure)));
        count
    }
}

impl Lent {
    /// Calls `read` while `input` is lent.
    fn with<T>(&self, input: &mut Input, limit: u64, read: impl FnOnce() -> lzma_rust2::Result<T>) -> Result<T> {
        let empty = Input::from_bytes(Vec::new());
        self.0.set(Some((core::mem::replace(input, empty), Ok(()))));
        let result = read();
        if let Some((lent, failure)) = self.0.take() {
            *input = lent;
            failure?;
        }
        result.map_err(|error| describe(error, limit))
    }
}

/// A limit in the unit of the crate.
fn kilobytes(limit: u64) -> u32 {
    u32::try_from(limit >> 10).unwrap_or(u32::MAX)
}

impl Reader {
    /// A decoder of a stream in the .xz format. `limit`: the most bytes of memory that it may ask for.
    pub fn xz(limit: Option<u64>) -> Self {
        let limit = limit.unwrap_or(MEMORY_MAX);
        let lent = Lent::default();
        Self {
            state: Stream::Xz(Box::new(XzReader::new_mem_limit(lent.clone(), false, kilobytes(limit)))),
            lent,
            limit,
            ended: false,
        }
    }

    /// A decoder of a stream in the .lzma format, whose header is read.
    pub fn lzma(input: &mut Input, limit: Option<u64>) -> Result<Self> {
        let limit = limit.unwrap_or(MEMORY_MAX);
        let lent = Lent::default();
        let reader = lent.with(input, limit, || LzmaReader::new_mem_limit(lent.clone(), kilobytes(limit), None))?;
        Ok(Self { state: Stream::Lzma(Box::new(reader)), lent, limit, ended: false })
    }

    /// Decodes up to `into.len()` bytes; 0 means the end of the stream, whose checks are right.
    pub fn decode(&mut self, input: &mut Input, into: &mut [u8]) -> Result<usize> {
        if self.ended || into.is_empty() {
            return Ok(0);
        }
        let state = &mut self.state;
        let count = self.lent.with(input, self.limit, || match state {
            Stream::Xz(reader) => reader.read(into),
            Stream::Lzma(reader) => reader.read(into),
        })?;
        self.ended = count == 0;
        Ok(count)
    }
}

/// The error of the crate as ours.
fn describe(error: lzma_rust2::Error, limit: u64) -> Error {
    match error {
        lzma_rust2::Error::Eof => truncated(),
        lzma_rust2::Error::OutOfMemory(_) => {
            Error::new(text!("it needs more than ", limit >> 20, " MB of memory, or more than there is"))
        }
        lzma_rust2::Error::Unsupported(_) => Error::new("unsupported options"),
        _ => super::corrupted(),
    }
}

/// The error of an encoder.
fn failed(error: lzma_rust2::Error) -> Error {
    describe(error, MEMORY_MAX)
}

// The .xz file format 1.1.0, 2.1: the header and the footer of a stream. The check is a CRC of 32 bits.
const STREAM_MAGIC: &[u8] = b"\xfd7zXZ\0";
const STREAM_FLAGS: [u8; 2] = [0, 1];
const FOOTER_MAGIC: &[u8] = b"YZ";

/// Bytes of the header of a block, and of the check after it.
const BLOCK_HEADER: usize = 12;
const CHECK: usize = 4;

/// An encoder of one stream of one block.
pub struct Writer {
    block: Lzma2Writer<Buffer>,
    crc: Crc,
    length: u64,
    packed: u64,
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
    /// Writes the headers of the stream and of its block, which has xz's preset of that level (0-9).
    pub fn new(level: u8, output: &mut Output) -> Result<Self> {
        let options = Lzma2Options::with_preset(level.into());
        output.write(STREAM_MAGIC)?;
        output.write(&with_crc(&STREAM_FLAGS))?;
        // 3.1: the size in words less one, no sizes, one filter; 5.3.1: LZMA2, whose property is the size of the
        // dictionary, a power of two here.
        let dictionary = 2 * (options.lzma_options.dict_size.ilog2() - 12);
        output.write(&with_crc(&[(BLOCK_HEADER / 4 - 1) as u8, 0, 0x21, 1, dictionary as u8, 0, 0, 0]))?;
        let block = Lzma2Writer::new(Buffer::default(), options);
        Ok(Self { block, crc: Crc::gzip(), length: 0, packed: 0 })
    }

    /// Encodes bytes.
    pub fn encode(&mut self, mut content: &[u8], output: &mut Output) -> Result<()> {
        self.crc.update(content);
        self.length += content.len() as u64;
        while !content.is_empty() {
            let count = self.block.write(content).map_err(failed)?;
            content = &content[count..];
            let buffer = self.block.inner_mut();
            output.write(&buffer.0)?;
            self.packed += buffer.0.len() as u64;
            buffer.0.clear();
        }
        Ok(())
    }

    /// Ends the block, and writes the index and the footer.
    pub fn finish(self, output: &mut Output) -> Result<()> {
        let buffer = self.block.finish().map_err(failed)?;
        output.write(&buffer.0)?;
        let packed = self.packed + buffer.0.len() as u64;
        output.write_repeated(0, filling(packed))?;
        output.write(&self.crc.finish(0).to_le_bytes())?;
        // 4: the indicator, the number of blocks, and the sizes of the one.
        let mut index = vec![0, 1];
        push_number(&mut index, BLOCK_HEADER as u64 + packed + CHECK as u64);
        push_number(&mut index, self.length);
        index.resize(index.len() + filling(index.len() as u64), 0);
        output.write(&with_crc(&index))?;
        let mut footer = ((index.len() / 4) as u32).to_le_bytes().to_vec();
        footer.extend_from_slice(&STREAM_FLAGS);
        let sum = with_crc(&footer);
        output.write(&sum[footer.len()..])?;
        output.write(&footer)?;
        output.write(FOOTER_MAGIC)
    }
}

/// An encoder of a stream in the .lzma format, with a marker at its end.
pub struct Alone(LzmaWriter<Buffer>);

impl Alone {
    /// Encodes with xz's preset of that level (0-9).
    pub fn new(level: u8) -> Result<Self> {
        let options = LzmaOptions::with_preset(level.into());
        LzmaWriter::new_use_header(Buffer::default(), &options, None).map(Self).map_err(failed)
    }

    /// Encodes bytes.
    pub fn encode(&mut self, mut content: &[u8], output: &mut Output) -> Result<()> {
        while !content.is_empty() {
            let count = self.0.write(content).map_err(failed)?;
            content = &content[count..];
            let buffer = self.0.inner_mut();
            output.write(&buffer.0)?;
            buffer.0.clear();
        }
        Ok(())
    }

    /// Ends the stream.
    pub fn finish(self, output: &mut Output) -> Result<()> {
        output.write(&self.0.finish().map_err(failed)?.0)
    }
}

/// How many bytes fill `length` up to a multiple of 4.
fn filling(length: u64) -> usize {
    (length.wrapping_neg() % 4) as usize
}

/// Bytes and their CRC.
fn with_crc(bytes: &[u8]) -> Vec<u8> {
    let mut crc = Crc::gzip();
    crc.update(bytes);
    [bytes, &crc.finish(0).to_le_bytes()].concat()
}

/// 1.2: a number of any length, seven bits a byte, the lowest first.
fn push_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
