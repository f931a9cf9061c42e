//! `setfattr`: set extended attributes of files (xattr(7)).

use rbox_core::codec::base::{Base, Decoder};
use rbox_core::prelude::*;
use rbox_core::sys::fs::XattrFlags;
use rbox_core::sys::{Errno, fs};

options! {
    "{-n NAME [-v VALUE] | -x NAME | --restore=FILE} [-h] FILE...

Set an extended attribute, or remove one. VALUE is text, in double quotes or not, with
\\\\, \\\" and \\OCTAL; or 0x and hexadecimal digits, or 0s and base64.

  -n, --name=NAME       Set attribute NAME
  -v, --value=VALUE     Set it to VALUE (nothing)
  -x, --remove=NAME     Remove attribute NAME
  -h, --no-dereference  Change symbolic links themselves
      --raw             Take VALUE as it is
      --restore=FILE    Set what getfattr -d has written to FILE";
    NAME = "-n",
    VALUE = "-v",
    REMOVE = "-x",
    LINKS = "-h",
    RAW = "--raw",
    RESTORE = "--restore",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let follows = !args.has(LINKS);
    if let Some(file) = args.value(RESTORE) {
        return restore(env, file, follows);
    }
    let (name, value) = match (args.value(NAME), args.value(REMOVE)) {
        (Some(name), None) => {
            let value = args.value(VALUE).unwrap_or_default();
            (name, Some(if args.has(RAW) { value.to_vec() } else { decoded(value)? }))
        }
        (None, Some(name)) if !args.has(VALUE) => (name, None),
        _ => return Err(Error::usage()),
    };
    env.for_each_operand(args.operands_between(1, usize::MAX)?, &mut |_, path| {
        let changed = match &value {
            Some(value) => set(path, name, value, follows),
            None if follows => fs::removexattr(path, name),
            None => fs::lremovexattr(path, name),
        };
        changed.map_err(|errno| Error::on(path, errno))
    })
}

fn set(path: &[u8], name: &[u8], value: &[u8], follows: bool) -> core::result::Result<(), Errno> {
    match follows {
        true => fs::setxattr(path, name, value, XattrFlags::empty()),
        false => fs::lsetxattr(path, name, value, XattrFlags::empty()),
    }
}

/// Sets what the lines of a file say: `# file: PATH`, and for each attribute `NAME=VALUE` or `NAME`.
fn restore(env: &mut Env, file: &[u8], follows: bool) -> Outcome {
    let mut input = env.open(file)?;
    let (mut path, mut status) = (None, ExitStatus::SUCCESS);
    while let Some(line) = input.line()? {
        if let Some(name) = line.strip_prefix(b"# file: ") {
            path = Some(unescaped(name));
        } else if !line.is_empty() && !line.starts_with(b"#") {
            let (name, value) = rbox_core::bytes::split_once(line, b'=').unwrap_or((line, b""));
            let path =
                path.as_deref().ok_or_else(|| Error::parts(&[file, b": no file is named before '", name, b"'"]))?;
            if let Err(errno) = set(path, &unescaped(name), &decoded(value)?, follows) {
                status.worsen(env.warn(Error::on(path, errno)));
            }
        }
    }
    Ok(status)
}

/// The bytes that a value means.
fn decoded(value: &[u8]) -> Result<Vec<u8>> {
    let invalid = || Error::parts(&[b"invalid value '", value, b"'"]);
    match value {
        [b'0', b'x' | b'X', digits @ ..] => {
            let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
            let mut pairs = digits.chunks(2);
            pairs
                .try_fold(Vec::new(), |mut bytes, pair| {
                    bytes.push(digit(pair[0])? << 4 | digit(*pair.get(1)?)?);
                    Some(bytes)
                })
                .ok_or_else(invalid)
        }
        [b'0', b's' | b'S', text @ ..] => {
            let (mut decoder, mut bytes) = (Decoder::new(Base::Base64, false), Vec::new());
            let is_whole = decoder.decode(text, &mut bytes).is_ok() && decoder.is_whole();
            if is_whole { Ok(bytes) } else { Err(invalid()) }
        }
        [b'"', text @ .., b'"'] => Ok(unescaped(text)),
        _ => Ok(unescaped(value)),
    }
}

/// The text with `\\`, `\"` and a backslash and up to three octal digits replaced.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let (mut bytes, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let rest = &text[at..];
        let digits = rest[1..].iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
        let (byte, length) = match rest {
            [b'\\', quoted @ (b'\\' | b'"'), ..] => (*quoted, 2),
            [b'\\', ..] if digits > 0 => {
                (rest[1..=digits].iter().fold(0u8, |value, digit| value << 3 | (digit - b'0')), 1 + digits)
            }
            _ => (rest[0], 1),
        };
        bytes.push(byte);
        at += length;
    }
    bytes
}
