//! `expand`: replace tabs by spaces (POSIX XCU expand).

use rbox_core::bytes::find_byte;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::term::character;
use rbox_core::unicode::character_width;

options! {
    "[-i] [-t STOPS] [FILE]...

Print each FILE, or standard input, with tabs converted to spaces.

  -i, --initial     Convert only leading tabs
  -t, --tabs=STOPS  Tab stops: every STOPS columns (8), or a list: 4,12,20";
    INITIAL = "-i",
    STOPS = "-t",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// The columns at which tabs end.
pub struct Stops(Vec<usize>);

impl Stops {
    /// Reads the word of `-t`.
    pub fn parse(word: &[u8]) -> Result<Self> {
        let mut stops = Vec::new();
        for part in word.split(|byte| matches!(byte, b',' | b' ')) {
            let stop = parse_in_range(part, 1, u32::MAX.into())? as usize;
            if stops.last().is_some_and(|&before| before >= stop) {
                return Err(Error::new("tab sizes must be ascending"));
            }
            stops.push(stop);
        }
        Ok(Self(stops))
    }

    /// The first stop after a column; `None` after the last one of a list.
    pub fn next(&self, column: usize) -> Option<usize> {
        match self.0[..] {
            [every] => Some(column / every * every + every),
            _ => self.0.iter().copied().find(|&stop| stop > column),
        }
    }
}

/// The column after a text that begins in `column`. POSIX: a backspace moves back.
pub fn column_after(text: &[u8], mut column: usize, utf8: bool) -> usize {
    let mut at = 0;
    while at < text.len() {
        let mut length = 1;
        column = match text[at] {
            8 => column.saturating_sub(1),
            128.. if utf8 => {
                let (found, bytes) = character(&text[at..]);
                length = bytes;
                column + found.map_or(1, character_width)
            }
            _ => column + 1,
        };
        at += length;
    }
    column
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let stops = Stops::parse(args.value(STOPS).unwrap_or(b"8"))?;
    let utf8 = env.is_utf8();
    let initial = args.has(INITIAL);
    // The column, and whether nothing but blanks was before it.
    let (mut column, mut is_blank) = (0, true);
    env.for_each_input(args.operands(), &mut |env, input| {
        while let Some(chunk) = input.chunk(b'\n', &mut env.stdout)? {
            let mut rest = chunk.bytes;
            while let Some(at) = find_byte(b'\t', rest) {
                let text = &rest[..at];
                is_blank = is_blank && initial && text.iter().all(|&byte| byte == b' ');
                if initial && !is_blank {
                    break;
                }
                env.stdout.write(text)?;
                column = column_after(text, column, utf8);
                let next = stops.next(column).unwrap_or(column + 1);
                env.stdout.write_repeated(b' ', next - column)?;
                (rest, column) = (&rest[at + 1..], next);
            }
            env.stdout.write(rest)?;
            if chunk.ends {
                (column, is_blank) = (0, true);
                env.stdout.push(b'\n')?;
            } else {
                column = column_after(rest, column, utf8);
                is_blank = is_blank && initial && rest.iter().all(|&byte| byte == b' ');
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::{try_call, try_call_with};

    use super::APPLET;

    #[test]
    fn tabs_end_at_stops() {
        let expand = |words: &[&str], stdin: &str| try_call(APPLET, words, stdin.as_bytes()).stdout;
        assert_eq!(expand(&["expand"], "a\tb\n\tc"), "a       b\n        c");
        assert_eq!(expand(&["expand", "-t", "2,5"], "a\tb\tc\td\n"), "a b  c d\n");
        assert_eq!(expand(&["expand", "-i", "-t2"], " \ta\tb\n"), "  a\tb\n");
        assert_eq!(expand(&["expand", "-t4"], "abc\x08\x08\tx\n"), "abc\x08\x08   x\n");
    }

    #[test]
    fn columns_are_those_of_the_locale() {
        assert_eq!(try_call_with(APPLET, &["expand"], "é\tx\n".as_bytes(), &["LANG=C.UTF-8"]).stdout, "é       x\n");
        assert_eq!(try_call(APPLET, &["expand", "-t", "0"], b"").status, 1);
    }
}
