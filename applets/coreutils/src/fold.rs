//! `fold`: break long lines (POSIX XCU fold).

use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::term::{character, character_width};

options! {
    "[-bs] [-w WIDTH] [FILE]...

Print each FILE, or standard input, with its lines broken at 80 columns.

  -b, --bytes        Count bytes, not columns
  -s, --spaces       Break after a blank where there is one
  -w, --width=WIDTH  Break at WIDTH
  -NUM               As -w NUM";
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
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut width = 80;
    for &(option, value) in args.found() {
        if let (WIDTH | NUMBER, Some(word)) = (option, value) {
            width = parse_in_range(word, 1, 10000)? as usize;
        }
    }
    let utf8 = env.is_utf8();
    let fold = Fold { width, bytes: args.has(BYTES), spaces: args.has(SPACES), utf8 };
    env.for_each_input(args.operands(), &mut |env, input| {
        while let Some(line) = input.record(b'\n')? {
            fold.print(env, line)?;
        }
        Ok(())
    })
}

impl Fold {
    fn print(&self, env: &mut Env, mut rest: &[u8]) -> Result<()> {
        loop {
            let text = rest.strip_suffix(b"\n").unwrap_or(rest);
            let fitting = self.fitting(text);
            if fitting == text.len() {
                return env.stdout.write(rest);
            }
            let mut length = fitting;
            if self.spaces
                && let Some(blank) = text[..fitting].iter().rposition(|byte| matches!(byte, b' ' | b'\t'))
            {
                length = blank + 1;
            }
            env.stdout.write(&rest[..length])?;
            env.stdout.push(b'\n')?;
            rest = &rest[length..];
        }
    }

    /// The length of the part that fits, at least one character.
    fn fitting(&self, text: &[u8]) -> usize {
        if self.bytes {
            return text.len().min(self.width);
        }
        let (mut at, mut column) = (0, 0);
        while at < text.len() {
            let mut length = 1;
            column = match text[at] {
                b'\t' => column / 8 * 8 + 8,
                // POSIX: these move back on the line.
                b'\r' => 0,
                8 => column.max(1) - 1,
                128.. if self.utf8 => {
                    let (found, bytes) = character(&text[at..]);
                    length = bytes;
                    column + found.map_or(1, character_width)
                }
                _ => column + 1,
            };
            if column > self.width && at > 0 {
                break;
            }
            at += length;
        }
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
