//! `users`: print the names of who is logged in (GNU coreutils).

use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::utmp::Records;

options! {
    "[FILE]

Print the names of the users who are logged in, by /var/run/utmp or FILE, sorted."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(0, 1)?.first().copied();
    let (mut names, mut index) = (Vec::new(), 0);
    match Records::open(path) {
        // A system without utmp knows of nobody.
        Err(error) if path.is_none() && error.errno() == Some(Errno::NOENT) => return Ok(ExitStatus::SUCCESS),
        Err(error) => return Err(error),
        Ok(mut records) => {
            while let Some(entry) = records.get(index)? {
                if entry.is_user() {
                    names.push(entry.user().to_vec());
                }
                index += 1;
            }
        }
    }
    names.sort_unstable();
    if !names.is_empty() {
        env.stdout.write(&names.join(&b' '))?;
        env.stdout.push(b'\n')?;
    }
    Ok(ExitStatus::SUCCESS)
}
