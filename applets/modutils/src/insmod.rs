//! `insmod`: load a kernel module (init_module(2)).

use rbox_core::prelude::*;

use crate::load::{insert, reason};

options!("FILE [PARAMETER=VALUE]...\n\nLoad the kernel module in FILE, which may be compressed.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

fn run(_env: &mut Env, args: &Args<'_>) -> Outcome {
    let [path, options @ ..] = args.operands_between(1, usize::MAX)? else { return Err(Error::usage()) };
    insert(path, &options.join(&b' '))?
        .map_err(|errno| reason(errno).context([b"can't insert '", *path, b"'"].concat()))?;
    Ok(ExitStatus::SUCCESS)
}
