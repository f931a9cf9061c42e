//! `sum`: print the old checksums of BSD and System V, and the size in blocks (the Single UNIX Specification's sum).

use rbox_core::prelude::*;
use rbox_core::text;
use rbox_core::text::Right;

options! {
    "[-rs] [FILE]...

Print checksum and block count of each FILE, or of standard input.

  -r          BSD algorithm, blocks of 1024 bytes (default)
  -s, --sysv  System V algorithm, blocks of 512 bytes";
    BSD = "-r",
    SYSV = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let is_sysv = args.last_of(&[BSD, SYSV]) == Some(SYSV);
    let is_named = !args.operands().is_empty();
    env.for_each_input(args.operands(), &mut |env, input| {
        let (mut sum, mut size) = (0u32, 0u64);
        loop {
            let content = input.fill()?;
            if content.is_empty() {
                break;
            }
            sum = if is_sysv { add_sysv(sum, content) } else { add_bsd(sum, content) };
            let length = content.len();
            input.consume(length);
            size += length as u64;
        }
        let mut line = if is_sysv {
            // The carries are added to the 16 bits, twice since the first time may have one.
            let folded = (sum & 0xffff) + (sum >> 16);
            text!((folded & 0xffff) + (folded >> 16), " ", size.div_ceil(512))
        } else {
            text!(Right(sum, 5, b'0'), " ", Right(size.div_ceil(1024), 5, b' '))
        };
        if is_named {
            let name = if input.name() == b"standard input" { b"-" } else { input.name() };
            line.extend_from_slice(&[b" ", name].concat());
        }
        line.push(b'\n');
        env.stdout.write(&line)
    })
}

fn add_sysv(sum: u32, content: &[u8]) -> u32 {
    content.iter().fold(sum, |sum, &byte| sum.wrapping_add(byte.into()))
}

fn add_bsd(sum: u32, content: &[u8]) -> u32 {
    content.iter().fold(sum, |sum, &byte| ((sum >> 1) + ((sum & 1) << 15) + u32::from(byte)) & 0xffff)
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn there_are_two_sums() {
        assert_eq!(try_call(APPLET, &["sum"], b"hi\n").stdout, "32856     1\n");
        assert_eq!(try_call(APPLET, &["sum", "-s", "-"], b"hi\n").stdout, "219 1 -\n");
        assert_eq!(try_call(APPLET, &["sum", "-sr"], b"").stdout, "00000     0\n");
    }
}
