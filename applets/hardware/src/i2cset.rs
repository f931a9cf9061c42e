//! `i2cset`: write a register of an I2C chip.

use super::i2c::{Bus, address, confirm, hex2, number, without_checksums};
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::sys::i2c::Transaction;
use rbox_core::text;
use rbox_core::text::{Hex, Right};

options! {
    "[-afry] [-m MASK] BUS CHIP REGISTER [VALUE]... [MODE]

Write a register of an I2C chip. MODE: c the register's number alone, b byte, w word, s SMBus block,
i I2C block; with p after it, with checksums.

  -a       Addresses 0x00-0x7f, not 0x03-0x77
  -f       Even if a driver has the chip
  -m MASK  Write only the bits of MASK, keep the others
  -r       Read back and compare
  -y       Do not ask";
    ALL = "-a",
    FORCE = "-f",
    MASK = "-m",
    READ_BACK = "-r",
    YES = "-y",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    // A register, 32 bytes of a block and a mode.
    let words = args.operands_between(3, 36)?;
    let chip = address(words[1], args.has(ALL))?;
    let register = number(words[2], 0, 255)? as u8;
    let (kind, checked, values) = mode(&words[3..])?;
    let most = if kind == Transaction::WordData { 0xffff } else { 0xff };
    let mask = args.value(MASK).map(|mask| number(mask, 1, most)).transpose()?;
    let block = matches!(kind, Transaction::Block | Transaction::I2cBlock);
    if block && mask.is_some() {
        return Err(Error::new("-m is for a byte or a word"));
    }
    let mut bytes = Vec::new();
    for value in values {
        let value = number(value, 0, most)? as u16;
        bytes.extend_from_slice(&value.to_le_bytes()[..if kind == Transaction::WordData { 2 } else { 1 }]);
    }
    let bus = Bus::open(words[0])?;
    bus.choose(chip, args.has(FORCE), checked)?;
    let failed = |errno: Errno| bus.error(chip.into(), errno);
    if let Some(mask) = mask {
        let old = bus.read(register, kind, 0).map_err(failed)?;
        for ((byte, old), mask) in bytes.iter_mut().zip(old).zip(mask.to_le_bytes()) {
            *byte = *byte & mask | old & !mask;
        }
    }
    let what = text!("write to ", &bus.path, " chip 0x", hex2(chip as u8), " register 0x", hex2(register));
    confirm(env, args.has(YES), &what)?;
    bus.write(register, kind, &bytes).map_err(failed)?;
    if args.has(READ_BACK) {
        let kept = bus.read(register, kind, bytes.len() as u8).map_err(failed)?;
        if kept != bytes {
            return Err(Error::new(text!("0x", value(&bytes), " was written, 0x", value(&kept), " was read back")));
        }
        env.stdout.write(&text!("0x", value(&bytes), " was written and read back\n"))?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// The kind of transaction, whether it has checksums, and the words before the mode.
fn mode<'a>(words: &'a [&'a [u8]]) -> Result<(Transaction, bool, &'a [&'a [u8]])> {
    let (mode, values) = match words.split_last() {
        Some((last, values)) if !last.first().is_some_and(u8::is_ascii_digit) => (*last, values),
        None => (&b"c"[..], words),
        _ => (&b"b"[..], words),
    };
    let (plain, checked) = without_checksums(mode);
    let (kind, counts) = match plain {
        b"c" | b"" if values.is_empty() => (Transaction::Byte, 0..=0),
        b"b" | b"" => (Transaction::ByteData, 1..=1),
        b"w" => (Transaction::WordData, 1..=1),
        b"s" => (Transaction::Block, 1..=32),
        b"i" => (Transaction::I2cBlock, 1..=32),
        _ => return Err(Error::parts(&[b"invalid mode '", mode, b"'"])),
    };
    if counts.contains(&values.len()) { Ok((kind, checked, values)) } else { Err(Error::usage()) }
}

/// The bytes as one number, the lowest first.
fn value(bytes: &[u8]) -> Right<Hex> {
    let number = bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
    Right(Hex(number), 2, b'0')
}
