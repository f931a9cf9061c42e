//! `i2cget`: read a register of an I2C chip.

use super::i2c::{Bus, address, confirm, hex2, number, without_checksums};
use rbox_core::prelude::*;
use rbox_core::sys::i2c::Transaction;
use rbox_core::{push, text};

options! {
    "[-afy] BUS CHIP [REGISTER [MODE [LENGTH]]]

Read a register of an I2C chip, or its next byte. MODE: b byte, w word, c byte after writing the
register's number, s SMBus block, i I2C block of LENGTH (32) bytes; with p after it, with checksums.

  -a  Addresses 0x00-0x7f, not 0x03-0x77
  -f  Even if a driver has the chip
  -y  Do not ask";
    ALL = "-a",
    FORCE = "-f",
    YES = "-y",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(2, 5)?;
    let chip = address(words[1], args.has(ALL))?;
    let register = words.get(2).map(|word| number(word, 0, 255)).transpose()?;
    let mode = words.get(3).copied().unwrap_or(if register.is_some() { b"b" } else { b"c" });
    let (mode, checked) = without_checksums(mode);
    let length = words.get(4).map_or(Ok(32), |word| number(word, 1, 32))?;
    let kind = match mode {
        b"b" => Transaction::ByteData,
        b"w" => Transaction::WordData,
        b"c" => Transaction::Byte,
        b"s" => Transaction::Block,
        b"i" => Transaction::I2cBlock,
        _ => return Err(Error::parts(&[b"invalid mode '", words[3], b"'"])),
    };
    if words.len() > 4 && kind != Transaction::I2cBlock {
        return Err(Error::usage());
    }
    let bus = Bus::open(words[0])?;
    bus.choose(chip, args.has(FORCE), checked)?;
    confirm(env, args.has(YES), &text!("read of ", &bus.path, " chip 0x", hex2(chip as u8)))?;
    let register = register.map(|register| register as u8);
    if let (Transaction::Byte, Some(register)) = (kind, register) {
        bus.write(register, Transaction::Byte, &[]).map_err(|errno| bus.error(chip.into(), errno))?;
    }
    let bytes = bus.read(register.unwrap_or(0), kind, length as u8).map_err(|errno| bus.error(chip.into(), errno))?;
    let mut line = text!("0x");
    match kind {
        Transaction::WordData => push!(line, hex2(bytes[1]), hex2(bytes[0])),
        _ => {
            for (index, &byte) in bytes.iter().enumerate() {
                push!(line, if index > 0 { " 0x" } else { "" }, hex2(byte));
            }
        }
    }
    line.push(b'\n');
    env.stdout.write(&line)?;
    Ok(ExitStatus::SUCCESS)
}
