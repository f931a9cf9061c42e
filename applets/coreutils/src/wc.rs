//! `wc`: count lines, words and bytes (POSIX XCU wc), with GNU's `-L`.

use rbox_core::bytes::{find_bytes, whole_characters};
use rbox_core::io::Input;
use rbox_core::number::push_padded;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, SeekFrom, fstat, seek};
use rbox_core::term::character;
use rbox_core::unicode::character_width;

options! {
    "[-cmlwL] [FILE]...

Print line, word and byte counts of each FILE, or of standard input.

  -l, --lines            Print the number of newlines
  -w, --words            Print the number of words
  -m, --chars            Print the number of characters
  -c, --bytes            Print the number of bytes
  -L, --max-line-length  Print the maximum width of lines in columns";
    LINES = "-l",
    WORDS = "-w",
    CHARS = "-m",
    BYTES = "-c",
    WIDTH = "-L",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// What was counted, in the order in which it is printed.
#[derive(Clone, Copy, Default)]
struct Counts {
    lines: u64,
    words: u64,
    chars: u64,
    bytes: u64,
    width: u64,
}

/// Which counts are wanted, in the same order.
type Wanted = [bool; 5];

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut wanted: Wanted = [LINES, WORDS, CHARS, BYTES, WIDTH].map(|option| args.has(option));
    if wanted == [false; 5] {
        wanted = [true, true, false, true, false];
    }
    let utf8 = env.is_utf8();
    let names_stdin = !args.operands().is_empty();
    // One number is alone; several are in columns of nine.
    let is_alone = args.operands().len() < 2 && wanted.iter().filter(|&&wanted| wanted).count() == 1;
    let width = if is_alone { 0 } else { 9 };
    let mut total = Counts::default();
    let mut worst = ExitStatus::SUCCESS;
    let mut status = env.for_each_input(args.operands(), &mut |env, input| {
        let mut counts = Counts::default();
        // What was read before a failure is reported too, after it.
        if let Err(error) = count(input, wanted, utf8, &mut counts) {
            worst.worsen(env.warn(error));
        }
        total.lines += counts.lines;
        total.words += counts.words;
        total.chars += counts.chars;
        total.bytes += counts.bytes;
        total.width = total.width.max(counts.width);
        let name = match input.name() {
            b"standard input" if names_stdin => &b"-"[..],
            b"standard input" => b"",
            name => name,
        };
        print(env, &counts, width, wanted, name)
    })?;
    status.worsen(worst);
    if args.operands().len() > 1 {
        print(env, &total, width, wanted, b"total")?;
    }
    Ok(status)
}

fn count(input: &mut Input, wanted: Wanted, utf8: bool, counts: &mut Counts) -> Result<()> {
    let [_, words, chars, _, width] = wanted;
    let is_bytes_only =
        wanted == [false, false, false, true, false] || (wanted == [false, false, true, false, false] && !utf8);
    if is_bytes_only && let Some(left) = bytes_left(input) {
        (counts.bytes, counts.chars) = (left, left);
        return Ok(());
    }
    let mut in_word = false;
    let (mut column, mut split) = (0, Vec::new());
    loop {
        let content = input.fill()?;
        if content.is_empty() {
            break;
        }
        let length = content.len();
        counts.bytes += length as u64;
        counts.lines += if wanted[0] { find_bytes(b'\n', content).count() as u64 } else { 0 };
        if words {
            counts.words += count_words(content, &mut in_word);
        }
        if chars && utf8 {
            counts.chars += content.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() as u64;
        }
        if width && utf8 {
            // The end of a part may split a character.
            split.extend_from_slice(content);
            let whole = whole_characters(&split);
            measure(&split[..whole], utf8, &mut column, &mut counts.width);
            split.drain(..whole);
        } else if width {
            measure(content, utf8, &mut column, &mut counts.width);
        }
        input.consume(length);
    }
    if !(utf8 && chars) {
        counts.chars = counts.bytes;
    }
    counts.width = counts.width.max(column);
    Ok(())
}

/// The bytes between the offset in a regular file and its end, which need not be read.
fn bytes_left(input: &Input) -> Option<u64> {
    let file = input.fd()?;
    let stat = fstat(file).ok()?;
    // Files in /proc and /sys say that they are empty.
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile
        || stat.st_size == 0
        || !input.buffered().is_empty()
    {
        return None;
    }
    let at = seek(file, SeekFrom::Current(0)).ok()?;
    Some((stat.st_size as u64).saturating_sub(at))
}

/// isspace() of the C locale, as a table: a branch for each byte would cost more.
const SPACES: [bool; 256] = {
    let mut table = [false; 256];
    let spaces = b" \t\n\x0b\x0c\r";
    let mut at = 0;
    while at < spaces.len() {
        table[spaces[at] as usize] = true;
        at += 1;
    }
    table
};

/// How many words begin in `content`; `in_word` goes from one part of the input to the next.
fn count_words(content: &[u8], in_word: &mut bool) -> u64 {
    let mut was_space = !*in_word;
    let mut count = 0;
    for &byte in content {
        let is_space = SPACES[usize::from(byte)];
        count += u64::from(was_space & !is_space);
        was_space = is_space;
    }
    *in_word = !was_space;
    count
}

/// Follows the column of a terminal with a tab stop at every eighth.
fn measure(content: &[u8], utf8: bool, column: &mut u64, widest: &mut u64) {
    let mut at = 0;
    while at < content.len() {
        let mut length = 1;
        match content[at] {
            b'\n' | b'\r' | 0x0c => {
                *widest = (*widest).max(*column);
                *column = 0;
            }
            b'\t' => *column = (*column | 7) + 1,
            0x20..=0x7e => *column += 1,
            0x80.. if utf8 => {
                let (found, bytes) = character(&content[at..]);
                length = bytes;
                *column += found.map_or(0, character_width) as u64;
            }
            _ => {}
        }
        at += length;
    }
}

fn print(env: &mut Env, counts: &Counts, width: usize, wanted: Wanted, name: &[u8]) -> Result<()> {
    let values = [counts.lines, counts.words, counts.chars, counts.bytes, counts.width];
    let mut line = Vec::new();
    for (value, _) in values.iter().zip(wanted).filter(|(_, wanted)| *wanted) {
        if !line.is_empty() {
            line.push(b' ');
        }
        push_padded(&mut line, *value, width);
    }
    if !name.is_empty() {
        line.push(b' ');
        line.extend_from_slice(name);
    }
    line.push(b'\n');
    env.stdout.write(&line)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::{try_call, try_call_with};

    use super::APPLET;

    #[test]
    fn counts_what_is_wanted() {
        let wc = |words: &[&str], stdin: &str| try_call(APPLET, words, stdin.as_bytes()).stdout;
        assert_eq!(wc(&["wc"], "a b\nc\n"), "        2         3         6\n");
        assert_eq!(wc(&["wc", "-l"], "a b\nc"), "1\n");
        assert_eq!(wc(&["wc", "-w", "-"], " a  b\nc\t"), "3 -\n");
        assert_eq!(wc(&["wc", "-cl"], "a\n"), "        1         2\n");
        assert_eq!(wc(&["wc", "-L"], "a\tb\nabc"), "9\n");
        assert_eq!(wc(&["wc", "-m"], "é\n"), "3\n");
        assert_eq!(try_call_with(APPLET, &["wc", "-m"], "é\n".as_bytes(), &["LANG=C.UTF-8"]).stdout, "2\n");
    }
}
