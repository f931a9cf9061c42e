//! `arch`: print the machine type.

use rbox_core::prelude::*;
use rbox_core::sys::system;

options!("\n\nPrint the machine type, as uname -m.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, _args: &Args<'_>) -> Outcome {
    env.stdout.write(&[system::uname().machine().to_bytes(), b"\n"].concat())?;
    Ok(ExitStatus::SUCCESS)
}
