//! The states of a client (RFC 2131 figure 5), as a sequence of steps.

use core::net::Ipv4Addr;

use rbox_core::daemon::uptime_milliseconds;
use rbox_core::net::addr;
use rbox_core::number::Decimal;
use rbox_core::prelude::*;
use rbox_core::sys::AsFd;

use super::arp;
use super::common::Common;
use super::lease::Lease;
use super::packet::{self, Kind, Message, Socket};
use super::script::{self, Wake};

/// A client, as the command line describes it.
pub struct Client<'a> {
    pub common: Common<'a>,
    pub hardware: [u8; 6],
    /// For how many milliseconds to ask by ARP who has the address.
    pub arping: Option<u64>,
    /// Options of every packet: client identifier, vendor class, names.
    pub identity: Vec<u8>,
    /// The codes of the parameter request list.
    pub wanted: Vec<u8>,
    /// Ask for replies by broadcast.
    pub broadcast: bool,
    /// The address to ask for.
    pub request: Option<Ipv4Addr>,
    pub xid: u32,
}

/// What ended a wait.
enum Event {
    Answer(Message),
    /// A packet that is not for this client.
    Noise,
    Timeout,
    Renew,
    Release,
    Stop,
}

/// What a row of attempts came to.
enum Found {
    Lease(Lease),
    Nothing,
    /// A signal asked to end.
    Stop,
}

fn text_of(address: Ipv4Addr) -> Vec<u8> {
    addr::text(address.into())
}

impl Client<'_> {
    /// Calls the script with the lease in its environment, and waits for it.
    pub fn call_script(&self, env: &mut Env, event: &[u8], lease: Option<&Lease>) -> Result<()> {
        self.common.call_script(env, event, lease.map(Lease::vars).unwrap_or_default())
    }

    fn message(&self, kind: Kind) -> Message {
        let mut message = Message::request(kind, self.xid, self.hardware);
        message.options.extend_from_slice(&self.identity);
        message
    }

    /// Gets a lease and keeps it, until a signal or an option ends it.
    pub fn run(&mut self, env: &mut Env) -> Outcome {
        loop {
            let lease = match self.discover(env)? {
                Found::Lease(lease) => lease,
                Found::Stop => return self.stop(env, None),
                Found::Nothing => {
                    if let Some(status) = self.common.take_failure(env)? {
                        return Ok(status);
                    }
                    match self.wait(None, self.common.try_again)? {
                        Event::Stop => return self.stop(env, None),
                        _ => continue,
                    }
                }
            };
            self.call_script(env, b"bound", Some(&lease))?;
            if self.common.quit {
                if self.common.release {
                    self.release(env, &lease)?;
                }
                self.common.remove_pid();
                return Ok(ExitStatus::SUCCESS);
            }
            if !self.common.stays {
                self.common.go_to_background()?;
            }
            if let Some(status) = self.hold(env, lease)? {
                return Ok(status);
            }
        }
    }

    /// RFC 2131 4.4.1: discover, take the first offer, request it, ask who has it already.
    fn discover(&mut self, env: &mut Env) -> Result<Found> {
        let socket = Socket::raw(self.common.index, self.common.port)?;
        for _ in 0..self.common.retries {
            let mut discover = self.message(Kind::Discover);
            if let Some(address) = self.request {
                packet::push_option(&mut discover.options, packet::REQUESTED, &address.octets());
            }
            self.finish(&mut discover);
            self.common.log.say(env, b"broadcasting discover");
            socket.broadcast(&discover)?;
            let offer = match self.await_answer(env, &socket, &[Kind::Offer], self.common.timeout)? {
                Event::Answer(offer) => offer,
                Event::Stop => return Ok(Found::Stop),
                _ => continue,
            };
            match self.select(env, &socket, &offer)? {
                Found::Lease(lease) => match self.is_taken(&lease)? {
                    false => return Ok(Found::Lease(lease)),
                    true => {
                        self.decline(env, &socket, &lease)?;
                        // RFC 2131 3.1: at least ten seconds before the next attempt.
                        if let Event::Stop = self.wait(None, self.common.try_again.max(10_000))? {
                            return Ok(Found::Stop);
                        }
                    }
                },
                Found::Stop => return Ok(Found::Stop),
                Found::Nothing => {}
            }
        }
        self.call_script(env, b"leasefail", None)?;
        Ok(Found::Nothing)
    }

    fn select(&self, env: &mut Env, socket: &Socket, offer: &Message) -> Result<Found> {
        let server = offer.option(packet::SERVER).unwrap_or(&[0; 4]).to_vec();
        let mut request = self.message(Kind::Request);
        packet::push_option(&mut request.options, packet::REQUESTED, &offer.your.octets());
        packet::push_option(&mut request.options, packet::SERVER, &server);
        self.finish(&mut request);
        let server = <[u8; 4]>::try_from(server.as_slice()).map_or(Ipv4Addr::UNSPECIFIED, Ipv4Addr::from);
        let (own, server) = (text_of(offer.your), text_of(server));
        for _ in 0..self.common.retries {
            self.common.log.say(env, &[&b"broadcasting select for "[..], &own, b", server ", &server].concat());
            socket.broadcast(&request)?;
            match self.await_answer(env, socket, &[Kind::Ack, Kind::Nak], self.common.timeout)? {
                Event::Answer(answer) if answer.kind() == Some(Kind::Ack) => {
                    let lease = Lease::new(answer);
                    self.log_lease(env, &lease);
                    return Ok(Found::Lease(lease));
                }
                Event::Answer(answer) => {
                    self.common.log.say(env, b"received DHCP NAK");
                    self.call_script(env, b"nak", Some(&Lease::new(answer)))?;
                    return Ok(Found::Nothing);
                }
                Event::Stop => return Ok(Found::Stop),
                _ => {}
            }
        }
        Ok(Found::Nothing)
    }

    fn log_lease(&self, env: &mut Env, lease: &Lease) {
        let (own, server) = (text_of(lease.address()), text_of(lease.server().unwrap_or(Ipv4Addr::UNSPECIFIED)));
        let seconds = Decimal::new(lease.seconds().into());
        let parts = [&b"lease of "[..], &own, b" obtained from ", &server, b", lease time ", seconds.as_bytes()];
        self.common.log.say(env, &parts.concat());
    }

    /// True when another host answers to the address: RFC 2131 4.4.1, only with -a.
    fn is_taken(&self, lease: &Lease) -> Result<bool> {
        match self.arping {
            Some(time) => arp::is_taken(self.common.index, self.hardware, lease.address(), time),
            None => Ok(false),
        }
    }

    fn decline(&self, env: &mut Env, socket: &Socket, lease: &Lease) -> Result<()> {
        self.common.log.say(env, b"offered address is in use (got ARP reply), declining");
        let mut decline = self.message(Kind::Decline);
        packet::push_option(&mut decline.options, packet::REQUESTED, &lease.address().octets());
        if let Some(server) = lease.server() {
            packet::push_option(&mut decline.options, packet::SERVER, &server.octets());
        }
        socket.broadcast(&decline)?;
        self.call_script(env, b"deconfig", None)
    }

    fn finish(&self, message: &mut Message) {
        message.broadcast = self.broadcast;
        if !self.wanted.is_empty() {
            packet::push_option(&mut message.options, packet::WANTED, &self.wanted);
        }
        packet::push_option(&mut message.options, packet::MAX_SIZE, &576u16.to_be_bytes());
    }

    /// RFC 2131 4.4.5: renew from half of the lease, by broadcast from seven eighths, until it ends.
    ///
    /// A status ends the program; `None` starts again.
    fn hold(&mut self, env: &mut Env, mut lease: Lease) -> Result<Option<ExitStatus>> {
        let (mut start, mut tried) = (uptime_milliseconds(), 0);
        loop {
            let (half, late, end) = lease.bounds();
            let event = self.wait(None, pause(uptime_milliseconds() - start, tried, half, late, end))?;
            match event {
                Event::Stop => return self.stop(env, Some(&lease)).map(Some),
                Event::Release => {
                    self.release(env, &lease)?;
                    return self.rest(env);
                }
                _ => {}
            }
            let passed = uptime_milliseconds() - start;
            if passed >= end {
                self.common.log.say(env, b"lease lost, entering init state");
                self.call_script(env, b"deconfig", None)?;
                return Ok(None);
            }
            // A user's wish to renew does not wait for the half.
            if passed < half && !matches!(event, Event::Renew) {
                continue;
            }
            tried = passed;
            match self.renew(env, &lease, passed < late)? {
                Event::Answer(answer) if answer.kind() == Some(Kind::Ack) => {
                    lease = Lease::new(answer);
                    (start, tried) = (uptime_milliseconds(), 0);
                    self.log_lease(env, &lease);
                    self.call_script(env, b"renew", Some(&lease))?;
                }
                Event::Answer(answer) => {
                    self.common.log.say(env, b"received DHCP NAK");
                    self.call_script(env, b"nak", Some(&Lease::new(answer)))?;
                    self.call_script(env, b"deconfig", None)?;
                    return Ok(None);
                }
                Event::Stop => return self.stop(env, Some(&lease)).map(Some),
                Event::Release => {
                    self.release(env, &lease)?;
                    return self.rest(env);
                }
                _ => {}
            }
        }
    }

    /// After a release, which RFC 2131 has no state for: waits for the signal to renew.
    fn rest(&self, env: &mut Env) -> Result<Option<ExitStatus>> {
        loop {
            match self.wait(None, u64::MAX)? {
                Event::Stop => return self.stop(env, None).map(Some),
                Event::Renew => return Ok(None),
                _ => {}
            }
        }
    }

    fn renew(&self, env: &mut Env, lease: &Lease, unicast: bool) -> Result<Event> {
        let mut request = self.message(Kind::Request);
        request.client = lease.address();
        let server = lease.server().filter(|_| unicast);
        let to = text_of(server.unwrap_or(Ipv4Addr::BROADCAST));
        self.common.log.say(env, &[b"sending renew to server ", &to[..]].concat());
        let Some(server) = server else {
            return Ok(self
                .ask(env, Socket::raw(self.common.index, self.common.port), request)?
                .unwrap_or(Event::Timeout));
        };
        let socket =
            Socket::to_server(self.common.interface, self.common.index, lease.address(), server, self.common.port);
        if let Some(event) = self.ask(env, socket, request)? {
            return Ok(event);
        }
        // The interface has lost the address: the client asks as after a reboot, and the answer goes to its hardware address
        // (RFC 2131 4.3.2).
        let mut request = self.message(Kind::Request);
        packet::push_option(&mut request.options, packet::REQUESTED, &lease.address().octets());
        self.common.log.say(env, b"broadcasting renew");
        Ok(self.ask(env, Socket::raw(self.common.index, self.common.port), request)?.unwrap_or(Event::Timeout))
    }

    /// Sends a request and waits for its answer; `None` when it cannot be sent. The interface may have gone: the lease may
    /// be renewed later.
    fn ask(&self, env: &mut Env, socket: Result<Socket>, mut request: Message) -> Result<Option<Event>> {
        self.finish(&mut request);
        match socket.and_then(|socket| socket.broadcast(&request).map(|()| socket)) {
            Ok(socket) => self.await_answer(env, &socket, &[Kind::Ack, Kind::Nak], self.common.timeout).map(Some),
            Err(error) => {
                self.common.log.say(env, error.message());
                Ok(None)
            }
        }
    }

    fn release(&self, env: &mut Env, lease: &Lease) -> Result<()> {
        if let Some(server) = lease.server() {
            let mut release = self.message(Kind::Release);
            release.client = lease.address();
            packet::push_option(&mut release.options, packet::SERVER, &server.octets());
            let (own, to) = (text_of(lease.address()), text_of(server));
            self.common.log.say(env, &[&b"unicasting a release of "[..], &own, b" to ", &to].concat());
            // The server learns of it at the end of the lease anyway; the address goes in any case.
            let sent =
                Socket::to_server(self.common.interface, self.common.index, lease.address(), server, self.common.port)
                    .and_then(|socket| socket.broadcast(&release));
            if let Err(error) = sent {
                self.common.log.say(env, error.message());
            }
        }
        self.common.log.say(env, b"entering released state");
        self.call_script(env, b"deconfig", None)
    }

    fn stop(&self, env: &mut Env, lease: Option<&Lease>) -> Outcome {
        self.common.log.say(env, b"received SIGTERM");
        if let Some(lease) = lease.filter(|_| self.common.release) {
            self.release(env, lease)?;
        }
        self.common.remove_pid();
        Ok(ExitStatus::SUCCESS)
    }

    /// Waits for an answer of one of these kinds to this client, or for what a wait else ends with.
    fn await_answer(&self, env: &mut Env, socket: &Socket, kinds: &[Kind], timeout: u64) -> Result<Event> {
        let end = uptime_milliseconds() + timeout;
        loop {
            match self.wait(Some(socket), end.saturating_sub(uptime_milliseconds()))? {
                Event::Answer(answer) => {
                    let mine = answer.xid == self.xid && answer.hardware == self.hardware;
                    if mine && answer.kind().is_some_and(|kind| kinds.contains(&kind)) {
                        self.common.log.explain(env, b"received an answer");
                        return Ok(Event::Answer(answer));
                    }
                    self.common.log.explain(env, b"ignoring a packet for another client or of another kind");
                }
                Event::Noise => {}
                event => return Ok(event),
            }
        }
    }

    /// Waits for a packet, a signal or the end of the time, in milliseconds.
    fn wait(&self, socket: Option<&Socket>, timeout: u64) -> Result<Event> {
        let receiver = socket.map(|socket| socket.receiver().as_fd());
        Ok(match (script::wait(&self.common.signals, receiver, timeout), socket) {
            (Wake::Ready, Some(socket)) => socket.receive()?.map_or(Event::Noise, Event::Answer),
            (Wake::Ready | Wake::Nothing, _) => Event::Noise,
            (Wake::Timeout, _) => Event::Timeout,
            (Wake::Renew, _) => Event::Renew,
            (Wake::Release, _) => Event::Release,
            (Wake::Stop, _) => Event::Stop,
        })
    }
}

/// How long to wait before the next attempt to renew: to the time for it, then half of what is left to the next bound,
/// but a minute at least, and not past that bound (RFC 2131 4.4.5). `tried` is when the last attempt began. All in
/// milliseconds since the lease began.
pub fn pause(passed: u64, tried: u64, renew: u64, rebind: u64, end: u64) -> u64 {
    let bound = if tried < renew {
        renew
    } else if tried < rebind {
        rebind
    } else {
        end
    };
    let left = bound.saturating_sub(passed);
    let wait = if tried < renew { left } else { (left / 2).max(60_000).min(left) };
    wait.max(1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn pauses_lead_to_the_bounds_of_the_lease() {
        let hour = 3_600_000;
        let pause = |passed, tried| super::pause(passed, tried, hour / 2, hour / 8 * 7, hour);
        assert_eq!(pause(0, 0), 1_800_000);
        assert_eq!(pause(1_800_000, 1_800_000), 675_000);
        assert_eq!(pause(3_140_000, 3_139_000), 10_000);
        // The last attempt to renew took until the time to rebind.
        assert_eq!(pause(3_151_000, 3_142_000), 1);
        assert_eq!(pause(3_160_000, 3_151_000), 220_000);
        assert_eq!(pause(3_590_000, 3_580_000), 10_000);
        assert_eq!(pause(hour, 3_580_000), 1);
    }
}
