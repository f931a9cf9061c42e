//! `true`: return status 0 (POSIX XCU true).

use rbox_core::prelude::*;

options!("\n\nReturn an exit status of 0.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().inline();

fn run(_env: &mut Env, _args: &Args<'_>) -> Outcome {
    Ok(ExitStatus::SUCCESS)
}
