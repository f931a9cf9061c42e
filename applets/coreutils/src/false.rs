//! `false`: return status 1 (POSIX XCU false).

use rbox_core::applet::answer;
use rbox_core::error::Question;
use rbox_core::prelude::*;

options!("\n\nReturn an exit status of 1.");

/// The applet. It takes any words. What is asked for with `--help` and `--version` is false too, as with GNU.
pub const APPLET: Applet = Applet::new(USAGE, run).data().inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    if let [word] = args.operands()
        && let Some(question) = Question::of(word)
    {
        answer(env, USAGE, question)?;
    }
    Ok(ExitStatus::FAILURE)
}
