//! `showkey`: print the codes that the keyboard sends.

use crate::keymap::open_console;
use rbox_core::prelude::*;
use rbox_core::push;
use rbox_core::sys::signal::{self, Disposition, pending};
use rbox_core::sys::signal_queue::{SIGHUP, SIGINT, SIGTERM};
use rbox_core::sys::{AsFd, Errno, fd, virtual_terminal};
use rbox_core::term::raw::Raw;
use rbox_core::text;
use rbox_core::text::{Hex, Left, Right};

options! {
    "[-a | -k | -s]

Print pressed keys until none is pressed for 10 seconds; with -a, until Ctrl-D.

  -a, --ascii      Print bytes in decimal, octal and hexadecimal
  -k, --keycodes   Print keycodes (default)
  -s, --scancodes  Print scancodes";
    ASCII = "-a",
    KEYS = "-k",
    SCAN = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// Milliseconds without a key that end it: there may be no other way.
const PATIENCE: u64 = 10_000;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    // With -a any terminal will do.
    let mode = match args.last_of(&[ASCII, KEYS, SCAN]) {
        Some(ASCII) => None,
        Some(SCAN) => Some(0),
        _ => Some(2),
    };
    let Some(mode) = mode else { return show_bytes(env) };
    let console = open_console()?;
    let before = virtual_terminal::keyboard_mode(console.as_fd()).map_err(|errno| Error::on("KDGKBMODE", errno))?;
    let raw = Raw::enter(0).ok_or_else(|| Error::new("standard input is no terminal"))?;
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal::set(signal, Disposition::Note)?;
    }
    env.stdout.write(b"Press any keys, program terminates 10s after last keypress\n\n")?;
    env.stdout.flush()?;
    virtual_terminal::set_keyboard_mode(console.as_fd(), mode).map_err(|errno| Error::on("KDSKBMODE", errno))?;
    let shown = show_codes(env, mode == 0);
    // Whatever happened, a keyboard in that mode is of no use to anybody else.
    let restored = virtual_terminal::set_keyboard_mode(console.as_fd(), before);
    drop(raw);
    shown?;
    restored.map_err(|errno| Error::on("KDSKBMODE", errno))?;
    Ok(ExitStatus::SUCCESS)
}

fn show_codes(env: &mut Env, scan: bool) -> Result<()> {
    while pending() == 0 {
        match signal::wait_readable(fd::borrow(0), Some(PATIENCE)) {
            Ok(true) => {}
            Ok(false) | Err(Errno::INTR) => break,
            Err(errno) => return Err(Error::on("standard input", errno)),
        }
        let mut buffer = [0; 32];
        let count =
            rbox_core::io::read(fd::borrow(0), &mut buffer).map_err(|errno| Error::on("standard input", errno))?;
        if count == 0 {
            break;
        }
        let text = if scan { scan_codes(&buffer[..count]) } else { key_codes(&buffer[..count]) };
        env.stdout.write(&text)?;
        env.stdout.flush()?;
    }
    Ok(())
}

fn scan_codes(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for byte in bytes {
        push!(text, "0x", Right(Hex((*byte).into()), 2, b'0'), " ");
    }
    text.push(b'\n');
    text
}

/// The top bit is set when the key is released; a code beyond 127 is in the two bytes that follow (linux/keyboard.c).
fn key_codes(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let mut code = u32::from(first & 0x7f);
        if let (0, [high, low, after @ ..]) = (code, after)
            && high & low & 0x80 != 0
        {
            code = u32::from(high & 0x7f) << 7 | u32::from(low & 0x7f);
            rest = after;
        }
        push!(text, "keycode ", Right(code, 3, b' '), if first & 0x80 != 0 { " release\n" } else { " press\n" });
    }
    text
}

fn show_bytes(env: &mut Env) -> Outcome {
    let raw = Raw::enter(0).ok_or_else(|| Error::new("standard input is no terminal"))?;
    env.stdout.write(b"Press any keys - Ctrl-D will terminate this program\n\n")?;
    env.stdout.flush()?;
    loop {
        let mut byte = [0];
        if rbox_core::io::read(fd::borrow(0), &mut byte).map_err(|errno| Error::on("standard input", errno))? == 0 {
            break;
        }
        env.stdout.write(&byte_line(byte[0]))?;
        env.stdout.flush()?;
        if byte[0] == 4 {
            break;
        }
    }
    drop(raw);
    Ok(ExitStatus::SUCCESS)
}

/// The character, and its number in three forms.
fn byte_line(byte: u8) -> Vec<u8> {
    let name = match byte {
        0..32 => text!("^", &[byte + 64]),
        127 => text!("^?"),
        _ => text!(&[byte]),
    };
    let octal = rbox_core::number::octal(byte.into());
    text!(
        Left(name, 4),
        Right(byte, 3, b' '),
        " 0",
        Right(octal, 3, b'0'),
        " 0x",
        Right(Hex(byte.into()), 2, b'0'),
        "\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told() {
        assert_eq!(key_codes(b"\x1c\x9c\x00\x82\x85"), b"keycode  28 press\nkeycode  28 release\nkeycode 261 press\n");
        assert_eq!(key_codes(b"\x80\x82"), b"keycode   0 release\nkeycode   2 release\n");
        assert_eq!(scan_codes(b"\xe0\x05"), b"0xe0 0x05 \n");
        assert_eq!(byte_line(b'a'), b"a    97 0141 0x61\n");
        assert_eq!(byte_line(27), b"^[   27 0033 0x1b\n");
    }
}
