//! The lines of a dump.

use rbox_core::io::{Input, Output};
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::text::{Hex, Right};

/// What a dump is like.
#[allow(clippy::struct_excessive_bools)]
pub struct Form {
    /// Bytes of a line, `usize::MAX` for one line of all, and of a group.
    pub columns: usize,
    pub group: usize,
    pub plain: bool,
    pub include: bool,
    pub binary: bool,
    pub little_endian: bool,
    pub capitals: bool,
    pub decimal: bool,
    pub skip_nul: bool,
}

pub struct Dump {
    form: Form,
    /// The printed offset of the line.
    offset: u64,
    /// Bytes still to be read, and how many have been.
    left: u64,
    read: u64,
    /// What has been read of a line.
    line: Vec<u8>,
    /// How many lines of NUL bytes came one after the other, and the last two of them.
    nul_count: u64,
    nul_lines: [Vec<u8>; 2],
    /// The name of the variable of `-i`, and whether in capitals.
    variable: Option<Vec<u8>>,
    capital_name: bool,
    out: Vec<u8>,
}

impl Dump {
    pub fn new(form: Form, offset: u64, left: u64) -> Dump {
        let (line, nul_lines, out) = (Vec::new(), [Vec::new(), Vec::new()], Vec::new());
        Dump { form, offset, left, read: 0, line, nul_count: 0, nul_lines, variable: None, capital_name: false, out }
    }

    /// Prints what is before the bytes of a declaration.
    pub fn begin(&mut self, name: Option<&[u8]>, capitals: bool) {
        let Some(name) = name.filter(|_| self.form.include) else { return };
        let mut variable = if name.first().is_some_and(u8::is_ascii_digit) { b"__".to_vec() } else { Vec::new() };
        variable.extend(name.iter().map(|&byte| if byte.is_ascii_alphanumeric() { byte } else { b'_' }));
        if capitals {
            variable.make_ascii_uppercase();
        }
        push!(self.out, "unsigned char ", &variable, "[] = {\n");
        (self.variable, self.capital_name) = (Some(variable), capitals);
    }

    /// Prints the lines that end in this input.
    pub fn read(&mut self, input: &mut Input, output: &mut Output) -> Result<()> {
        while self.left > 0 {
            let content = input.fill_for(output)?;
            if content.is_empty() {
                break;
            }
            let length = content.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.take(&content[..length]);
            input.consume(length);
            self.left -= length as u64;
            output.write(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }

    fn take(&mut self, mut content: &[u8]) {
        if self.form.columns == usize::MAX {
            return push_hex(&mut self.out, content, self.form.capitals);
        }
        while self.line.len() + content.len() >= self.form.columns {
            let (taken, rest) = content.split_at(self.form.columns - self.line.len());
            content = rest;
            if self.line.is_empty() {
                self.print(taken);
            } else {
                let mut line = core::mem::take(&mut self.line);
                line.extend_from_slice(taken);
                self.print(&line);
                line.clear();
                self.line = line;
            }
        }
        self.line.extend_from_slice(content);
    }

    /// Prints what is left of a line, and what is after all bytes.
    pub fn finish(&mut self, output: &mut Output) -> Result<()> {
        if !self.line.is_empty() {
            let line = core::mem::take(&mut self.line);
            self.print(&line);
        }
        // The last line is printed whatever it is, so that the length is seen.
        match self.nul_count {
            0 | 1 => {}
            2 => push!(self.out, &self.nul_lines[1]),
            3 => push!(self.out, &self.nul_lines[0], &self.nul_lines[1]),
            _ => push!(self.out, "*\n", &self.nul_lines[1]),
        }
        if self.form.include && self.read > 0 || self.form.columns == usize::MAX {
            self.out.push(b'\n');
        }
        if let Some(variable) = &self.variable {
            let suffix = if self.capital_name { "_LEN" } else { "_len" };
            push!(self.out, "};\nunsigned int ", variable, suffix, " = ", self.read, ";\n");
        }
        output.write(&self.out)
    }

    fn print(&mut self, line: &[u8]) {
        if self.form.plain {
            push_hex(&mut self.out, line, self.form.capitals);
            self.out.push(b'\n');
        } else if self.form.include {
            self.print_include(line);
        } else if self.form.skip_nul && line.iter().all(|&byte| byte == 0) {
            self.nul_count += 1;
            let start = self.out.len();
            self.print_line(line);
            if self.nul_count > 1 {
                self.nul_lines.swap(0, 1);
                self.nul_lines[1] = self.out.split_off(start);
            }
        } else {
            match self.nul_count {
                0 | 1 => {}
                2 => self.out.extend_from_slice(&self.nul_lines[1]),
                _ => self.out.extend_from_slice(b"*\n"),
            }
            self.nul_count = 0;
            self.print_line(line);
        }
        self.offset = self.offset.wrapping_add(line.len() as u64);
        self.read += line.len() as u64;
    }

    fn print_include(&mut self, line: &[u8]) {
        for (at, byte) in line.iter().enumerate() {
            self.out.extend_from_slice(match (at, self.read) {
                (0, 0) => b"  ",
                (0, _) => b",\n  ",
                _ => b", ",
            });
            self.out.extend_from_slice(if self.form.capitals { b"0X" } else { b"0x" });
            push_hex(&mut self.out, &[*byte], self.form.capitals);
        }
    }

    /// Offset, groups and characters.
    fn print_line(&mut self, line: &[u8]) {
        let Form { columns, group, binary, little_endian, capitals, .. } = self.form;
        let out = &mut self.out;
        if self.form.decimal {
            push!(*out, Right(self.offset, 8, b'0'), ": ");
        } else {
            push!(*out, Right(Hex(self.offset), 8, b'0'), ": ");
        }
        let digits = if binary { 8 } else { 2 };
        // The groups of a whole line and a blank after each; the last may have fewer bytes.
        let last = if little_endian { group } else { columns - (columns - 1) / group * group };
        let width = (columns - 1) / group * (digits * group + 1) + digits * last + 1;
        let end = out.len() + width;
        for bytes in line.chunks(group) {
            if little_endian {
                out.resize(out.len() + 2 * (group - bytes.len()), b' ');
                bytes.iter().rev().for_each(|&byte| push_hex(out, &[byte], capitals));
            } else if binary {
                for &byte in bytes {
                    out.extend((0..8).rev().map(|bit| b'0' + (byte >> bit & 1)));
                }
            } else {
                push_hex(out, bytes, capitals);
            }
            out.push(b' ');
        }
        out.resize(end + 1, b' ');
        out.extend(line.iter().map(|&byte| if (b' '..=b'~').contains(&byte) { byte } else { b'.' }));
        out.push(b'\n');
    }
}

fn hex_digits(capitals: bool) -> &'static [u8; 16] {
    if capitals { b"0123456789ABCDEF" } else { b"0123456789abcdef" }
}

fn push_hex(out: &mut Vec<u8>, bytes: &[u8], capitals: bool) {
    let digits = hex_digits(capitals);
    out.reserve(2 * bytes.len());
    for &byte in bytes {
        out.extend_from_slice(&[digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
    }
}
