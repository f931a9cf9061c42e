//! `ntpd`: keep the clock right by the network, and tell others the time (NTP version 4, RFC 5905).
//!
//! As in BusyBox, a clock that is off by more than 1000 seconds is set as well (RFC 5905 12 has a server give up then): a
//! machine without a battery begins in 1970.

mod clock;
mod config;
mod packet;
mod peer;
mod select;
mod server;

use core::net::IpAddr;

use rbox_core::daemon::{detach, keep_only};
use rbox_core::prelude::*;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::signal::{SignalSet, set_blocked};
use rbox_core::sys::signal_queue::{SIGHUP, SIGINT, SIGTERM, SignalQueue};
use rbox_core::sys::time::{self, ClockId, clock_gettime};
use rbox_core::sys::{Errno, OwnedFd};
use rbox_core::sys::{process, sandbox};
use rbox_core::text::{Hex, Right};
use rbox_core::{call, hash, push, syslog, text};

use clock::{Clock, Known, Update};
use packet::{Key, Packet, Stamp};
use peer::{DRIFT, PRECISION, Peer, Received, UNSYNCHRONIZED};

options! {
    "[-dnqNwlt] [-I INTERFACE] [-S PROGRAM] [-k FILE] [-p [keyno:N:]PEER]...

Keep the clock right by NTP.

  -d            Report more; twice, even more
  -n            Run in the foreground
  -q            Quit after the clock was set
  -N            Run at high priority
  -w            Do not set the clock; implies -n
  -S PROGRAM    Run PROGRAM after the clock was set, when the stratum changes, when no
                server is left, and every 11 minutes
  -k FILE       Keys: lines 'NUMBER M|MD5|SHA1 SECRET'
  -p [keyno:N:]PEER  Server to ask, with key N; else those of /etc/ntp.conf
  -l            Serve the time, too, on port 123; without a server to ask, the own
                clock is right
  -I INTERFACE  Serve on INTERFACE only; implies -l
  -t            Believe what servers say of their own clocks";
    DEBUG = "-d",
    FOREGROUND = "-n",
    QUIT = "-q",
    PRIORITY = "-N",
    DRY = "-w",
    SCRIPT = "-S",
    KEYS = "-k",
    PEER = "-p",
    LISTEN = "-l",
    INTERFACE = "-I",
    TRUST = "-t",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// RFC 5905 7.2.
const PORT: u16 = 123;
/// Intervals as powers of two: 64 to 1024 seconds.
const MIN_POLL: u8 = 6;
const MAX_POLL: u8 = 10;
/// RFC 5905 A.5.5.8: how much agreement it takes to ask less often (LIMIT), and what counts as such (PGATE).
const LIMIT: i32 = 30;
const GATE: f64 = 4.0;
/// Seconds between the runs of the program of -S.
const PERIOD: f64 = 660.0;

struct Daemon<'a> {
    args: &'a Args<'a>,
    peers: Vec<Peer>,
    keys: Vec<Key>,
    server: Option<OwnedFd>,
    clock: Clock,
    /// What is told of the own clock.
    system: Packet,
    poll: u8,
    agreement: i32,
    /// The uptime of the measurement that was used last; 0 before the clock is synchronized.
    used: f64,
    next_period: f64,
    in_background: bool,
    signals: SignalQueue,
    script: Option<&'a [u8]>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    args.operands_between(0, 0)?;
    let keys = args.value(KEYS).map_or(Ok(Vec::new()), config::read_keys)?;
    let peers = config::peers(args.values(PEER), &keys)?;
    let listens = args.has(LISTEN) || args.has(INTERFACE);
    if peers.is_empty() && !listens {
        return Err(Error::misused("no servers to ask"));
    }
    let server = if listens { Some(server::open(args.value(INTERFACE), PORT)?) } else { None };
    if args.has(PRIORITY) {
        process::setpriority_process(None, -15).map_err(|errno| Error::on("setpriority", errno))?;
    }
    let in_background = ![FOREGROUND, QUIT, DRY].into_iter().any(|option| args.has(option));
    if in_background {
        detach()?;
    }
    let signals = SignalQueue::open(&[SIGINT, SIGTERM, SIGHUP]).map_err(Error::from)?;
    // The sockets are open; names of servers may be asked for again.
    keep_only(if args.has(SCRIPT) { sandbox::NTPD_S } else { sandbox::NTPD }, &[])?;
    // Without a server to ask, the own clock is the source (RFC 5905 7.3: LOCL).
    let system = match peers.is_empty() {
        true => Packet { stratum: 1, reference_id: *b"LOCL", ..Packet::default() },
        false => Packet { leap: 3, stratum: UNSYNCHRONIZED, ..Packet::default() },
    };
    let mut daemon = Daemon {
        args,
        peers,
        keys,
        server,
        clock: Clock::default(),
        system: Packet { precision: PRECISION, ..system },
        poll: MIN_POLL,
        agreement: 0,
        used: 0.0,
        next_period: uptime() + PERIOD,
        in_background,
        signals,
        script: args.value(SCRIPT),
    };
    let status = daemon.run(env);
    if let Err(error) = &status
        && in_background
    {
        daemon.log(env, error.message());
    }
    status
}

/// Seconds of the monotonic clock, which nobody sets.
fn uptime() -> f64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// Seconds with six decimals and a sign.
fn seconds(value: f64) -> Vec<u8> {
    // What does not fit 64 bits of microseconds is cut there.
    let micros = (value.abs() * 1e6) as u64;
    text!(if value < 0.0 { "-" } else { "+" }, micros / 1_000_000, ".", Right(micros % 1_000_000, 6, b'0'))
}

impl Daemon<'_> {
    fn run(&mut self, env: &mut Env) -> Outcome {
        loop {
            let now = uptime();
            if self.signals.take().is_some() {
                self.explain(env, 1, b"exiting");
                return Ok(ExitStatus::SUCCESS);
            }
            self.ask_peers(env, now);
            if now >= self.next_period {
                self.next_period = now + PERIOD;
                self.call_script(env, b"periodic", 0.0)?;
            }
            self.wait(now)?;
            if let Some(socket) = &self.server {
                server::serve(socket, &self.reply_header(), &self.keys);
            }
            if self.receive(env)? {
                return Ok(ExitStatus::SUCCESS);
            }
        }
    }

    /// Sends the requests that are due, and gives up those that got no reply.
    fn ask_peers(&mut self, env: &mut Env, now: f64) {
        for at in 0..self.peers.len() {
            let peer = &mut self.peers[at];
            if peer.deadline.is_some_and(|deadline| now >= deadline) {
                peer.deadline = None;
                let line = text!("timed out waiting for ", &peer.name, ", reach 0x", Hex(peer.reach.into()));
                self.explain(env, 1, &line);
            }
            let peer = &mut self.peers[at];
            if now >= peer.next && !peer.silenced {
                let result = peer.ask(now, self.poll);
                let line = match &result {
                    Ok(()) => text!("sent query to ", &peer.name),
                    Err(error) => error.message().to_vec(),
                };
                // What fails is told each time, as it is tried again.
                self.explain(env, if result.is_ok() { 2 } else { 0 }, &line);
            }
        }
    }

    /// Waits for a datagram, a signal, or the next thing to do.
    fn wait(&self, now: f64) -> Result<()> {
        let times = self.peers.iter().filter(|peer| !peer.silenced).map(|peer| peer.deadline.unwrap_or(peer.next));
        let next = times.fold(self.next_period, f64::min);
        let sockets = self.peers.iter().filter_map(Peer::socket).chain(&self.server);
        let mut files: Vec<PollFd<'_>> = sockets.map(|socket| PollFd::new(socket, PollFlags::IN)).collect();
        files.push(PollFd::from_borrowed_fd(self.signals.fd(), PollFlags::IN));
        let limit = time::milliseconds(((next - now).max(0.0) * 1000.0) as u64 + 1);
        match poll(&mut files, Some(&limit)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(Error::on("poll", errno)),
        }
    }

    /// Takes the replies that came, and updates the clock. True when -q has done its work.
    fn receive(&mut self, env: &mut Env) -> Result<bool> {
        let now = uptime();
        let trust = self.args.has(TRUST);
        let mut is_new = false;
        for at in 0..self.peers.len() {
            if self.peers[at].socket().is_none() {
                continue;
            }
            let Some(received) = self.peers[at].receive(now, trust) else { continue };
            let name = &self.peers[at].name;
            match received {
                Received::Sample(fresh) => {
                    is_new |= fresh;
                    let line = self.describe(at);
                    self.explain(env, 1, &line);
                }
                Received::KissOfDeath => self.explain(env, 0, &text!(name, " asks for fewer requests")),
                Received::Rejected(reason) => self.explain(env, 1, &text!("reply from ", name, " rejected: ", reason)),
            }
        }
        self.lose_peers(env)?;
        // RFC 5905 A.5.2: a measurement is used once, but anything goes before the clock is synchronized.
        Ok((is_new || self.used == 0.0) && self.select(env, now)? && self.args.has(QUIT))
    }

    /// When no server is left, the clock is on its own.
    fn lose_peers(&mut self, env: &mut Env) -> Result<()> {
        let is_lost = !self.peers.is_empty() && self.peers.iter().all(|peer| peer.reach == 0 || peer.silenced);
        if !is_lost || self.system.stratum == UNSYNCHRONIZED {
            return Ok(());
        }
        self.explain(env, 0, b"no valid datapoints, no peer selected");
        (self.system.leap, self.system.stratum) = (3, UNSYNCHRONIZED);
        self.poll = MIN_POLL;
        self.call_script(env, b"unsync", 0.0)
    }

    fn describe(&self, at: usize) -> Vec<u8> {
        let peer = &self.peers[at];
        let [offset, delay, jitter] = peer.values();
        let mut line = text!("reply from ", &peer.name, ": offset:", seconds(offset), " delay:", seconds(delay));
        push!(line, " jitter:", seconds(jitter), " strat:", peer.last.stratum, " refid:0x");
        push!(line, hash::hex(&peer.last.reference_id), " rootdelay:", seconds(peer.last.root_delay));
        push!(line, " reach:0x", Hex(peer.reach.into()));
        line
    }

    /// RFC 5905 11.2 and 12: what the servers say together sets the clock. True when there was such a thing.
    fn select(&mut self, env: &mut Env, now: f64) -> Result<bool> {
        let poll = self.poll;
        let candidates: Vec<select::Candidate> =
            self.peers.iter().enumerate().filter_map(|(at, peer)| peer.candidate(at, now, poll)).collect();
        let Some(selection) = select::select(&candidates) else { return Ok(false) };
        let peer = &self.peers[selection.index];
        if peer.updated <= self.used {
            return Ok(false);
        }
        let (offset, jitter, distance) = (selection.offset, selection.jitter, peer.distance(now));
        let known = Known { offset, jitter, distance, leap: peer.last.leap, poll };
        let update = match self.args.has(DRY) {
            true => Update::Slewed,
            false => self.clock.update(&known, now, self.args.has(QUIT))?,
        };
        let level = if self.args.has(DRY) || self.args.has(QUIT) { 0 } else { 1 };
        let mut line = text!("update from:", &peer.name, " offset:", seconds(offset), " jitter:", seconds(jitter));
        push!(line, " clock drift:", seconds(self.clock.drift), "ppm tc:", poll, " servers:", selection.count);
        self.used = peer.updated;
        self.explain(env, level, &line);
        match update {
            Update::Ignored => return Ok(false),
            Update::Stepped => {
                self.explain(env, 0, &text!("setting time: offset ", seconds(offset), "s"));
                self.adopt(env, selection.index, &known, now)?;
                for peer in &mut self.peers {
                    peer.restart(now);
                }
                (self.poll, self.agreement, self.used) = (MIN_POLL, 0, 0.0);
                self.call_script(env, b"step", offset)?;
            }
            Update::Slewed => {
                self.adopt(env, selection.index, &known, now)?;
                self.adapt_poll(offset, jitter);
            }
        }
        Ok(true)
    }

    /// The peer's clock is the source of this one (RFC 5905 A.5.5.4).
    fn adopt(&mut self, env: &mut Env, at: usize, known: &Known, now: f64) -> Result<()> {
        let peer = &self.peers[at];
        let before = self.system.stratum;
        let reference_id = match peer.address.map(|address| address.ip().to_canonical()) {
            Some(IpAddr::V4(address)) => address.octets(),
            // RFC 5905 7.3: of IPv6 the first bytes of the digest.
            Some(IpAddr::V6(address)) => {
                let digest = hash::of(hash::Algorithm::Md5, &[&address.octets()]);
                [digest[0], digest[1], digest[2], digest[3]]
            }
            None => [0; 4],
        };
        let [_, delay, _] = peer.values();
        self.system = Packet {
            leap: peer.last.leap,
            stratum: (peer.last.stratum + 1).min(UNSYNCHRONIZED),
            precision: PRECISION,
            root_delay: peer.last.root_delay + delay,
            root_dispersion: peer.last.root_dispersion
                + known.jitter
                + DRIFT * (now - peer.updated)
                + known.offset.abs(),
            reference_id,
            reference: Stamp::now(),
            ..Packet::default()
        };
        if self.system.stratum == before { Ok(()) } else { self.call_script(env, b"stratum", known.offset) }
    }

    /// What a reply says of this clock: its dispersion grows since it was set.
    fn reply_header(&self) -> Packet {
        let age = if self.peers.is_empty() { 0.0 } else { Stamp::now().since(self.system.reference).max(0.0) };
        let now = Stamp::now();
        let reference = if self.peers.is_empty() { now } else { self.system.reference };
        let stratum = self.system.stratum % UNSYNCHRONIZED;
        Packet { reference, stratum, root_dispersion: self.system.root_dispersion + DRIFT * age, ..self.system }
    }

    /// RFC 5905 A.5.5.8: a clock that agrees asks less often.
    fn adapt_poll(&mut self, offset: f64, jitter: f64) {
        let step = i32::from(self.poll);
        self.agreement += if offset.abs() < GATE * jitter { step } else { -2 * step };
        if self.agreement > LIMIT {
            (self.poll, self.agreement) = ((self.poll + 1).min(MAX_POLL), 0);
        } else if self.agreement < -LIMIT {
            (self.poll, self.agreement) = ((self.poll - 1).max(MIN_POLL), 0);
        }
    }

    /// Runs the program of -S with what has happened, and waits for it.
    fn call_script(&mut self, env: &mut Env, event: &[u8], offset: f64) -> Result<()> {
        let Some(program) = self.script else { return Ok(()) };
        env.vars.set("stratum", Some(&text!(self.system.stratum)));
        env.vars.set("freq_drift_ppm", Some(&text!(self.clock.drift as i64)));
        env.vars.set("poll_interval", Some(&text!(1u32 << self.poll)));
        env.vars.set("offset", Some(&seconds(offset)));
        self.explain(env, 1, &text!("executing '", program, " ", event, "'"));
        env.stdout.flush()?;
        // The program gets its signals itself.
        let blocked = set_blocked(SignalSet(0));
        let result = call::attempt(env, &[program, event]);
        set_blocked(blocked);
        if let Err(errno) = result {
            let error = Error::cannot("execute", program, errno);
            self.explain(env, 0, error.message());
        }
        Ok(())
    }

    fn explain(&self, env: &mut Env, level: usize, line: &[u8]) {
        if self.args.times(DEBUG) >= level {
            self.log(env, line);
        }
    }

    /// Servers' names are those of the command line, and what servers say is printed as numbers.
    fn log(&self, env: &mut Env, line: &[u8]) {
        match self.in_background {
            true => syslog::log(syslog::DAEMON_INFO, b"ntpd", line),
            // A dead standard error can be reported nowhere.
            false => drop(env.stderr.write(&text!("ntpd: ", line, "\n"))),
        }
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    packet::fuzz(data);
    peer::fuzz(data);
    server::fuzz(data);
    config::fuzz(data);
}
