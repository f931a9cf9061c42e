//! Programs that take a message on standard input.

use rbox_core::call;
use rbox_core::prelude::*;
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::SIGPIPE;
use rbox_core::sys::{AsFd, OwnedFd, fd, process};

/// Runs a program with that standard input, and output if it is given, and waits. The error names it and its status.
pub fn run(env: &mut Env, words: &[&[u8]], input: &OwnedFd, output: Option<&OwnedFd>) -> Result<()> {
    env.stdout.flush()?;
    let started = process::fork_run(|| {
        let redirected = fd::redirect(input.as_fd(), 0)
            .and_then(|()| output.map_or(Ok(()), |output| fd::redirect(output.as_fd(), 1)));
        let is_ready = redirected.is_ok() && signal::set(SIGPIPE, Disposition::Default).is_ok();
        if !is_ready { 126 } else { call::replace(env, words).0 }
    });
    let pid = started.map_err(|errno| Error::on("can't fork", errno))?;
    match process::wait_for(pid).map_err(Error::from)?.status() {
        0 => Ok(()),
        status => {
            let name = words.last().copied().unwrap_or_default();
            Err(Error::new(rbox_core::text!("'", name, "' ended with status ", status)))
        }
    }
}
