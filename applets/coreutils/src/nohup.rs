//! `nohup`: run a command that outlives its terminal (POSIX XCU nohup).

use rbox_core::bytes::join_path;
use rbox_core::call;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags, open};
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::{AsFd, fd, termios};

options! {
    "COMMAND [ARGUMENT]...

Run COMMAND immune to hangups. Append output to a terminal to nohup.out, here or
in the home directory."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first().failure(127);

const SIGHUP: i32 = 1;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(1, usize::MAX)?;
    let [stdin, stdout, stderr] = [0, 1, 2].map(|number| termios::isatty(fd::borrow(number)));
    if stdin {
        // It cannot be read; a reader fails at once.
        let null = open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| Error::cannot("open", b"/dev/null", errno))?;
        fd::redirect(null.as_fd(), 0)?;
    }
    if stdout {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::CLOEXEC;
        let create = |path: &[u8]| open(path, flags, Mode::from_raw_mode(0o600));
        let mut path = b"nohup.out".to_vec();
        let mut file = create(&path);
        if let (Err(_), Some(home)) = (&file, env.vars.get("HOME")) {
            path = join_path(home, b"nohup.out");
            file = create(&path);
        }
        let file = file.map_err(|errno| Error::cannot("open", &path, errno))?;
        env.stderr.write(&[&env.name, &b": appending output to "[..], &path, b"\n"].concat())?;
        fd::redirect(file.as_fd(), 1)?;
    }
    if stderr {
        fd::redirect(fd::borrow(1), 2)?;
    }
    signal::set(SIGHUP, Disposition::Ignore)?;
    Ok(call::replace(env, args.operands()))
}
