//! `ftpd`: a server of FTP (RFC 959, 2389, 2428, 3659) for one client, on standard input and output.

mod command;
mod data;
mod list;
mod session;

use rbox_core::net::sockets;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::SIGPIPE;
use rbox_core::sys::{AsFd, fd, fs};
use rbox_core::syslog::Log;

use session::Session;

#[cfg(fuzzing)]
pub use command::fuzz;

options! {
    "[-wvSA] [-a USER] [-t N] [-T N] [DIR]

Serve the files of DIR, which becomes the root directory, over FTP.
inetd.conf: 21 stream tcp nowait root ftpd ftpd DIR
or: tcpsvd -vE 0 21 ftpd DIR

  -w       Allow uploads and other changes
  -A       Ask for no login; the rights are those of ftpd itself
  -a USER  Let 'anonymous' log in with the rights of USER
  -v       Report errors; -vv all commands and replies
  -S       Report errors to syslog; -SS all commands and replies
  -t N     End after N seconds without a command (default 120)
  -T N     End after N seconds (default 3600)";
    WRITE = "-w",
    NO_LOGIN = "-A",
    ANONYMOUS = "-a",
    VERBOSE = "-v",
    SYSLOG = "-S",
    IDLE = "-t",
    ABSOLUTE = "-T",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let directory = args.operands_between(0, 1)?.first().map(|directory| directory.to_vec());
    let seconds = |option, default| {
        args.value(option).map_or(Ok(default), |word| parse_in_range(word, 1, 1 << 31)).map(|seconds| seconds * 1000)
    };
    let (idle, whole) = (seconds(IDLE, 120)?, seconds(ABSOLUTE, 3600)?);
    let no_connection = || Error::new("standard input is no connection");
    let local = sockets::local(fd::borrow(0)).ok_or_else(no_connection)?;
    let peer = sockets::peer(fd::borrow(0)).ok_or_else(no_connection)?;
    if !args.has(VERBOSE) {
        // Under inetd it is the connection, to which no message of ls belongs.
        let null = fs::open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
        null.and_then(|null| fd::redirect(null.as_fd(), 2)).map_err(|errno| Error::on("/dev/null", errno))?;
    }
    // A client that leaves is seen when something is written.
    signal::set(SIGPIPE, Disposition::Ignore).map_err(Error::from)?;
    let mut session = Session::new(local, peer, directory);
    session.writes = args.has(WRITE);
    session.verbosity = args.times(VERBOSE);
    session.log_verbosity = args.times(SYSLOG);
    session.log = if args.has(SYSLOG) { Log::open() } else { None };
    session.set_limits(idle, whole);
    session.anonymous = args.value(ANONYMOUS).map(<[u8]>::to_vec);
    if args.has(NO_LOGIN) {
        session.enter(None)?;
    }
    session.serve(env)
}
