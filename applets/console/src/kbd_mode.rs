//! `kbd_mode`: what the keyboard of the console sends.

use crate::keymap::open_console;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, fs, virtual_terminal};
use rbox_core::text;

options! {
    "[-a | -k | -s | -u] [-C TTY]

Print or set the keyboard mode.

  -a, --ascii        Set ASCII (XLATE) mode
  -k, --keycode      Set keycode (MEDIUMRAW) mode
  -s, --scancode     Set scancode (RAW) mode
  -u, --unicode      Set UTF-8 mode
  -C, --console=TTY  Use TTY";
    ASCII = "-a",
    KEYS = "-k",
    SCAN = "-s",
    UNICODE = "-u",
    CONSOLE = "-C",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let console = match args.value(CONSOLE) {
        Some(path) => {
            let file = fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
            file.map_err(|errno| Error::cannot("open", path, errno))?
        }
        None => open_console()?,
    };
    // linux/kd.h: K_RAW, K_XLATE, K_MEDIUMRAW, K_UNICODE, K_OFF.
    let mode = match args.last_of(&[ASCII, KEYS, SCAN, UNICODE]) {
        Some(SCAN) => 0,
        Some(ASCII) => 1,
        Some(KEYS) => 2,
        Some(_) => 3,
        None => {
            let mode = virtual_terminal::keyboard_mode(console.as_fd());
            let name = match mode.map_err(|errno| Error::on("KDGKBMODE", errno))? {
                0 => "raw (scancode)",
                1 => "default (ASCII)",
                2 => "mediumraw (keycode)",
                3 => "Unicode (UTF-8)",
                _ => "off",
            };
            env.stdout.write(&text!("The keyboard is in ", name, " mode\n"))?;
            return Ok(ExitStatus::SUCCESS);
        }
    };
    virtual_terminal::set_keyboard_mode(console.as_fd(), mode).map_err(|errno| Error::on("KDSKBMODE", errno))?;
    Ok(ExitStatus::SUCCESS)
}
