//! The input in blocks, and what the formats print of each.

use rbox_core::escape::{control_name, octal};
use rbox_core::io::Input;
use rbox_core::prelude::*;

use super::format::{Format, Kind, Part, Unit};

/// The names of the control characters, as `%_u` prints them.
const NAMES: &[u8] =
    b"nulsohstxetxeotenqackbelbs ht lf vt ff cr so si dledc1dc2dc3dc4naksynetbcanem subescfs gs rs us ";

pub struct Dump {
    formats: Vec<Format>,
    /// Print equal blocks too.
    all: bool,
    /// Bytes that are still to be skipped, and those to be read then.
    skip: u64,
    left: u64,
    /// The bytes that all formats read of the input at a time.
    size: usize,
    /// The offset of the block.
    offset: u64,
    /// What has been read of a block.
    block: Vec<u8>,
    before: Vec<u8>,
    starred: bool,
    out: Vec<u8>,
    /// Whether the tables of the parts are made.
    has_tables: bool,
}

/// From so many bytes on tables save more time than they take to make.
const MANY: usize = 1 << 14;

impl Dump {
    pub fn new(mut formats: Vec<Format>, all: bool, skip: u64, left: u64) -> Dump {
        let size = formats.iter().map(|format| format.size).max().unwrap_or(0);
        formats.iter_mut().for_each(|format| format.fill(size));
        let (block, before, out) = (Vec::new(), Vec::new(), Vec::new());
        Dump { formats, all, skip, left, size, offset: 0, block, before, starred: false, out, has_tables: false }
    }

    /// Prints the blocks that end in this input.
    pub fn read(&mut self, env: &mut Env, input: &mut Input) -> Result<()> {
        // Formats without a conversion would print the same for ever.
        while self.size > 0 && self.left > 0 {
            let content = input.fill_for(&mut env.stdout)?;
            if content.is_empty() {
                break;
            }
            let length = content.len();
            if self.skip > 0 {
                let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(length);
                self.skip -= skipped as u64;
                self.offset += skipped as u64;
                input.consume(skipped);
                continue;
            }
            let length = length.min(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.take(&content[..length]);
            self.left -= length as u64;
            input.consume(length);
            env.stdout.write(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }

    fn take(&mut self, mut content: &[u8]) {
        if content.len() >= MANY && !core::mem::replace(&mut self.has_tables, true) {
            let units = self.formats.iter_mut().flat_map(|format| &mut format.units);
            units.flat_map(|unit| &mut unit.parts).filter(|part| part.size == 1).for_each(make_table);
        }
        while self.block.len() + content.len() >= self.size {
            let (taken, rest) = content.split_at(self.size - self.block.len());
            content = rest;
            self.block.extend_from_slice(taken);
            if !self.all && self.block == self.before {
                if !core::mem::replace(&mut self.starred, true) {
                    self.out.extend_from_slice(b"*\n");
                }
            } else {
                self.print(self.size);
                self.starred = false;
                core::mem::swap(&mut self.block, &mut self.before);
            }
            self.offset += self.size as u64;
            self.block.clear();
        }
        self.block.extend_from_slice(content);
    }

    /// Prints a last block that is not whole, and what comes after all input.
    pub fn finish(&mut self, env: &mut Env) -> Result<()> {
        let length = self.block.len();
        if length > 0 {
            self.block.resize(self.size, 0);
            self.print(length);
            self.offset += length as u64;
        }
        let mut units = self.formats.iter().flat_map(|format| &format.units);
        if self.offset > 0
            && self.size > 0
            && let Some(unit) = units.rfind(|unit| unit.at_end)
        {
            for part in &unit.parts {
                print_part(&mut self.out, part, &[], self.offset);
            }
        }
        env.stdout.write(&self.out)
    }

    /// Prints a block, of which `length` bytes are there.
    fn print(&mut self, length: usize) {
        for format in &self.formats {
            let mut at = 0;
            for unit in format.units.iter().take_while(|unit| !unit.at_end) {
                for time in 1..=unit.count {
                    at = print_unit(&mut self.out, unit, &self.block, at, length, self.offset);
                    if time == unit.count && time > 1 {
                        self.out.truncate(self.out.len() - unit.blanks);
                    }
                }
            }
        }
    }
}

/// Prints a unit once, from the offset `at` of the block on; the offset after it.
fn print_unit(out: &mut Vec<u8>, unit: &Unit, block: &[u8], mut at: usize, length: usize, offset: u64) -> usize {
    for part in &unit.parts {
        if at >= length && part.kind != Kind::Text {
            // Nothing is left of the last block: blanks in the width of what would be there.
            out.extend_from_slice(&part.text);
            part.spec.push_padded(out, b"");
        } else if let Some(table) = &part.table {
            let row = &table[usize::from(block[at])];
            out.extend_from_slice(&row[..usize::from(row[7])]);
        } else {
            print_part(out, part, &block[at..at + part.size], offset + at as u64);
        }
        at += part.size;
    }
    at
}

/// Makes the table of a part that prints of a byte what depends on nothing else, and no more than a row has room for.
fn make_table(part: &mut Part) {
    let (mut table, mut out) = (Box::new([[0; 8]; 256]), Vec::new());
    for byte in 0..=255 {
        out.clear();
        print_part(&mut out, part, &[byte], 0);
        let row = &mut table[usize::from(byte)];
        let Some(shown) = row[..7].get_mut(..out.len()) else { return };
        shown.copy_from_slice(&out);
        row[7] = out.len() as u8;
    }
    part.table = Some(table);
}

fn print_part(out: &mut Vec<u8>, part: &Part, bytes: &[u8], offset: u64) {
    let spec = &part.spec;
    out.extend_from_slice(&part.text);
    let byte = bytes.first().copied().unwrap_or(0);
    match part.kind {
        Kind::Text => {}
        Kind::Offset(b'd') => spec.push_signed(out, offset as i64),
        Kind::Offset(radix) => spec.push_unsigned(out, offset, radix),
        Kind::Escaped => print_escaped(out, part, byte),
        Kind::Printable => {
            let shown = if byte == b' ' || byte.is_ascii_graphic() { byte } else { b'.' };
            spec.push_padded(out, &[shown]);
        }
        Kind::Named => match byte {
            0..0x20 => {
                let at = 3 * usize::from(byte);
                spec.push_padded(out, NAMES[at..at + 3].trim_ascii_end());
            }
            0x7f => spec.push_padded(out, b"del"),
            0x20..0x7f => spec.push_padded(out, &[byte]),
            _ => spec.push_unsigned(out, byte.into(), b'x'),
        },
        Kind::Byte => spec.push_padded(out, &[byte]),
        Kind::String => spec.push_text(out, bytes.split(|&byte| byte == 0).next().unwrap_or_default()),
        Kind::Signed => spec.push_signed(out, signed(bytes)),
        Kind::Unsigned(radix) => spec.push_unsigned(out, unsigned(bytes), radix),
        Kind::Float(letter) => {
            let value = match bytes.len() {
                4 => f32::from_bits(unsigned(bytes) as u32).into(),
                _ => f64::from_bits(unsigned(bytes)),
            };
            spec.push_float(out, value, letter);
        }
    }
}

fn print_escaped(out: &mut Vec<u8>, part: &Part, byte: u8) {
    let named = [b'\\', control_name(byte).unwrap_or(b'0')];
    let shown: &[u8] = match byte {
        0 | 7..=13 => &named,
        b' '..=b'~' => &[byte],
        _ => &octal(byte)[1..],
    };
    part.spec.push_padded(out, shown);
}

/// A number of 1, 2, 4 or 8 bytes in the machine's order.
fn unsigned(bytes: &[u8]) -> u64 {
    match *bytes {
        [a] => a.into(),
        [a, b] => u16::from_ne_bytes([a, b]).into(),
        [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]).into(),
        [a, b, c, d, e, f, g, h] => u64::from_ne_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    }
}

fn signed(bytes: &[u8]) -> i64 {
    let unused = 64 - 8 * bytes.len().min(8) as u32;
    ((unsigned(bytes) << unused.min(63)) as i64) >> unused.min(63)
}
