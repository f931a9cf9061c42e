//! `smemcap`: write what smem(8) needs of /proc to standard output, as a tar archive (POSIX pax, ustar).

use rbox_core::number::Decimal;
use rbox_core::prelude::*;
use rbox_core::processes::{self, read_path};
use rbox_core::sys::time::{ClockId, clock_gettime};
use rbox_core::text;

options! {
    "

Write the memory maps of all processes to standard output, as a tar archive for smem --source."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// The size of a block of tar.
const BLOCK: usize = 512;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    for name in [&b"meminfo"[..], b"version"] {
        let content = read_path(&text!("/proc/", name))?;
        write_member(env, name, b'0', &content)?;
    }
    for pid in processes::all()? {
        let number = Decimal::new(pid as u64);
        // One that has ended meanwhile, or is another user's, is left out.
        let Ok(maps) = read_path(&text!("/proc/", number.as_bytes(), "/smaps")) else { continue };
        write_member(env, &text!(number.as_bytes(), "/"), b'5', b"")?;
        write_member(env, &text!(number.as_bytes(), "/smaps"), b'0', &maps)?;
        for name in ["cmdline", "stat"] {
            if let Some(content) = processes::read_file(pid, name) {
                write_member(env, &text!(number.as_bytes(), "/", name), b'0', &content)?;
            }
        }
    }
    // Two blocks of zeros end the archive.
    env.stdout.write(&[0; 2 * BLOCK])?;
    Ok(ExitStatus::SUCCESS)
}

/// Writes a header and the contents, filled up to whole blocks.
fn write_member(env: &mut Env, name: &[u8], kind: u8, content: &[u8]) -> Result<()> {
    let now = clock_gettime(ClockId::Realtime).tv_sec as u64;
    env.stdout.write(&header(name, kind, content.len() as u64, now))?;
    env.stdout.write(content)?;
    env.stdout.write(&[0; BLOCK][..content.len().next_multiple_of(BLOCK) - content.len()])
}

/// The header of a member; numbers are octal, and the names are short.
fn header(name: &[u8], kind: u8, size: u64, time: u64) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    header[..name.len()].copy_from_slice(name);
    let octal = |field: &mut [u8], mut number: u64| {
        for digit in field.iter_mut().rev() {
            *digit = b'0' + (number & 7) as u8;
            number >>= 3;
        }
    };
    octal(&mut header[100..107], if kind == b'5' { 0o555 } else { 0o444 });
    octal(&mut header[108..115], 0);
    octal(&mut header[116..123], 0);
    octal(&mut header[124..135], size);
    octal(&mut header[136..147], time);
    header[148..156].fill(b' ');
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum = header.iter().map(|&byte| u64::from(byte)).sum();
    octal(&mut header[148..154], sum);
    header[154] = 0;
    header
}

#[cfg(test)]
mod tests {
    use super::header;

    #[test]
    fn a_header_has_its_sum() {
        let header = header(b"12/smaps", b'0', 65, 0o17);
        assert_eq!((&header[..9], &header[124..136]), (&b"12/smaps\0"[..], &b"00000000101\0"[..]));
        let mut blank = header;
        blank[148..156].fill(b' ');
        let sum: u32 = blank.iter().map(|&byte| u32::from(byte)).sum();
        assert_eq!(&header[148..156], format!("{sum:06o}\0 ").as_bytes());
    }
}
