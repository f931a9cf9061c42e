//! `cksum`: print CRC and size of files (POSIX XCU cksum). `crc32`: print the CRC that gzip and zip have.

use rbox_core::hash::crc::Crc;
use rbox_core::prelude::*;
use rbox_core::text;
use rbox_core::text::{Hex, Right};

options! {
    "[FILE]...

Print the checksum of each FILE, or of standard input: cksum the CRC of POSIX and the size in bytes, crc32 the CRC
of gzip in hexadecimal."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let is_posix = env.name != b"crc32";
    let is_named = !args.operands().is_empty();
    env.for_each_input(args.operands(), &mut |env, input| {
        let mut crc = if is_posix { Crc::posix() } else { Crc::gzip() };
        let mut size = 0u64;
        loop {
            let content = input.fill()?;
            if content.is_empty() {
                break;
            }
            crc.update(content);
            let length = content.len();
            input.consume(length);
            size += length as u64;
        }
        let crc = crc.finish(size);
        let mut line = match is_posix {
            true => text!(crc, " ", size),
            false => text!(Right(Hex(crc.into()), 8, b'0')),
        };
        if is_named {
            let name = if input.name() == b"standard input" { b"-" } else { input.name() };
            line.extend_from_slice(&[b" ", name].concat());
        }
        line.push(b'\n');
        env.stdout.write(&line)
    })
}

#[cfg(test)]
mod tests {
    use rbox_core::testing::try_call;

    use super::APPLET;

    #[test]
    fn two_names_have_two_sums() {
        assert_eq!(try_call(APPLET, &["cksum"], b"abc").stdout, "1219131554 3\n");
        assert_eq!(try_call(APPLET, &["cksum", "-"], b"").stdout, "4294967295 0 -\n");
        assert_eq!(try_call(APPLET, &["crc32"], b"abc").stdout, "352441c2\n");
    }
}
