//! `pivot_root`: change the root of the mount namespace (pivot_root(2)).

use rbox_core::prelude::*;
use rbox_core::sys::process;

options!(
    "NEW_ROOT PUT_OLD

Move the mount NEW_ROOT to /, and the old root to PUT_OLD below it."
);

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(2, 2)?;
    process::pivot_root(operands[0], operands[1]).map_err(|errno| Error::on("pivot_root", errno))?;
    Ok(ExitStatus::SUCCESS)
}
