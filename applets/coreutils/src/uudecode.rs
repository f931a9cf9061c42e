//! `uudecode`: decode a file that `uuencode` encoded (POSIX XCU uudecode).

use rbox_core::codec::base::{Base, Decoder};
use rbox_core::io::{Input, Output};
use rbox_core::number::parse_radix;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, fchmod};

options! {
    "[-o OUTPUT] [FILE]

Decode FILE, or standard input, made by uuencode.

  -o OUTPUT  Write to OUTPUT (the name in FILE); -: standard output";
    OUTPUT = "-o",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut input = env.open(args.operands_between(0, 1)?.first().copied().unwrap_or(b"-"))?;
    let (name, mode, is_base64) = loop {
        let Some(line) = input.line()? else { return Err(Error::new("no 'begin' line")) };
        if let Some((name, mode, is_base64)) = begin(line) {
            break (name.to_vec(), mode, is_base64);
        }
    };
    let name = args.value(OUTPUT).unwrap_or(&name);
    let decode = if is_base64 { decode_base64 } else { decode_old };
    if matches!(name, b"-" | b"/dev/stdout") {
        decode(&mut input, &mut env.stdout)?;
        return Ok(ExitStatus::SUCCESS);
    }
    let mut output = Output::create(name)?;
    let on_name = |error: Error| match error.errno() {
        Some(errno) if error.is_output() => Error::on(name, errno),
        _ => error,
    };
    if let Some(file) = output.fd() {
        fchmod(file, Mode::from_raw_mode(mode)).map_err(|errno| Error::on(name, errno))?;
    }
    decode(&mut input, &mut output).and_then(|()| output.flush()).map_err(on_name)?;
    Ok(ExitStatus::SUCCESS)
}

/// The name and the permissions of a line `begin MODE NAME`, and whether base 64 follows. Bits that give others' rights
/// to who runs the file are left out.
fn begin(line: &[u8]) -> Option<(&[u8], u32, bool)> {
    let (rest, is_base64) = match line.strip_prefix(b"begin-base64 ") {
        Some(rest) => (rest, true),
        None => (line.strip_prefix(b"begin ")?, false),
    };
    let (mode, name) = rbox_core::bytes::split_once(rest, b' ')?;
    let name = name.trim_ascii();
    (!name.is_empty()).then_some((name, (parse_radix(mode, 8)? & 0o777) as u32, is_base64))
}

fn short() -> Error {
    Error::new("short file")
}

fn decode_old(input: &mut Input, output: &mut Output) -> Result<()> {
    let mut bytes = Vec::new();
    loop {
        let line = input.line()?.ok_or_else(short)?.trim_ascii_end();
        let value = |letter: u8| u32::from(letter.wrapping_sub(b' ') & 63);
        // Blanks at the end of a line may be lost on the way: each of them is a zero.
        let length = line.first().map_or(0, |&letter| value(letter)) as usize;
        if length == 0 {
            break;
        }
        let letters = &line[1..];
        // All characters but those of zeros must be there, else the line was cut.
        if letters.iter().any(|letter| !(b' '..=b'`').contains(letter)) || letters.len() + 4 < length.div_ceil(3) * 4 {
            return Err(short());
        }
        bytes.clear();
        for group in 0..length.div_ceil(3) {
            let word =
                (0..4).fold(0, |word, at| word << 6 | letters.get(4 * group + at).map_or(0, |&letter| value(letter)));
            bytes.extend_from_slice(&word.to_be_bytes()[1..]);
        }
        output.write(&bytes[..length])?;
    }
    match input.line()? {
        Some(line) if line.trim_ascii_end() == b"end" => Ok(()),
        _ => Err(short()),
    }
}

fn decode_base64(input: &mut Input, output: &mut Output) -> Result<()> {
    let mut decoder = Decoder::new(Base::Base64, false);
    let mut bytes = Vec::new();
    loop {
        let line = input.line()?.ok_or_else(short)?;
        if line.trim_ascii_end() == b"====" {
            return if decoder.is_whole() { Ok(()) } else { Err(short()) };
        }
        bytes.clear();
        decoder.decode(line, &mut bytes).map_err(|_| Error::new("invalid input"))?;
        output.write(&bytes)?;
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    fn decode(text: &str) -> (u8, String, String) {
        let ran = try_call(APPLET, &["uudecode", "-o", "-"], text.as_bytes());
        (ran.status, ran.stdout, ran.stderr)
    }

    #[test]
    fn both_forms_are_read() {
        let wanted = (0, "hi\n".to_string(), String::new());
        assert_eq!(decode("x\nbegin 644 n\n#:&D*\n`\nend\n"), wanted);
        assert_eq!(decode("begin 644 n m\r\n#:&D*\r\n \r\nend\r\n"), wanted);
        assert_eq!(decode("begin-base64 644 n\naGkK\n====\n"), wanted);
    }

    #[test]
    fn what_is_cut_is_an_error() {
        for text in ["begin 644 n\n", "begin 644 n\n#:&D*\n", "begin 644 n\n#:&D*\n`\n", "begin-base64 644 n\naGkK\n"] {
            assert_eq!((decode(text).0, decode(text).2.as_str()), (1, "uudecode: short file\n"), "{text}");
        }
        assert_eq!(decode("begin 9 n\n").2, "uudecode: no 'begin' line\n");
    }
}
