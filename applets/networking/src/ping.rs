//! `ping` and `ping6`: ask a host by ICMP whether it is there (RFC 792, RFC 4443).

use core::net::{IpAddr, SocketAddr};

use rbox_core::duration;
use rbox_core::net::{addr, dns};
use rbox_core::number::{Decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, ipproto, sockopt};
use rbox_core::sys::signal::{self, Disposition};
use rbox_core::sys::time::{ClockId, clock_gettime};
use rbox_core::sys::{AsFd, Errno, OwnedFd, event, packet, privilege};
use rbox_core::{push, text};

use crate::inet::{checksum, milliseconds};

options! {
    "[OPTION]... HOST

Send ICMP echo requests to HOST and print the replies.

  -4       Use IPv4
  -6       Use IPv6
  -c N     Stop after N requests
  -s SIZE  Send SIZE bytes of data (56)
  -i SEC   Wait SEC seconds between requests (1)
  -A       Send the next request on each reply
  -W SEC   Wait SEC seconds for the last reply (10)
  -w SEC   Stop after SEC seconds
  -t TTL   Set the time to live
  -I IFACE|ADDRESS  Use this interface or source address
  -p HEX   Fill the data with this byte
  -q       Print only the header and the summary
  -n       Ignored: addresses are always numeric
  -v       Ignored; accepted for compatibility";
    FOUR = "-4",
    SIX = "-6",
    COUNT = "-c",
    SIZE = "-s",
    INTERVAL = "-i",
    ADAPTIVE = "-A",
    WAIT = "-W",
    DEADLINE = "-w",
    LIFE = "-t",
    FROM = "-I",
    PATTERN = "-p",
    QUIET = "-q",
    "-n" => ignored,
    "-v" => ignored,
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().setuid();

struct Pinger {
    socket: OwnedFd,
    to: SocketAddr,
    id: u16,
    size: usize,
    pattern: u8,
    quiet: bool,
    /// The kernel has put in the identifier and checks it: SOCK_DGRAM.
    checked: bool,
    sent: u64,
    received: u64,
    duplicates: u64,
    /// Sequence numbers of the last 64 Ki requests that were answered.
    answered: Vec<bool>,
    /// Microseconds: least, sum, most.
    times: (u64, u64, u64),
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let host = args.operands_between(1, 1)?[0];
    let version = match args.last_of(&[FOUR, SIX]) {
        Some(option) => Some(option == SIX),
        None => (env.name == b"ping6").then_some(true),
    };
    let to = dns::resolve(host, version)?;
    let limit = args.value(COUNT).map(|word| parse_in_range(word, 1, u64::MAX)).transpose()?;
    let interval = duration::parse(args.value(INTERVAL).unwrap_or(b"1"))?.as_micros() as u64;
    let wait = duration::parse(args.value(WAIT).unwrap_or(b"10"))?.as_micros() as u64;
    let deadline = args.value(DEADLINE).map(duration::parse).transpose()?.map(|span| span.as_micros() as u64);
    let mut pinger = Pinger::new(args, to)?;
    if privilege::is_raised() {
        // The socket was all that the rights were for.
        privilege::give_up().map_err(|errno| Error::on("can't give up privileges", errno))?;
    }
    let from = match args.value(FROM) {
        Some(word) if addr::parse(word).is_ok() => [b" from ", word].concat(),
        _ => Vec::new(),
    };
    let size = Decimal::new(pinger.size as u64);
    let line = [b"PING ", host, b" (", &addr::text(to), b")", &from, b": ", size.as_bytes(), b" data bytes\n"].concat();
    env.stdout.write(&line)?;
    env.stdout.flush()?;
    signal::set(2, Disposition::Note).map_err(|errno| Error::on("sigaction", errno))?;
    let start = now();
    let mut next = start;
    let mut last_sent = start;
    loop {
        let done = limit.is_some_and(|limit| pinger.sent >= limit);
        let time = now();
        if done && (pinger.received >= pinger.sent || time >= last_sent + wait)
            || deadline.is_some_and(|deadline| time >= start + deadline)
            || signal::take_pending() != 0
        {
            break;
        }
        if !done && time >= next {
            pinger.send()?;
            (last_sent, next) = (time, time + interval);
        }
        let mut until = if limit.is_some_and(|limit| pinger.sent >= limit) { last_sent + wait } else { next };
        until = deadline.map_or(until, |deadline| until.min(start + deadline));
        let received = pinger.received;
        pinger.wait(env, until.saturating_sub(now()))?;
        if args.has(ADAPTIVE) && pinger.received > received {
            next = now();
        }
    }
    pinger.summary(env, host)?;
    Ok(ExitStatus::from_ok(pinger.received > 0))
}

/// Microseconds of the monotonic clock.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
}

impl Pinger {
    fn new(args: &Args<'_>, to: IpAddr) -> Result<Self> {
        let (family, protocol) = match to {
            IpAddr::V4(_) => (AddressFamily::INET, ipproto::ICMP),
            IpAddr::V6(_) => (AddressFamily::INET6, ipproto::ICMPV6),
        };
        let failed = |errno| Error::on("socket", errno);
        // Users without rights have the kernel's echo sockets, where net.ipv4.ping_group_range lets them.
        let open = |kind| net::socket_with(family, kind, SocketFlags::CLOEXEC, Some(protocol));
        let (socket, checked) = match open(SocketType::RAW) {
            Err(Errno::PERM) => {
                (open(SocketType::DGRAM).map_err(|_| Error::new("permission denied (are you root?)"))?, true)
            }
            socket => (socket.map_err(failed)?, false),
        };
        if to.is_ipv6() {
            packet::ask_for_hop_limits(socket.as_fd()).map_err(failed)?;
        }
        if let Some(word) = args.value(LIFE) {
            let life = parse_in_range(word, 1, 255)? as u32;
            let set = match to {
                IpAddr::V4(_) => sockopt::set_ip_ttl(&socket, life),
                IpAddr::V6(_) => sockopt::set_ipv6_unicast_hops(&socket, Some(life as u8)),
            };
            set.map_err(failed)?;
        }
        if let Some(word) = args.value(FROM) {
            match addr::parse(word) {
                Ok(address) => {
                    net::bind(&socket, &SocketAddr::new(address, 0)).map_err(|errno| Error::on("bind", errno))?
                }
                Err(_) => packet::bind_to_interface(socket.as_fd(), word).map_err(|errno| Error::on(word, errno))?,
            }
        }
        let mut id = [0; 2];
        rbox_core::sys::rand::getrandom(&mut id, rbox_core::sys::rand::GetRandomFlags::empty()).map_err(failed)?;
        let pattern = args
            .value(PATTERN)
            .map(|word| rbox_core::number::parse_radix(word, 16).ok_or_else(|| rbox_core::number::invalid(word)));
        Ok(Self {
            socket,
            to: SocketAddr::new(to, 0),
            id: u16::from_ne_bytes(id),
            size: parse_in_range(args.value(SIZE).unwrap_or(b"56"), 0, 65_507)? as usize,
            pattern: pattern.transpose()?.unwrap_or(0) as u8,
            quiet: args.has(QUIET),
            checked,
            sent: 0,
            received: 0,
            duplicates: 0,
            answered: vec![false; 1 << 16],
            times: (u64::MAX, 0, 0),
        })
    }

    /// Type, code, checksum, identifier, sequence, then the time of sending where the data have eight bytes.
    fn send(&mut self) -> Result<()> {
        let kind = if self.to.is_ipv4() { 8 } else { 128 };
        let sequence = self.sent as u16;
        let mut message = vec![kind, 0, 0, 0];
        message.extend_from_slice(&self.id.to_be_bytes());
        message.extend_from_slice(&sequence.to_be_bytes());
        message.resize(8 + self.size, self.pattern);
        if self.size >= 8 {
            message[8..16].copy_from_slice(&now().to_ne_bytes());
        }
        // For ICMPv6 the kernel writes the checksum, which covers addresses that it chooses.
        if self.to.is_ipv4() {
            let sum = checksum(&[&message]);
            message[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        self.answered[usize::from(sequence)] = false;
        self.sent += 1;
        match net::sendto(&self.socket, &message, SendFlags::empty(), &self.to) {
            Ok(_) | Err(Errno::INTR | Errno::NOBUFS) => Ok(()),
            Err(errno) => Err(Error::on("sendto", errno)),
        }
    }

    /// Takes one packet, or returns after so many microseconds.
    fn wait(&mut self, env: &mut Env, micros: u64) -> Result<()> {
        let limit =
            event::Timespec { tv_sec: (micros / 1_000_000) as i64, tv_nsec: (micros % 1_000_000 * 1000) as i64 };
        let ready = event::poll(&mut [event::PollFd::new(&self.socket, event::PollFlags::IN)], Some(&limit));
        if !matches!(ready, Ok(1..)) {
            return Ok(());
        }
        let mut buffer = vec![0; 65_600];
        if self.to.is_ipv6() {
            // What cannot be received, an error that came back among it, is no answer.
            let Ok(received) = packet::receive(self.socket.as_fd(), &mut buffer) else { return Ok(()) };
            let from = received.from.map_or(self.to.ip(), IpAddr::V6);
            return self.take(env, &buffer[..received.count], received.hop_limit, from);
        }
        let Ok((count, _, from)) = net::recvfrom(&self.socket, &mut buffer[..], RecvFlags::empty()) else {
            return Ok(());
        };
        let from = from.and_then(|from| SocketAddr::try_from(from).ok()).map_or(self.to.ip(), |from| from.ip());
        // A raw IPv4 socket gives the IP header too.
        let packet = &buffer[..count];
        let (message, life) = match (!self.checked, packet.first()) {
            (true, Some(first)) => {
                (packet.get(usize::from(first & 15) * 4..).unwrap_or_default(), packet.get(8).copied())
            }
            _ => (packet, None),
        };
        self.take(env, message, life, from)
    }

    fn take(&mut self, env: &mut Env, message: &[u8], life: Option<u8>, from: IpAddr) -> Result<()> {
        let reply = if self.to.is_ipv4() { 0 } else { 129 };
        let Some(header) = message.get(..8).filter(|header| header[0] == reply) else { return Ok(()) };
        if !self.checked && header[4..6] != self.id.to_be_bytes() {
            return Ok(());
        }
        let sequence = u16::from_be_bytes([header[6], header[7]]);
        let sent = message.get(8..16).and_then(|time| time.try_into().ok()).map(u64::from_ne_bytes);
        let time = sent.filter(|_| self.size >= 8).map(|sent| now().saturating_sub(sent));
        let duplicate = core::mem::replace(&mut self.answered[usize::from(sequence)], true);
        if duplicate {
            self.duplicates += 1;
        } else {
            self.received += 1;
            if let Some(time) = time {
                self.times = (self.times.0.min(time), self.times.1 + time, self.times.2.max(time));
            }
        }
        if self.quiet {
            return Ok(());
        }
        let mut line = text!(message.len(), " bytes from ", from, ": seq=", sequence);
        if let Some(life) = life {
            push!(line, " ttl=", life);
        }
        if let Some(time) = time {
            push!(line, " time=", milliseconds(time), " ms");
        }
        push!(line, if duplicate { " (DUP!)\n" } else { "\n" });
        env.stdout.write(&line)?;
        env.stdout.flush()
    }

    fn summary(&self, env: &mut Env, host: &[u8]) -> Result<()> {
        let lost = (self.sent - self.received.min(self.sent)) * 100 / self.sent.max(1);
        let mut text = text!("\n--- ", host, " ping statistics ---\n", self.sent, " packets transmitted, ");
        push!(text, self.received, " packets received, ");
        if self.duplicates > 0 {
            push!(text, self.duplicates, " duplicates, ");
        }
        push!(text, lost, "% packet loss\n");
        let (least, sum, most) = self.times;
        if self.received > 0 && least != u64::MAX {
            push!(text, "round-trip min/avg/max = ", milliseconds(least), "/", milliseconds(sum / self.received), "/");
            push!(text, milliseconds(most), " ms\n");
        }
        env.stdout.write(&text)
    }
}
