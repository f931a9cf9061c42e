//! `makemime`: make a message of files (RFC 2045, 2046).

use rbox_core::bytes::base_name;
use rbox_core::codec::base::Base;
use rbox_core::io::{Input, Output};
use rbox_core::prelude::*;
use rbox_core::random::Random;
use rbox_core::text;
use rbox_core::text::Hex;

options! {
    "[-o FILE] [-a FIELD]... [-c TYPE] [-C CHARSET] [FILE]...

Make a multipart message of FILEs, or of standard input.

  -o FILE     Write to FILE instead of standard output
  -a FIELD    Add a field, such as 'From: user@host', to the head
  -c TYPE     Media type of the FILEs (default: application/octet-stream)
  -C CHARSET  Character set of the FILEs (default: us-ascii)";
    OUTPUT = "-o",
    FIELD = "-a",
    TYPE = "-c",
    CHARSET = "-C",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Bytes of a line of base 64 before it is encoded, which gives 76 characters (RFC 2045, 6.8).
const LINE: usize = 57;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut file = args.value(OUTPUT).map(Output::create).transpose()?;
    let mut random = [0; 16];
    Random::open(None)?.fill(&mut random)?;
    let (a, b) = random.split_at(8);
    let number = |bytes: &[u8]| Hex(bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)));
    let boundary = text!(number(a), "-", number(b));
    let mut head = Vec::new();
    for field in args.values(FIELD) {
        head.extend_from_slice(&text!(field, "\n"));
    }
    head.extend_from_slice(&text!(
        "Mime-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"",
        &boundary,
        "\"\n\n"
    ));
    output(env, &mut file).write(&head)?;
    let kind = args.value(TYPE).unwrap_or(b"application/octet-stream");
    let charset = args.value(CHARSET).unwrap_or(b"us-ascii");
    let status = env.for_each_input(args.operands(), &mut |env, input| {
        let name = if input.name() == b"standard input" { Vec::new() } else { quoted(base_name(input.name())) };
        let disposition = if name.is_empty() { b"inline".to_vec() } else { text!("inline; filename=", name) };
        let head = text!(
            "--",
            &boundary,
            "\nContent-Type: ",
            kind,
            "; charset=",
            charset,
            "\nContent-Disposition: ",
            disposition,
            "\nContent-Transfer-Encoding: base64\n\n"
        );
        output(env, &mut file).write(&head)?;
        encode(env, &mut file, input)
    })?;
    output(env, &mut file).write(&text!("--", &boundary, "--\n"))?;
    output(env, &mut file).flush()?;
    Ok(status)
}

fn output<'a>(env: &'a mut Env, file: &'a mut Option<Output>) -> &'a mut Output {
    file.as_mut().unwrap_or(&mut env.stdout)
}

/// A name as a quoted string (RFC 5322, 3.2.4). A newline in it would begin another field.
fn quoted(name: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for &byte in name {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            byte if byte.is_ascii_control() => out.push(b'_'),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
    out
}

fn encode(env: &mut Env, file: &mut Option<Output>, input: &mut Input) -> Result<()> {
    let mut line = Vec::new();
    loop {
        while input.buffered().len() < LINE && input.fill_more()? {}
        let content = input.buffered();
        let count = content.len().min(LINE);
        if count == 0 {
            return Ok(());
        }
        line.clear();
        Base::Base64.encode(&content[..count], &mut line);
        line.push(b'\n');
        input.consume(count);
        output(env, file).write(&line)?;
    }
}
