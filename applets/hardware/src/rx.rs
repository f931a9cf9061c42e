//! `rx`: receive a file by XMODEM (Ward Christensen's protocol, with CRC-16 and blocks of 1024 bytes).
//!
//! The protocol has no length: what a sender adds to fill its last block stays in the file.

use rbox_core::io::{Output, read};
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, Timespec, poll};
use rbox_core::sys::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rbox_core::sys::{BorrowedFd, Errno, fd};

options! {
    "FILE

Receive FILE by XMODEM from standard input, answering on standard output."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

const SOH: u8 = 1;
const STX: u8 = 2;
const EOT: u8 = 4;
const ACK: u8 = 6;
const NAK: u8 = 0x15;
const CAN: u8 = 0x18;
/// Asks for blocks with a CRC.
const CRC: u8 = b'C';

/// Seconds to wait for the first byte of a block, then for each that follows.
const BLOCK_WAIT: i64 = 10;
const BYTE_WAIT: i64 = 1;
/// Seconds between two requests to begin, and how many of them ask for a CRC.
const START_WAIT: i64 = 3;
const CRC_REQUESTS: u32 = 5;
/// Failures in a row that end the transfer.
const MOST_FAILURES: u32 = 10;

/// The line to the sender.
struct Line<'a> {
    input: BorrowedFd<'a>,
    output: &'a mut Output,
    buffer: Vec<u8>,
    at: usize,
    /// The settings of the terminal that the line was.
    before: Option<Termios>,
}

/// What came from the sender.
enum Received {
    /// A block of that number, whole and right.
    Block(u8, Vec<u8>),
    End,
    /// Nothing in time, or a block that is damaged.
    Damaged,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let [path] = args.operands_between(1, 1)? else { return Err(Error::usage()) };
    let mut file = Output::create(path)?;
    let input = fd::named(0).map_err(|errno| Error::on("standard input", errno))?;
    let mut line = Line { input, output: &mut env.stdout, buffer: Vec::new(), at: 0, before: None };
    line.make_raw();
    let result = receive(&mut line, &mut file);
    if result.is_err() {
        // The sender is told; that it cannot be told as well is no second error.
        let _ = line.answer(CAN).and_then(|()| line.answer(CAN));
    }
    result?;
    file.flush()?;
    Ok(ExitStatus::SUCCESS)
}

fn receive(line: &mut Line<'_>, file: &mut Output) -> Result<()> {
    let (mut expected, mut failures, mut with_crc) = (1u8, 0, true);
    let mut begun = false;
    loop {
        if !begun {
            with_crc = failures < CRC_REQUESTS;
            line.answer(if with_crc { CRC } else { NAK })?;
        }
        match line.block(if begun { BLOCK_WAIT } else { START_WAIT }, with_crc)? {
            Received::End => return line.answer(ACK),
            Received::Block(number, data) if number == expected => {
                file.write(&data)?;
                (begun, failures, expected) = (true, 0, expected.wrapping_add(1));
                line.answer(ACK)?;
            }
            // The sender did not see the answer to the block before.
            Received::Block(number, _) if begun && number == expected.wrapping_sub(1) => line.answer(ACK)?,
            Received::Block(..) => return Err(Error::new("block out of order")),
            Received::Damaged => {
                failures += 1;
                if failures > MOST_FAILURES {
                    return Err(Error::new("too many errors; giving up"));
                }
                if begun {
                    line.answer(NAK)?;
                }
            }
        }
    }
}

impl Line<'_> {
    /// Lets a terminal pass all bytes as they are.
    fn make_raw(&mut self) {
        self.before = tcgetattr(self.input).ok();
        if let Some(mut raw) = self.before.clone() {
            raw.make_raw();
            // A line that keeps its settings fails by its blocks.
            let _ = tcsetattr(self.input, OptionalActions::Flush, &raw);
        }
    }

    fn answer(&mut self, byte: u8) -> Result<()> {
        self.output.push(byte)?;
        self.output.flush()
    }

    /// The next byte, if it comes within so many seconds.
    fn byte(&mut self, seconds: i64) -> Result<Option<u8>> {
        if self.at == self.buffer.len() {
            let limit = Timespec { tv_sec: seconds, tv_nsec: 0 };
            match poll(&mut [PollFd::new(&self.input, PollFlags::IN)], Some(&limit)) {
                Ok(0) | Err(Errno::INTR) => return Ok(None),
                Ok(_) => {}
                Err(errno) => return Err(Error::on("standard input", errno)),
            }
            self.buffer.resize(2048, 0);
            let count = read(self.input, &mut self.buffer).map_err(|errno| Error::on("standard input", errno))?;
            self.buffer.truncate(count);
            self.at = 0;
            if count == 0 {
                return Err(Error::new("the sender has closed the line"));
            }
        }
        self.at += 1;
        Ok(Some(self.buffer[self.at - 1]))
    }

    /// Receives a block; what follows a damaged one is dropped until the line is idle.
    fn block(&mut self, seconds: i64, with_crc: bool) -> Result<Received> {
        let size = match self.byte(seconds)? {
            Some(SOH) => 128,
            Some(STX) => 1024,
            Some(EOT) => return Ok(Received::End),
            Some(CAN) if self.byte(BYTE_WAIT)? == Some(CAN) => return Err(Error::new("the sender has cancelled")),
            None => return Ok(Received::Damaged),
            Some(_) => {
                self.wait_until_idle()?;
                return Ok(Received::Damaged);
            }
        };
        let mut block = Vec::with_capacity(size + 4);
        while block.len() < 2 + size + if with_crc { 2 } else { 1 } {
            match self.byte(BYTE_WAIT)? {
                Some(byte) => block.push(byte),
                None => return Ok(Received::Damaged),
            }
        }
        let (number, data) = (block[0], &block[2..2 + size]);
        let is_right = match block[2 + size..] {
            [high, low] => crc(data) == u16::from_be_bytes([high, low]),
            [sum] => data.iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte)) == sum,
            _ => false,
        };
        if number != !block[1] || !is_right {
            self.wait_until_idle()?;
            return Ok(Received::Damaged);
        }
        Ok(Received::Block(number, data.to_vec()))
    }

    fn wait_until_idle(&mut self) -> Result<()> {
        while self.byte(BYTE_WAIT)?.is_some() {}
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // The terminal took these settings before; when it is gone there is nothing to restore.
            let _ = tcsetattr(self.input, OptionalActions::Drain, before);
        }
    }
}

/// CRC-16 with the polynomial 0x1021, as XMODEM uses it.
fn crc(data: &[u8]) -> u16 {
    data.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_check_value_of_the_crc() {
        assert_eq!(super::crc(b"123456789"), 0x31c3);
    }
}
