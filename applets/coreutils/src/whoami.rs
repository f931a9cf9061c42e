//! `whoami`: print the name of the effective user.

use rbox_core::prelude::*;
use rbox_core::sys::process;
use rbox_core::users::User;

options!("\n\nPrint the name of the effective user.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let uid = process::geteuid().as_raw();
    let user = User::by_id(uid);
    let user =
        user.ok_or_else(|| Error::parts(&[b"unknown uid ", rbox_core::number::Decimal::new(uid.into()).as_bytes()]))?;
    env.stdout.write(&[user.name.as_slice(), b"\n"].concat())?;
    Ok(ExitStatus::SUCCESS)
}
