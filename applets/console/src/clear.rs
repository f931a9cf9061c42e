//! `clear`: clear the terminal's screen (ECMA-48 CUP and ED).

use rbox_core::prelude::*;

options!("\n\nClear the screen.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, _args: &Args<'_>) -> Outcome {
    env.stdout.write(b"\x1b[H\x1b[J")?;
    Ok(ExitStatus::SUCCESS)
}
