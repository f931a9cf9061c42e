//! `paste`: put lines of files side by side (POSIX XCU paste), with GNU's `-z`.

use rbox_core::bytes::find_byte;
use rbox_core::io::{CHUNK, Input};
use rbox_core::prelude::*;

options! {
    "[-sz] [-d LIST] [FILE]...

Join corresponding lines of the FILEs.

  -d, --delimiters=LIST  Separate by the characters of LIST in turn (tab); \\0: none
  -s, --serial           Join all lines of each FILE
  -z, --zero-terminated  Lines end with NUL, not newline";
    DELIMITERS = "-d",
    SERIAL = "-s",
    ZERO = "-z",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let delimiters = delimiters(args.value(DELIMITERS).unwrap_or(b"\t"));
    let end = if args.has(ZERO) { 0 } else { b'\n' };
    let operands = args.operands_or(b"-");
    if args.has(SERIAL) {
        return env.for_each_input(&operands, &mut |env, input| serial(env, input, &delimiters, end));
    }
    // Every operand `-` reads on where the one before stopped.
    let mut inputs: Vec<Input> = Vec::new();
    let mut columns = Vec::new();
    let mut standard = None;
    for operand in operands {
        let shared = if operand == b"-" { standard } else { None };
        let at = shared.unwrap_or(inputs.len());
        if at == inputs.len() {
            inputs.push(env.open(operand)?);
        }
        if operand == b"-" {
            standard = Some(at);
        }
        columns.push(at);
    }
    parallel(env, &mut inputs, &columns, &delimiters, end)?;
    Ok(ExitStatus::SUCCESS)
}

/// POSIX: `\n`, `\t`, `\\`, and `\0` for nothing; a backslash before another character is left out.
fn delimiters(list: &[u8]) -> Vec<Option<u8>> {
    let mut delimiters = Vec::new();
    let mut bytes = list.iter();
    while let Some(&byte) = bytes.next() {
        delimiters.push(match (byte, byte == b'\\') {
            (byte, false) => Some(byte),
            (_, true) => match bytes.next() {
                Some(b'n') => Some(b'\n'),
                Some(b't') => Some(b'\t'),
                Some(b'0') => None,
                Some(&other) => Some(other),
                None => Some(b'\\'),
            },
        });
    }
    // POSIX leaves an empty list open; it means nothing between the lines.
    if delimiters.is_empty() { vec![None] } else { delimiters }
}

fn serial(env: &mut Env, input: &mut Input, delimiters: &[Option<u8>], end: u8) -> Result<()> {
    let mut list = delimiters.iter().cycle();
    let mut has_ended = false;
    while let Some(chunk) = input.chunk(end, &mut env.stdout)? {
        if has_ended && let Some(&Some(delimiter)) = list.next() {
            env.stdout.push(delimiter)?;
        }
        has_ended = chunk.ends;
        env.stdout.write(chunk.bytes)?;
    }
    env.stdout.push(end)
}

fn parallel(env: &mut Env, inputs: &mut [Input], columns: &[usize], delimiters: &[Option<u8>], end: u8) -> Result<()> {
    let mut rows = Vec::new();
    loop {
        let mut start = rows.len();
        let mut list = delimiters.iter().cycle();
        let mut is_row = false;
        for (at, &column) in columns.iter().enumerate() {
            if at > 0
                && let Some(&Some(delimiter)) = list.next()
            {
                rows.push(delimiter);
            }
            let input = &mut inputs[column];
            loop {
                let buffered = input.buffered();
                if let Some(length) = find_byte(end, buffered) {
                    rows.extend_from_slice(&buffered[..length]);
                    input.consume(length + 1);
                    is_row = true;
                    break;
                }
                // What is complete is written before a read that may wait. The delimiters of a row of which no line has
                // been found yet are not: the row may not exist.
                let complete = if is_row { rows.len() } else { start };
                env.stdout.write(&rows[..complete])?;
                rows.drain(..complete);
                start = 0;
                let Some(chunk) = input.chunk(end, &mut env.stdout)? else { break };
                is_row = true;
                rows.extend_from_slice(chunk.bytes);
                if chunk.ends {
                    break;
                }
            }
        }
        if !is_row {
            return env.stdout.write(&rows[..start]);
        }
        rows.push(end);
        if rows.len() >= CHUNK / 2 {
            env.stdout.write(&rows)?;
            rows.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    fn paste(words: &[&str], stdin: &str) -> String {
        try_call(APPLET, words, stdin.as_bytes()).stdout
    }

    #[test]
    fn standard_input_may_be_several_columns() {
        assert_eq!(paste(&["paste", "-", "-"], "a\nb\nc"), "a\tb\nc\t\n");
        assert_eq!(paste(&["paste"], "a\n\nb\n"), "a\n\nb\n");
    }

    #[test]
    fn delimiters_come_in_turn() {
        assert_eq!(paste(&["paste", "-sd", ",:"], "a\nb\nc\nd\n"), "a,b:c,d\n");
        assert_eq!(paste(&["paste", "-d", "\\n\\0\\x", "-", "-", "-", "-"], "1\n2\n3\n4\n"), "1\n23x4\n");
        assert_eq!(paste(&["paste", "-s", "-d", ""], "a\nb\n"), "ab\n");
    }

    #[test]
    fn an_empty_file_is_an_empty_line_in_serial() {
        assert_eq!(paste(&["paste", "-s"], ""), "\n");
        assert_eq!(paste(&["paste"], ""), "");
    }
}
