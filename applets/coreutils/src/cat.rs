//! `cat`: copy files to standard output (POSIX XCU cat), with GNU's and BusyBox's `-nbetAvT`.

use rbox_core::bytes;
use rbox_core::files::same_regular_file;
use rbox_core::io::{self, Chunk, Input};
use rbox_core::number::push_padded;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{OFlags, SeekFrom, fcntl_getfl, fstat, seek};

options! {
    "[-nbsvteAET] [FILE]...

Concatenate the FILEs, or standard input, to standard output.

  -n, --number            Number all lines
  -b, --number-nonblank   Number nonempty lines
  -s, --squeeze-blank     Print adjacent empty lines once
  -v, --show-nonprinting  Show control bytes as ^X and high bytes as M-X
  -t                      Same as -vT
  -e                      Same as -vE
  -A, --show-all          Same as -vET
  -E, --show-ends         Print $ at the end of each line
  -T, --show-tabs         Show tabs as ^I
  -u                      Unbuffered output, which is the default (POSIX)";
    NUMBER = "-n",
    NUMBER_FULL = "-b",
    SQUEEZE = "-s",
    VISIBLE = "-v",
    VISIBLE_TABS = "-t",
    VISIBLE_ENDS = "-e",
    ALL = "-A",
    ENDS = "-E",
    TABS = "-T",
    UNBUFFERED = "-u",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// What is done to each line, and where the numbering is: it runs on from file to file.
struct Style {
    number: bool,
    skip_empty: bool,
    squeeze: bool,
    visible: bool,
    ends: bool,
    tabs: bool,
    next_number: u64,
    last_was_empty: bool,
    at_line_start: bool,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let any = |options: &[Opt]| args.last_of(options).is_some();
    let mut style = Style {
        number: any(&[NUMBER, NUMBER_FULL]),
        skip_empty: args.has(NUMBER_FULL),
        squeeze: args.has(SQUEEZE),
        visible: any(&[VISIBLE, VISIBLE_TABS, VISIBLE_ENDS, ALL]),
        ends: any(&[ENDS, VISIBLE_ENDS, ALL]),
        tabs: any(&[TABS, VISIBLE_TABS, ALL]),
        next_number: 1,
        last_was_empty: false,
        at_line_start: true,
    };
    let plain = args.found().iter().all(|(option, _)| *option == UNBUFFERED);
    let operands = args.operands_or(b"-");
    env.for_each_operand(&operands, &mut |env, operand| {
        let mut input = if operand == b"-" { env.take_stdin() } else { Input::open(operand)? };
        let copied = if writes_what_it_reads(env, &input) {
            Err(Error::parts(&[operand, b": input file is output file"]))
        } else if plain {
            io::copy(&mut input, &mut env.stdout).map(drop)
        } else {
            style.copy(env, &mut input)
        };
        if operand == b"-" {
            env.stdin = input;
        }
        copied
    })
}

/// Whether what is written is read again, for ever: the output is the same file, and is written at or after what is read.
fn writes_what_it_reads(env: &Env, input: &Input) -> bool {
    let (Some(from), Some(to)) = (input.fd(), env.stdout.fd()) else { return false };
    if !same_regular_file(from, to) {
        return false;
    }
    let at = |file| seek(file, SeekFrom::Current(0));
    let appends = fcntl_getfl(to).is_ok_and(|flags| flags.contains(OFlags::APPEND));
    match (at(from), at(to), fstat(to)) {
        (Ok(from), Ok(_), Ok(stat)) if appends => from < stat.st_size as u64,
        (Ok(from), Ok(to), Ok(stat)) => from < to && from < stat.st_size as u64,
        _ => true,
    }
}

impl Style {
    fn copy(&mut self, env: &mut Env, input: &mut Input) -> Result<()> {
        let mut text = Vec::new();
        while let Some(chunk) = input.chunk(b'\n', &mut env.stdout)? {
            text.clear();
            self.render(chunk, &mut text);
            env.stdout.write(&text)?;
        }
        Ok(())
    }

    fn render(&mut self, chunk: Chunk<'_>, text: &mut Vec<u8>) {
        let Chunk { bytes: content, ends: newline } = chunk;
        let empty = content.is_empty() && newline && self.at_line_start;
        if empty && self.last_was_empty && self.squeeze {
            return;
        }
        self.last_was_empty = empty;
        if self.number && self.at_line_start && !(self.skip_empty && empty) {
            push_padded(text, self.next_number, 6);
            text.push(b'\t');
            self.next_number += 1;
        }
        self.push_content(content, text);
        if newline {
            text.extend_from_slice(if self.ends { b"$\n" } else { b"\n" });
        }
        self.at_line_start = newline;
    }

    fn push_content(&self, content: &[u8], text: &mut Vec<u8>) {
        if !self.visible && (!self.tabs || bytes::find_byte(b'\t', content).is_none()) {
            return text.extend_from_slice(content);
        }
        for &byte in content {
            match byte {
                b'\t' if self.tabs => text.extend_from_slice(b"^I"),
                b'\t' => text.push(byte),
                _ if self.visible => push_visible(byte, text),
                _ => text.push(byte),
            }
        }
    }
}

/// Control bytes as `^X`, 127 as `^?`, bytes from 128 as `M-` and the rest.
fn push_visible(byte: u8, text: &mut Vec<u8>) {
    let low = byte & 0x7f;
    if byte != low {
        text.extend_from_slice(b"M-");
    }
    match low {
        0..32 => text.extend_from_slice(&[b'^', low + 64]),
        127 => text.extend_from_slice(b"^?"),
        _ => text.push(low),
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    fn cat(words: &[&str], stdin: &[u8]) -> String {
        try_call(APPLET, words, stdin).stdout
    }

    #[test]
    fn copies_standard_input_as_it_is() {
        assert_eq!(cat(&["cat"], b"a\0b\nno newline"), "a\0b\nno newline");
    }

    #[test]
    fn numbers_lines_and_leaves_out_empty_ones() {
        assert_eq!(cat(&["cat", "-n"], b"a\n\nb\n"), "     1\ta\n     2\t\n     3\tb\n");
        assert_eq!(cat(&["cat", "-b"], b"a\n\nb\n"), "     1\ta\n\n     2\tb\n");
    }

    #[test]
    fn shows_what_cannot_be_seen() {
        assert_eq!(cat(&["cat", "-A"], b"\x01\t\x7f\x80\xff\n"), "^A^I^?M-^@M-^?$\n");
        assert_eq!(cat(&["cat", "-v"], b"\t\x1b\n"), "\t^[\n");
    }

    #[test]
    fn squeezes_empty_lines() {
        assert_eq!(cat(&["cat", "-s"], b"a\n\n\n\nb\n"), "a\n\nb\n");
    }

    #[test]
    fn reports_a_missing_file_and_goes_on() {
        let ran = try_call(APPLET, &["cat", "/no/such", "-"], b"x");
        assert_eq!((ran.status, ran.stdout.as_str()), (1, "x"));
        assert_eq!(ran.stderr, "cat: can't open '/no/such': No such file or directory\n");
    }
}
