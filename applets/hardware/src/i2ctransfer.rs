//! `i2ctransfer`: several I2C messages in one transfer.

use super::i2c::{Bus, address, confirm, hex2, number};
use rbox_core::number::invalid;
use rbox_core::prelude::*;
use rbox_core::sys::i2c::{Message, transfer};
use rbox_core::{push, text};

options! {
    "[-afy] BUS {rLENGTH[@CHIP] | wLENGTH[@CHIP] DATA...}...

Send I2C messages in one transfer, and print what is read. CHIP is needed in the first one only. A
suffix of the last byte of DATA fills the rest: = the same, + one more each, - one less each, p random.

  -a  Addresses 0x00-0x7f, not 0x03-0x77
  -f  Even if a driver has the chip
  -y  Do not ask";
    ALL = "-a",
    FORCE = "-f",
    YES = "-y",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// I2C_RDWR_IOCTL_MAX_MSGS.
const MOST: usize = 42;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(2, usize::MAX)?;
    let mut messages = parse(&words[1..], args.has(ALL))?;
    let bus = Bus::open(words[0])?;
    if !args.has(FORCE) {
        for message in &messages {
            bus.choose(message.address, false, false)?;
        }
    }
    confirm(env, args.has(YES), &text!("transfer of ", messages.len(), " messages on ", &bus.path))?;
    transfer(bus.fd(), &mut messages).map_err(|errno| Error::on(&bus.path, errno))?;
    for message in messages.iter().filter(|message| message.read) {
        let mut line = Vec::new();
        for (index, &byte) in message.data.iter().enumerate() {
            push!(line, if index > 0 { " 0x" } else { "0x" }, hex2(byte));
        }
        line.push(b'\n');
        env.stdout.write(&line)?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// The messages that the words describe.
fn parse(words: &[&[u8]], all: bool) -> Result<Vec<Message>> {
    let mut messages: Vec<Message> = Vec::new();
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        let (read, rest) = match word {
            [b'r', rest @ ..] => (true, rest),
            [b'w', rest @ ..] => (false, rest),
            _ => return Err(Error::parts(&[b"'", word, b"': not rLENGTH or wLENGTH"])),
        };
        let at = rest.iter().position(|&byte| byte == b'@');
        let length = number(&rest[..at.unwrap_or(rest.len())], 0, 0xffff)? as usize;
        let address = match (at, messages.last()) {
            (Some(at), _) => address(&rest[at + 1..], all)?,
            (None, Some(before)) => before.address,
            (None, None) => return Err(Error::parts(&[b"'", word, b"': no chip"])),
        };
        let mut data = if read { vec![0; length] } else { Vec::with_capacity(length) };
        while data.len() < length {
            fill(&mut data, length, words.next().ok_or_else(|| Error::parts(&[b"'", word, b"': not enough data"]))?)?;
        }
        if messages.len() == MOST {
            return Err(Error::new("too many messages"));
        }
        messages.push(Message { address, read, data });
    }
    Ok(messages)
}

/// Adds a byte to the data; up to their end where the word has a suffix.
fn fill(data: &mut Vec<u8>, length: usize, word: &[u8]) -> Result<()> {
    let (suffix, digits) = match word {
        [digits @ .., suffix @ (b'=' | b'+' | b'-' | b'p')] => (Some(*suffix), digits),
        _ => (None, word),
    };
    let mut byte = number(digits, 0, 255).map_err(|_| invalid(word))? as u8;
    data.push(byte);
    while suffix.is_some() && data.len() < length {
        byte = match suffix {
            Some(b'+') => byte.wrapping_add(1),
            Some(b'-') => byte.wrapping_sub(1),
            // A shift register of 8 bits whose sequence has all numbers but 0.
            Some(b'p') => byte >> 1 ^ if byte % 2 == 1 { 0xb8 } else { 0 },
            _ => byte,
        };
        data.push(byte);
    }
    Ok(())
}
