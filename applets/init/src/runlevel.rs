//! `runlevel`: print the previous and the current run level (System V init, by utmp(5)).

use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::utmp::{Kind, Records};

options! {
    "[FILE]

Print the previous and the current run level, by /var/run/utmp or FILE: N for no previous one.
Print unknown where no level is recorded."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).inline();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(0, 1)?.first().copied();
    let (mut levels, mut index) = (None, 0);
    match Records::open(path) {
        Err(error) if error.errno() == Some(Errno::NOENT) => {}
        Err(error) => return Err(error),
        Ok(mut records) => {
            while let Some(entry) = records.get(index)? {
                if entry.kind() == Kind::RunLevel as i16 && entry.user() == b"runlevel" {
                    levels = Some(entry.pid().to_le_bytes());
                }
                index += 1;
            }
        }
    }
    let Some([level, last, ..]) = levels else {
        env.stdout.write(b"unknown\n")?;
        return Ok(ExitStatus::FAILURE);
    };
    env.stdout.write(&[if last == 0 { b'N' } else { last }, b' ', level, b'\n'])?;
    Ok(ExitStatus::SUCCESS)
}
