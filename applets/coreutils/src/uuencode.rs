//! `uuencode`: encode a file, with its name and mode, as text (POSIX XCU uuencode).

use rbox_core::codec::base::Base;
use rbox_core::io::Input;
use rbox_core::number::octal;
use rbox_core::prelude::*;
use rbox_core::sys::fs::fstat;
use rbox_core::sys::process;

options! {
    "[-m] [FILE] NAME

Encode FILE, or standard input, for uudecode, which creates NAME.

  -m  Encode as base64";
    BASE64 = "-m",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

/// Bytes of a line.
const LINE: usize = 45;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, 2)?;
    let (mut input, mode) = match operands {
        [file, _] => {
            let input = env.open(file)?;
            let mode = input.fd().and_then(|fd| fstat(fd).ok()).map_or(0o666, |stat| stat.st_mode & 0o777);
            (input, mode)
        }
        _ => (env.take_stdin(), 0o666 & !process::current_umask()),
    };
    let name = operands.last().copied().unwrap_or_default();
    let (begin, end): (&[u8], &[u8]) = match args.has(BASE64) {
        true => (b"begin-base64 ", b"====\n"),
        false => (b"begin ", b"`\nend\n"),
    };
    env.stdout.write(&[begin, &octal(mode.into()), b" ", name, b"\n"].concat())?;
    let mut line = Vec::new();
    while fill_line(&mut input)? {
        let content = input.buffered();
        let content = &content[..content.len().min(LINE)];
        line.clear();
        if args.has(BASE64) {
            Base::Base64.encode(content, &mut line);
        } else {
            encode(content, &mut line);
        }
        line.push(b'\n');
        let length = content.len();
        input.consume(length);
        env.stdout.write(&line)?;
    }
    env.stdout.write(end)?;
    Ok(ExitStatus::SUCCESS)
}

/// Reads until there is a line, or what is left. False at the end.
fn fill_line(input: &mut Input) -> Result<bool> {
    while input.buffered().len() < LINE {
        if !input.fill_more()? {
            break;
        }
    }
    Ok(!input.buffered().is_empty())
}

/// POSIX's old form: the number of bytes and six bits a character, from the blank on, which is written as a backquote.
fn encode(content: &[u8], line: &mut Vec<u8>) {
    let letter = |value: u32| if value & 63 == 0 { b'`' } else { b' ' + (value & 63) as u8 };
    line.push(letter(content.len() as u32));
    for part in content.chunks(3) {
        let mut bytes = [0; 4];
        bytes[1..=part.len()].copy_from_slice(part);
        let word = u32::from_be_bytes(bytes);
        line.extend([18, 12, 6, 0].map(|shift| letter(word >> shift)));
    }
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn both_forms_have_their_ends() {
        let old = try_call(APPLET, &["uuencode", "n"], b"hi\n").stdout;
        assert!(old.starts_with("begin 6") && old.ends_with(" n\n#:&D*\n`\nend\n"), "{old}");
        let new = try_call(APPLET, &["uuencode", "-m", "n"], b"hi\n").stdout;
        assert!(new.starts_with("begin-base64 6") && new.ends_with(" n\naGkK\n====\n"), "{new}");
    }
}
