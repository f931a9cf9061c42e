//! `which`: find commands in PATH.

use rbox_core::bytes::join_path;
use rbox_core::call::is_program;
use rbox_core::env::DEFAULT_PATH;
use rbox_core::prelude::*;

options! {
    "[-a] COMMAND...

Print the path of each COMMAND in PATH.

  -a, --all  Print all matches, not only the first";
    ALL = "-a",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = env.vars.get("PATH").unwrap_or(DEFAULT_PATH).to_vec();
    let mut status = ExitStatus::SUCCESS;
    for command in args.operands_between(1, usize::MAX)? {
        let places: Vec<Vec<u8>> = match command.contains(&b'/') {
            true => vec![command.to_vec()],
            false => path.split(|&byte| byte == b':').map(|directory| join_path(directory, command)).collect(),
        };
        let mut found = places.iter().filter(|file| is_program(file)).peekable();
        if found.peek().is_none() {
            status = ExitStatus::FAILURE;
        }
        for file in found.take(if args.has(ALL) { usize::MAX } else { 1 }) {
            env.stdout.write(file)?;
            env.stdout.push(b'\n')?;
        }
    }
    Ok(status)
}
