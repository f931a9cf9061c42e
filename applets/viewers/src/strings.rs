//! `strings`: print the runs of printable characters in files, with the options of binutils.

use rbox_core::io::Input;
use rbox_core::number::{PLAIN, invalid, octal, parse_count};
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::text::{Hex, Right};

options! {
    "[-afow] [-n N] [-t RADIX] [-e ENCODING] [-s STRING] [FILE]...

Print each run of at least 4 printable characters in the FILEs, or standard input.

  -a, --all                      Scan whole files (default)
  -f, --print-file-name          Print the file name before each string
  -n, --bytes=N                  Print runs of at least N characters
  -NUM                           Same as -n NUM
  -o                             Same as -t o
  -t, --radix=RADIX              Print the offset of each string in o (octal), d (decimal) or x (hexadecimal)
  -e, --encoding=ENCODING        Characters of s (7 bits), S (8 bits), b, l (16 bits, big and little endian), B, L (32 bits)
  -w, --include-all-whitespace   Take all white space as printable, not only blank and tab
  -s, --output-separator=STRING  Print STRING after each string, not a newline";
    ALL = "-a",
    FILE_NAME = "-f",
    LENGTH = "-n",
    NUMBER = "-NUM",
    OCTAL = "-o",
    RADIX = "-t",
    ENCODING = "-e",
    WHITE_SPACE = "-w",
    SEPARATOR = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// How the bytes of a file become strings.
struct Scan<'a> {
    /// Which bytes are printable, and how many bytes a character has.
    printable: [bool; 256],
    size: usize,
    big_endian: bool,
    least: usize,
    radix: Option<u8>,
    name: Option<&'a [u8]>,
    separator: &'a [u8],
    /// The characters of a run that is too short yet, and the offset where it began.
    run: Vec<u8>,
    start: u64,
    /// The run is long enough, and is being printed.
    printing: bool,
    offset: u64,
    out: Vec<u8>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (mut least, mut radix) = (4, None);
    for &(option, value) in args.found() {
        let value = value.unwrap_or_default();
        match option {
            LENGTH | NUMBER => {
                let number = parse_count(value, PLAIN)?;
                // A run is held in memory until it is long enough.
                least =
                    usize::try_from(number).ok().filter(|n| (1..=1 << 30).contains(n)).ok_or_else(|| invalid(value))?;
            }
            OCTAL => radix = Some(b'o'),
            RADIX => match *value {
                [form @ (b'o' | b'd' | b'x')] => radix = Some(form),
                _ => return Err(Error::parts(&[b"invalid radix '", value, b"'"])),
            },
            _ => {}
        }
    }
    let encoding = args.value(ENCODING).unwrap_or(b"s");
    let (size, big_endian) = match encoding {
        b"s" | b"S" => (1, false),
        b"b" | b"l" => (2, encoding == b"b"),
        b"B" | b"L" => (4, encoding == b"B"),
        _ => return Err(Error::parts(&[b"invalid encoding '", encoding, b"'"])),
    };
    let printable = core::array::from_fn(|at| match at as u8 {
        b'\t' | b' '..=b'~' => true,
        b'\n' | 11 | 12 | b'\r' => args.has(WHITE_SPACE),
        byte => byte >= 128 && encoding == b"S",
    });
    let separator = args.value(SEPARATOR).unwrap_or(b"\n");
    env.for_each_input(args.operands(), &mut |env, input| {
        let name = if args.has(FILE_NAME) { Some(input.name().to_vec()) } else { None };
        let (run, out) = (Vec::new(), Vec::new());
        let name = name.as_deref();
        let mut scan = Scan {
            printable,
            size,
            big_endian,
            least,
            radix,
            name,
            separator,
            run,
            start: 0,
            printing: false,
            offset: 0,
            out,
        };
        scan.input(env, input)
    })
}

impl Scan<'_> {
    fn input(&mut self, env: &mut Env, input: &mut Input) -> Result<()> {
        let mut rest = Vec::new();
        loop {
            let content = input.fill_for(&mut env.stdout)?;
            let length = content.len();
            if length == 0 {
                break;
            }
            if self.size == 1 {
                self.bytes(content);
            } else {
                rest.extend_from_slice(content);
                let used = self.wide(&rest);
                rest.drain(..used);
            }
            input.consume(length);
            env.stdout.write(&self.out)?;
            self.out.clear();
        }
        self.end();
        env.stdout.write(&self.out)
    }

    /// Takes bytes that are characters.
    fn bytes(&mut self, content: &[u8]) {
        let printable = self.printable;
        let is = |at: usize| printable[usize::from(content[at])];
        let end_of = |from: usize| (from..content.len()).find(|&at| !is(at)).unwrap_or(content.len());
        // What began in the bytes before.
        let mut at = 0;
        if self.printing || !self.run.is_empty() {
            at = end_of(0);
            self.add(&content[..at], 0);
            if at == content.len() {
                self.offset += at as u64;
                return;
            }
            self.end();
        }
        // A run of `least` characters has one at every so many bytes, so that most bytes are not looked at.
        let mut probe = at + self.least - 1;
        while probe < content.len() {
            if !is(probe) {
                at = probe + 1;
                probe += self.least;
                continue;
            }
            let start = (at..probe).rev().find(|&at| !is(at)).map_or(at, |before| before + 1);
            at = end_of(probe);
            if at - start >= self.least || at == content.len() {
                self.add(&content[start..at], start);
                if at < content.len() {
                    self.end();
                }
            }
            probe = at + self.least;
        }
        if at < content.len() {
            let start = (at..content.len()).rev().find(|&at| !is(at)).map_or(at, |before| before + 1);
            self.add(&content[start..], start);
        }
        self.offset += content.len() as u64;
    }

    /// Takes characters of several bytes, and returns how many bytes are done with.
    fn wide(&mut self, content: &[u8]) -> usize {
        let (size, mut at) = (self.size, 0);
        while let Some(bytes) = content.get(at..at + size) {
            let (low, others) = match self.big_endian {
                true => (bytes[size - 1], &bytes[..size - 1]),
                false => (bytes[0], &bytes[1..]),
            };
            if self.printable[usize::from(low)] && others.iter().all(|&byte| byte == 0) {
                self.add(&[low], at);
                at += size;
            } else {
                self.end();
                at += 1;
            }
        }
        self.offset += at as u64;
        at
    }

    /// Adds characters to the run; `at` is where the first of them is in the bytes that are being taken.
    fn add(&mut self, characters: &[u8], at: usize) {
        if self.printing {
            return self.out.extend_from_slice(characters);
        }
        if self.run.is_empty() {
            self.start = self.offset + at as u64;
        }
        self.run.extend_from_slice(characters);
        if self.run.len() < self.least {
            return;
        }
        self.printing = true;
        if let Some(name) = self.name {
            push!(self.out, name, ": ");
        }
        match self.radix {
            Some(b'o') => push!(self.out, Right(&octal(self.start)[..], 7, b' '), " "),
            Some(b'd') => push!(self.out, Right(self.start, 7, b' '), " "),
            Some(_) => push!(self.out, Right(Hex(self.start), 7, b' '), " "),
            None => {}
        }
        self.out.append(&mut self.run);
    }

    fn end(&mut self) {
        if core::mem::take(&mut self.printing) {
            self.out.extend_from_slice(self.separator);
        }
        self.run.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rbox_core::testing::try_call;

    #[test]
    fn finds_runs_wherever_the_blocks_end() {
        let scanned = |parts: &[&str]| {
            let printable = core::array::from_fn(|at| (b' '..=b'~').contains(&(at as u8)));
            let (run, out, radix) = (Vec::new(), Vec::new(), Some(b'd'));
            let mut scan = Scan {
                printable,
                size: 1,
                big_endian: false,
                least: 3,
                radix,
                name: None,
                separator: b"|",
                run,
                start: 0,
                printing: false,
                offset: 0,
                out,
            };
            parts.iter().for_each(|part| scan.bytes(part.as_bytes()));
            scan.end();
            String::from_utf8(scan.out).expect("the input is ASCII").replace(' ', "")
        };
        assert_eq!(scanned(&["\0ab\0abc\0abcdef\0", "ab"]), "4abc|8abcdef|");
        assert_eq!(scanned(&["\0a", "b", "c\0d", "ef", "g\0h"]), "1abc|5defg|");
        assert_eq!(scanned(&["abcd", "\0x\0", "abc"]), "0abcd|7abc|");
    }

    #[test]
    fn reads_wide_characters() {
        let ran = try_call(APPLET, &["strings", "-el", "-td"], b"\0a\0b\0c\0d\0\0");
        assert_eq!(ran.stdout, "      1 abcd\n");
        assert_eq!(try_call(APPLET, &["strings", "-eB"], b"\0\0\0a\0\0\0b\0\0\0c\0\0\0d").stdout, "abcd\n");
    }
}
