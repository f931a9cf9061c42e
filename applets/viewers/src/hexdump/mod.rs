//! `hexdump`, `hd`: print what is in files as format strings ask for (hexdump(1) of BSD).

mod dump;
mod format;

use rbox_core::bytes::base_name;
use rbox_core::number::parse_size;
use rbox_core::prelude::*;
use rbox_core::text;

use dump::Dump;
use format::Format;

#[cfg(fuzzing)]
pub use format::fuzz;

options! {
    "[-bcdoxXCv] [-e FORMAT]... [-f FILE]... [-n N] [-s N] [FILE]...

Dump the FILEs, or standard input, in hexadecimal 2-byte units or as the options ask; hd is hexdump -C.

  -b, --one-byte-octal       1-byte octal numbers
  -c, --one-byte-char        Characters
  -d, --two-bytes-decimal    2-byte decimal numbers
  -o, --two-bytes-octal      2-byte octal numbers
  -x, --two-bytes-hex        2-byte hexadecimal numbers
  -X, --one-byte-hex         1-byte hexadecimal numbers
  -C, --canonical            Hexadecimal bytes and the characters beside them
  -e, --format=FORMAT        Units '[COUNT][/BYTES] \"TEXT\"' with the conversions of printf and _a[dox] _A[dox] _c _p _u
  -f, --format-file=FILE     Read formats from FILE, one per line
  -n, --length=N             Dump at most N bytes
  -s, --skip=N               Skip the first N bytes
  -v, --no-squeezing         Print equal lines, not *";
    OCTAL_BYTES = "-b",
    CHARACTERS = "-c",
    DECIMAL = "-d",
    OCTAL = "-o",
    HEX = "-x",
    CANONICAL = "-C",
    FORMAT = "-e",
    FORMAT_FILE = "-f",
    LENGTH = "-n",
    SKIP = "-s",
    ALL = "-v",
    HEX_BYTES = "-X",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let count = |option| args.value(option).map(parse_size).transpose();
    let mut formats = Vec::new();
    for &(option, value) in args.found() {
        match option {
            FORMAT => formats.push(Format::parse(value.unwrap_or_default())?),
            FORMAT_FILE => add_lines(&env.open(value.unwrap_or_default())?.read_to_end()?, &mut formats)?,
            LENGTH | SKIP | ALL => {}
            _ => add(option, &mut formats)?,
        }
    }
    if formats.is_empty() {
        let is_hd = base_name(&env.name) == b"hd";
        if is_hd { add(CANONICAL, &mut formats)? } else { add_numbers("8/2 \"%04x \"", &mut formats)? }
    }
    let mut dump = Dump::new(formats, args.has(ALL), count(SKIP)?.unwrap_or(0), count(LENGTH)?.unwrap_or(u64::MAX));
    let status = env.for_each_input(args.operands(), &mut |env, input| dump.read(env, input))?;
    dump.finish(env)?;
    Ok(status)
}

/// Adds the formats of a file, one a line; a line that begins with `#` is a comment.
fn add_lines(content: &[u8], formats: &mut Vec<Format>) -> Result<()> {
    for line in content.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_start) {
        if !line.is_empty() && !line.starts_with(b"#") {
            formats.push(Format::parse(line)?);
        }
    }
    Ok(())
}

/// Adds the formats of an option.
fn add(option: Opt, formats: &mut Vec<Format>) -> Result<()> {
    let numbers = match option {
        OCTAL_BYTES => "16/1 \"%03o \"",
        CHARACTERS => "16/1 \"%3_c \"",
        DECIMAL => "8/2 \"  %05u \"",
        OCTAL => "8/2 \" %06o \"",
        HEX => "8/2 \"   %04x \"",
        HEX_BYTES => "16/1 \" %02x \"",
        _ => {
            for format in
                ["\"%08.8_Ax\n\"", "\"%08.8_ax  \" 8/1 \"%02x \" \"  \" 8/1 \"%02x \"", "\"  |\" 16/1 \"%_p\" \"|\n\""]
            {
                formats.push(Format::parse(format.as_bytes())?);
            }
            return Ok(());
        }
    };
    add_numbers(numbers, formats)
}

/// Adds the format of lines of numbers after their offset, and of the last offset.
fn add_numbers(numbers: &str, formats: &mut Vec<Format>) -> Result<()> {
    formats.push(Format::parse(b"\"%07.7_Ax\n\"")?);
    formats.push(Format::parse(&text!("\"%07.7_ax \" ", numbers, " \"\n\""))?);
    Ok(())
}
