//! `od`: print what is in files as numbers or characters (POSIX XCU od), with GNU's `-S`, `-w`, `--endian` and the `z`
//! of types.
//!
//! `-i` and `-l` are C's int and long; floating point numbers have a fixed number of digits.

mod long_double;

use rbox_core::escape::{control_name, octal};
use rbox_core::io::Input;
use rbox_core::number::{SIZE_SUFFIXES, parse_count, parse_radix, parse_size};
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::sys::float;
use rbox_core::text::{Hex, Push, Right};

options! {
    "[-abBcdDeFfhHiIlLoOsxXv] [-A RADIX] [-j N] [-N N] [-t TYPE] [-S N] [-w[N]] [FILE]... [[+]OFFSET[.][b] [LABEL]]

Dump the FILEs, or standard input, in octal 2-byte units or as TYPE.

  -A, --address-radix=RADIX  Print offsets in d (decimal), o (octal), x (hex) or n (none)
  -j, --skip-bytes=N         Skip the first N bytes
  -N, --read-bytes=N         Read at most N bytes
  -t, --format=TYPE          a, c, or d, o, u, x, f with a size 1, 2, 4, 8, C, S, I, L, F, D; append z to show characters
  -v, --output-duplicates    Print equal lines, not *
  -w[N], --width[=N]         Print N bytes per line (16; 32 without N)
  -S, --strings=N            Print strings of at least N characters that end in NUL
      --endian=ORDER         Read numbers as little or big endian
  -a                         Same as -t a
  -b                         Same as -t o1
  -c                         Same as -t c
  -d                         Same as -t u2
  -f                         Same as -t f4
  -h                         Same as -t x2
  -i                         Same as -t dI
  -l, -I, -L                 Same as -t dL
  -o, -B                     Same as -t o2
  -s                         Same as -t d2
  -x                         Same as -t x2
  -D                         Same as -t u4
  -e, -F                     Same as -t fD
  -H, -X                     Same as -t x4
  -O                         Same as -t o4
      --traditional          Accept OFFSET and LABEL with any options";
    RADIX = "-A",
    SKIP = "-j",
    COUNT = "-N",
    TYPE = "-t",
    ALL = "-v",
    WIDTH = "-w",
    STRINGS = "-S",
    ENDIAN = "--endian",
    NAMED = "-a",
    OCTAL_BYTES = "-b",
    CHARACTERS = "-c",
    UNSIGNED = "-d",
    FLOAT = "-f",
    HEX = "-h",
    SIGNED = "-i",
    SIGNED_8 = "-l",
    OCTAL = "-o",
    SIGNED_2 = "-s",
    HEX_2 = "-x",
    UNSIGNED_4 = "-D",
    DOUBLE = "-e",
    HEX_4 = "-H",
    OCTAL_4 = "-O",
    TRADITIONAL = "--traditional",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// One way to print the bytes of a line: a character of `acdouxf`, the bytes of a number, and whether characters are
/// beside.
#[derive(Clone, Copy)]
struct Form {
    letter: u8,
    size: usize,
    beside: bool,
}

impl Form {
    /// Columns of a number, with the blank before it.
    fn width(self) -> usize {
        let of_sizes = |widths: [usize; 4]| widths[self.size.trailing_zeros() as usize & 3];
        if self.size == 16 {
            return 24;
        }
        match self.letter {
            b'o' => of_sizes([4, 7, 12, 23]),
            b'x' => of_sizes([3, 5, 9, 17]),
            b'd' => of_sizes([5, 7, 12, 21]),
            b'u' => of_sizes([4, 6, 11, 21]),
            b'f' => of_sizes([0, 0, 16, 24]),
            _ => 4,
        }
    }
}

struct Dump {
    forms: Vec<Form>,
    /// Bytes of a line, and its columns.
    width: usize,
    columns: usize,
    radix: u8,
    all: bool,
    big_endian: bool,
    strings: Option<usize>,
    skip: u64,
    left: u64,
    /// The offset of the first byte of `line` in all input, in bytes.
    offset: u64,
    /// What is added to an offset for the second one in parentheses.
    label: Option<u64>,
    /// What has been read of a line or a text.
    line: Vec<u8>,
    before: Vec<u8>,
    starred: bool,
    out: Vec<u8>,
    /// What each form of one byte prints of it, once much is to be printed.
    tables: Vec<[[u8; 5]; 256]>,
}

/// From so many bytes on tables save more time than they take to make.
const MANY: usize = 1 << 14;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let count = |option| args.value(option).map(parse_size).transpose();
    let mut operands = args.operands().to_vec();
    let mut skip = count(SKIP)?.unwrap_or(0);
    let mut label = None;
    let is_modern = [RADIX, SKIP, COUNT, TYPE, WIDTH, STRINGS].into_iter().any(|option| args.has(option));
    if args.has(TRADITIONAL) {
        let mut numbers = Vec::new();
        while numbers.len() < 2
            && let Some(offset) = operands.last().and_then(|last| traditional_offset(last, true))
        {
            numbers.push(offset);
            operands.pop();
        }
        if operands.len() > 1 {
            return Err(Error::misused("compatibility mode supports at most one file"));
        }
        // [OFFSET [LABEL]], which were taken from the end.
        skip = numbers.last().copied().unwrap_or(skip);
        label = (numbers.len() > 1).then(|| numbers[0]);
    } else if !is_modern
        && operands.len() <= 2
        && let Some(offset) = operands.last().and_then(|last| traditional_offset(last, operands.len() == 2))
    {
        skip = offset;
        operands.pop();
    }
    let forms = forms(args)?;
    let unit = forms.iter().map(|form| form.size).max().unwrap_or(1);
    let width = match args.has(WIDTH) {
        true => args.value(WIDTH).map_or(Ok(32), |word| parse_count(word, SIZE_SUFFIXES))? as usize,
        false => 16,
    };
    if width == 0 || width % unit != 0 || width > 1 << 20 {
        return Err(Error::parts(&[b"invalid width '", args.value(WIDTH).unwrap_or_default(), b"'"]));
    }
    let radix = match args.value(RADIX) {
        None => b'o',
        Some([radix @ (b'd' | b'o' | b'x' | b'n'), ..]) => *radix,
        Some(word) => return Err(Error::parts(&[b"bad output address radix '", word, b"' (must be [doxn])"])),
    };
    let big_endian = match args.value(ENDIAN) {
        None | Some(b"little") => false,
        Some(b"big") => true,
        Some(word) => return Err(Error::parts(&[b"invalid argument '", word, b"' to --endian"])),
    };
    let mut dump = Dump {
        columns: forms.iter().map(|form| form.width() * width / form.size).max().unwrap_or(0),
        forms,
        width,
        radix,
        all: args.has(ALL),
        big_endian,
        strings: count(STRINGS)?.map(|length| usize::try_from(length).unwrap_or(usize::MAX)),
        skip,
        left: count(COUNT)?.unwrap_or(u64::MAX),
        offset: skip,
        label: label.map(|label| label.wrapping_sub(skip)),
        line: Vec::new(),
        before: Vec::new(),
        starred: false,
        out: Vec::new(),
        tables: Vec::new(),
    };
    let status = env.for_each_input(&operands, &mut |env, input| dump.read(env, input))?;
    if dump.skip > 0 {
        return Err(Error::new("can't skip past end of combined input"));
    }
    dump.finish();
    env.stdout.write(&dump.out)?;
    Ok(status)
}

/// POSIX XCU od: `+OFFSET`, and where `bare` also `OFFSET`: octal, with `.` decimal, with `b` times 512.
fn traditional_offset(word: &[u8], bare: bool) -> Option<u64> {
    let digits = match word.strip_prefix(b"+") {
        Some(digits) => digits,
        None if bare && word.first()?.is_ascii_digit() => word,
        None => return None,
    };
    if let Some(digits) = digits.strip_prefix(b"0x") {
        return parse_radix(digits, 16);
    }
    let (digits, factor) = match digits.strip_suffix(b"b") {
        Some(digits) => (digits, 512),
        None => (digits, 1),
    };
    let (digits, radix) = match digits.strip_suffix(b".") {
        Some(digits) => (digits, 10),
        None => (digits, 8),
    };
    parse_radix(digits, radix)?.checked_mul(factor)
}

/// The forms that the options ask for, in their order.
fn forms(args: &Args<'_>) -> Result<Vec<Form>> {
    let mut forms = Vec::new();
    for &(option, value) in args.found() {
        let (letter, size) = match option {
            TYPE => {
                add_types(value.unwrap_or_default(), &mut forms)?;
                continue;
            }
            NAMED => (b'a', 1),
            OCTAL_BYTES => (b'o', 1),
            CHARACTERS => (b'c', 1),
            UNSIGNED => (b'u', 2),
            FLOAT => (b'f', 4),
            HEX | HEX_2 => (b'x', 2),
            SIGNED_2 => (b'd', 2),
            SIGNED => (b'd', 4),
            SIGNED_8 => (b'd', 8),
            UNSIGNED_4 => (b'u', 4),
            DOUBLE => (b'f', 8),
            HEX_4 => (b'x', 4),
            OCTAL_4 => (b'o', 4),
            OCTAL => (b'o', 2),
            _ => continue,
        };
        forms.push(Form { letter, size, beside: false });
    }
    if forms.is_empty() {
        forms.push(Form { letter: b'o', size: 2, beside: false });
    }
    Ok(forms)
}

/// Reads the word of `-t`, such as `x1d4zc`.
fn add_types(word: &[u8], forms: &mut Vec<Form>) -> Result<()> {
    let invalid = || Error::parts(&[b"invalid type string '", word, b"'"]);
    let mut rest = word;
    while let Some((&letter, after)) = rest.split_first() {
        rest = after;
        let mut size = match letter {
            b'a' | b'c' => 1,
            b'd' | b'o' | b'u' | b'x' => 4,
            b'f' => 8,
            _ => return Err(invalid()),
        };
        if size > 1 {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (given, length) = match (letter, rest.first()) {
                (_, Some(b'0'..=b'9')) => (rbox_core::number::parse_decimal(&rest[..digits]), digits),
                (b'f', Some(b'F')) => (Some(4), 1),
                (b'f', Some(b'D')) => (Some(8), 1),
                (b'f', Some(b'L')) => (Some(16), 1),
                (b'd' | b'o' | b'u' | b'x', Some(b'C')) => (Some(1), 1),
                (b'd' | b'o' | b'u' | b'x', Some(b'S')) => (Some(2), 1),
                (b'd' | b'o' | b'u' | b'x', Some(b'I')) => (Some(4), 1),
                (b'd' | b'o' | b'u' | b'x', Some(b'L')) => (Some(8), 1),
                _ => (Some(size), 0),
            };
            size = match (letter, given) {
                (b'f', Some(size @ (4 | 8 | 16))) | (b'd' | b'o' | b'u' | b'x', Some(size @ (1 | 2 | 4 | 8))) => size,
                _ => return Err(invalid()),
            };
            rest = &rest[length..];
        }
        let beside = rest.first() == Some(&b'z');
        if beside {
            rest = &rest[1..];
        }
        forms.push(Form { letter, size: size as usize, beside });
    }
    Ok(())
}

impl Dump {
    /// Takes what is wanted of a file.
    fn read(&mut self, env: &mut Env, input: &mut Input) -> Result<()> {
        while self.left > 0 {
            let content = input.fill_for(&mut env.stdout)?;
            if content.is_empty() {
                break;
            }
            let skipped = content.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
            let part = &content[skipped..];
            let taken = part.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            match self.strings {
                Some(least) => self.take_strings(&part[..taken], least),
                None => self.take_lines(&part[..taken]),
            }
            self.skip -= skipped as u64;
            self.left -= taken as u64;
            input.consume(skipped + taken);
            env.stdout.write(&self.out)?;
            self.out.clear();
        }
        Ok(())
    }

    /// Makes the tables when all forms are of one byte and of one width, so that nothing else aligns them.
    fn make_tables(&mut self) {
        let mut out = Vec::new();
        for &form in &self.forms {
            let mut table = [[0; 5]; 256];
            for byte in 0..=255 {
                out.clear();
                push(&mut out, form, &[byte], false);
                table[usize::from(byte)][..out.len()].copy_from_slice(&out);
            }
            self.tables.push(table);
        }
    }

    fn take_lines(&mut self, mut content: &[u8]) {
        let is_plain = |form: &Form| form.size == 1 && form.width() * self.width == self.columns;
        if content.len() >= MANY && self.tables.is_empty() && self.forms.iter().all(is_plain) {
            self.make_tables();
        }
        let mut line = core::mem::take(&mut self.line);
        while !content.is_empty() {
            let length = content.len().min(self.width - line.len());
            line.extend_from_slice(&content[..length]);
            content = &content[length..];
            if line.len() < self.width {
                break;
            }
            if !self.all && line == self.before {
                if !self.starred {
                    self.out.extend_from_slice(b"*\n");
                }
                self.starred = true;
            } else {
                self.print_line(&line);
                self.starred = false;
            }
            core::mem::swap(&mut self.before, &mut line);
            line.clear();
            self.offset += self.width as u64;
        }
        self.line = line;
    }

    fn take_strings(&mut self, content: &[u8], least: usize) {
        for &byte in content {
            match byte {
                b' '..=b'~' => self.line.push(byte),
                _ => {
                    let length = self.line.len();
                    if byte == 0 && length >= least && length > 0 {
                        self.print_string();
                    }
                    self.offset += length as u64 + 1;
                    self.line.clear();
                }
            }
        }
    }

    fn print_string(&mut self) {
        self.print_address();
        if self.radix != b'n' {
            self.out.push(b' ');
        }
        self.out.extend_from_slice(&self.line);
        self.out.push(b'\n');
    }

    fn finish(&mut self) {
        if self.strings.is_some() {
            return;
        }
        let line = core::mem::take(&mut self.line);
        if !line.is_empty() {
            self.print_line(&line);
            self.offset += line.len() as u64;
        }
        if self.radix != b'n' || self.label.is_some() {
            self.print_address();
            self.out.push(b'\n');
        }
    }

    fn print_address(&mut self) {
        if self.radix != b'n' {
            self.print_offset(self.offset, self.radix);
        }
        if let Some(label) = self.label {
            // As GNU's od does, -A n prints the offset instead of the label, in octal.
            let (blank, label, radix) = if self.radix == b'n' { ("", 0, b'o') } else { (" ", label, self.radix) };
            push!(self.out, blank, "(");
            self.print_offset(self.offset.wrapping_add(label), radix);
            self.out.push(b')');
        }
    }

    fn print_offset(&mut self, offset: u64, radix: u8) {
        match radix {
            b'd' => Right(offset, 7, b'0').push_to(&mut self.out),
            b'x' => Right(Hex(offset), 6, b'0').push_to(&mut self.out),
            _ => Right(&rbox_core::number::octal(offset), 7, b'0').push_to(&mut self.out),
        }
    }

    /// Numbers of different forms that stand for the same bytes end in the same column.
    fn print_numbers(&mut self, line: &[u8], form: Form) {
        let start = self.out.len();
        let numbers = self.width / form.size;
        for (number, bytes) in line.chunks(form.size).enumerate() {
            let at = self.out.len();
            push(&mut self.out, form, bytes, self.big_endian);
            let written = self.out.len() - start;
            let blanks = (self.columns * (number + 1) / numbers).saturating_sub(written);
            if blanks > 0 {
                self.out.resize(self.out.len() + blanks, b' ');
                self.out[at..].rotate_right(blanks);
            }
        }
    }

    fn print_line(&mut self, line: &[u8]) {
        for at in 0..self.forms.len() {
            let form = self.forms[at];
            if at == 0 {
                self.print_address();
            } else if self.radix != b'n' || self.label.is_some() {
                self.out.extend_from_slice(if self.radix == b'x' { b"      " } else { b"       " });
            }
            let start = self.out.len();
            if let Some(table) = self.tables.get(at) {
                match form.width() {
                    3 => put_cells::<3>(&mut self.out, table, line),
                    4 => put_cells::<4>(&mut self.out, table, line),
                    _ => put_cells::<5>(&mut self.out, table, line),
                }
            } else {
                self.print_numbers(line, form);
            }
            if form.beside {
                self.out.resize(start + self.columns, b' ');
                self.out.extend_from_slice(b"  >");
                self.out.extend(line.iter().map(|&byte| if matches!(byte, b' '..=b'~') { byte } else { b'.' }));
                self.out.push(b'<');
            }
            self.out.push(b'\n');
        }
    }
}

/// Appends the first `WIDTH` bytes of each byte's entry.
fn put_cells<const WIDTH: usize>(out: &mut Vec<u8>, table: &[[u8; 5]; 256], line: &[u8]) {
    let start = out.len();
    out.resize(start + WIDTH * line.len(), 0);
    let (cells, _) = out[start..].as_chunks_mut::<WIDTH>();
    for (cell, &byte) in cells.iter_mut().zip(line) {
        cell.copy_from_slice(&table[usize::from(byte)][..WIDTH]);
    }
}

/// Appends the number in `bytes`; the bytes after the end of the input are zero.
fn push(out: &mut Vec<u8>, form: Form, bytes: &[u8], big_endian: bool) {
    let mut word = [0; 16];
    word[..bytes.len()].copy_from_slice(bytes);
    if big_endian {
        word[..form.size].reverse();
    }
    let long = u128::from_le_bytes(word);
    let value = long as u64;
    let unused = 64 - 8 * form.size.min(8) as u32;
    let width = form.width();
    match form.letter {
        b'a' => push_named(out, value as u8),
        b'c' => push_character(out, value as u8),
        b'o' | b'x' => {
            let shift = if form.letter == b'o' { 3 } else { 4 };
            out.push(b' ');
            for digit in (0..width as u32 - 1).rev() {
                out.push(b"0123456789abcdef"[(value >> (shift * digit)) as usize & ((1 << shift) - 1)]);
            }
        }
        b'd' => Right((value as i64) << unused >> unused, width, b' ').push_to(out),
        b'u' => Right(value, width, b' ').push_to(out),
        _ => {
            let mut digits = Vec::new();
            match form.size {
                4 => float::push(&mut digits, f32::from_bits(value as u32).into(), b'e', Some(7), false),
                8 => float::push(&mut digits, f64::from_bits(value), b'e', Some(15), false),
                _ => long_double::push_number(&mut digits, long),
            }
            Right(&digits, width, b' ').push_to(out);
        }
    }
}

fn push_named(out: &mut Vec<u8>, byte: u8) {
    const NAMES: &[u8; 99] =
        b"nulsohstxetxeotenqackbel bs ht nl vt ff cr so sidledc1dc2dc3dc4naksynetbcan emsubesc fs gs rs us sp";
    let byte = usize::from(byte & 0x7f);
    out.push(b' ');
    match byte {
        0..=32 => out.extend_from_slice(&NAMES[3 * byte..3 * byte + 3]),
        127 => out.extend_from_slice(b"del"),
        _ => out.extend_from_slice(&[b' ', b' ', byte as u8]),
    }
}

fn push_character(out: &mut Vec<u8>, byte: u8) {
    match (byte, control_name(byte)) {
        (_, Some(letter)) => out.extend_from_slice(&[b' ', b' ', b'\\', letter]),
        (0, _) => out.extend_from_slice(b"  \\0"),
        (b' '..=b'~', _) => out.extend_from_slice(&[b' ', b' ', b' ', byte]),
        _ => {
            out.push(b' ');
            out.extend_from_slice(&octal(byte)[1..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    fn od(words: &[&str], stdin: &[u8]) -> String {
        let words: Vec<&str> = std::iter::once("od").chain(words.iter().copied()).collect();
        try_call(APPLET, &words, stdin).stdout
    }

    #[test]
    fn numbers_have_sizes_and_bases() {
        assert_eq!(od(&[], b"abc"), "0000000 061141 000143\n0000003\n");
        assert_eq!(od(&["-An", "-tx1"], b"\x00\xff\x10"), " 00 ff 10\n");
        assert_eq!(
            od(&["-An", "-td1", "-tu4"], b"\xff\xff\xff\xff"),
            "   -1   -1   -1   -1\n           4294967295\n".replace("           42", "          42")
        );
    }

    #[test]
    fn floats_have_a_fixed_number_of_digits() {
        assert_eq!(od(&["-An", "-f"], &1.5f32.to_le_bytes()), "   1.5000000e+00\n");
        assert_eq!(od(&["-An", "-tf8", "--endian=big"], &(-2.0f64).to_be_bytes()), "  -2.000000000000000e+00\n");
    }

    #[test]
    fn characters_have_names() {
        assert_eq!(od(&["-An", "-a"], b"\0\n \x7fA\x81"), " nul  nl  sp del   A soh\n");
        assert_eq!(od(&["-An", "-c"], b"\0\n A\x81"), "  \\0  \\n       A 201\n");
        assert_eq!(od(&["-An", "-tx1z", "-w4"], b"a\0bcd"), " 61 00 62 63  >a.bc<\n 64           >d<\n");
    }

    #[test]
    fn equal_lines_are_a_star() {
        assert_eq!(od(&["-w2", "-Ad", "-c"], b"ababababc"), "0000000   a   b\n*\n0000008   c\n0000009\n");
        assert_eq!(od(&["-w2", "-vAn", "-c"], b"abab"), "   a   b\n   a   b\n");
    }

    #[test]
    fn parts_are_left_out() {
        assert_eq!(od(&["-j1", "-N2", "-c"], b"abcdef"), "0000001   b   c\n0000003\n");
        assert_eq!(od(&["-c", "+2"], b"abcd"), "0000002   c   d\n0000004\n");
        assert_eq!(try_call(APPLET, &["od", "-j9"], b"abc").status, 1);
    }

    #[test]
    fn strings_end_in_a_nul_character() {
        assert_eq!(od(&["-S3", "-Ad"], b"abc\0de\0\x01f\tgh\0xyz"), "0000000 abc\n");
    }

    #[test]
    fn wrong_words_are_named() {
        assert_eq!(try_call(APPLET, &["od", "-tx3"], b"").stderr, "od: invalid type string 'x3'\n");
        assert_eq!(try_call(APPLET, &["od", "-w3", "-x"], b"").status, 1);
    }
}
