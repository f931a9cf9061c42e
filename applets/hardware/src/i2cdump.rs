//! `i2cdump`: print the registers of an I2C chip.

use super::i2c::{Bus, address, confirm, hex2, number, without_checksums};
use rbox_core::prelude::*;
use rbox_core::sys::i2c::Transaction;
use rbox_core::{push, text};

options! {
    "[-afy] [-r FIRST-LAST] BUS CHIP [MODE]

Print the registers of an I2C chip. MODE: b byte, w word, W word of even registers, s SMBus block,
i I2C block, c consecutive bytes; with p after it, with checksums.

  -a             Addresses 0x00-0x7f, not 0x03-0x77
  -f             Even if a driver has the chip
  -r FIRST-LAST  Only these registers
  -y             Do not ask";
    ALL = "-a",
    FORCE = "-f",
    RANGE = "-r",
    YES = "-y",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(2, 3)?;
    let chip = address(words[1], args.has(ALL))?;
    let mode = words.get(2).copied().unwrap_or(b"b");
    let (mode, checked) = without_checksums(mode);
    if !matches!(mode, b"b" | b"" | b"w" | b"W" | b"s" | b"i" | b"c") {
        return Err(Error::parts(&[b"invalid mode '", words[2], b"'"]));
    }
    let (first, last) = range(args.value(RANGE))?;
    if args.has(RANGE) && mode == b"s" || mode == b"W" && (first % 2 == 1 || last % 2 == 0) {
        return Err(Error::new("this range is not for this mode"));
    }
    let bus = Bus::open(words[0])?;
    bus.choose(chip, args.has(FORCE), checked)?;
    confirm(env, args.has(YES), &text!("read of all registers of ", &bus.path, " chip 0x", hex2(chip as u8)))?;
    let dump = match mode {
        b"w" => word_table(&bus, first, last),
        _ => byte_table(first, last, &registers(&bus, chip, mode, first, last)?),
    };
    env.stdout.write(&dump)?;
    Ok(ExitStatus::SUCCESS)
}

/// The registers from `first` on, as far as they can be read; `None` for one that cannot.
fn registers(bus: &Bus, chip: u16, mode: &[u8], first: u8, last: u8) -> Result<Vec<Option<u8>>> {
    let failed = |errno| bus.error(chip.into(), errno);
    let mut values = Vec::new();
    match mode {
        b"s" => values.extend(bus.read(first, Transaction::Block, 0).map_err(failed)?.into_iter().map(Some)),
        b"i" => {
            while values.len() <= usize::from(last - first) {
                let at = usize::from(first) + values.len();
                let count = (usize::from(last) + 1 - at).min(32);
                let block = bus.read(at as u8, Transaction::I2cBlock, count as u8).map_err(failed)?;
                if block.is_empty() {
                    break;
                }
                values.extend(block.into_iter().map(Some));
            }
        }
        b"W" => {
            for register in (first..=last).step_by(2) {
                match bus.read(register, Transaction::WordData, 0) {
                    Ok(word) => values.extend(word.into_iter().map(Some)),
                    Err(_) => values.extend([None, None]),
                }
            }
        }
        b"c" => {
            bus.write(first, Transaction::Byte, &[]).map_err(failed)?;
            values.extend((first..=last).map(|_| Some(bus.read(0, Transaction::Byte, 0).ok()?[0])));
        }
        _ => values.extend((first..=last).map(|register| Some(bus.read(register, Transaction::ByteData, 0).ok()?[0]))),
    }
    Ok(values)
}

fn range(word: Option<&[u8]>) -> Result<(u8, u8)> {
    let Some(word) = word else { return Ok((0, 255)) };
    let dash =
        word.iter().position(|&byte| byte == b'-').ok_or_else(|| Error::parts(&[b"invalid range '", word, b"'"]))?;
    let first = number(&word[..dash], 0, 255)?;
    Ok((first as u8, number(&word[dash + 1..], first, 255)? as u8))
}

/// Sixteen registers a row, and the same as characters.
fn byte_table(first: u8, last: u8, values: &[Option<u8>]) -> Vec<u8> {
    let mut table = text!("     0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f    0123456789abcdef\n");
    let read = usize::from(first)..usize::from(first) + values.len();
    for row in (first & 0xf0..=last).step_by(16) {
        if usize::from(row) >= read.end {
            break;
        }
        let mut characters = Vec::new();
        push!(table, hex2(row), ":");
        for register in row..=row + 15 {
            let (digits, character) =
                match read.contains(&register.into()).then(|| values[usize::from(register) - read.start]) {
                    None => (text!("  "), b' '),
                    Some(None) => (text!("XX"), b'X'),
                    Some(Some(byte)) => (
                        text!(hex2(byte)),
                        match byte {
                            0 | 0xff => b'.',
                            0x20..0x7f => byte,
                            _ => b'?',
                        },
                    ),
                };
            push!(table, " ", digits);
            characters.push(character);
        }
        push!(table, "    ", characters, "\n");
    }
    table
}

/// Eight words a row; they overlap.
fn word_table(bus: &Bus, first: u8, last: u8) -> Vec<u8> {
    let mut table = text!("     0,8  1,9  2,a  3,b  4,c  5,d  6,e  7,f\n");
    for row in (first & 0xf8..=last).step_by(8) {
        push!(table, hex2(row), ": ");
        for register in row..=row + 7 {
            if !(first..=last).contains(&register) {
                push!(table, "     ");
                continue;
            }
            match bus.read(register, Transaction::WordData, 0) {
                Ok(word) => push!(table, hex2(word[1]), hex2(word[0]), " "),
                Err(_) => push!(table, "XXXX "),
            }
        }
        table.push(b'\n');
    }
    table
}
