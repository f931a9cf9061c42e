//! `add-shell` and `remove-shell`: change the list of login shells, shells(5).

use rbox_core::accounts;
use rbox_core::prelude::*;

options! {
    "SHELL...

Add SHELLs to /etc/shells, or remove them from it."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

const SHELLS: &[u8] = b"/etc/shells";

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let shells = args.operands();
    if shells.is_empty() || shells.iter().any(|shell| shell.contains(&b'\n')) {
        return Err(Error::usage());
    }
    let _lock = accounts::lock()?;
    let old = accounts::read(SHELLS)?.unwrap_or_default();
    let mut lines: Vec<&[u8]> = old.split(|&byte| byte == b'\n').collect();
    // What is after the last newline is no line.
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    if env.name == b"remove-shell" {
        lines.retain(|line| !shells.contains(line));
    } else {
        for shell in shells {
            if !lines.contains(shell) {
                lines.push(shell);
            }
        }
    }
    let mut new = lines.join(&b'\n');
    if !lines.is_empty() {
        new.push(b'\n');
    }
    if new != old {
        rbox_core::files::replace(SHELLS, &new, false)?;
    }
    Ok(ExitStatus::SUCCESS)
}
