//! `sleep`: wait (POSIX XCU sleep), with GNU's fractions, units and sums.

use rbox_core::duration;
use rbox_core::prelude::*;

options! {
    "N[smhd]...

Sleep for the sum of all N seconds, minutes, hours or days. N may have a fraction or be inf."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().options_first();

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut total = core::time::Duration::ZERO;
    for word in args.operands_between(1, usize::MAX)? {
        total = total.saturating_add(duration::parse(word)?);
    }
    duration::sleep(total);
    Ok(ExitStatus::SUCCESS)
}
