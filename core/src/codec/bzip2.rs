//! bzip2: decoded by `rbox_codecs::bzip2`, encoded by libbz2-rs.

use bzip2::{Action, Compress, Compression, Status};
use rbox_codecs::bzip2::{Bits, Block, GROUP_MAX, HEADER_MAX};

use super::{corrupted, peek, read_array, truncated, wrong_checksum};
use crate::error::{Error, Result};
use crate::hash::crc::Crc;
use crate::io::{CHUNK, Input, Output};

/// What a block and the end of a stream begin with: the digits of pi and of its square root.
const BLOCK: u64 = 0x3141_5926_5359;
const END: u64 = 0x1772_4538_5090;

/// A decoder of one stream, with at most 4 MB of memory.
pub struct Reader {
    block: Block,
    crc: Crc,
    /// The CRC that the header of the block has, and that of all blocks.
    expected: u32,
    combined: u32,
    /// How many bits of the next byte have been read.
    bit: usize,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Between,
    InBlock,
    Ended,
}

impl Reader {
    /// Reads the header of the stream.
    pub fn new(input: &mut Input) -> Result<Self> {
        let [b'B', b'Z', b'h', level @ b'1'..=b'9'] = read_array(input)? else {
            return Err(Error::new("invalid magic"));
        };
        let block = Block::new((level - b'0').into());
        Ok(Self { block, crc: Crc::bzip2(), expected: 0, combined: 0, bit: 0, state: State::Between })
    }

    /// Decodes up to `into.len()` bytes; 0 means the end of the stream, whose CRCs are right.
    pub fn decode(&mut self, input: &mut Input, into: &mut [u8]) -> Result<usize> {
        while !into.is_empty() {
            match self.state {
                State::Ended => break,
                State::Between => self.begin(input)?,
                State::InBlock => {
                    let count = self.block.write(into);
                    if count > 0 {
                        self.crc.update(&into[..count]);
                        return Ok(count);
                    }
                    if self.crc.take_bzip2() != self.expected {
                        return Err(wrong_checksum());
                    }
                    self.combined = self.combined.rotate_left(1) ^ self.expected;
                    self.state = State::Between;
                }
            }
        }
        Ok(0)
    }

    /// Reads a block or the end of the stream.
    fn begin(&mut self, input: &mut Input) -> Result<()> {
        let content = peek(input, HEADER_MAX)?;
        let mut bits = Bits::new(content, self.bit);
        let magic = bits.read(48);
        self.expected = bits.read(32) as u32;
        match magic {
            BLOCK => self.block.read_header(&mut bits),
            END => Ok(()),
            _ => Err(rbox_codecs::Corrupted),
        }
        .map_err(|_| if bits.is_past_end() { truncated() } else { corrupted() })?;
        if bits.is_past_end() {
            return Err(truncated());
        }
        let at = bits.at;
        if magic == END {
            // The rest of the last byte has no meaning.
            input.consume(at.div_ceil(8));
            self.state = State::Ended;
            return if self.expected == self.combined { Ok(()) } else { Err(wrong_checksum()) };
        }
        self.pass(input, at);
        self.read_symbols(input)?;
        self.state = State::InBlock;
        self.block.invert().map_err(|_| corrupted())
    }

    fn read_symbols(&mut self, input: &mut Input) -> Result<()> {
        loop {
            let content = peek(input, GROUP_MAX + 8)?;
            let is_last = content.len() < GROUP_MAX + 8;
            let mut bits = Bits::new(content, self.bit);
            let read = self.block.read_symbols(&mut bits, is_last);
            if bits.is_past_end() {
                return Err(truncated());
            }
            let at = bits.at;
            self.pass(input, at);
            if read.map_err(|_| corrupted())? {
                return Ok(());
            }
        }
    }

    /// Passes over the bits before `at`.
    fn pass(&mut self, input: &mut Input, at: usize) {
        input.consume(at / 8);
        self.bit = at % 8;
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
