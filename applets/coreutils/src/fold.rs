//! `fold`: break long lines (POSIX XCU fold).

use rbox_core::bytes::{append, find_byte};
use rbox_core::io::CHUNK;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::term::character;
use rbox_core::unicode::character_width;

options! {
    "[-bs] [-w WIDTH] [FILE]...

Wrap lines of each FILE, or of standard input, at WIDTH columns.

  -b, --bytes        Count bytes, not columns
  -s, --spaces       Break after blanks where possible
  -w, --width=WIDTH  Break lines at WIDTH (80)
  -NUM               Same as -w NUM";
    BYTES = "-b",
    SPACES = "-s",
    WIDTH = "-w",
    NUMBER = "-NUM",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

struct Fold {
    width: usize,
    bytes: bool,
    spaces: bool,
    utf8: bool,
    /// The column after what has been taken of the line.
    column: usize,
    /// Nothing has been taken of the line.
    is_empty: bool,
    /// What is to be written.
    out: Vec<u8>,
    /// With `spaces`, the offset in `out` of the line, which may still break at a blank.
    line: usize,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut width = 80;
    for &(option, value) in args.found() {
        if let (WIDTH | NUMBER, Some(word)) = (option, value) {
            width = parse_in_range(word, 1, 10000)? as usize;
        }
    }
    let utf8 = env.is_utf8();
    let mut fold = Fold {
        width,
        bytes: args.has(BYTES),
        spaces: args.has(SPACES),
        utf8,
        column: 0,
        is_empty: true,
        out: Vec::new(),
        line: 0,
    };
    env.for_each_input(args.operands(), &mut |env, input| {
        loop {
            let buffered = input.buffered();
            if let Some(length) = find_byte(b'\n', buffered) {
                fold.print(&buffered[..length])?;
                fold.end_line();
                input.consume(length + 1);
                if fold.out.len() >= CHUNK / 2 {
                    fold.write(env)?;
                }
                continue;
            }
            // A read may wait.
            fold.write(env)?;
            let Some(chunk) = input.chunk(b'\n', &mut env.stdout)? else { break };
            fold.print(chunk.bytes)?;
            if chunk.ends {
                fold.end_line();
            }
        }
        fold.line = fold.out.len();
        fold.write(env)
    })
}

impl Fold {
    /// Writes what does not change any more.
    fn write(&mut self, env: &mut Env) -> Result<()> {
        let length = if self.spaces { self.line } else { self.out.len() };
        env.stdout.write(&self.out[..length])?;
        self.out.drain(..length);
        self.line = 0;
        Ok(())
    }

    fn print(&mut self, mut rest: &[u8]) -> Result<()> {
        loop {
            let fitting = self.fitting(rest);
            let (text, after) = rest.split_at(fitting);
            if after.is_empty() {
                return append(&mut self.out, text);
            }
            let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
            let blank = if self.spaces { text.iter().rposition(is_blank) } else { None };
            if self.spaces
                && blank.is_none()
                && let Some(blank) = self.out[self.line..].iter().rposition(is_blank)
            {
                // The break is before this part of the line: what follows the blank is measured again.
                let mut line = self.out.split_off(self.line + blank + 1);
                self.end_line();
                append(&mut line, rest)?;
                return self.print(&line);
            }
            let length = blank.map_or(fitting, |blank| blank + 1);
            append(&mut self.out, &rest[..length])?;
            rest = &rest[length..];
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        self.out.push(b'\n');
        (self.column, self.is_empty, self.line) = (0, true, self.out.len());
    }

    /// The length of the part that fits on the line, which is not empty then; at least one character fits.
    fn fitting(&mut self, text: &[u8]) -> usize {
        let (width, utf8) = (self.width, self.utf8);
        let (mut at, mut before) = (0, self.column);
        if self.bytes {
            at = text.len().min(width - before);
            self.column += at;
            return at;
        }
        while at < text.len() {
            let mut length = 1;
            let column = match text[at] {
                b'\t' => before / 8 * 8 + 8,
                // POSIX: these move back on the line.
                b'\r' => 0,
                8 => before.max(1) - 1,
                128.. if utf8 => {
                    let (found, bytes) = character(&text[at..]);
                    length = bytes;
                    before + found.map_or(1, character_width)
                }
                _ => before + 1,
            };
            if column > width && !(self.is_empty && at == 0) {
                break;
            }
            before = column;
            at += length;
        }
        self.column = before;
        self.is_empty &= at == 0;
        at
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::{try_call, try_call_with};

    use super::APPLET;

    fn fold(words: &[&str], stdin: &str) -> String {
        try_call(APPLET, words, stdin.as_bytes()).stdout
    }

    #[test]
    fn breaks_at_columns() {
        assert_eq!(fold(&["fold", "-w", "3"], "abcdefg\nab\n"), "abc\ndef\ng\nab\n");
        assert_eq!(fold(&["fold", "-w4"], "\t\tx"), "\t\n\t\nx");
        assert_eq!(fold(&["fold", "-3"], "ab\x08\x08abcd"), "ab\x08\x08abc\nd");
        assert_eq!(fold(&["fold", "-b", "-w2"], "\t\tx\n"), "\t\t\nx\n");
    }

    #[test]
    fn breaks_behind_blanks() {
        assert_eq!(fold(&["fold", "-sw5"], "ab cd efghijk\n"), "ab \ncd \nefghi\njk\n");
    }

    #[test]
    fn a_wide_character_takes_two_columns() {
        let ran = try_call_with(APPLET, &["fold", "-w3"], "漢漢é\n".as_bytes(), &["LANG=C.UTF-8"]);
        assert_eq!(ran.stdout, "漢\n漢é\n");
    }
}
