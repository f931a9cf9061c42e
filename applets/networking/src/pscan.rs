//! `pscan`: which TCP ports of a host are open.

use core::net::{IpAddr, SocketAddr};

use rbox_core::daemon::uptime_milliseconds;
use rbox_core::net::dns;
use rbox_core::net::sockets::Services;
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::net::{AddressFamily, SocketFlags, SocketType, connect, getsockname, socket_with, sockopt};
use rbox_core::sys::{Errno, OwnedFd, time};
use rbox_core::text;
use rbox_core::text::Right;

options! {
    "[-cb] [-p FIRST] [-P LAST] [-t MS] [-T MS] HOST

Scan HOST and print its open TCP ports.

  -c        Print closed ports too
  -b        Print blocked ports too
  -p FIRST  First port (1)
  -P LAST   Last port (1024)
  -t MS     Milliseconds to wait for a reply (5000)
  -T MS     Least round trip time to assume once a port has replied (5);
            a port is blocked after eight round trips";
    CLOSED = "-c",
    BLOCKED = "-b",
    FIRST = "-p",
    LAST = "-P",
    TIMEOUT = "-t",
    LEAST = "-T",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// Ports that are asked at the same time; a process may have 1024 descriptors on most systems.
const AT_ONCE: usize = 128;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Open,
    Closed,
    Blocked,
}

struct Scan {
    to: IpAddr,
    /// Milliseconds.
    timeout: u64,
    /// The longest round trip so far, milliseconds; none while no port has replied.
    longest: Option<u64>,
    least: u64,
    /// Port, socket, and when it was asked.
    asked: Vec<(u16, OwnedFd, u64)>,
    states: Vec<State>,
    first: u16,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let host = args.operands_between(1, 1)?[0];
    let number =
        |option, default, low, high| args.value(option).map_or(Ok(default), |word| parse_in_range(word, low, high));
    let first = number(FIRST, 1, 1, 65_535)?;
    let last = number(LAST, 1024, first, 65_535)?;
    let (first, last) = (first as u16, last as u16);
    let (timeout, least) = (number(TIMEOUT, 5000, 1, 3_600_000)?, number(LEAST, 5, 1, 3_600_000)?);
    let states = vec![State::Unknown; usize::from(last - first) + 1];
    let mut scan =
        Scan { to: dns::resolve(host, None)?, timeout, longest: None, least, asked: Vec::new(), states, first };
    let title = text!("Scanning ", host, " ports ", first, " to ", last, "\n Port\tProto\tState\tService\n");
    env.stdout.write(&title)?;
    env.stdout.flush()?;
    let services = Services::load();
    let (mut next, mut shown) = (u32::from(first), 0);
    while shown < scan.states.len() {
        while next <= u32::from(last) && scan.asked.len() < AT_ONCE && scan.ask(next as u16)? {
            next += 1;
        }
        scan.wait()?;
        while let Some(&state) = scan.states.get(shown).filter(|state| **state != State::Unknown) {
            let port = first + shown as u16;
            shown += 1;
            let word = match state {
                State::Open => "open",
                State::Closed if args.has(CLOSED) => "closed",
                State::Blocked if args.has(BLOCKED) => "blocked",
                _ => continue,
            };
            let service = services.name(port, b"tcp").unwrap_or(b"unknown");
            env.stdout.write(&text!(Right(port, 5, b' '), "\ttcp\t", word, "\t", service, "\n"))?;
            env.stdout.flush()?;
        }
    }
    let count = |wanted| scan.states.iter().filter(|state| **state == wanted).count();
    let (closed, open, blocked) = (count(State::Closed), count(State::Open), count(State::Blocked));
    env.stdout.write(&text!(closed, " closed, ", open, " open, ", blocked, " timed out (or blocked) ports\n"))?;
    Ok(ExitStatus::SUCCESS)
}

impl Scan {
    fn set(&mut self, port: u16, state: State) {
        self.states[usize::from(port - self.first)] = state;
    }

    /// Begins to connect to a port. False when there are no descriptors left.
    fn ask(&mut self, port: u16) -> Result<bool> {
        let family = if self.to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = match socket_with(family, SocketType::STREAM, flags, None) {
            Err(Errno::MFILE | Errno::NFILE) if !self.asked.is_empty() => return Ok(false),
            socket => socket.map_err(|errno| Error::on("socket", errno))?,
        };
        match connect(&socket, &SocketAddr::new(self.to, port)) {
            Ok(()) => self.set(port, State::Open),
            Err(Errno::INPROGRESS) => self.asked.push((port, socket, uptime_milliseconds())),
            Err(Errno::CONNREFUSED) => self.set(port, State::Closed),
            Err(errno) => return Err(Error::on(text!(self.to), errno)),
        }
        Ok(true)
    }

    fn is_own(&self, at: usize) -> bool {
        let (port, socket, _) = &self.asked[at];
        let own = getsockname(socket).ok().and_then(|own| SocketAddr::try_from(own).ok());
        own.is_some_and(|own| own.ip() == self.to && own.port() == *port)
    }

    /// Milliseconds after which a port that is silent is blocked.
    fn patience(&self) -> u64 {
        self.longest.map_or(self.timeout, |longest| (longest.max(self.least) * 8).min(self.timeout))
    }

    /// Waits for replies, or until the first of the ports has been silent for long enough.
    fn wait(&mut self) -> Result<()> {
        let Some(oldest) = self.asked.iter().map(|asked| asked.2).min() else { return Ok(()) };
        let limit = time::milliseconds((oldest + self.patience()).saturating_sub(uptime_milliseconds()));
        let mut files: Vec<PollFd<'_>> =
            self.asked.iter().map(|(_, socket, _)| PollFd::new(socket, PollFlags::OUT)).collect();
        match poll(&mut files, Some(&limit)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::on("poll", errno)),
        }
        let ready: Vec<bool> = files.iter().map(|file| !file.revents().is_empty()).collect();
        let now = uptime_milliseconds();
        for at in (0..ready.len()).rev() {
            let (port, since) = (self.asked[at].0, self.asked[at].2);
            if ready[at] {
                let result =
                    sockopt::socket_error(&self.asked[at].1).map_err(|errno| Error::on("getsockopt", errno))?;
                let state = match result {
                    // A socket whose own port is the one it asks for connects to itself (RFC 9293 3.5).
                    Ok(()) if self.is_own(at) => State::Closed,
                    Ok(()) => State::Open,
                    Err(Errno::CONNREFUSED) => State::Closed,
                    // A router or a filter says that the port cannot be reached.
                    Err(_) => State::Blocked,
                };
                if state != State::Blocked {
                    self.longest = Some(self.longest.unwrap_or(0).max(now - since));
                }
                self.set(port, state);
            } else if now >= since + self.patience() {
                self.set(port, State::Blocked);
            } else {
                continue;
            }
            self.asked.swap_remove(at);
        }
        Ok(())
    }
}
