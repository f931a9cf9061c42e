//! The members of a gzip file (RFC 1952): a header, a deflate stream, its CRC and its length.

use super::deflate::{Deflate, Inflate};
use super::{Header, corrupted, read_array, wrong_checksum};
use crate::error::{Error, Result};
use crate::hash::crc::Crc;
use crate::io::{Input, Output};

// RFC 1952, 2.3.1: the bits of FLG.
const HEADER_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0xE0;

/// The most bytes of a name that are kept; the rest of a longer one is skipped.
const NAME_MAX: usize = 4096;

/// A decoder of one member.
pub struct Reader {
    /// What its header says.
    pub header: Header,
    inflate: Inflate,
    crc: Option<Crc>,
    length: u64,
    /// The CRC, once the end has been reached.
    pub checksum: Option<u32>,
}

impl Reader {
    /// Reads the header.
    pub fn new(input: &mut Input) -> Result<Self> {
        let [0x1f, 0x8b, method, flags, t0, t1, t2, t3, _, _] = read_array(input)? else {
            return Err(Error::new("invalid magic"));
        };
        if method != 8 {
            return Err(Error::new("unknown compression method"));
        }
        if flags & RESERVED != 0 {
            return Err(corrupted());
        }
        if flags & EXTRA != 0 {
            let length = u16::from_le_bytes(read_array(input)?);
            for _ in 0..length {
                read_array::<1>(input)?;
            }
        }
        let name = if flags & NAME != 0 { Some(read_string(input)?) } else { None };
        if flags & COMMENT != 0 {
            read_string(input)?;
        }
        if flags & HEADER_CRC != 0 {
            read_array::<2>(input)?;
        }
        let header = Header { name, modified: u32::from_le_bytes([t0, t1, t2, t3]), ..Header::default() };
        Ok(Self { header, inflate: Inflate::new(), crc: Some(Crc::gzip()), length: 0, checksum: None })
    }

    /// Decodes up to `into.len()` bytes; 0 means the end of the member, whose CRC and length are right.
    pub fn decode(&mut self, input: &mut Input, into: &mut [u8]) -> Result<usize> {
        let count = self.inflate.decode(input, into)?;
        if let Some(crc) = &mut self.crc {
            crc.update(&into[..count]);
        }
        self.length += count as u64;
        if count == 0
            && !into.is_empty()
            && let Some(crc) = self.crc.take()
        {
            let checksum = crc.finish(0);
            if checksum != u32::from_le_bytes(read_array(input)?) {
                return Err(wrong_checksum());
            }
            self.checksum = Some(checksum);
            if self.length as u32 != u32::from_le_bytes(read_array(input)?) {
                return Err(Error::new("incorrect length"));
            }
        }
        Ok(count)
    }
}

/// Reads bytes that a zero ends.
fn read_string(input: &mut Input) -> Result<Vec<u8>> {
    let mut string = Vec::new();
    loop {
        match read_array(input)? {
            [0] => return Ok(string),
            [byte] if string.len() < NAME_MAX => string.push(byte),
            _ => {}
        }
    }
}

/// An encoder of one member.
pub struct Writer {
    deflate: Deflate,
    crc: Crc,
    length: u64,
}

impl Writer {
    /// Writes the header.
    pub fn new(header: &Header, level: u8, output: &mut Output) -> Result<Self> {
        let flags = if header.name.is_some() { NAME } else { 0 };
        output.write(&[0x1f, 0x8b, 8, flags])?;
        output.write(&header.modified.to_le_bytes())?;
        // XFL says which of the extremes was used; OS 3 is Unix.
        output.write(&[
            if level == 9 {
                2
            } else if level == 1 {
                4
            } else {
                0
            },
            3,
        ])?;
        if let Some(name) = &header.name {
            output.write(name)?;
            output.write(&[0])?;
        }
        Ok(Self { deflate: Deflate::new(level), crc: Crc::gzip(), length: 0 })
    }

    /// Encodes bytes.
    pub fn encode(&mut self, content: &[u8], output: &mut Output) -> Result<()> {
        self.crc.update(content);
        self.length += content.len() as u64;
        self.deflate.encode(content, output, false)
    }

    /// Ends the member.
    pub fn finish(mut self, output: &mut Output) -> Result<()> {
        self.deflate.encode(&[], output, true)?;
        output.write(&self.crc.finish(0).to_le_bytes())?;
        output.write(&(self.length as u32).to_le_bytes())
    }
}
