//! `setkeycodes`: which key code a scan code of the keyboard means.

use crate::keymap::open_console;
use rbox_core::number::{invalid, parse_in_range, parse_radix};
use rbox_core::prelude::*;
use rbox_core::sys::{AsFd, virtual_terminal};
use rbox_core::text;

options!(
    "{SCANCODE KEYCODE}...

Map scancodes to keycodes. SCANCODE is xx or e0xx in hexadecimal; KEYCODE is
decimal, 1 to 255."
);

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(2, usize::MAX)?;
    if operands.len() % 2 == 1 {
        return Err(Error::usage());
    }
    let console = open_console()?;
    for pair in operands.chunks_exact(2) {
        let scan = scan_code(pair[0]).ok_or_else(|| invalid(pair[0]))?;
        let key = parse_in_range(pair[1], 0, 255)? as u32;
        let set = virtual_terminal::set_key_code(console.as_fd(), scan, key);
        set.map_err(|errno| Error::on(text!("can't set SCANCODE ", pair[0], " to KEYCODE ", pair[1]), errno))?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// The number that the kernel has for a scan code: those with e0 before them follow the 128 without.
fn scan_code(word: &[u8]) -> Option<u32> {
    let code = parse_radix(word, 16)?;
    match code {
        0..=0xff => Some(code as u32),
        0xe000..=0xe0ff => Some((code as u32 & 0x7f) + 128),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::scan_code;

    #[test]
    fn escaped_codes_come_after_the_plain_ones() {
        assert_eq!((scan_code(b"5e"), scan_code(b"e05e"), scan_code(b"E000")), (Some(0x5e), Some(0xde), Some(0x80)));
        assert!(scan_code(b"").is_none() && scan_code(b"e1ff").is_none() && scan_code(b"xy").is_none());
    }
}
