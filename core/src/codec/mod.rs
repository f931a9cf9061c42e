//! Codings of bytes: the formats of compressed files, and base64.
//!
//! `Decoder` and `Encoder` have all formats in one form. Both stream: they hold a window of the data, never all of it.
//! `decoded` makes an `Input` of whatever is in an `Input`, for those who read archives.

pub mod base;
mod bzip2;
mod deflate;
mod gzip;
mod lzop;
mod lzw;
mod xz;
mod zstd;

use crate::error::{Error, Result};
use crate::io::{Filter, Input, Output};
use deflate::{Deflate, Inflate};

/// A format of compressed files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 1952.
    Gzip,
    /// RFC 1951 alone, as zip has it. It has no magic.
    Deflate,
    /// bzip2's.
    Bzip2,
    /// The .xz file format 1.1.0.
    Xz,
    /// The format of LZMA Utils, .lzma.
    Lzma,
    /// RFC 8878; there is no encoder.
    Zstd,
    /// compress(1)'s, .Z; there is no encoder.
    Lzw,
    /// lzop's.
    Lzop,
}

/// What the headers of gzip and lzop say of a file.
#[derive(Clone, Debug)]
pub struct Header {
    /// The name without its directories.
    pub name: Option<Vec<u8>>,
    /// When the file was modified last, in seconds since the epoch; 0 is unknown.
    pub modified: u32,
    /// The type and the permissions, as in `st_mode`; only lzop writes them.
    pub mode: u32,
    /// Which checksums lzop writes: 0 none, 1 those of the data, 2 also those of the compressed data.
    pub checks: u8,
}

impl Default for Header {
    fn default() -> Self {
        Self { name: None, modified: 0, mode: 0, checks: 1 }
    }
}

/// What `Format::of` looks at: the most bytes that a magic has.
pub const MAGIC: usize = 13;

impl Format {
    /// The format of data that begin with `start`, of which `MAGIC` bytes count.
    pub fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [0x1f, 0x9d, ..] => Some(Self::Lzw),
            _ if start.starts_with(&lzop::MAGIC) => Some(Self::Lzop),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            _ if is_lzma(start) => Some(Self::Lzma),
            _ => None,
        }
    }

    /// The format of what `input` has next, which stays there.
    pub fn of_input(input: &mut Input) -> Result<Option<Self>> {
        Ok(Self::of(peek(input, MAGIC)?))
    }
}

/// Whether data that begin with `start` can be in the .lzma format, which has no magic: properties below 225, a dictionary
/// of 2^n or 2^n + 2^(n-1) bytes as encoders use, and no length or one below 256 GB. xz(1) looks at the same fields.
fn is_lzma(start: &[u8]) -> bool {
    let Some((&[properties, d0, d1, d2, d3], rest)) = start.split_first_chunk() else { return false };
    let Some(length) = rest.first_chunk() else { return false };
    let dictionary = u32::from_le_bytes([d0, d1, d2, d3]);
    let length = u64::from_le_bytes(*length);
    let is_usual = dictionary == u32::MAX
        || dictionary.is_power_of_two()
        || dictionary % 3 == 0 && (dictionary / 3).is_power_of_two();
    properties < 225 && is_usual && dictionary >= 4096 && (length == u64::MAX || length < 1 << 38)
}

/// An `Input` of the contents of `input`, decoded if they have a known format.
pub fn decoded(mut input: Input) -> Result<Input> {
    match Format::of_input(&mut input)? {
        Some(format) => decoded_as(format, input),
        None => Ok(input),
    }
}

/// An `Input` of the contents of `input`, which has that format.
pub fn decoded_as(format: Format, input: Input) -> Result<Input> {
    let name = input.name().to_vec();
    Ok(Input::from_filter(Box::new(Decoder::new(format, input)), &name))
}

/// A stream of decoded bytes. Members that follow one another are one stream.
pub struct Decoder {
    input: Input,
    format: Format,
    engine: Engine,
    state: State,
    is_checked: bool,
    memory: Option<u64>,
}

/// Where a decoder is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first member.
    Start,
    /// In a member.
    Member,
    /// At the end of the input.
    End,
    /// After the last member, before bytes that are no member.
    Garbage,
}

/// The decoder of the current member.
enum Engine {
    None,
    Gzip(gzip::Reader),
    Deflate(Inflate),
    Bzip2(Box<bzip2::Reader>),
    Xz(xz::Reader),
    Zstd(Box<zstd::Reader>),
    Lzw(lzw::Reader),
    Lzop(lzop::Reader),
}

impl Decoder {
    /// A decoder of what `input` has next.
    pub fn new(format: Format, input: Input) -> Self {
        Self { input, format, engine: Engine::None, state: State::Start, is_checked: true, memory: None }
    }

    /// Decodes up to `into.len()` bytes; 0 means the end. The errors name the input.
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        self.read_members(into).map_err(|error| match error.errno() {
            Some(_) => error,
            None => error.context(self.input.name()),
        })
    }

    fn read_members(&mut self, into: &mut [u8]) -> Result<usize> {
        loop {
            match self.state {
                State::Start => self.begin()?,
                State::Member => {
                    let count = self.decode(into)?;
                    if count > 0 || into.is_empty() {
                        return Ok(count);
                    }
                    self.next_member()?;
                }
                State::End | State::Garbage => return Ok(0),
            }
        }
    }

    /// Reads the header of a member.
    fn begin(&mut self) -> Result<()> {
        self.engine = match self.format {
            Format::Gzip => Engine::Gzip(gzip::Reader::new(&mut self.input)?),
            Format::Deflate => Engine::Deflate(Inflate::new()),
            Format::Bzip2 => Engine::Bzip2(Box::new(bzip2::Reader::new(&mut self.input)?)),
            Format::Xz => Engine::Xz(xz::Reader::xz(self.memory)),
            Format::Lzma => Engine::Xz(xz::Reader::lzma(&mut self.input, self.memory)?),
            Format::Zstd => Engine::Zstd(Box::new(zstd::Reader::new(&mut self.input, self.memory)?)),
            Format::Lzw => Engine::Lzw(lzw::Reader::new(&mut self.input)?),
            Format::Lzop => Engine::Lzop(lzop::Reader::new(&mut self.input, self.is_checked)?),
        };
        self.state = State::Member;
        Ok(())
    }

    fn decode(&mut self, into: &mut [u8]) -> Result<usize> {
        let input = &mut self.input;
        match &mut self.engine {
            Engine::None => Ok(0),
            Engine::Gzip(reader) => reader.decode(input, into),
            Engine::Deflate(inflate) => inflate.decode(input, into),
            Engine::Bzip2(reader) => reader.decode(input, into),
            Engine::Xz(reader) => reader.decode(input, into),
            Engine::Zstd(reader) => reader.decode(input, into),
            Engine::Lzw(reader) => reader.decode(input, into),
            Engine::Lzop(reader) => reader.decode(input, into),
        }
    }

    /// Looks what follows a member: another one, perhaps after zeros that fill a block, the end, or something else.
    fn next_member(&mut self) -> Result<()> {
        self.state = State::End;
        if self.format == Format::Deflate {
            return Ok(());
        }
        loop {
            let content = self.input.fill()?;
            if content.is_empty() {
                return Ok(());
            }
            let zeros = content.iter().take_while(|&&byte| byte == 0).count();
            let is_all = zeros == content.len();
            self.input.consume(zeros);
            if !is_all {
                break;
            }
        }
        if Format::of_input(&mut self.input)? == Some(self.format) {
            return self.begin();
        }
        self.state = State::Garbage;
        Ok(())
    }

    /// What messages call the input.
    pub fn name(&self) -> &[u8] {
        self.input.name()
    }

    /// Whether the members were followed by bytes that are not of the format. Known at the end.
    pub fn has_garbage(&self) -> bool {
        self.state == State::Garbage
    }

    /// The header of the current or last member of gzip's format.
    pub fn gzip_header(&self) -> Option<&Header> {
        match &self.engine {
            Engine::Gzip(reader) => Some(&reader.header),
            _ => None,
        }
    }

    /// The CRC of the last member of gzip's format, once it has been decoded.
    pub fn gzip_checksum(&self) -> Option<u32> {
        match &self.engine {
            Engine::Gzip(reader) => reader.checksum,
            _ => None,
        }
    }

    /// Does not compare lzop's checksums.
    pub fn ignore_checksums(&mut self) {
        self.is_checked = false;
    }

    /// Sets the most bytes of memory that .xz, .lzma and .zst may ask for. It is taken as the data come.
    pub fn limit_memory(&mut self, bytes: u64) {
        self.memory = Some(bytes);
    }

    /// Reads the header of the first member, if that is not done yet.
    pub fn start(&mut self) -> Result<()> {
        self.read(&mut []).map(drop)
    }

    /// The input, at the first byte that was not decoded.
    pub fn into_input(self) -> Input {
        self.input
    }
}

impl Filter for Decoder {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        Decoder::read(self, into)
    }
}

/// A stream of bytes to encode.
pub struct Encoder {
    output: Output,
    engine: Compressor,
}

enum Compressor {
    /// No format: the bytes are written as they are.
    Plain,
    Gzip(gzip::Writer),
    Deflate(Box<Deflate>),
    Bzip2(bzip2::Writer),
    Xz(Box<xz::Writer>),
    Lzma(Box<xz::Alone>),
    Lzop(lzop::Writer),
}

impl Encoder {
    /// An encoder that writes to `output`. `level` is 1 (fast) to 9 (small).
    pub fn new(format: Format, level: u8, output: Output) -> Result<Self> {
        Self::with_header(format, &Header::default(), level, output)
    }

    /// An encoder that changes nothing.
    pub fn plain(output: Output) -> Self {
        Self { output, engine: Compressor::Plain }
    }

    /// An encoder that writes what `header` says, if the format takes it.
    pub fn with_header(format: Format, header: &Header, level: u8, mut output: Output) -> Result<Self> {
        let engine = match format {
            Format::Gzip => Compressor::Gzip(gzip::Writer::new(header, level, &mut output)?),
            Format::Deflate => Compressor::Deflate(Box::new(Deflate::new(level))),
            Format::Bzip2 => Compressor::Bzip2(bzip2::Writer::new(level)),
            Format::Xz => Compressor::Xz(Box::new(xz::Writer::new(level, &mut output)?)),
            Format::Lzma => Compressor::Lzma(Box::new(xz::Alone::new(level)?)),
            Format::Lzop => Compressor::Lzop(lzop::Writer::new(header, level, &mut output)?),
            Format::Zstd | Format::Lzw => return Err(Error::new("there is no compression to this format")),
        };
        Ok(Self { output, engine })
    }

    /// Encodes bytes.
    pub fn write(&mut self, content: &[u8]) -> Result<()> {
        let output = &mut self.output;
        match &mut self.engine {
            Compressor::Plain => output.write(content),
            Compressor::Gzip(writer) => writer.encode(content, output),
            Compressor::Deflate(deflate) => deflate.encode(content, output, false),
            Compressor::Bzip2(writer) => writer.encode(content, output),
            Compressor::Xz(writer) => writer.encode(content, output),
            Compressor::Lzma(writer) => writer.encode(content, output),
            Compressor::Lzop(writer) => writer.encode(content, output),
        }
    }

    /// Writes the end of the format and flushes the output, which it returns.
    pub fn finish(mut self) -> Result<Output> {
        let output = &mut self.output;
        match self.engine {
            Compressor::Plain => {}
            Compressor::Gzip(writer) => writer.finish(output)?,
            Compressor::Deflate(mut deflate) => deflate.encode(&[], output, true)?,
            Compressor::Bzip2(writer) => writer.finish(output)?,
            Compressor::Xz(writer) => writer.finish(output)?,
            Compressor::Lzma(writer) => writer.finish(output)?,
            Compressor::Lzop(writer) => writer.finish(output)?,
        }
        self.output.flush()?;
        Ok(self.output)
    }

    /// The output, where encoding is given up.
    pub fn into_output(self) -> Output {
        self.output
    }
}

/// The next `count` bytes of `input`, or fewer at its end, which stay there.
fn peek(input: &mut Input, count: usize) -> Result<&[u8]> {
    while input.buffered().len() < count && input.fill_more()? {}
    Ok(input.buffered())
}

/// Reads all of `into`.
fn read_exact(input: &mut Input, into: &mut [u8]) -> Result<()> {
    let mut at = 0;
    while at < into.len() {
        match input.read(&mut into[at..])? {
            0 => return Err(truncated()),
            count => at += count,
        }
    }
    Ok(())
}

/// Reads an array of bytes.
fn read_array<const N: usize>(input: &mut Input) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    read_exact(input, &mut bytes)?;
    Ok(bytes)
}

/// The error for an input that ends inside a member.
fn truncated() -> Error {
    Error::new("unexpected end of file")
}

/// The error for data that cannot be.
fn corrupted() -> Error {
    Error::new("corrupted data")
}

/// The error for a wrong checksum.
fn wrong_checksum() -> Error {
    Error::new("crc error")
}

/// Decodes data in a format, and encodes and decodes them where that can be done.
#[cfg(fuzzing)]
pub fn fuzz(format: Format, data: &[u8]) {
    let mut decoder = Decoder::new(format, Input::from_bytes(data.to_vec()));
    let mut buffer = vec![0; 1 << 16];
    // At most 4 MB: a few bytes can stand for gigabytes.
    for _ in 0..64 {
        if !decoder.read(&mut buffer).is_ok_and(|count| count > 0) {
            break;
        }
    }
    if let Ok(mut encoder) = Encoder::new(format, 1 + (data.len() % 9) as u8, Output::memory()) {
        encoder.write(data).expect("memory");
        let encoded = encoder.finish().expect("memory").into_bytes();
        let decoded = decoded_as(format, Input::from_bytes(encoded)).expect("a decoder").read_to_end();
        assert!(decoded.expect("what was encoded") == data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(format: Format, content: &[u8]) -> Vec<u8> {
        let mut encoder = Encoder::new(format, 6, Output::memory()).expect("an encoder");
        for block in content.chunks(1000) {
            encoder.write(block).expect("memory");
        }
        encoder.finish().expect("memory").into_bytes()
    }

    fn decode(content: Vec<u8>) -> Result<Vec<u8>> {
        decoded(Input::from_bytes(content))?.read_to_end()
    }

    /// Bytes that repeat, but not at once.
    fn sample(length: u32) -> Vec<u8> {
        (0..length).flat_map(|at| (at.wrapping_mul(at) >> 7).to_le_bytes()).collect()
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        for format in [Format::Gzip, Format::Bzip2, Format::Xz, Format::Lzop] {
            for length in [0, 1, 1000, 100_000] {
                let content = sample(length);
                assert_eq!(decode(encode(format, &content)).expect("members"), content);
            }
        }
    }

    #[test]
    fn random_data_come_back() {
        let mut random = crate::testing::Random::new(1);
        for _ in 0..200 {
            let mut content = random.bytes(3000);
            // A part of it again, so that there are matches.
            let start = random.below(content.len() + 1);
            content.extend_from_within(start..);
            for format in [Format::Gzip, Format::Deflate, Format::Bzip2, Format::Xz, Format::Lzop] {
                let input = Input::from_bytes(encode(format, &content));
                let mut input = decoded_as(format, input).expect("a decoder");
                assert!(input.read_to_end().expect("what was encoded") == content, "{format:?}");
            }
        }
    }

    #[test]
    fn damaged_data_do_no_harm() {
        let content = sample(500);
        // What zstd -19 and compress make of 40 times two lines, the latter cut off.
        let zstd = b"\x28\xb5\x2f\xfd\x64\xe0\0\x9d\0\0\x60hello\nworld\n\x01\0\xd1\x57\x4b\x12\xcb\x7d\x49\xcd";
        let lzw = b"\x1f\x9d\x90\x68\xca\xb0\x61\xf3\x46\xc1\x9d\x37\x72\xd8\x90\x51\x10\x70\x60\xc1\x83\x09\x17\x36\x24\x68\x10\xa1\x42\x86";
        assert_eq!(decode(zstd.to_vec()).ok(), Some(b"hello\nworld\n".repeat(40)));
        let encoded =
            [Format::Gzip, Format::Bzip2, Format::Xz, Format::Lzop].map(|format| (format, encode(format, &content)));
        let others = [(Format::Zstd, zstd.to_vec()), (Format::Lzw, lzw.to_vec())];
        let mut random = crate::testing::Random::new(2);
        for (format, good) in encoded.iter().chain(&others) {
            for _ in 0..300 {
                let mut damaged = good.clone();
                for _ in 0..=random.below(4) {
                    let at = random.below(damaged.len());
                    damaged[at] = random.below(256) as u8;
                }
                let mut decoder = Decoder::new(*format, Input::from_bytes(damaged));
                let mut buffer = [0; 5000];
                for _ in 0..100 {
                    if !decoder.read(&mut buffer).is_ok_and(|count| count > 0) {
                        break;
                    }
                }
            }
        }
    }

    #[test]
    fn members_follow_one_another_before_garbage() {
        let mut both = encode(Format::Gzip, b"one ");
        both.extend(encode(Format::Gzip, b"two"));
        both.extend([0, 0, 0]);
        let mut decoder = Decoder::new(Format::Gzip, Input::from_bytes(both.clone()));
        let mut buffer = [0; 100];
        assert_eq!(decoder.read(&mut buffer).ok(), Some(4));
        assert_eq!((decoder.read(&mut buffer).ok(), &buffer[..3]), (Some(3), &b"two"[..]));
        assert_eq!((decoder.read(&mut buffer).ok(), decoder.has_garbage()), (Some(0), false));
        both.extend(b"more");
        let mut decoder = Decoder::new(Format::Gzip, Input::from_bytes(both));
        while decoder.read(&mut buffer).expect("members") > 0 {}
        assert!(decoder.has_garbage());
    }

    #[test]
    fn damage_is_reported() {
        for format in [Format::Gzip, Format::Bzip2, Format::Xz, Format::Lzop] {
            let good = encode(format, &sample(1000));
            for length in 13..good.len() {
                assert!(decode(good[..length].to_vec()).is_err(), "{format:?} {length}");
            }
        }
        let mut wrong = encode(Format::Gzip, b"text");
        let at = wrong.len() - 8;
        wrong[at] ^= 1;
        assert_eq!(decode(wrong).expect_err("a wrong CRC").message(), b"standard input: crc error");
    }
}
