//! TLS for clients, by the program `ssl_client`: rbox has none itself.

use crate::call;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::sys::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use crate::sys::{AsFd, AsRawFd, BorrowedFd, OwnedFd, fd, process};
use crate::text;

/// Starts `ssl_client` between this process and a server, whose certificate must be for `host`. `options` are more words
/// for it. Returns what takes and gives the plain text.
pub fn start(env: &mut Env, server: BorrowedFd<'_>, host: &[u8], options: &[&[u8]]) -> Result<OwnedFd> {
    let (own, other) =
        socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).map_err(Error::from)?;
    let started = process::fork_run(|| {
        let redirected = [0, 1].iter().try_for_each(|&number| fd::redirect(other.as_fd(), number));
        // The number must be open in the program.
        let Ok(server) = redirected.and_then(|()| fd::dup(server)) else { return 126 };
        let descriptor = text!("-s", server.as_raw_fd() as u32);
        call::replace(env, &[&[&b"ssl_client"[..]], options, &[&descriptor, b"-n", host]].concat()).0
    });
    started.map_err(|errno| Error::on("can't fork", errno))?;
    Ok(own)
}
