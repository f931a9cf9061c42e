//! `rpm2cpio`: the files of an rpm package as a cpio archive.

use rbox_core::archive::rpm::Package;
use rbox_core::io;
use rbox_core::prelude::*;

options! {
    "[PACKAGE]

Write the cpio archive in an rpm package, or in standard input, to standard output."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operand = args.operands_between(0, 1)?.first().copied().unwrap_or(b"-");
    let input = env.open(operand)?;
    let package = Package::open(input).map_err(|error| error.context(operand))?;
    io::copy(&mut package.payload()?, &mut env.stdout)?;
    Ok(ExitStatus::SUCCESS)
}
