//! `zcip`: take a link-local IPv4 address that nobody else has (RFC 3927, RFC 5227).

use core::net::Ipv4Addr;

use rbox_core::daemon::{keep_only, uptime_milliseconds};
use rbox_core::net::addr::{hardware_text, parse_v4};
use rbox_core::prelude::*;
use rbox_core::random::Random;
use rbox_core::sys::event::{PollFd, PollFlags, poll};
use rbox_core::sys::fs::OFlags;
use rbox_core::sys::signal_queue::{SIGINT, SIGTERM, SignalQueue};
use rbox_core::sys::{Errno, process, sandbox, time};
use rbox_core::{call, daemon, hash, push, syslog, text};

use crate::ethernet::{Arp, BROADCAST, Station};

options! {
    "[-fqv] [-r ADDRESS] [-l NETWORK] INTERFACE SCRIPT

Find a free address of 169.254.0.0/16, and keep it. SCRIPT is called with init,
config and deconfig; variables: interface, ip. LOGGING=none logs nothing,
LOGGING=syslog to syslog.

  -f          Run in the foreground
  -q          Quit after an address was found
  -r ADDRESS  Ask for this address first
  -l NETWORK  Use this range (x.x.0.0) instead of 169.254
  -v          Report more";
    FOREGROUND = "-f",
    QUIT = "-q",
    REQUEST = "-r",
    NETWORK = "-l",
    VERBOSE = "-v",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

/// RFC 3927 9, milliseconds and numbers.
const PROBE_WAIT: u64 = 1000;
const PROBES: u32 = 3;
const PROBE_MIN: u64 = 1000;
const PROBE_MAX: u64 = 2000;
const ANNOUNCE_WAIT: u64 = 2000;
const ANNOUNCEMENTS: u32 = 2;
const ANNOUNCE_INTERVAL: u64 = 2000;
const MAX_CONFLICTS: u32 = 10;
const RATE_LIMIT: u64 = 60_000;
const DEFEND_INTERVAL: u64 = 10_000;

struct Client<'a> {
    args: &'a Args<'a>,
    interface: &'a [u8],
    script: &'a [u8],
    station: Station,
    network: u32,
    random: Random,
    /// How many addresses were chosen.
    tried: u32,
    signals: SignalQueue,
    /// Where messages go: LOGGING.
    silent: bool,
    syslog: bool,
}

/// What ended a wait.
#[derive(PartialEq, Eq)]
enum Event {
    /// The time is up.
    Timeout,
    /// Another host has the address, or wants it too.
    Conflict([u8; 6]),
    /// A signal asks to end.
    Stop,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let [interface, script] = args.operands_between(2, 2)? else { return Err(Error::usage()) };
    let network = args.value(NETWORK).map_or(Ok(Ipv4Addr::new(169, 254, 0, 0)), parse_v4)?.to_bits();
    if network & 0xffff != 0 {
        return Err(Error::new("the range is not x.x.0.0"));
    }
    let request = args.value(REQUEST).map(parse_v4).transpose()?;
    if let Some(address) = request.filter(|address| !is_in_range(address.to_bits(), network)) {
        return Err(Error::new(text!("invalid link address ", address)));
    }
    let logging = env.vars.get("LOGGING");
    let (silent, syslog) = (logging == Some(b"none"), logging == Some(b"syslog"));
    env.vars.set("interface", Some(interface));
    let signals = SignalQueue::open(&[SIGINT, SIGTERM]).map_err(Error::from)?;
    call_script(env, &signals, script, b"init")?;
    let station = Station::open(interface)?;
    let random = Random::open(None)?;
    keep_only(sandbox::ZCIP, &[])?;
    let mut client = Client { args, interface, script, station, network, random, tried: 0, signals, silent, syslog };
    client.run(env, request)
}

/// RFC 3927 2.1: the first and the last 256 addresses are reserved.
fn is_in_range(address: u32, network: u32) -> bool {
    address & 0xffff_0000 == network && (0x100..0xff00).contains(&(address & 0xffff))
}

/// Calls the script with an event; a failure is an error, as there is no address then.
fn call_script(env: &mut Env, signals: &SignalQueue, script: &[u8], event: &[u8]) -> Result<()> {
    env.stdout.flush()?;
    let vars = env.vars.words();
    let words = [script, event];
    let path = call::find_program(&env.vars, script).unwrap_or_else(|| script.to_vec());
    let child = process::fork_run(|| {
        signals.release();
        let errno = process::exec(&path, &words, &vars);
        let mut stderr = rbox_core::io::Output::standard(2);
        // A dead standard error can be reported nowhere.
        let _ = stderr.write(&text!("zcip: ", Error::cannot("execute", script, errno).message(), "\n"));
        call::failure_status(errno)
    });
    let pid = child.map_err(|errno| Error::on("can't fork", errno))?;
    match process::wait_for(pid).map_err(|errno| Error::on("wait", errno))?.status() {
        0 => Ok(()),
        status => Err(Error::new(text!("script ", script, " ", event, " failed, exitcode=", status))),
    }
}

impl Client<'_> {
    fn run(&mut self, env: &mut Env, request: Option<Ipv4Addr>) -> Outcome {
        let mut wanted = request;
        let mut conflicts = 0;
        let mut in_background = self.args.has(FOREGROUND) || self.args.has(QUIT);
        loop {
            let address = wanted.take().unwrap_or_else(|| self.choose());
            if conflicts >= MAX_CONFLICTS {
                // Many hosts, or one that takes all addresses: it is not helped by more probes.
                self.explain(env, b"too many conflicts, slowing down");
                if self.wait(None, RATE_LIMIT)? == Event::Stop {
                    return Ok(ExitStatus::SUCCESS);
                }
            }
            match self.probe(env, address)? {
                Event::Timeout => {}
                Event::Stop => return Ok(ExitStatus::SUCCESS),
                Event::Conflict(_) => {
                    conflicts += 1;
                    continue;
                }
            }
            let announced = self.announce(env, address)?;
            env.vars.set("ip", Some(&text!(address)));
            call_script(env, &self.signals, self.script, b"config")?;
            self.log(env, &text!(self.interface, ": using ", address));
            if announced == Event::Timeout && self.args.has(QUIT) {
                return Ok(ExitStatus::SUCCESS);
            }
            if !in_background {
                go_to_background()?;
                in_background = true;
            }
            let held = if announced == Event::Timeout { self.hold(env, address) } else { Ok(announced) };
            // Whatever ends it, the address is no longer ours.
            let lost = call_script(env, &self.signals, self.script, b"deconfig");
            match held {
                Err(error) => {
                    self.log(env, error.message());
                    return Err(error);
                }
                Ok(Event::Stop) => return lost.map(|()| ExitStatus::SUCCESS),
                Ok(_) => {
                    lost?;
                    conflicts = 1;
                }
            }
        }
    }

    /// The next address to try. RFC 3927 2.1: it depends on the hardware address, so that a host has the same one again.
    fn choose(&mut self) -> Ipv4Addr {
        self.tried += 1;
        let digest = hash::of(hash::Algorithm::Md5, &[&self.station.hardware, &self.tried.to_be_bytes()]);
        let number = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        Ipv4Addr::from(self.network + 0x100 + number % 0xfe00)
    }

    /// RFC 3927 2.2.1: three probes at random times, and a pause for the answers.
    fn probe(&mut self, env: &mut Env, address: Ipv4Addr) -> Result<Event> {
        self.explain(env, &text!("probing ", address));
        let mut pause = self.random.below(PROBE_WAIT)?;
        for count in 0..=PROBES {
            let event = self.wait(Some((address, true)), pause)?;
            if event != Event::Timeout || count == PROBES {
                if let Event::Conflict(other) = event {
                    self.explain(env, &text!(address, " is in use by ", hardware_text(&other)));
                }
                return Ok(event);
            }
            self.send(Ipv4Addr::UNSPECIFIED, address)?;
            let wait = PROBE_MIN + self.random.below(PROBE_MAX - PROBE_MIN)?;
            pause = if count + 1 == PROBES { ANNOUNCE_WAIT } else { wait };
        }
        Ok(Event::Timeout)
    }

    /// RFC 3927 2.4.
    fn announce(&mut self, env: &mut Env, address: Ipv4Addr) -> Result<Event> {
        self.explain(env, &text!("announcing ", address));
        for count in 1..=ANNOUNCEMENTS {
            self.send(address, address)?;
            if count < ANNOUNCEMENTS {
                match self.wait(Some((address, false)), ANNOUNCE_INTERVAL)? {
                    Event::Timeout => {}
                    event => return Ok(event),
                }
            }
        }
        Ok(Event::Timeout)
    }

    /// RFC 3927 2.5 (b): one conflict is answered, a second one soon after loses the address.
    fn hold(&mut self, env: &mut Env, address: Ipv4Addr) -> Result<Event> {
        let mut defended = None;
        loop {
            // Without a conflict there is nothing to do; the time is only a bound.
            match self.wait(Some((address, false)), RATE_LIMIT)? {
                Event::Timeout => {}
                Event::Conflict(other) => {
                    let now = uptime_milliseconds();
                    self.log(env, &text!(address, " is claimed by ", hardware_text(&other)));
                    if defended.is_some_and(|before| now < before + DEFEND_INTERVAL) {
                        return Ok(Event::Conflict(other));
                    }
                    defended = Some(now);
                    self.send(address, address)?;
                }
                Event::Stop => return Ok(Event::Stop),
            }
        }
    }

    fn send(&self, from: Ipv4Addr, to: Ipv4Addr) -> Result<()> {
        let arp = Arp { is_request: true, sender: self.station.hardware, from, target: [0; 6], to };
        self.station.send(&arp, BROADCAST).map_err(|errno| Error::on(self.interface, errno))
    }

    /// Waits so many milliseconds for packets that have to do with an address; `probes` says that it is only asked for.
    fn wait(&mut self, address: Option<(Ipv4Addr, bool)>, milliseconds: u64) -> Result<Event> {
        let end = uptime_milliseconds() + milliseconds;
        loop {
            let limit = time::milliseconds(end.saturating_sub(uptime_milliseconds()));
            let (station, signals) = (self.station.fd(), self.signals.fd());
            let mut files = [station, signals].map(|file| PollFd::from_borrowed_fd(file, PollFlags::IN));
            match poll(&mut files, Some(&limit)) {
                Ok(0) => return Ok(Event::Timeout),
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::on("poll", errno)),
            }
            if self.signals.take().is_some() {
                return Ok(Event::Stop);
            }
            if files[0].revents().is_empty() {
                continue;
            }
            let received = self.station.receive().map_err(|errno| Error::on(self.interface, errno))?;
            if let (Some((arp, _)), Some((address, probes))) = (received, address)
                && is_conflict(&arp, self.station.hardware, address, probes)
            {
                return Ok(Event::Conflict(arp.sender));
            }
        }
    }

    fn explain(&self, env: &mut Env, line: &[u8]) {
        if self.args.has(VERBOSE) {
            self.log(env, line);
        }
    }

    fn log(&self, env: &mut Env, line: &[u8]) {
        if self.syslog {
            syslog::log(syslog::DAEMON_INFO, b"zcip", line);
        } else if !self.silent {
            let mut line = text!("zcip: ", line);
            push!(line, "\n");
            // A dead standard error can be reported nowhere.
            let _ = env.stderr.write(&line);
        }
    }
}

/// RFC 3927 2.2.1 and 2.5: a packet of another host that has the address; while it is only probed for, also one that probes
/// for it.
fn is_conflict(arp: &Arp, own: [u8; 6], address: Ipv4Addr, probes: bool) -> bool {
    let wants = arp.is_request && arp.from.is_unspecified() && arp.to == address;
    arp.sender != own && (arp.from == address || probes && wants)
}

fn go_to_background() -> Result<()> {
    if process::fork().map_err(|errno| Error::on("can't fork", errno))?.is_some() {
        process::exit_now(0);
    }
    // The child of a fork is no group leader, so this cannot fail.
    let _ = process::setsid();
    // A script may have a name without a directory: the working directory stays.
    daemon::open_standard_streams(b"/dev/null", OFlags::RDWR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const ADDRESS: Ipv4Addr = Ipv4Addr::new(169, 254, 7, 7);

    fn arp(sender: u8, from: Ipv4Addr, to: Ipv4Addr) -> Arp {
        Arp { is_request: true, sender: [2, 0, 0, 0, 0, sender], from, target: [0; 6], to }
    }

    #[test]
    fn other_hosts_are_conflicts() {
        let zero = Ipv4Addr::UNSPECIFIED;
        assert!(is_conflict(&arp(9, ADDRESS, ADDRESS), OWN, ADDRESS, false));
        assert!(is_conflict(&arp(9, zero, ADDRESS), OWN, ADDRESS, true));
        assert!(!is_conflict(&arp(9, zero, ADDRESS), OWN, ADDRESS, false));
        assert!(!is_conflict(&arp(1, ADDRESS, ADDRESS), OWN, ADDRESS, true));
        assert!(!is_conflict(&arp(9, Ipv4Addr::new(169, 254, 7, 8), ADDRESS), OWN, ADDRESS, true));
    }

    #[test]
    fn the_ends_of_the_range_are_reserved() {
        let network = 0xa9fe_0000;
        assert!(is_in_range(0xa9fe_0100, network) && is_in_range(0xa9fe_feff, network));
        assert!(
            !is_in_range(0xa9fe_00ff, network)
                && !is_in_range(0xa9fe_ff00, network)
                && !is_in_range(0x0a00_0101, network)
        );
    }
}
