//! `rmmod`: remove kernel modules (delete_module(2)).

use rbox_core::prelude::*;

use crate::database::name_of;
use crate::load::{FORCE, NO_WAIT, loaded, remove};

options! {
    "[-wfa] [MODULE]...

Remove kernel modules.

  -w  Wait until the module is no longer used
  -f  Remove it even if it is used
  -a  Remove all modules that are not used";
    WAIT = "-w",
    FORCED = "-f",
    ALL = "-a",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let flags = if args.has(WAIT) { 0 } else { NO_WAIT } | if args.has(FORCED) { FORCE } else { 0 };
    if args.has(ALL) {
        return remove_unused(flags);
    }
    env.for_each_operand(args.operands_between(1, usize::MAX)?, &mut |_, operand| {
        let removed = remove(&name_of(operand), flags)?;
        removed.map_err(|errno| Error::cannot("remove", operand, errno))
    })
}

/// Removes what nobody uses, and then what only that has used.
fn remove_unused(flags: i32) -> Outcome {
    loop {
        let unused = loaded()?.into_iter().filter(|module| module.uses == Some(0) && module.users.is_empty());
        let mut is_done = true;
        for module in unused {
            // One that has come into use meanwhile stays.
            is_done &= remove(&module.name, flags)?.is_err();
        }
        if is_done {
            return Ok(ExitStatus::SUCCESS);
        }
    }
}
