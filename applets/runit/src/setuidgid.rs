//! `setuidgid` and `envuidgid`: run a program as another user, or with that user's numbers in UID and GID (daemontools).

use rbox_core::call;
use rbox_core::prelude::*;

use crate::state::{Account, TROUBLE};

options!(
    "USER PROG [ARG]...

Run PROG with the UID and GID of USER and no other groups; envuidgid: only set the
variables UID and GID to them."
);

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().failure(100);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(2, usize::MAX)?;
    let trouble = |error: Error| error.with_status(TROUBLE);
    let account = Account::parse(operands[0]).map_err(trouble)?;
    if env.name == b"envuidgid" {
        account.export(&mut env.vars);
    } else {
        account.enter().map_err(trouble)?;
    }
    Ok(call::replace(env, &operands[1..]))
}
