//! `true`: return status 0 (POSIX XCU true).

use rbox_core::applet::answer_help;
use rbox_core::prelude::*;

options!("\n\nReturn an exit status of 0.");

/// The applet. It takes any words, and answers `--help` alone.
pub const APPLET: Applet = Applet::new(USAGE, run).raw().inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    answer_help(env, USAGE, args.operands())?;
    Ok(ExitStatus::SUCCESS)
}
