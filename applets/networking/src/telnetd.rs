//! `telnetd`: a login on a pseudoterminal for each connection by TELNET (RFC 854, 855, 857, 858, 1073).

use core::net::{IpAddr, SocketAddr};

use rbox_core::call;
use rbox_core::daemon::{detach, keep_only};
use rbox_core::io::{read_file, write_all};
use rbox_core::net::{addr, dns, sockets};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::net::SocketType;
use rbox_core::sys::process::{self, WaitOptions};
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::signal_queue::{SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SignalQueue};
use rbox_core::sys::termios::{SpecialCodeIndex, Winsize, tcgetattr, tcsetwinsize};
use rbox_core::sys::{AsFd, Errno, OwnedFd, fd, pty, sandbox};
use rbox_core::syslog;
use rbox_core::term::pty::Pty;
use rbox_core::tty::expand_issue;
use rbox_core::utmp;

use crate::service::{Children, accept};
use crate::telnet::protocol::{AYT, BRK, DO, EC, ECHO, EL, Event, IP, NAWS, Options, Parser, SGA, WILL, push_data};

options! {
    "[-KFiS] [-l LOGIN] [-f ISSUE] [-p PORT] [-b ADDR[:PORT]] [-w SEC]

Serve logins by TELNET.

  -l LOGIN  Execute LOGIN, not /bin/login
  -f ISSUE  Print ISSUE, not /etc/issue.net
  -K        Close the connection as soon as LOGIN ends, not when all programs
      have closed the terminal
  -p PORT   Listen on PORT (default 23)
  -b ADDR[:PORT]  Listen on ADDR
  -F        Run in foreground
  -i        Serve the connection on standard input (inetd, nowait)
  -w SEC    Serve the socket on standard input (inetd, wait), and end SEC seconds
      after the last connection
  -S        Log to syslog";
    LOGIN = "-l",
    ISSUE = "-f",
    CLOSE = "-K",
    PORT = "-p",
    ADDRESS = "-b",
    FOREGROUND = "-F",
    INETD = "-i",
    WAIT = "-w",
    SYSLOG = "-S",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// The most connections at once.
const MOST: usize = 256;
/// Bytes that wait for a side that is slow; until they are gone, the other side is not read.
const WAITING: usize = 16 * 1024;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    // A client that leaves is seen when something is written.
    signal::set(SIGPIPE, Disposition::Ignore).map_err(Error::from)?;
    if args.has(INETD) {
        let connection = fd::fcntl_dupfd_cloexec(fd::borrow(0), 3).map_err(Error::from)?;
        return Session::run(env, args, &connection);
    }
    let linger = args.value(WAIT).map(|word| parse_in_range(word, 0, 1 << 31)).transpose()?;
    let listener = match linger {
        Some(_) => fd::fcntl_dupfd_cloexec(fd::borrow(0), 3).map_err(Error::from)?,
        None => listen(args)?,
    };
    if linger.is_none() && !args.has(FOREGROUND) {
        detach()?;
    }
    serve(env, args, &listener, linger.map(|seconds| seconds * 1000))
}

fn listen(args: &Args<'_>) -> Result<OwnedFd> {
    let (host, port) = args.value(ADDRESS).map_or((None, None), sockets::host_and_port);
    let port = port.or(args.value(PORT)).map_or(Ok(23), |word| sockets::port(word, b"tcp"))?;
    match host {
        Some(host) => {
            let at = SocketAddr::new(dns::resolve(host, None)?, port);
            sockets::serve(&at, SocketType::STREAM).map_err(|errno| Error::on(sockets::text(at), errno))
        }
        None => sockets::listen_everywhere(port, 128).map_err(|errno| Error::on(addr_text(port), errno)),
    }
}

fn addr_text(port: u16) -> Vec<u8> {
    rbox_core::text!("port ", u32::from(port))
}

/// Serves each connection in a child.
fn serve(env: &mut Env, args: &Args<'_>, listener: &OwnedFd, linger: Option<u64>) -> Outcome {
    let mut children = Children::new(&[SIGCHLD])?;
    loop {
        while children.ended().is_some() {}
        let (sockets, is_full) = ([listener], children.count() >= MOST);
        let limit = linger.filter(|_| children.count() == 0);
        let ready = children.wait(&sockets[usize::from(is_full)..], limit)?;
        if ready != [true] {
            if limit.is_some() && children.count() == 0 && !children.has_come(SIGCHLD) {
                return Ok(ExitStatus::SUCCESS);
            }
            continue;
        }
        let Some((connection, peer)) = accept(listener)? else { continue };
        match children.fork(peer.ip()) {
            Ok(Some(_)) => {}
            Ok(None) => {
                let status = Session::run(env, args, &connection).unwrap_or_else(|error| report(env, args, &error));
                process::exit_now(status.0);
            }
            Err(error) => drop(report(env, args, &error)),
        }
    }
}

fn report(env: &mut Env, args: &Args<'_>, error: &Error) -> ExitStatus {
    if args.has(SYSLOG) {
        syslog::log(syslog::DAEMON_INFO, b"telnetd", error.message());
    } else {
        env.report(error);
    }
    ExitStatus::FAILURE
}

struct Session<'a> {
    connection: &'a OwnedFd,
    master: OwnedFd,
    parser: Parser,
    options: Options,
    /// What waits for the client, and for the program.
    to_client: Vec<u8>,
    to_program: Vec<u8>,
}

impl Session<'_> {
    /// Starts the login and serves it to its end.
    fn run(env: &mut Env, args: &Args<'_>, connection: &OwnedFd) -> Outcome {
        let queue = SignalQueue::open(&[SIGCHLD]).map_err(|errno| Error::on("signalfd", errno))?;
        let Pty { master, slave } = Pty::open()?;
        let name = pty::ptsname(&master, Vec::new()).map_err(Error::from)?.to_bytes().to_vec();
        let peer = sockets::peer(connection.as_fd()).map(|peer| peer.ip());
        let pty = Pty { master, slave };
        let started = process::fork_run(|| {
            queue.release();
            become_login(env, args, &pty, &name, peer).0
        });
        let pid = started.map_err(|errno| Error::on("can't fork", errno))?;
        let Pty { master, slave } = pty;
        drop(slave);
        for file in [connection, &master] {
            fd::ioctl_fionbio(file, true).map_err(Error::from)?;
        }
        // What a stranger sends is read here; the login has its own process, and its rights.
        keep_only(sandbox::TELNETD, &[])?;
        let mut session = Session {
            connection,
            master,
            parser: Parser::new(true),
            options: Options::default(),
            to_client: Vec::new(),
            to_program: Vec::new(),
        };
        session.options.offer(WILL, ECHO, &mut session.to_client);
        session.options.offer(WILL, SGA, &mut session.to_client);
        session.options.offer(DO, NAWS, &mut session.to_client);
        let result = session.copy(&queue, args.has(CLOSE).then_some(pid));
        let line = name.strip_prefix(b"/dev/").unwrap_or(&name);
        utmp::set(&utmp::Record { kind: utmp::Kind::Dead, pid, line, user: b"", host: b"" });
        result.map(|()| ExitStatus::SUCCESS)
    }

    /// Copies in both directions until one side ends, or the program `until` does.
    fn copy(&mut self, queue: &SignalQueue, until: Option<i32>) -> Result<()> {
        let (mut buffer, mut has_ended) = (vec![0; 8192], false);
        loop {
            let wants = |content: &Vec<u8>, other: &Vec<u8>| {
                let reads = if other.len() < WAITING { PollFlags::IN } else { PollFlags::empty() };
                if content.is_empty() { reads } else { reads | PollFlags::OUT }
            };
            let mut files = [
                PollFd::new(self.connection, wants(&self.to_client, &self.to_program)),
                PollFd::new(&self.master, wants(&self.to_program, &self.to_client)),
                PollFd::from_borrowed_fd(queue.fd(), PollFlags::IN),
            ];
            // What the program wrote before its end is still sent, without a wait for more.
            let limit = has_ended.then(|| rbox_core::sys::time::milliseconds(0));
            match poll(&mut files, limit.as_ref()) {
                Ok(0) if has_ended => return Ok(()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::on("poll", errno)),
            }
            let [client, program, child] = files.map(|file| file.revents());
            if !child.is_empty() {
                while queue.take().is_some() {}
                while let Ok(Some((pid, _))) = process::wait(-1, WaitOptions::NOHANG) {
                    has_ended |= until == Some(pid);
                }
            }
            if client.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) && self.to_program.len() < WAITING {
                match fd::read(self.connection, &mut *buffer) {
                    Ok(0) => return Ok(()),
                    Ok(count) => self.receive(&buffer[..count]),
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    Err(_) => return Ok(()),
                }
            }
            if program.intersects(PollFlags::IN | PollFlags::HUP) && self.to_client.len() < WAITING {
                match fd::read(&self.master, &mut *buffer) {
                    Ok(count) if count > 0 => push_data(&buffer[..count], &mut self.to_client),
                    Err(Errno::AGAIN | Errno::INTR) => {}
                    // EIO: nobody has the terminal any more (pty(7)).
                    _ => return self.finish(),
                }
            }
            if !send(self.connection, &mut self.to_client) || !send(&self.master, &mut self.to_program) {
                return Ok(());
            }
        }
    }

    /// Sends what is left to a client that takes it.
    fn finish(&mut self) -> Result<()> {
        fd::ioctl_fionbio(self.connection, false).map_err(Error::from)?;
        rbox_core::sys::net::sockopt::set_socket_timeout(
            self.connection,
            rbox_core::sys::net::sockopt::Timeout::Send,
            Some(core::time::Duration::from_secs(10)),
        )
        .map_err(Error::from)?;
        // It may be gone.
        let _ = write_all(self.connection.as_fd(), &self.to_client);
        Ok(())
    }

    fn receive(&mut self, mut content: &[u8]) {
        while let Some(event) = self.parser.feed(&mut content, &mut self.to_program) {
            match event {
                Event::Option(verb, option) => {
                    let known: &[u8] = if verb == WILL { &[SGA, NAWS] } else { &[SGA, ECHO] };
                    self.options.take(verb, option, known, &mut self.to_client);
                }
                // RFC 1073: columns and rows, 16 bits each.
                Event::About(NAWS, size) => {
                    if let [a, b, c, d] = size[..] {
                        let (columns, rows) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
                        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
                        // A terminal whose program has ended has no size.
                        let _ = tcsetwinsize(&self.master, size);
                    }
                }
                Event::Command(AYT) => self.to_client.extend_from_slice(b"\r\n[yes]\r\n"),
                Event::Command(IP | BRK) => self.press(SpecialCodeIndex::VINTR),
                Event::Command(EC) => self.press(SpecialCodeIndex::VERASE),
                Event::Command(EL) => self.press(SpecialCodeIndex::VKILL),
                _ => {}
            }
        }
    }

    /// Types one of the terminal's special characters.
    fn press(&mut self, index: SpecialCodeIndex) {
        if let Ok(state) = tcgetattr(&self.master) {
            self.to_program.push(state.special_codes[index]);
        }
    }
}

/// Sends what a side takes now. False when it is gone.
fn send(to: &OwnedFd, content: &mut Vec<u8>) -> bool {
    if content.is_empty() {
        return true;
    }
    match fd::write(to, content) {
        Ok(count) => drop(content.drain(..count)),
        Err(Errno::AGAIN | Errno::INTR) => {}
        Err(_) => return false,
    }
    true
}

/// In the child: prints the issue and becomes the login.
fn become_login(env: &mut Env, args: &Args<'_>, pty: &Pty, name: &[u8], peer: Option<IpAddr>) -> ExitStatus {
    // A shell that starts a server in the background makes it ignore the keyboard's signals.
    let defaults = [SIGPIPE, SIGINT, SIGQUIT, SIGHUP]
        .into_iter()
        .try_for_each(|number| signal::set(number, Disposition::Default).map(drop));
    if let Err(error) = pty.enter().and_then(|()| defaults.map_err(Error::from)) {
        return report(env, args, &error);
    }
    let issue = args.value(ISSUE).unwrap_or(b"/etc/issue.net");
    let mut text = Vec::new();
    // There need not be one.
    expand_issue(&read_file(issue).unwrap_or_default(), name, &mut text);
    // A client that is gone reads nothing.
    let _ = write_all(fd::borrow(1), &text);
    let host = peer.map(addr::text);
    let mut words: Vec<&[u8]> = vec![args.value(LOGIN).unwrap_or(b"/bin/login")];
    if let (None, Some(host)) = (args.value(LOGIN), &host) {
        words.extend([&b"-h"[..], host]);
    }
    // An execve closes what the server has open; only an applet that PATH does not lead to runs in this very process.
    call::exec_by_path(env, &words);
    call::replace(env, &words)
}
