//! `fgconsole`: the number of the virtual terminal that is shown.

use crate::keymap::open_console;
use rbox_core::prelude::*;
use rbox_core::sys::{AsFd, virtual_terminal};
use rbox_core::text;

options! {
    "[-n]

Print the number of the active virtual terminal.

  -n, --next-available  Print the first unused one";
    NEXT = "-n",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let console = open_console()?;
    let number = if args.has(NEXT) {
        virtual_terminal::free(console.as_fd()).map(|number| number as u32)
    } else {
        virtual_terminal::active(console.as_fd()).map(u32::from)
    };
    let number = number.map_err(|errno| Error::on("VT_GETSTATE", errno))?;
    env.stdout.write(&text!(number, "\n"))?;
    Ok(ExitStatus::SUCCESS)
}
