//! `usleep`: wait for a number of microseconds.

use core::time::Duration;

use rbox_core::duration;
use rbox_core::number;
use rbox_core::prelude::*;

options!("N\n\nWait for N microseconds.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let word = args.operands_between(1, 1)?[0];
    duration::sleep(Duration::from_micros(number::parse_decimal(word).ok_or_else(|| number::invalid(word))?));
    Ok(ExitStatus::SUCCESS)
}
