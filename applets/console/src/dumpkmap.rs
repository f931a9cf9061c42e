//! `dumpkmap`: write the console's keyboard map in the binary form that loadkmap reads.

use crate::keymap::{KEYS, MAGIC, TABLES, open_console};
use rbox_core::prelude::*;
use rbox_core::sys::AsFd;
use rbox_core::sys::keyboard::key;

options!("> KEYMAP\n\nWrite the binary keyboard map of the console to standard output.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// The tables that BusyBox writes: plain, Shift, AltGr, Control, and those of them with Alt.
const WRITTEN: [u8; 10] = [0, 1, 2, 4, 5, 6, 8, 9, 10, 12];

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let console = open_console()?;
    env.stdout.write(MAGIC)?;
    let mut flags = [0; TABLES];
    WRITTEN.iter().for_each(|&table| flags[usize::from(table)] = 1);
    env.stdout.write(&flags)?;
    for table in WRITTEN {
        for index in 0..KEYS {
            // A table that the kernel does not have reads as holes.
            let value = key(console.as_fd(), table, index as u8).unwrap_or(0);
            env.stdout.write(&value.to_ne_bytes())?;
        }
    }
    Ok(ExitStatus::SUCCESS)
}
