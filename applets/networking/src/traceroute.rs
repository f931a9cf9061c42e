//! `traceroute` and `traceroute6`: the routers on the way to a host, which say that the hop limit of a probe is used up
//! (RFC 792, RFC 4443).

use core::net::{IpAddr, SocketAddr};

use rbox_core::net::addr::{from_octets, octets, parse};
use rbox_core::net::dns::message::number;
use rbox_core::net::dns::{self, ReverseNames};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::datagram::{self, Datagram, Detail, set_option};
use rbox_core::sys::net::{self, AddressFamily, SendFlags, SocketFlags, SocketType, ipproto, sockopt};
use rbox_core::sys::time::{ClockId, clock_gettime};
use rbox_core::sys::{AsFd, Errno, OwnedFd, packet, privilege};
use rbox_core::tty::wait_readable;
use rbox_core::{daemon, push, text};

use crate::inet::{checksum, milliseconds};

options! {
    "[-46FIlnrv] [-f FIRST] [-m MAX] [-q PROBES] [-p PORT] [-t TOS] [-w SECONDS] [-s SOURCE] [-i INTERFACE] [-z MS] HOST [BYTES]

Print the routers on the way to HOST.

  -4            Use IPv4
  -6            Use IPv6
  -F            Set the don't fragment bit
  -I            Send ICMP echo requests instead of UDP datagrams
  -l            Print the hop limit of each reply
  -n            Print numeric addresses
  -r            Send directly to a host on an attached network
  -v            Print the length and destination of replies, and other ICMP messages
  -f FIRST      First hop (1)
  -m MAX        Last hop (30)
  -q PROBES     Probes for each hop (3)
  -p PORT       UDP port of the first probe (33434)
  -s SOURCE     Source address
  -i INTERFACE  Source interface
  -t TOS        Type of service of the probes (0)
  -w SECONDS    Time to wait for a reply (3)
  -z MS         Milliseconds to wait before each probe";
    FOUR = "-4",
    SIX = "-6",
    UNFRAGMENTED = "-F",
    ECHO = "-I",
    LIMITS = "-l",
    NUMBERS = "-n",
    DIRECT = "-r",
    VERBOSE = "-v",
    FIRST = "-f",
    MAX = "-m",
    PROBES = "-q",
    PORT = "-p",
    SOURCE = "-s",
    INTERFACE = "-i",
    SERVICE = "-t",
    WAIT = "-w",
    PAUSE = "-z",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program().setuid();

/// Headers of IP and of UDP or ICMP in a probe.
const HEADERS_V4: usize = 28;
const HEADERS_V6: usize = 48;

struct Tracer<'a> {
    args: &'a Args<'a>,
    to: IpAddr,
    /// Receives ICMP, and sends the probes of -I.
    icmp: OwnedFd,
    /// Sends the other probes.
    udp: Option<OwnedFd>,
    /// The source port or the identifier of the probes.
    id: u16,
    /// The port of the first probe, and the number of the last one.
    port: u16,
    sequence: u16,
    /// Bytes after the headers.
    size: usize,
    names: ReverseNames,
}

/// What a message says about a probe.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    sequence: u16,
    meaning: Meaning,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    /// A router on the way.
    Passing,
    /// The host itself.
    Reached,
    /// The way ends; why, as a mark of traceroute(8).
    Unreachable(Vec<u8>),
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let operands = args.operands_between(1, 2)?;
    let number =
        |option, default, low, high| args.value(option).map_or(Ok(default), |word| parse_in_range(word, low, high));
    let max = number(MAX, 30, 1, 255)?;
    let first = number(FIRST, 1, 1, max)?;
    let probes = number(PROBES, 3, 1, 255)?;
    let wait = number(WAIT, 3, 1, 86_400)? * 1000;
    let pause = number(PAUSE, 0, 0, 86_400_000)?;
    let version = args.last_of(&[FOUR, SIX]).map(|option| option == SIX);
    let version = version.or_else(|| (env.name == b"traceroute6").then_some(true));
    let to = dns::resolve(operands[0], version)?;
    let default = if to.is_ipv4() { 46 } else { 72 };
    let size = operands.get(1).map_or(Ok(default), |word| parse_in_range(word, default, 32_768))? as usize;
    let mut tracer = Tracer::new(args, to, size, number(PORT, 33_434, 1, 65_535)? as u16)?;
    if privilege::is_raised() {
        // The sockets were all that the rights were for.
        privilege::give_up().map_err(|errno| Error::on("can't give up privileges", errno))?;
    }
    let mut line = text!("traceroute to ", operands[0], " (", to, ")");
    if let Some(source) = args.value(SOURCE) {
        push!(line, " from ", source);
    }
    push!(line, ", ", max, " hops max, ", size, " byte packets\n");
    env.stdout.write(&line)?;
    for hop in first..=max {
        if tracer.probe_hop(env, hop as u8, probes, wait, pause)? {
            break;
        }
    }
    Ok(ExitStatus::SUCCESS)
}

/// Microseconds of the monotonic clock.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1000
}

impl<'a> Tracer<'a> {
    fn new(args: &'a Args<'a>, to: IpAddr, size: usize, port: u16) -> Result<Self> {
        let six = to.is_ipv6();
        let (family, protocol) = match six {
            false => (AddressFamily::INET, ipproto::ICMP),
            true => (AddressFamily::INET6, ipproto::ICMPV6),
        };
        let failed = |errno| Error::on("socket", errno);
        let open = |kind, protocol| net::socket_with(family, kind, SocketFlags::CLOEXEC, protocol);
        let icmp = match open(SocketType::RAW, Some(protocol)) {
            Err(Errno::PERM) => return Err(Error::new("permission denied (are you root?)")),
            icmp => icmp.map_err(failed)?,
        };
        if six {
            datagram::ask_for(icmp.as_fd(), true, Detail::HopLimit).map_err(failed)?;
            datagram::ask_for(icmp.as_fd(), true, Detail::Destination).map_err(failed)?;
        }
        let udp = if args.has(ECHO) { None } else { Some(open(SocketType::DGRAM, None).map_err(failed)?) };
        let sender = udp.as_ref().unwrap_or(&icmp);
        prepare(args, sender, six)?;
        // Unless a source is given, the kernel chooses a port alone.
        let any = if six { IpAddr::from([0u16; 8]) } else { IpAddr::from([0; 4]) };
        let own = args.value(SOURCE).map_or(Ok(any), parse)?;
        net::bind(sender, &SocketAddr::new(own, 0)).map_err(|errno| Error::on(text!("bind ", own), errno))?;
        // A host that no route leads to is an error before the first probe.
        let way = open(SocketType::DGRAM, None).map_err(failed)?;
        prepare(args, &way, six)?;
        let unreachable = |errno| Error::on(text!("can't connect to remote host (", to, ")"), errno);
        net::connect(&way, &SocketAddr::new(to, port)).map_err(unreachable)?;
        let own = net::getsockname(sender).map_err(|errno| Error::on("getsockname", errno))?;
        let id = match SocketAddr::try_from(own).map(|own| own.port()) {
            Ok(port) if udp.is_some() => port,
            _ => dns::random_id(),
        };
        let size = size - if six { HEADERS_V6 } else { HEADERS_V4 };
        Ok(Self { args, to, icmp, udp, id, port, sequence: 0, size, names: ReverseNames::default() })
    }

    /// Sends the probes of a hop and prints their replies. True when the way ends here.
    fn probe_hop(&mut self, env: &mut Env, hop: u8, probes: u64, wait: u64, pause: u64) -> Result<bool> {
        let mut last = None;
        let (mut reached, mut unreachable) = (false, 0);
        env.stdout.write(&text!(rbox_core::text::Right(hop, 2, b' ')))?;
        for _ in 0..probes {
            if pause > 0 {
                daemon::pause(pause);
            }
            let start = now();
            if let Err(error) = self.send(hop) {
                env.stdout.push(b'\n')?;
                return Err(error);
            }
            let mut line = Vec::new();
            match self.receive(env, start + wait * 1000)? {
                None => push!(line, "  *"),
                Some((datagram, meaning, length)) => {
                    let from = datagram.from.ip();
                    if last != Some(from) {
                        self.push_host(&mut line, from);
                        last = Some(from);
                        if let Some(to) = datagram.to.filter(|_| self.args.has(VERBOSE)) {
                            push!(line, " ", length, " bytes to ", to);
                        }
                    }
                    push!(line, "  ", milliseconds(now() - start), " ms");
                    if let Some(limit) = datagram.hop_limit.filter(|_| self.args.has(LIMITS)) {
                        push!(line, " (", limit, ")");
                    }
                    match meaning {
                        Meaning::Passing => {}
                        // A host that answers with the hop limit of the probe, as some old ones do.
                        Meaning::Reached if datagram.hop_limit.is_some_and(|limit| limit <= 1) => push!(line, " !"),
                        Meaning::Reached => reached = true,
                        Meaning::Unreachable(mark) => {
                            push!(line, " ", mark);
                            unreachable += 1;
                        }
                    }
                }
            }
            env.stdout.write(&line)?;
            env.stdout.flush()?;
        }
        env.stdout.write(b"\n")?;
        Ok(reached || unreachable > 0 && unreachable + 1 >= probes)
    }

    fn push_host(&mut self, line: &mut Vec<u8>, from: IpAddr) {
        let name = if self.args.has(NUMBERS) { None } else { self.names.of(from) };
        match name {
            Some(name) => push!(*line, "  ", name, " (", from, ")"),
            None if self.args.has(NUMBERS) => push!(*line, "  ", from),
            None => push!(*line, "  ", from, " (", from, ")"),
        }
    }

    /// Sends one probe: a datagram to a port of its own, or an echo request.
    fn send(&mut self, hop: u8) -> Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let sender = self.udp.as_ref().unwrap_or(&self.icmp);
        let limited = match self.to {
            IpAddr::V4(_) => sockopt::set_ip_ttl(sender, hop.into()),
            IpAddr::V6(_) => sockopt::set_ipv6_unicast_hops(sender, Some(hop)),
        };
        limited.map_err(|errno| Error::on("setsockopt", errno))?;
        let mut content = Vec::new();
        let mut port = self.port.wrapping_add(self.sequence - 1);
        if self.udp.is_none() {
            port = 0;
            let kind = if self.to.is_ipv4() { 8 } else { 128 };
            push!(content, &[kind, 0, 0, 0], &self.id.to_be_bytes(), &self.sequence.to_be_bytes());
        }
        content.resize(content.len() + self.size, 0);
        // The kernel writes the checksum of ICMPv6.
        if self.udp.is_none() && self.to.is_ipv4() {
            let sum = checksum(&[&content]);
            content[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        let to = SocketAddr::new(self.to, port.max(u16::from(self.udp.is_some())));
        match net::sendto(sender, &content, SendFlags::empty(), &to) {
            Ok(_) | Err(Errno::INTR | Errno::NOBUFS) => Ok(()),
            Err(errno) => Err(Error::on(text!("can't send to ", self.to), errno)),
        }
    }

    /// The reply to the last probe, with the length of its ICMP message; `None` when the time is up.
    fn receive(&self, env: &mut Env, end: u64) -> Result<Option<(Datagram, Meaning, usize)>> {
        let mut buffer = [0; 1500];
        loop {
            let left = end.saturating_sub(now()) / 1000;
            if left == 0 || !wait_readable(self.icmp.as_fd(), Some(left)) {
                return Ok(None);
            }
            // What cannot be received is no reply.
            let Ok(mut datagram) = datagram::receive(self.icmp.as_fd(), &mut buffer, 0) else { continue };
            let mut message = &buffer[..datagram.count.min(buffer.len())];
            if self.to.is_ipv4() {
                // A raw IPv4 socket gives the IP header too.
                let Some((header, rest)) = split_header(message) else { continue };
                datagram.hop_limit = Some(header[8]);
                datagram.to = from_octets(&header[16..20]);
                message = rest;
            }
            let kind = (self.to.is_ipv6(), self.args.has(ECHO));
            match read_answer(message, kind, self.to, self.id) {
                Some(answer) if self.udp.is_none() && answer.sequence == self.sequence => {
                    return Ok(Some((datagram, answer.meaning, message.len())));
                }
                Some(answer) if answer.sequence == self.port.wrapping_add(self.sequence - 1) && self.udp.is_some() => {
                    return Ok(Some((datagram, answer.meaning, message.len())));
                }
                _ if self.args.has(VERBOSE) && message.len() >= 2 => {
                    let mut line = text!("\n", message.len(), " bytes from ", datagram.from.ip());
                    push!(line, ": icmp type ", message[0], " code ", message[1], "\n");
                    env.stdout.write(&line)?;
                }
                _ => {}
            }
        }
    }
}

/// Sets the options of the socket that sends.
fn prepare(args: &Args<'_>, sender: &OwnedFd, six: bool) -> Result<()> {
    let failed = |errno| Error::on("setsockopt", errno);
    let sender = sender.as_fd();
    // ip(7), ipv6(7): IP_MTU_DISCOVER is 10, IP_TOS 1, IPV6_MTU_DISCOVER 23, IPV6_TCLASS 67, of levels 0 and 41;
    // socket(7): SO_DONTROUTE is 5 of level 1.
    let (level, discover, class) = if six { (41, 23, 67) } else { (0, 10, 1) };
    // IP_PMTUDISC_PROBE sets the bit, IP_PMTUDISC_DONT never does.
    set_option(sender, level, discover, if args.has(UNFRAGMENTED) { 3 } else { 0 }).map_err(failed)?;
    if let Some(word) = args.value(SERVICE) {
        set_option(sender, level, class, parse_in_range(word, 0, 255)? as i32).map_err(failed)?;
    }
    if args.has(DIRECT) {
        set_option(sender, 1, 5, 1).map_err(failed)?;
    }
    if let Some(name) = args.value(INTERFACE) {
        let failed = |errno| Error::on(text!("can't bind to interface ", name), errno);
        packet::bind_to_interface(sender, name).map_err(failed)?;
    }
    Ok(())
}

/// An IPv4 header (RFC 791 3.1) and what follows it.
fn split_header(packet: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(packet.first()? & 15) * 4;
    packet.split_at_checked(length).filter(|_| length >= 20)
}

/// What an ICMP message says about a probe of ours to `to`, whose source port or identifier is `id`. The sequence of a
/// datagram is its port. `kind` is whether it is IPv6, and whether echo requests are sent.
fn read_answer(message: &[u8], (six, echo): (bool, bool), to: IpAddr, id: u16) -> Option<Answer> {
    let (&kind, &code) = (message.first()?, message.get(1)?);
    let reply = if six { 129 } else { 0 };
    if echo && kind == reply {
        let sequence = number(message, 6).filter(|_| number(message, 4) == Some(id))?;
        return Some(Answer { sequence, meaning: Meaning::Reached });
    }
    let meaning = meaning(message, six, kind, code)?;
    // The beginning of the probe, which has caused the message.
    let probe = message.get(8..)?;
    let (protocol, target, rest) = match six {
        false => {
            let (header, rest) = split_header(probe)?;
            (header[9], &header[16..20], rest)
        }
        true => (*probe.get(6)?, probe.get(24..40)?, probe.get(40..)?),
    };
    let wanted = match (echo, six) {
        (false, _) => 17,
        (true, false) => 1,
        (true, true) => 58,
    };
    let (own, sequence) =
        if echo { (number(rest, 4)?, number(rest, 6)?) } else { (number(rest, 0)?, number(rest, 2)?) };
    (protocol == wanted && target == octets(to) && own == id).then_some(Answer { sequence, meaning })
}

/// RFC 792 and RFC 1812 5.2.7.1; RFC 4443 3.
fn meaning(message: &[u8], six: bool, kind: u8, code: u8) -> Option<Meaning> {
    let mark = match (six, kind, code) {
        (false, 11, 0) | (true, 3, 0) => return Some(Meaning::Passing),
        (false, 3, 3) | (true, 1, 4) => return Some(Meaning::Reached),
        (false, 3, 0) | (true, 1, 0) => "!N",
        (false, 3, 1) | (true, 1, 3) => "!H",
        (false, 3, 2) => "!P",
        (false, 3, 4) => return Some(Meaning::Unreachable(text!("!F-", number(message, 6)?))),
        (true, 2, _) => return Some(Meaning::Unreachable(text!("!F-", number(message, 6)?))),
        (false, 3, 5) | (true, 1, 2) => "!S",
        (false, 3, 6) => "!U",
        (false, 3, 7) => "!W",
        (false, 3, 8) => "!I",
        (false, 3, 9 | 13) | (true, 1, 1 | 5) => "!A",
        (false, 3, 10 | 15) => "!C",
        (false, 3, 11 | 12) => "!T",
        (false, 3, 14) => "!V",
        (false, 3, code) | (true, 1, code) => return Some(Meaning::Unreachable(text!("!<", code, ">"))),
        _ => return None,
    };
    Some(Meaning::Unreachable(mark.as_bytes().to_vec()))
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    for (six, to) in [(false, IpAddr::from([10, 0, 0, 1])), (true, IpAddr::from([0u16; 8]))] {
        for echo in [false, true] {
            read_answer(data, (six, echo), to, 7);
        }
    }
    split_header(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    const TO: [u8; 4] = [10, 0, 0, 5];

    fn error(kind: u8, code: u8, protocol: u8, to: [u8; 4], probe: &[u8]) -> Vec<u8> {
        let mut header = [0; 20];
        (header[0], header[9]) = (0x45, protocol);
        header[16..].copy_from_slice(&to);
        [&[kind, code, 0, 0, 0, 0, 5, 0xdc][..], &header, probe].concat()
    }

    fn read(message: &[u8], echo: bool) -> Option<Answer> {
        read_answer(message, (false, echo), TO.into(), 7)
    }

    #[test]
    fn errors_tell_of_the_probe_that_caused_them() {
        let probe = [0, 7, 0x82, 0x9a, 0, 0, 0, 0];
        let answer = |meaning| Some(Answer { sequence: 0x829a, meaning });
        assert_eq!(read(&error(11, 0, 17, TO, &probe), false), answer(Meaning::Passing));
        assert_eq!(read(&error(3, 3, 17, TO, &probe), false), answer(Meaning::Reached));
        assert_eq!(read(&error(3, 4, 17, TO, &probe), false), answer(Meaning::Unreachable(b"!F-1500".to_vec())));
        // Another protocol, host, port, kind; a message that ends early.
        assert_eq!(read(&error(11, 0, 6, TO, &probe), false), None);
        assert_eq!(read(&error(11, 0, 17, [10, 0, 0, 6], &probe), false), None);
        assert_eq!(read(&error(11, 0, 17, TO, &[0, 8, 0x82, 0x9a]), false), None);
        assert_eq!(read(&error(8, 0, 17, TO, &probe), false), None);
        assert_eq!(read(&error(11, 0, 17, TO, &probe)[..31], false), None);
    }

    #[test]
    fn echo_replies_have_the_identifier_of_the_request() {
        let reply = [0, 0, 0, 0, 0, 7, 0, 3];
        assert_eq!(read(&reply, true), Some(Answer { sequence: 3, meaning: Meaning::Reached }));
        assert_eq!(read(&[0, 0, 0, 0, 0, 8, 0, 3], true), None);
        assert_eq!(read(&reply, false), None);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        let mut random = rbox_core::testing::Random::new(5);
        for _ in 0..20_000 {
            let bytes = random.bytes(80);
            let six = IpAddr::from([0u16; 8]);
            for echo in [false, true] {
                read(&bytes, echo);
                read_answer(&bytes, (true, echo), six, 7);
            }
        }
    }
}
