//! `inetd`: wait on many sockets and start the program of the one that is called (inetd.conf(5)).

mod config;
mod internal;

use core::net::{IpAddr, Ipv4Addr};

use rbox_core::call;
use rbox_core::daemon::{detach, keep_only, uptime_milliseconds};
use rbox_core::io::{Output, read_file};
use rbox_core::net::sockets;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::net::{
    AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect, listen, recvfrom,
    socket_with,
};
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::{SIGCHLD, SIGHUP, SIGPIPE, SIGTERM};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd, fs, process, sandbox};
use rbox_core::syslog;
use rbox_core::text;

use crate::service::{Children, Owner, ending};
use config::{At, Service};

#[cfg(fuzzing)]
pub use config::fuzz;

options! {
    "[-fe] [-q N] [-R N] [CONFFILE]

Listen at the sockets of CONFFILE (default /etc/inetd.conf) and start the program of each
that is called. SIGHUP: read CONFFILE again.

  -f    Run in foreground
  -e    Log to standard error
  -q N  Let N connections wait to be accepted (default 128)
  -R N  Pause a service for 10 minutes after N calls in a minute (default 0, never)";
    FOREGROUND = "-f",
    TO_STDERR = "-e",
    QUEUE = "-q",
    RATE = "-R",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

const PID_FILE: &[u8] = b"/var/run/inetd.pid";
/// The most children that serve at once.
const MOST_CHILDREN: usize = 1000;
/// Milliseconds in which calls are counted, and of a pause.
const MINUTE: u64 = 60_000;
const PAUSE: u64 = 10 * MINUTE;

/// A service of the file and its state.
struct Slot {
    service: Service,
    /// None while it cannot be bound or pauses.
    socket: Option<OwnedFd>,
    /// The child that has the socket.
    waited_for: Option<i32>,
    /// When the calls began to be counted, and how many came.
    since: u64,
    calls: u64,
    /// When the socket is opened again.
    resume: u64,
}

struct Inetd<'a> {
    args: &'a Args<'a>,
    path: Vec<u8>,
    queue: i32,
    rate: u64,
    slots: Vec<Slot>,
    children: Children,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let path = args.operands_between(0, 1)?.first().copied().unwrap_or(b"/etc/inetd.conf");
    // The directory changes.
    let path = rbox_core::files::canonical(path, false).map_err(|errno| Error::cannot("open", path, errno))?;
    let queue = args.value(QUEUE).map_or(Ok(128), |word| parse_in_range(word, 1, 65_535))? as i32;
    let rate = args.value(RATE).map_or(Ok(0), |word| parse_in_range(word, 0, 1 << 31))?;
    let stderr = fd::dup(fd::borrow(2)).ok();
    if !args.has(FOREGROUND) {
        detach()?;
        if let (true, Some(stderr)) = (args.has(TO_STDERR), stderr) {
            fd::redirect(stderr.as_fd(), 2).map_err(Error::from)?;
        }
    }
    let children = Children::new(&[SIGCHLD, SIGHUP, SIGTERM])?;
    let mut inetd = Inetd { args, path, queue, rate, slots: Vec::new(), children };
    inetd.load(env)?;
    let pid = text!(process::getpid().as_raw_pid() as u32, "\n");
    if let Err(error) = Output::create(PID_FILE).and_then(|mut file| file.write(&pid).and_then(|()| file.flush())) {
        inetd.log(env, &error);
    }
    keep_only(sandbox::INETD, &[])?;
    let outcome = inetd.serve(env);
    // It may not have been written.
    let _ = fs::unlink(PID_FILE);
    outcome
}

impl Inetd<'_> {
    fn log(&self, env: &mut Env, error: &Error) {
        if self.args.has(TO_STDERR) {
            env.report(error);
        } else {
            syslog::log(syslog::DAEMON_INFO, b"inetd", error.message());
        }
    }

    /// Reads the file. A socket that goes on keeps what waits there, and its child.
    fn load(&mut self, env: &mut Env) -> Result<()> {
        let (services, errors) = config::parse(&read_file(&self.path)?);
        for error in errors {
            self.log(env, &error.context(&self.path));
        }
        let mut old = core::mem::take(&mut self.slots);
        for service in services {
            let same = old.iter().position(|slot| slot.service.at == service.at && slot.service.kind == service.kind);
            self.slots.push(match same {
                Some(at) => Slot { service, ..old.swap_remove(at) },
                None => Slot { service, socket: None, waited_for: None, since: 0, calls: 0, resume: 0 },
            });
        }
        Ok(())
    }

    fn serve(&mut self, env: &mut Env) -> Outcome {
        loop {
            let now = uptime_milliseconds();
            self.open(env, now);
            let is_full = self.children.count() >= MOST_CHILDREN;
            let open: Vec<usize> = (0..self.slots.len())
                .filter(|&at| !is_full && self.slots[at].socket.is_some() && self.slots[at].waited_for.is_none())
                .collect();
            let sockets: Vec<&OwnedFd> = open.iter().filter_map(|&at| self.slots[at].socket.as_ref()).collect();
            let resume = self.slots.iter().filter(|slot| slot.socket.is_none()).map(|slot| slot.resume).min();
            let ready = self.children.wait(&sockets, resume.map(|at| at.saturating_sub(now)))?;
            for (&at, _) in open.iter().zip(&ready).filter(|(_, ready)| **ready) {
                self.call(env, at);
            }
            while let Some((pid, change)) = self.children.ended() {
                self.end(env, pid, change);
            }
            if self.children.has_come(SIGTERM) {
                return Ok(ExitStatus::SUCCESS);
            }
            if self.children.has_come(SIGHUP)
                && let Err(error) = self.load(env)
            {
                self.log(env, &error);
            }
        }
    }

    /// Opens the sockets that should be open.
    fn open(&mut self, env: &mut Env, now: u64) {
        for at in 0..self.slots.len() {
            let slot = &self.slots[at];
            if slot.socket.is_some() || slot.resume > now {
                continue;
            }
            match open_socket(&slot.service, self.queue) {
                Ok(socket) => self.slots[at].socket = Some(socket),
                Err(errno) => {
                    let error = Error::on(&slot.service.name, errno);
                    self.slots[at].resume = now + PAUSE;
                    self.log(env, &error);
                }
            }
        }
    }

    /// A program that had a socket has ended: the socket is looked at again.
    fn end(&mut self, env: &mut Env, pid: i32, change: process::Change) {
        let slot = self.slots.iter_mut().find(|slot| slot.waited_for == Some(pid));
        let name = slot.map(|slot| {
            slot.waited_for = None;
            slot.service.name.clone()
        });
        if change != process::Change::Exited(0) {
            let name = name.unwrap_or_else(|| text!(pid as u32));
            self.log(env, &Error::new(text!(name, ": ", ending(change))));
        }
    }

    /// Something is there to be read or accepted.
    fn call(&mut self, env: &mut Env, at: usize) {
        if self.is_too_often(env, at) {
            return;
        }
        let slot = &self.slots[at];
        let Some(socket) = &slot.socket else { return };
        let is_stream = slot.service.kind == SocketType::STREAM;
        let (internal, accepts) = (slot.service.internal, is_stream && !slot.service.waits);
        if let (Some(internal), false) = (internal, is_stream) {
            return internal::serve_datagram(env, internal, socket);
        }
        let connection = if accepts {
            // It may have gone meanwhile.
            let Ok(connection) = accept_with(socket, SocketFlags::CLOEXEC) else { return };
            Some(connection)
        } else {
            None
        };
        if !is_stream && !slot.service.waits {
            return self.call_connected(env, at);
        }
        if let (Some(internal), Some(connection)) = (internal.filter(|kind| !internal::is_slow(*kind)), &connection) {
            return internal::serve_stream(env, internal, connection);
        }
        let peer = connection.as_ref().and_then(|connection| sockets::peer(connection.as_fd()));
        match self.children.fork(peer.map_or(IpAddr::from(Ipv4Addr::UNSPECIFIED), |peer| peer.ip())) {
            Ok(Some(pid)) if !accepts => self.slots[at].waited_for = Some(pid),
            Ok(Some(_)) => {}
            Ok(None) => {
                let stream = connection.as_ref().unwrap_or(socket);
                process::exit_now(self.become_program(env, at, stream).0);
            }
            Err(error) => self.log(env, &error),
        }
    }

    /// A datagram for a program that does not wait: the socket is connected to its sender, and the service gets a new one.
    fn call_connected(&mut self, env: &mut Env, at: usize) {
        let Some(socket) = self.slots[at].socket.take() else { return };
        let Ok((_, _, Some(sender))) = recvfrom(&socket, &mut [0; 1][..], RecvFlags::PEEK | RecvFlags::DONTWAIT) else {
            self.slots[at].socket = Some(socket);
            return;
        };
        let peer = sockets::address_of(sender.clone()).map_or(IpAddr::from(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        if let Err(errno) = connect(&socket, &sender) {
            return self.log(env, &Error::on(&self.slots[at].service.name, errno));
        }
        self.slots[at].resume = 0;
        match self.children.fork(peer) {
            Ok(Some(_)) => {}
            Ok(None) => process::exit_now(self.become_program(env, at, &socket).0),
            Err(error) => self.log(env, &error),
        }
    }

    /// Counts the calls; a service that is called too often closes its socket for a while.
    fn is_too_often(&mut self, env: &mut Env, at: usize) -> bool {
        let (now, rate) = (uptime_milliseconds(), self.rate);
        let slot = &mut self.slots[at];
        let most = slot.service.most.unwrap_or(rate);
        if now - slot.since >= MINUTE {
            (slot.since, slot.calls) = (now, 0);
        }
        slot.calls += 1;
        if most == 0 || slot.calls <= most {
            return false;
        }
        slot.socket = None;
        (slot.resume, slot.calls) = (now + PAUSE, 0);
        let error = Error::parts(&[&slot.service.name, b": too many calls in a minute, pausing for 10 minutes"]);
        self.log(env, &error);
        true
    }

    /// In the child.
    fn become_program(&self, env: &mut Env, at: usize, stream: &OwnedFd) -> ExitStatus {
        let service = &self.slots[at].service;
        // Whoever has no right to become another stays who they are.
        if process::geteuid().is_root()
            && let Err(error) = Owner::parse(&service.user).and_then(|owner| owner.become_it())
        {
            self.log(env, &error.context(&service.name));
            return ExitStatus::FAILURE;
        }
        if let Some(internal) = service.internal {
            // A peer that leaves is the usual end. The signal can be ignored.
            let _ = signal::set(SIGPIPE, Disposition::Ignore);
            internal::serve_stream(env, internal, stream);
            return ExitStatus::SUCCESS;
        }
        // The child of a fork is no group leader, so this cannot fail.
        let _ = process::setsid();
        let last = if self.args.has(TO_STDERR) { 2 } else { 3 };
        for number in 0..last {
            if let Err(errno) = fd::redirect(stream.as_fd(), number) {
                self.log(env, &Error::on(&service.name, errno));
                return ExitStatus::FAILURE;
            }
        }
        let words: Vec<&[u8]> = service.words.iter().map(Vec::as_slice).collect();
        let path = call::find_program(&env.vars, &service.program).unwrap_or_else(|| service.program.clone());
        let errno = process::exec(&path, &words, &env.vars.words());
        self.log(env, &Error::cannot("execute", &service.program, errno));
        ExitStatus(call::failure_status(errno))
    }
}

fn open_socket(service: &Service, queue: i32) -> core::result::Result<OwnedFd, Errno> {
    match &service.at {
        At::Host(address) => sockets::listen(address, service.kind, queue),
        At::Path(path) => {
            let socket = socket_with(AddressFamily::UNIX, service.kind, SocketFlags::CLOEXEC, None)?;
            // What an earlier inetd left; another file stays, and the bind fails.
            if fs::lstat(path).is_ok_and(|stat| rbox_core::files::kind(&stat) == fs::FileType::Socket) {
                fs::unlink(path)?;
            }
            bind(&socket, &SocketAddrUnix::new(&path[..])?)?;
            if service.kind == SocketType::STREAM {
                listen(&socket, queue)?;
            }
            Ok(socket)
        }
    }
}
