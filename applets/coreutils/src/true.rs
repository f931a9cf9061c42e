//! `true`: return status 0 (POSIX XCU true).

use rbox_core::prelude::*;

options!("\n\nReturn an exit status of 0.");

/// The applet. It takes any words.
pub const APPLET: Applet = Applet::new(USAGE, run).raw().inline();

fn run(_: &mut Env, _: &Args<'_>) -> Outcome {
    Ok(ExitStatus::SUCCESS)
}
