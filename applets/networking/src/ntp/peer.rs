//! A server that is asked: its replies are checked, and the best of the last eight is its clock (RFC 5905 9 and 10).

use core::net::SocketAddr;

use rbox_core::net::{dns, sockets};
use rbox_core::prelude::*;
use rbox_core::sys::datagram::{self, Detail};
use rbox_core::sys::net::{SendFlags, SocketType, send};
use rbox_core::sys::rand::{GetRandomFlags, getrandom};
use rbox_core::sys::{AsFd, Errno, OwnedFd};

use super::packet::{CLIENT, Key, LONGEST, Packet, SERVER, Stamp};
use super::select::{Candidate, MAX_DISTANCE};

/// RFC 5905 7.2: how far a clock may drift, in seconds a second.
pub const DRIFT: f64 = 15e-6;
/// The dispersion of what is not known, seconds.
const MAX_DISPERSION: f64 = 16.0;
/// The smallest increment of dispersion, seconds.
const MIN_DISPERSION: f64 = 0.005;
/// The stratum of a clock that is not synchronized.
pub const UNSYNCHRONIZED: u8 = 16;
/// The time that the system takes to read its clock: 2^-20 is about a microsecond.
pub const PRECISION: i8 = -20;
const PRECISION_SECONDS: f64 = 1.0 / 1_048_576.0;
/// Requests that are sent at once at first, and the seconds between them (RFC 5905 13: BCOUNT, BTIME).
const BURST: u8 = 4;
const BURST_PAUSE: f64 = 2.0;
/// Seconds to wait for a reply.
pub const PATIENCE: f64 = 3.0;
/// MSG_DONTWAIT of recv(2).
pub const DONT_WAIT: i32 = 0x40;
/// Seconds until a name is looked up again.
const RETRY: f64 = 32.0;

/// One measurement. Seconds; the time is the uptime.
#[derive(Clone, Copy, Debug)]
struct Sample {
    offset: f64,
    delay: f64,
    dispersion: f64,
    time: f64,
}

/// A server.
pub struct Peer {
    pub name: Vec<u8>,
    key: Option<Key>,
    port: u16,
    /// Connected to the server: datagrams of others do not come in.
    socket: Option<OwnedFd>,
    pub address: Option<SocketAddr>,
    /// What was sent as the time, which is a random number, and when it was.
    nonce: Option<(Stamp, Stamp)>,
    /// Uptime of the next request, and the end of the wait for its reply.
    pub next: f64,
    pub deadline: Option<f64>,
    /// A bit for each of the last eight requests: it was answered.
    pub reach: u8,
    burst: u8,
    /// The server asked for silence (RFC 5905 7.4).
    pub silenced: bool,
    /// Powers of two.
    poll_bias: u8,
    samples: Vec<Sample>,
    offset: f64,
    delay: f64,
    dispersion: f64,
    jitter: f64,
    /// The time of the sample that is in use.
    pub updated: f64,
    /// The last good reply.
    pub last: Packet,
}

/// What came of a reply.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A measurement: the clock filter has news, or not.
    Sample(bool),
    /// The server asked for fewer requests, or for none.
    KissOfDeath,
    /// A reply that is not believed, and why.
    Rejected(&'static str),
}

impl Peer {
    pub fn new(name: &[u8], key: Option<Key>, port: u16) -> Self {
        Self {
            name: name.to_vec(),
            key,
            port,
            socket: None,
            address: None,
            nonce: None,
            next: 0.0,
            deadline: None,
            reach: 0,
            burst: BURST,
            silenced: false,
            poll_bias: 0,
            samples: Vec::new(),
            offset: 0.0,
            delay: 0.0,
            dispersion: MAX_DISPERSION,
            jitter: 0.0,
            updated: 0.0,
            last: Packet::default(),
        }
    }

    pub fn socket(&self) -> Option<&OwnedFd> {
        self.socket.as_ref().filter(|_| self.deadline.is_some())
    }

    /// Forgets all measurements: the clock that they were made with has been set.
    pub fn restart(&mut self, now: f64) {
        self.samples.clear();
        (self.dispersion, self.updated, self.burst) = (MAX_DISPERSION, 0.0, BURST);
        (self.deadline, self.nonce, self.next) = (None, None, now);
    }

    /// Sends a request; `poll` is the interval as a power of two. The error does not end anything: it is tried again.
    pub fn ask(&mut self, now: f64, poll: u8) -> Result<()> {
        self.reach <<= 1;
        let interval = if self.burst > 0 { BURST_PAUSE } else { f64::from(1u32 << (poll + self.poll_bias).min(17)) };
        self.burst = self.burst.saturating_sub(1);
        self.next = now + interval;
        let result = self.send();
        if result.is_err() {
            // The network or its names may come up later.
            self.socket = None;
            self.next = now + RETRY.min(interval.max(BURST_PAUSE * 2.0));
        } else {
            self.deadline = Some(now + PATIENCE.min(interval));
        }
        result
    }

    fn send(&mut self) -> Result<()> {
        if self.socket.is_none() || self.reach == 0 && self.burst == 0 {
            // A server that was silent for eight requests may have another address now.
            let to = SocketAddr::new(dns::resolve(&self.name, None)?, self.port);
            let socket =
                sockets::connect(&to, SocketType::DGRAM, None, None).map_err(|errno| Error::on(&self.name, errno))?;
            // Without the kernel's time of arrival, that of reading is taken.
            let _ = datagram::ask_for(socket.as_fd(), to.is_ipv6(), Detail::Time);
            (self.socket, self.address) = (Some(socket), Some(to));
        }
        let mut number = [0; 8];
        getrandom(&mut number, GetRandomFlags::empty()).map_err(Error::from)?;
        // The server sends back what it was sent as the time. A random number says nothing of this clock, and a stranger
        // has to guess it.
        let nonce = Stamp(u64::from_be_bytes(number) | 1);
        let request = Packet { version: 4, mode: CLIENT, transmitted: nonce, ..Packet::default() };
        let mut bytes = request.bytes();
        if let Some(key) = &self.key {
            key.seal(&mut bytes);
        }
        let Some(socket) = &self.socket else { return Ok(()) };
        let time = Stamp::now();
        send(socket, &bytes, SendFlags::NOSIGNAL).map_err(|errno| Error::on(&self.name, errno))?;
        self.nonce = Some((nonce, time));
        Ok(())
    }

    /// Takes a reply. `None` when there is none after all; `trust` leaves out the checks of what the server says of its own
    /// clock.
    pub fn receive(&mut self, now: f64, trust: bool) -> Option<Received> {
        let mut buffer = [0; LONGEST + 1];
        let datagram = match datagram::receive(self.socket.as_ref()?.as_fd(), &mut buffer, DONT_WAIT) {
            Ok(datagram) => datagram,
            Err(Errno::AGAIN | Errno::INTR) => return None,
            Err(_) => {
                // The host or a router said that nobody is there.
                self.deadline = None;
                return Some(Received::Rejected("unreachable"));
            }
        };
        let arrived = datagram.time.map_or_else(Stamp::now, Stamp::of);
        Some(self.take(&buffer[..datagram.count], arrived, now, trust))
    }

    fn take(&mut self, bytes: &[u8], arrived: Stamp, now: f64, trust: bool) -> Received {
        let Some(packet) = Packet::parse(bytes).filter(|_| bytes.len() <= LONGEST) else {
            return Received::Rejected("malformed packet");
        };
        // RFC 5905 8: a reply to another request, or to none, or a second one to the same.
        let Some((_, sent)) = self.nonce.filter(|(nonce, _)| packet.origin == *nonce) else {
            return Received::Rejected("not a reply to the request");
        };
        if packet.mode != SERVER || !(1..=4).contains(&packet.version) {
            return Received::Rejected("not a reply of a server");
        }
        if self.key.as_ref().is_some_and(|key| !key.fits(bytes)) {
            return Received::Rejected("not authenticated");
        }
        self.nonce = None;
        self.deadline = None;
        if packet.stratum == 0 {
            return self.obey(packet.reference_id);
        }
        if let Some(reason) = disbelief(&packet, trust) {
            return Received::Rejected(reason);
        }
        self.reach |= 1;
        // RFC 5905 8: T1 to T4 are sent, received by the server, transmitted by it, arrived.
        let (out, back) = (packet.received.since(sent), packet.transmitted.since(arrived));
        let delay = (arrived.since(sent) - packet.transmitted.since(packet.received)).max(PRECISION_SECONDS);
        let server_precision = 2f64.powi(packet.precision.clamp(-32, 0).into());
        let dispersion = server_precision + PRECISION_SECONDS + DRIFT * arrived.since(sent).abs();
        self.last = packet;
        Received::Sample(self.filter(Sample { offset: (out + back) / 2.0, delay, dispersion, time: now }))
    }

    /// RFC 5905 7.4: a server that has enough.
    fn obey(&mut self, code: [u8; 4]) -> Received {
        match &code {
            b"DENY" | b"RSTR" => self.silenced = true,
            _ => self.poll_bias = (self.poll_bias + 1).min(7),
        }
        self.burst = 0;
        Received::KissOfDeath
    }

    /// RFC 5905 10: of the last eight measurements the one with the least delay is the best. False when it is in use already.
    fn filter(&mut self, sample: Sample) -> bool {
        self.samples.insert(0, sample);
        self.samples.truncate(8);
        let now = sample.time;
        let mut sorted = self.samples.clone();
        sorted.sort_by(|a, b| a.delay.total_cmp(&b.delay));
        let best = sorted[0];
        let (mut dispersion, mut spread) = (0.0, 0.0);
        for at in 0..8 {
            let aged = sorted.get(at).map_or(MAX_DISPERSION, |one| one.dispersion + DRIFT * (now - one.time));
            dispersion += aged.min(MAX_DISPERSION) / f64::from(2u32 << at);
            spread += sorted.get(at).map_or(0.0, |one| (one.offset - best.offset) * (one.offset - best.offset));
        }
        self.dispersion = dispersion;
        self.jitter = (spread / (sorted.len() - 1).max(1) as f64).sqrt().max(PRECISION_SECONDS);
        (self.offset, self.delay) = (best.offset, best.delay);
        let is_new = best.time > self.updated;
        self.updated = best.time;
        is_new
    }

    /// RFC 5905 11.2: how far the clock may be off, in seconds.
    pub fn distance(&self, now: f64) -> f64 {
        let delay = (self.last.root_delay + self.delay).max(MIN_DISPERSION);
        delay / 2.0 + self.last.root_dispersion + self.dispersion + DRIFT * (now - self.updated) + self.jitter
    }

    /// The clock, where it is fit to be believed (RFC 5905 A.5.5.3).
    pub fn candidate(&self, index: usize, now: f64, poll: u8) -> Option<Candidate> {
        let distance = self.distance(now);
        let fit = self.reach != 0 && distance < MAX_DISTANCE + DRIFT * f64::from(1u32 << poll);
        let (offset, jitter, stratum) = (self.offset, self.jitter, self.last.stratum);
        fit.then_some(Candidate { index, offset, distance, jitter, stratum })
    }

    /// Offset, delay and jitter in use, in seconds.
    pub fn values(&self) -> [f64; 3] {
        [self.offset, self.delay, self.jitter]
    }
}

/// Why the clock of a server is not believed: RFC 5905 A.5.3 (TEST6, TEST7), RFC 4330 5.
fn disbelief(packet: &Packet, trust: bool) -> Option<&'static str> {
    if packet.transmitted == Stamp::default() || packet.received == Stamp::default() {
        return Some("no time");
    }
    if trust {
        return None;
    }
    if packet.leap == 3 || packet.stratum >= UNSYNCHRONIZED {
        return Some("not synchronized");
    }
    if packet.root_delay / 2.0 + packet.root_dispersion >= MAX_DISPERSION {
        return Some("too far from its source");
    }
    if packet.reference != Stamp::default() && packet.transmitted.since(packet.reference) < 0.0 {
        return Some("its reference is in the future");
    }
    None
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let mut peer = Peer::new(b"x", None, 123);
    let nonce = Packet::parse(data).map_or(Stamp(1), |packet| packet.origin);
    for (at, chunk) in data.chunks(LONGEST).enumerate() {
        peer.nonce = Some((nonce, Stamp(at as u64)));
        peer.take(chunk, Stamp(7 + at as u64), at as f64, at % 2 == 0);
        peer.candidate(0, at as f64, 6);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: Stamp = Stamp(100 << 32);

    fn asked() -> Peer {
        let mut peer = Peer::new(b"server", None, 123);
        (peer.nonce, peer.deadline) = (Some((Stamp(77), SENT)), Some(1.0));
        peer
    }

    fn reply() -> Packet {
        let at = |seconds: u64| Stamp(seconds << 32);
        let (received, transmitted) = (at(110), at(110));
        Packet {
            version: 4,
            mode: SERVER,
            stratum: 2,
            precision: -20,
            origin: Stamp(77),
            received,
            transmitted,
            ..Packet::default()
        }
    }

    fn take(peer: &mut Peer, packet: Packet) -> Received {
        peer.take(&packet.bytes(), Stamp(102 << 32), 5.0, false)
    }

    #[test]
    fn a_reply_is_a_measurement() {
        let mut peer = asked();
        assert_eq!(take(&mut peer, reply()), Received::Sample(true));
        let [offset, delay, _] = peer.values();
        assert_eq!((offset, delay, peer.reach), (9.0, 2.0, 1));
        // The same reply again is none.
        assert_eq!(take(&mut peer, reply()), Received::Rejected("not a reply to the request"));
    }

    #[test]
    fn strangers_and_clocks_that_are_not_set_are_not_believed() {
        let rejected = |packet: Packet| match take(&mut asked(), packet) {
            Received::Rejected(reason) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(rejected(Packet { origin: Stamp(78), ..reply() }), "not a reply to the request");
        assert_eq!(rejected(Packet { mode: CLIENT, ..reply() }), "not a reply of a server");
        assert_eq!(rejected(Packet { version: 0, ..reply() }), "not a reply of a server");
        assert_eq!(rejected(Packet { leap: 3, ..reply() }), "not synchronized");
        assert_eq!(rejected(Packet { stratum: 16, ..reply() }), "not synchronized");
        assert_eq!(rejected(Packet { root_delay: 32.0, ..reply() }), "too far from its source");
        assert_eq!(rejected(Packet { transmitted: Stamp(0), ..reply() }), "no time");
        assert_eq!(rejected(Packet { reference: Stamp(111 << 32), ..reply() }), "its reference is in the future");
        assert_eq!(asked().take(b"short", SENT, 0.0, false), Received::Rejected("malformed packet"));
    }

    #[test]
    fn a_server_may_ask_for_silence() {
        let mut peer = asked();
        assert_eq!(take(&mut peer, Packet { stratum: 0, reference_id: *b"RATE", ..reply() }), Received::KissOfDeath);
        assert_eq!((peer.silenced, peer.poll_bias), (false, 1));
        let mut peer = asked();
        take(&mut peer, Packet { stratum: 0, reference_id: *b"DENY", ..reply() });
        assert!(peer.silenced);
        // One that was not asked may not.
        let mut peer = Peer::new(b"server", None, 123);
        take(&mut peer, Packet { stratum: 0, reference_id: *b"DENY", ..reply() });
        assert!(!peer.silenced);
    }

    #[test]
    fn four_measurements_make_a_candidate_and_the_least_delay_wins() {
        let mut peer = asked();
        for at in 0..4 {
            assert!(peer.candidate(0, f64::from(at), 6).is_none());
            let delay = if at == 2 { 0.001 } else { 0.1 };
            let sample = Sample { offset: f64::from(at) / 100.0, delay, dispersion: 0.0, time: 1.0 + f64::from(at) };
            assert_eq!(peer.filter(sample), at != 3);
            peer.reach = 1;
        }
        let candidate = peer.candidate(3, 4.0, 6).expect("a candidate");
        assert_eq!((candidate.index, candidate.offset), (3, 0.02));
    }
}
