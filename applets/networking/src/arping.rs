//! `arping`: ask a neighbour by ARP whether it is there (RFC 826, RFC 5227).

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use rbox_core::daemon::uptime_milliseconds;
use rbox_core::net::{addr, dns};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::net::{self, AddressFamily, SocketFlags, SocketType, socket_with};
use rbox_core::sys::signal::{Disposition, set, take_pending, wait_readable};
use rbox_core::sys::signal_queue::SIGINT;
use rbox_core::sys::time::{ClockId, clock_gettime};
use rbox_core::sys::{AsFd, Errno, packet};
use rbox_core::{push, text};

use crate::ethernet::{Arp, BROADCAST, Station};
use crate::inet::milliseconds;

options! {
    "[-fqbDUA] [-c COUNT] [-w SECONDS] [-I INTERFACE] [-s SOURCE] ADDRESS

Send ARP requests to ADDRESS and print the replies.

  -f            Stop after the first reply
  -q            Print nothing
  -b            Keep sending to all hosts, not to the one that replied
  -D            Ask whether ADDRESS is free; status 1 when a host has it
  -U            Announce ADDRESS by a request that nobody answers
  -A            Announce ADDRESS by a reply that nobody asked for
  -c COUNT      Stop after COUNT requests
  -w SECONDS    Stop after SECONDS
  -I INTERFACE  Interface to use (eth0)
  -s SOURCE     Address to ask from";
    FIRST = "-f",
    QUIET = "-q",
    ALL = "-b",
    FREE = "-D",
    ANNOUNCE = "-U",
    ANSWER = "-A",
    COUNT = "-c",
    WAIT = "-w",
    INTERFACE = "-I",
    SOURCE = "-s",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().failure(2);

/// Microseconds of the monotonic clock.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
}

struct Arping<'a> {
    args: &'a Args<'a>,
    station: Station,
    own: Ipv4Addr,
    to: Ipv4Addr,
    /// The host that replied.
    neighbour: [u8; 6],
    /// Microseconds.
    last_sent: u64,
    sent: u64,
    broadcasts: u64,
    received: u64,
    requests: u64,
    received_broadcasts: u64,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operand = args.operands_between(1, 1)?[0];
    let number = |option| args.value(option).map(|word| parse_in_range(word, 1, u64::from(u32::MAX))).transpose();
    let (count, wait) = (number(COUNT)?, number(WAIT)?);
    let interface = args.value(INTERFACE).unwrap_or(b"eth0");
    let station = match Station::open(interface) {
        // Nobody can have an address where no one answers.
        Err(error) if args.has(FREE) && error.message().ends_with(b"not ARPable") => {
            env.warn(error);
            return Ok(ExitStatus::SUCCESS);
        }
        station => station?,
    };
    let IpAddr::V4(to) = dns::resolve(operand, Some(false))? else { return Err(Error::usage()) };
    let source = args.value(SOURCE).map(addr::parse_v4).transpose()?;
    let own = own_address(args, interface, source, to)?;
    let mut arping = Arping {
        args,
        station,
        own,
        to,
        neighbour: BROADCAST,
        last_sent: 0,
        sent: 0,
        broadcasts: 0,
        received: 0,
        requests: 0,
        received_broadcasts: 0,
    };
    let name = &arping.station.link.name;
    arping.print(env, &text!("ARPING ", to, " from ", own, " ", name, "\n"))?;
    set(SIGINT, Disposition::Note).map_err(Error::from)?;
    arping.exchange(env, count, wait)?;
    let mut line = text!("Sent ", arping.sent, " probe(s) (", arping.broadcasts, " broadcast(s))\nReceived ");
    push!(line, arping.received, " response(s) (", arping.requests, " request(s), ");
    push!(line, arping.received_broadcasts, " broadcast(s))\n");
    arping.print(env, &line)?;
    Ok(ExitStatus::from_ok(match () {
        () if args.has(FREE) => arping.received == 0,
        () if arping.is_unsolicited() => true,
        () => arping.received > 0,
    }))
}

/// The address to ask from: 0.0.0.0 for a question whether another one is free (RFC 5227 2.1.1), the announced one, or the one
/// that packets to `to` would have through the interface.
fn own_address(args: &Args<'_>, interface: &[u8], source: Option<Ipv4Addr>, to: Ipv4Addr) -> Result<Ipv4Addr> {
    let announced = if args.has(ANNOUNCE) || args.has(ANSWER) { Some(to) } else { None };
    let failed = |what: &'static str| move |errno| Error::on(what, errno);
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None);
    let socket = socket.map_err(failed("socket"))?;
    if let Some(own) = source.or(announced) {
        // An address of another host is not announced.
        net::bind(&socket, &SocketAddr::new(own.into(), 0)).map_err(failed("bind"))?;
        return Ok(own);
    }
    if args.has(FREE) {
        return Ok(Ipv4Addr::UNSPECIFIED);
    }
    packet::bind_to_interface(socket.as_fd(), interface).map_err(failed("setsockopt"))?;
    net::connect(&socket, &SocketAddr::new(to.into(), 1025)).map_err(failed("connect"))?;
    let own = net::getsockname(&socket).map_err(failed("getsockname"))?;
    match SocketAddr::try_from(own).map(|own| own.ip()) {
        Ok(IpAddr::V4(own)) => Ok(own),
        _ => Err(Error::new("no address of its own")),
    }
}

impl Arping<'_> {
    fn is_unsolicited(&self) -> bool {
        self.args.has(ANNOUNCE) || self.args.has(ANSWER)
    }

    fn print(&self, env: &mut Env, line: &[u8]) -> Result<()> {
        if self.args.has(QUIET) {
            return Ok(());
        }
        env.stdout.write(line)?;
        env.stdout.flush()
    }

    /// Sends a request each second, until enough were sent or answered, the time is over, or a signal comes.
    fn exchange(&mut self, env: &mut Env, count: Option<u64>, seconds: Option<u64>) -> Result<()> {
        let start = uptime_milliseconds();
        let end = seconds.map(|seconds| start + seconds * 1000);
        let mut next = start;
        loop {
            let time = uptime_milliseconds();
            let is_last = count.is_some_and(|count| self.sent >= count);
            if end.is_some_and(|end| time >= end)
                || is_last && (time >= next || self.received >= self.sent || self.is_unsolicited())
            {
                return Ok(());
            }
            if time >= next {
                self.send()?;
                next = time + 1000;
                continue;
            }
            let until = end.map_or(next, |end| next.min(end));
            match wait_readable(self.station.fd(), Some(until - time)) {
                Ok(true) => self.receive(env)?,
                Ok(false) => {}
                Err(Errno::INTR) if take_pending() != 0 => return Ok(()),
                Err(errno) => return Err(Error::on("poll", errno)),
            }
            if self.received > 0 && (self.args.has(FIRST) || self.args.has(FREE)) {
                return Ok(());
            }
        }
    }

    fn send(&mut self) -> Result<()> {
        let is_answer = self.args.has(ANSWER);
        // The target's hardware is not known to a request; of an answer to nobody it is the sender's.
        let target = if is_answer { self.station.hardware } else { BROADCAST };
        let to = self.to;
        let arp = Arp { is_request: !is_answer, sender: self.station.hardware, from: self.own, target, to };
        self.last_sent = now();
        self.sent += 1;
        self.broadcasts += u64::from(self.neighbour == BROADCAST);
        self.station.send(&arp, self.neighbour).map_err(|errno| Error::on("sendto", errno))
    }

    fn receive(&mut self, env: &mut Env) -> Result<()> {
        let received = match self.station.receive() {
            Ok(received) => received,
            Err(Errno::NETDOWN) => return Err(Error::on("interface", Errno::NETDOWN)),
            // What cannot be received is no reply.
            Err(_) => None,
        };
        let Some((arp, is_broadcast)) = received.filter(|(arp, _)| self.is_reply(arp)) else { return Ok(()) };
        let took = now() - self.last_sent;
        self.received += 1;
        self.requests += u64::from(arp.is_request);
        self.received_broadcasts += u64::from(is_broadcast);
        let mut line = text!(if is_broadcast { "Broadcast " } else { "Unicast " });
        push!(line, if arp.is_request { "request" } else { "reply" }, " from ", arp.from, " [");
        push!(line, addr::hardware_text(&arp.sender), "]");
        if arp.target != self.station.hardware && !arp.is_request {
            push!(line, " for [", addr::hardware_text(&arp.target), "]");
        }
        if arp.to != self.own {
            push!(line, " for ", arp.to);
        }
        push!(line, " ", milliseconds(took), "ms\n");
        if !self.args.has(ALL) {
            self.neighbour = arp.sender;
        }
        self.print(env, &line)
    }

    /// A packet of the host that has the address; when it asks whether that is free, also of one that wants it (RFC 5227 2.1.1).
    fn is_reply(&self, arp: &Arp) -> bool {
        let is_other = arp.sender != self.station.hardware;
        let wants = arp.is_request && arp.from.is_unspecified() && arp.to == self.to;
        match self.args.has(FREE) {
            true => is_other && (arp.from == self.to || wants),
            false => is_other && arp.from == self.to && arp.to == self.own && !self.is_unsolicited(),
        }
    }
}
