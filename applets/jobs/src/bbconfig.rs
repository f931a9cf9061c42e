//! `bbconfig`: print what the program was built with.

use rbox_core::prelude::*;
use rbox_core::{push, text};

options!("\n\nPrint the applets that the program was built with, in the form of BusyBox's .config.");

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let mut lines = text!("#\n# rbox version: ", env!("CARGO_PKG_VERSION"), "\n#\n");
    for name in env.registry.names() {
        // Characters that a name of Kconfig cannot have.
        let name: Vec<u8> = name
            .iter()
            .map(|byte| if byte.is_ascii_alphanumeric() { byte.to_ascii_uppercase() } else { b'_' })
            .collect();
        push!(lines, "CONFIG_", &name, "=y\n");
    }
    env.stdout.write(&lines)?;
    Ok(ExitStatus::SUCCESS)
}
