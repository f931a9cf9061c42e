//! `envdir`: run a program with variables that are in the files of a directory (daemontools).

use rbox_core::call;
use rbox_core::prelude::*;

use crate::state::{TROUBLE, read_variables};

options!(
    "DIRECTORY PROG [ARG]...

Run PROG with variables set from the files in DIRECTORY: the first line of each file
is the value; an empty file unsets the variable."
);

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().failure(100);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(2, usize::MAX)?;
    read_variables(&mut env.vars, operands[0]).map_err(|error| error.with_status(TROUBLE))?;
    Ok(call::replace(env, &operands[1..]))
}
