//! A dump made a file again.

use rbox_core::files::kind;
use rbox_core::io::{CHUNK, Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{FileType, SeekFrom, fstat, seek};

/// Reverts `-p`: pairs of hexadecimal digits; what is after another character in its line does not count.
pub fn plain(input: &mut Input, output: &mut Output) -> Result<()> {
    let (mut half, mut is_over) = (None, false);
    let mut out = Vec::new();
    loop {
        let content = input.fill_for(output)?;
        if content.is_empty() {
            return output.write(&out);
        }
        for &byte in content {
            match char::from(byte).to_digit(16) {
                _ if byte == b'\n' => is_over = false,
                _ if is_over || byte.is_ascii_whitespace() => {}
                Some(digit) => match half.take() {
                    Some(high) => out.push((high << 4 | digit) as u8),
                    None => half = Some(digit),
                },
                None => (is_over, half) = (true, None),
            }
        }
        let length = content.len();
        input.consume(length);
        output.write(&out)?;
        out.clear();
    }
}

/// Reverts lines of an offset and at most `columns` bytes; `add` is added to the offsets.
///
/// Bytes that no line has are skipped where the output is a file, and are NUL in what cannot seek.
pub fn dump(input: &mut Input, output: &mut Output, columns: usize, add: i64) -> Result<()> {
    let file = output.fd().filter(|file| fstat(file).is_ok_and(|stat| kind(&stat) == FileType::RegularFile));
    let can_seek = file.is_some();
    // Where the next byte would be written.
    let mut position = 0u64;
    let mut bytes = Vec::new();
    while let Some(line) = input.record_for(b'\n', output)? {
        bytes.clear();
        let Some(offset) = read_line(line, columns, &mut bytes) else { continue };
        if bytes.is_empty() {
            continue;
        }
        let wanted = offset.checked_add_signed(add).ok_or_else(|| Error::new("cannot seek to a negative offset"))?;
        if wanted != position && can_seek {
            output.flush()?;
            if let Some(file) = output.fd() {
                seek(file, SeekFrom::Start(wanted)).map_err(|errno| Error::on("output", errno))?;
            }
        } else if wanted < position {
            return Err(Error::new("cannot seek backwards"));
        } else {
            while position < wanted {
                let count = (wanted - position).min(CHUNK as u64);
                output.write_repeated(0, count as usize)?;
                position += count;
            }
        }
        output.write(&bytes)?;
        position = wanted + bytes.len() as u64;
    }
    Ok(())
}

/// The offset that a line begins with; its bytes are added to `bytes`. Two blanks, or what is no digit, end them.
fn read_line(line: &[u8], columns: usize, bytes: &mut Vec<u8>) -> Option<u64> {
    let line = line.trim_ascii_start();
    let length = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let offset = rbox_core::number::parse_radix(&line[..length], 16)?;
    let mut rest = line[length..].trim_ascii_start();
    rest = rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    while bytes.len() < columns {
        match *rest {
            [b' ' | b'\t', b' ' | b'\t', ..] => break,
            [b' ' | b'\t', ..] => rest = &rest[1..],
            [high, low, ..] if digit(high).is_some() && (low == b' ' || low == b'\t') => rest = &rest[1..],
            [high, low, ..] => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => {
                    bytes.push((high << 4 | low) as u8);
                    rest = &rest[2..];
                }
                _ => break,
            },
            _ => break,
        }
    }
    Some(offset)
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    read_line(data, 16, &mut Vec::new());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_an_offset_and_bytes() {
        let read = |line: &[u8]| {
            let mut bytes = Vec::new();
            read_line(line, 4, &mut bytes).map(|offset| (offset, bytes))
        };
        assert_eq!(read(b"00000010: 4142 43  4445"), Some((16, b"ABC".to_vec())));
        assert_eq!(read(b"  a:41zz42"), Some((10, b"A".to_vec())));
        assert_eq!(read(b"0: 4142434445"), Some((0, b"ABCD".to_vec())));
        assert_eq!(read(b"0 41 4 42"), Some((0, b"AB".to_vec())));
        assert_eq!(read(b"x: 41"), None);
    }
}
