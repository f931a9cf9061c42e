//! The files of lzop: a header with checksum and blocks of LZO1X, which `rbox_codecs::lzo` codes. All numbers have the
//! highest byte first.

use adler2::adler32_slice;
use rbox_codecs::lzo;

use super::{Header, corrupted, read_array, read_exact, wrong_checksum};
use crate::bytes::reserve;
use crate::error::{Error, Result};
use crate::hash::crc::Crc;
use crate::io::{Input, Output};

/// What a file begins with.
pub const MAGIC: [u8; 9] = *b"\x89LZO\0\r\n\x1a\n";

// The flags of the header.
const ADLER: u32 = 1;
const ADLER_PACKED: u32 = 2;
const EXTRA: u32 = 0x40;
const CRC: u32 = 0x100;
const CRC_PACKED: u32 = 0x200;
const MULTIPART: u32 = 0x400;
const FILTER: u32 = 0x800;
const HEADER_CRC: u32 = 0x1000;
const UNIX: u32 = 0x0300_0000;

/// The version of lzop from which on headers have all fields.
const FULL_HEADER: u16 = 0x0940;

/// The largest block that lzop makes, and the size of those that are made here, in bytes.
const BLOCK_MAX: usize = 64 << 20;
const BLOCK: usize = 256 << 10;

/// The most bytes that one byte of LZO1X means, rounded up, and those of the shortest code.
const RATIO_MAX: usize = 256;

/// A decoder of one file.
pub struct Reader {
    flags: u32,
    /// Checksums are compared.
    is_checked: bool,
    packed: Vec<u8>,
    /// What has been decoded; `block[start..]` has not been handed out.
    block: Vec<u8>,
    start: usize,
    ended: bool,
}

impl Reader {
    /// Reads the header.
    pub fn new(input: &mut Input, is_checked: bool) -> Result<Self> {
        if read_array(input)? != MAGIC {
            return Err(Error::new("invalid magic"));
        }
        let mut header = Vec::new();
        let version = u16::from_be_bytes(read_more(input, &mut header)?);
        let is_full = version >= FULL_HEADER;
        read_more::<2>(input, &mut header)?;
        if is_full {
            read_more::<2>(input, &mut header)?;
        }
        let [method] = read_more(input, &mut header)?;
        if is_full {
            read_more::<1>(input, &mut header)?;
        }
        let flags = u32::from_be_bytes(read_more(input, &mut header)?);
        if !(1..=3).contains(&method) || flags & (MULTIPART | FILTER) != 0 {
            return Err(Error::new("unsupported method, filter or split file"));
        }
        // The mode and the time.
        read_more::<8>(input, &mut header)?;
        if is_full {
            read_more::<4>(input, &mut header)?;
        }
        let [length] = read_more(input, &mut header)?;
        for _ in 0..length {
            read_more::<1>(input, &mut header)?;
        }
        let sum = if flags & HEADER_CRC != 0 { crc_of(&header) } else { adler32_slice(&header) };
        if sum != read_u32(input)? {
            return Err(wrong_checksum());
        }
        if flags & EXTRA != 0 {
            for _ in 0..u64::from(read_u32(input)?) + 4 {
                read_array::<1>(input)?;
            }
        }
        Ok(Self { flags, is_checked, packed: Vec::new(), block: Vec::new(), start: 0, ended: false })
    }

    /// Decodes up to `into.len()` bytes; 0 means the end of the file.
    pub fn decode(&mut self, input: &mut Input, into: &mut [u8]) -> Result<usize> {
        while self.start == self.block.len() && !self.ended {
            self.read_block(input)?;
        }
        let count = into.len().min(self.block.len() - self.start);
        into[..count].copy_from_slice(&self.block[self.start..self.start + count]);
        self.start += count;
        Ok(count)
    }

    fn read_block(&mut self, input: &mut Input) -> Result<()> {
        (self.start, self.ended) = (0, true);
        self.block.clear();
        let size = read_u32(input)? as usize;
        if size == 0 {
            return Ok(());
        }
        self.ended = false;
        let packed_size = read_u32(input)? as usize;
        if size > BLOCK_MAX || packed_size > size || size > packed_size.saturating_mul(RATIO_MAX) {
            return Err(corrupted());
        }
        let is_packed = packed_size < size;
        let sums = self.read_sums(input, ADLER, CRC)?;
        let packed_sums = if is_packed { self.read_sums(input, ADLER_PACKED, CRC_PACKED)? } else { [None; 2] };
        let into = if is_packed { &mut self.packed } else { &mut self.block };
        read_whole(input, into, packed_size)?;
        if is_packed {
            check(&self.packed, packed_sums)?;
            reserve(&mut self.block, size)?;
            self.block.resize(size, 0);
            lzo::decompress(&self.packed, &mut self.block).map_err(|_| corrupted())?;
        }
        check(&self.block, sums)
    }

    /// Reads the checksums that the flags announce.
    fn read_sums(&self, input: &mut Input, adler: u32, crc: u32) -> Result<[Option<u32>; 2]> {
        let mut sums = [None; 2];
        for (sum, flag) in sums.iter_mut().zip([adler, crc]) {
            if self.flags & flag != 0 {
                *sum = Some(read_u32(input)?).filter(|_| self.is_checked);
            }
        }
        Ok(sums)
    }
}

/// Reads `size` bytes to `into`, which grows with what is there.
fn read_whole(input: &mut Input, into: &mut Vec<u8>, size: usize) -> Result<()> {
    into.clear();
    while into.len() < size {
        let content = input.fill()?;
        let count = content.len().min(size - into.len());
        if count == 0 {
            return Err(super::truncated());
        }
        crate::bytes::append(into, &content[..count])?;
        input.consume(count);
    }
    Ok(())
}

fn check(content: &[u8], [adler, crc]: [Option<u32>; 2]) -> Result<()> {
    let is_wrong =
        adler.is_some_and(|sum| sum != adler32_slice(content)) || crc.is_some_and(|sum| sum != crc_of(content));
    if is_wrong { Err(wrong_checksum()) } else { Ok(()) }
}

fn crc_of(content: &[u8]) -> u32 {
    let mut crc = Crc::gzip();
    crc.update(content);
    crc.finish(0)
}

fn read_u32(input: &mut Input) -> Result<u32> {
    Ok(u32::from_be_bytes(read_array(input)?))
}

/// Reads bytes that the checksum of the header covers.
fn read_more<const N: usize>(input: &mut Input, header: &mut Vec<u8>) -> Result<[u8; N]> {
    let start = header.len();
    header.resize(start + N, 0);
    read_exact(input, &mut header[start..])?;
    let mut bytes = [0; N];
    bytes.copy_from_slice(&header[start..]);
    Ok(bytes)
}

/// An encoder of one file.
pub struct Writer {
    compressor: lzo::Compressor,
    flags: u32,
    block: Vec<u8>,
    packed: Vec<u8>,
}

impl Writer {
    /// Writes the header. Levels from 7 on look for longer matches.
    pub fn new(header: &Header, level: u8, output: &mut Output) -> Result<Self> {
        let flags = match header.checks {
            0 => 0,
            1 => ADLER,
            _ => ADLER | ADLER_PACKED,
        };
        // lzop's names of its methods: LZO1X-1 and LZO1X-999.
        let method = if level < 7 { 1 } else { 3 };
        let mut fields = vec![0x10, 0x30, 0x20, 0xa0, 9, 0x40, method, level];
        fields.extend_from_slice(&(UNIX | flags).to_be_bytes());
        fields.extend_from_slice(&header.mode.to_be_bytes());
        fields.extend_from_slice(&header.modified.to_be_bytes());
        fields.extend_from_slice(&[0; 4]);
        let name = header.name.as_deref().filter(|name| name.len() < 256).unwrap_or_default();
        fields.push(name.len() as u8);
        fields.extend_from_slice(name);
        output.write(&MAGIC)?;
        output.write(&fields)?;
        output.write(&adler32_slice(&fields).to_be_bytes())?;
        let tries = if level < 7 { 1 } else { 1 << (level - 3) };
        Ok(Self { compressor: lzo::Compressor::new(tries), flags, block: Vec::new(), packed: Vec::new() })
    }

    /// Encodes bytes.
    pub fn encode(&mut self, mut content: &[u8], output: &mut Output) -> Result<()> {
        while !content.is_empty() {
            let count = content.len().min(BLOCK - self.block.len());
            self.block.extend_from_slice(&content[..count]);
            content = &content[count..];
            if self.block.len() == BLOCK {
                self.write_block(output)?;
            }
        }
        Ok(())
    }

    fn write_block(&mut self, output: &mut Output) -> Result<()> {
        self.packed.clear();
        self.compressor.compress(&self.block, &mut self.packed);
        let is_packed = self.packed.len() < self.block.len();
        let stored = if is_packed { &self.packed } else { &self.block };
        output.write(&(self.block.len() as u32).to_be_bytes())?;
        output.write(&(stored.len() as u32).to_be_bytes())?;
        if self.flags & ADLER != 0 {
            output.write(&adler32_slice(&self.block).to_be_bytes())?;
        }
        if self.flags & ADLER_PACKED != 0 && is_packed {
            output.write(&adler32_slice(stored).to_be_bytes())?;
        }
        output.write(stored)?;
        self.block.clear();
        Ok(())
    }

    /// Ends the file.
    pub fn finish(mut self, output: &mut Output) -> Result<()> {
        if !self.block.is_empty() {
            self.write_block(output)?;
        }
        output.write(&[0; 4])
    }
}
