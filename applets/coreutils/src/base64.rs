//! `base64` and `base32`: encode and decode bytes (RFC 4648), with GNU's options.

use rbox_core::codec::base::{Base, Decoder};
use rbox_core::io::Input;
use rbox_core::number::{PLAIN, parse_count};
use rbox_core::prelude::*;

options! {
    "[-di] [-w COLUMNS] [FILE]

Encode or decode FILE, or standard input, and print the result.

  -d, --decode          Decode
  -i, --ignore-garbage  With -d, skip characters outside the alphabet
  -w, --wrap=COLUMNS    Wrap encoded lines after COLUMNS characters (76); 0: never";
    DECODE = "-d",
    IGNORE_GARBAGE = "-i",
    WRAP = "-w",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let base = if env.name == b"base32" { Base::Base32 } else { Base::Base64 };
    let width =
        usize::try_from(args.value(WRAP).map_or(Ok(76), |word| parse_count(word, PLAIN))?).unwrap_or(usize::MAX);
    let mut input = match args.operands_between(0, 1)?.first() {
        Some(name) => env.open(name)?,
        None => env.take_stdin(),
    };
    match args.has(DECODE) {
        true => decode(env, &mut input, base, args.has(IGNORE_GARBAGE))?,
        false => encode(env, &mut input, base, width)?,
    }
    Ok(ExitStatus::SUCCESS)
}

fn encode(env: &mut Env, input: &mut Input, base: Base, width: usize) -> Result<()> {
    let mut letters = Vec::new();
    let mut column = 0;
    let mut is_more = true;
    while is_more {
        // Whole groups only, until the end.
        while input.buffered().len() < base.group() && is_more {
            is_more = input.fill_more_for(&mut env.stdout)?;
        }
        let content = input.buffered();
        let length = if is_more { content.len() / base.group() * base.group() } else { content.len() };
        letters.clear();
        base.encode(&content[..length], &mut letters);
        input.consume(length);
        let mut rest = &letters[..];
        while width > 0 && rest.len() >= width - column {
            let (line, after) = rest.split_at(width - column);
            env.stdout.write(line)?;
            env.stdout.push(b'\n')?;
            (rest, column) = (after, 0);
        }
        env.stdout.write(rest)?;
        column += if width > 0 { rest.len() } else { 0 };
    }
    if column > 0 { env.stdout.push(b'\n') } else { Ok(()) }
}

fn decode(env: &mut Env, input: &mut Input, base: Base, is_lenient: bool) -> Result<()> {
    let mut decoder = Decoder::new(base, is_lenient);
    let mut bytes = Vec::new();
    loop {
        let content = input.fill_for(&mut env.stdout)?;
        if content.is_empty() {
            break;
        }
        let decoded = decoder.decode(content, &mut bytes);
        let length = content.len();
        input.consume(length);
        env.stdout.write(&bytes)?;
        bytes.clear();
        decoded.map_err(|_| Error::new("invalid input"))?;
    }
    if decoder.is_whole() { Ok(()) } else { Err(Error::new("truncated input")) }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn lines_are_broken() {
        assert_eq!(try_call(APPLET, &["base64", "-w", "5"], b"foobar").stdout, "Zm9vY\nmFy\n");
        assert_eq!(try_call(APPLET, &["base64", "-w4"], b"foobar").stdout, "Zm9v\nYmFy\n");
        assert_eq!(try_call(APPLET, &["base64", "-w0"], b"foob").stdout, "Zm9vYg==");
        assert_eq!(try_call(APPLET, &["base32"], b"foob").stdout, "MZXW6YQ=\n");
        assert_eq!(try_call(APPLET, &["base64"], b"").stdout, "");
    }

    #[test]
    fn letters_are_read_back() {
        assert_eq!(try_call(APPLET, &["base64", "-d"], b"Zm9v\nYg==\n").stdout, "foob");
        assert_eq!(try_call(APPLET, &["base64", "-di"], b"Zm.9v").stdout, "foo");
        let ran = try_call(APPLET, &["base64", "-d"], b"Zm9vYg");
        assert_eq!((ran.status, ran.stdout.as_str(), ran.stderr.as_str()), (1, "foo", "base64: truncated input\n"));
        assert_eq!(try_call(APPLET, &["base32", "-d"], b"MZX!").stderr, "base32: invalid input\n");
    }
}
