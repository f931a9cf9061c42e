//! The states of a client for IPv6 (RFC 8415 18.2), as a sequence of steps.

use core::net::{IpAddr, Ipv6Addr, SocketAddrV6};

use rbox_core::daemon::{pause, uptime_milliseconds};
use rbox_core::net::netlink::Netlink;
use rbox_core::prelude::*;
use rbox_core::sys::net::{
    self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, sendto, sockopt,
};
use rbox_core::sys::{AsFd, Errno, OwnedFd, packet};
use rbox_core::text;

use super::client::pause as pause_between;
use super::common::Common;
use super::packet6::{
    self, ADDRESSES, ADVERTISE, CLIENT_ID, ELAPSED, Given, INFORMATION, Lease, NO_BINDING, PREFIXES, RAPID_COMMIT,
    REBIND, RELEASE, RENEW, REPLY, REQUEST, SERVER_ID, SOLICIT, WANTED, push_option,
};
use super::script::{self, Wake};

/// All_DHCP_Relay_Agents_and_Servers, and the servers' port (RFC 8415 7).
const SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
const SERVER_PORT: u16 = 547;
/// For how many milliseconds an interface that has just come up is waited for.
const SETTLING: u64 = 5000;
/// IFA_F_TENTATIVE.
const TENTATIVE: u32 = 0x40;

/// A client, as the command line describes it.
pub struct Client<'a> {
    pub common: Common<'a>,
    /// DUID (RFC 8415 11) and IAID (12).
    pub id: Vec<u8>,
    pub association: [u8; 4],
    /// Options of every packet.
    pub extra: Vec<u8>,
    /// The codes of the option request option.
    pub wanted: Vec<u16>,
    /// Ask for an address, for this one by preference.
    pub address: Option<Option<Ipv6Addr>>,
    /// Ask for a prefix.
    pub prefix: bool,
    /// Ask for options alone.
    pub stateless: bool,
}

/// What a row of attempts came to.
enum Found {
    Lease(Lease),
    Nothing,
    /// A signal: to end, to release, to renew.
    Stop,
    Release,
    Renew,
}

impl Client<'_> {
    /// Gets a lease and keeps it, until a signal or an option ends it.
    pub fn run(&mut self, env: &mut Env) -> Outcome {
        self.call_script(env, b"deconfig", None)?;
        loop {
            let socket = self.open()?;
            let lease = match self.obtain(env, &socket)? {
                Found::Lease(lease) => lease,
                Found::Stop => return self.stop(env, &socket, None),
                _ => {
                    self.call_script(env, b"leasefail", None)?;
                    if let Some(status) = self.common.take_failure(env)? {
                        return Ok(status);
                    }
                    match script::wait(&self.common.signals, None, self.common.try_again) {
                        Wake::Stop => return self.stop(env, &socket, None),
                        _ => continue,
                    }
                }
            };
            self.call_script(env, b"bound", Some(&lease))?;
            if self.common.quit {
                if self.common.release {
                    self.give_back(env, &socket, &lease)?;
                }
                self.common.remove_pid();
                return Ok(ExitStatus::SUCCESS);
            }
            if !self.common.stays {
                self.common.go_to_background()?;
            }
            if let Some(status) = self.hold(env, &socket, lease)? {
                return Ok(status);
            }
        }
    }

    fn call_script(&self, env: &mut Env, event: &[u8], lease: Option<&Lease>) -> Result<()> {
        self.common.call_script(env, event, lease.map(Lease::vars).unwrap_or_default())
    }

    /// A socket at the client's port. An address of the link must have passed its own check first (RFC 4862 5.4).
    fn open(&self) -> Result<OwnedFd> {
        let netlink = Netlink::open()?;
        let end = uptime_milliseconds() + SETTLING;
        while uptime_milliseconds() < end {
            let is_usable = |local: IpAddr| matches!(local, IpAddr::V6(local) if local.is_unicast_link_local());
            let addresses = netlink.addresses(10)?;
            let mut own = addresses.iter().filter(|own| own.index == self.common.index && own.flags & TENTATIVE == 0);
            if own.any(|own| is_usable(own.local)) {
                break;
            }
            pause(50);
        }
        let open = || -> core::result::Result<OwnedFd, Errno> {
            let socket = net::socket_with(AddressFamily::INET6, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
            sockopt::set_socket_reuseaddr(&socket, true)?;
            sockopt::set_ipv6_v6only(&socket, true)?;
            packet::bind_to_interface(socket.as_fd(), self.common.interface)?;
            bind(&socket, &SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, self.common.port, 0, 0))?;
            Ok(socket)
        };
        open().map_err(|errno| Error::on("UDP socket", errno))
    }

    /// RFC 8415 18.2.1 and 18.2.2, or 18.2.6 for options alone.
    fn obtain(&self, env: &mut Env, socket: &OwnedFd) -> Result<Found> {
        if self.stateless {
            let answer = self.ask(env, socket, INFORMATION, REPLY, &[])?;
            return Ok(answer);
        }
        let mut wishes = Vec::new();
        if let Some(wished) = self.address {
            let given = wished.map(|address| Given { address, bits: 128, preferred: 0, valid: 0 });
            wishes.extend_from_slice(&packet6::wish(ADDRESSES, self.association, given));
        }
        if self.prefix {
            wishes.extend_from_slice(&packet6::wish(PREFIXES, self.association, None));
        }
        // RFC 8415 21.14: a server may give the addresses at once.
        push_option(&mut wishes, RAPID_COMMIT, b"");
        let offer = match self.ask(env, socket, SOLICIT, ADVERTISE, &wishes)? {
            Found::Lease(lease) if lease.is_committed => {
                self.log_lease(env, &lease);
                return Ok(Found::Lease(lease));
            }
            Found::Lease(offer) => offer,
            other => return Ok(other),
        };
        let mut selected = Vec::new();
        push_option(&mut selected, SERVER_ID, &offer.server);
        selected.extend_from_slice(&offer.association(self.association));
        match self.ask(env, socket, REQUEST, REPLY, &selected)? {
            Found::Lease(lease) => {
                self.log_lease(env, &lease);
                Ok(Found::Lease(lease))
            }
            other => Ok(other),
        }
    }

    fn log_lease(&self, env: &mut Env, lease: &Lease) {
        for (what, given) in [("lease of ", lease.address), ("prefix ", lease.prefix)] {
            if let Some(given) = given {
                let line = text!(what, given.address, "/", given.bits, " obtained, lease time ", given.valid);
                self.common.log.say(env, &line);
            }
        }
    }

    /// Sends a message up to `retries` times, and waits for an answer of that type that gives something.
    fn ask(&self, env: &mut Env, socket: &OwnedFd, kind: u8, answer: u8, options: &[u8]) -> Result<Found> {
        let mut xid = [0; 3];
        rbox_core::sys::rand::getrandom(&mut xid, rbox_core::sys::rand::GetRandomFlags::empty())
            .map_err(|errno| Error::on("getrandom", errno))?;
        let start = uptime_milliseconds();
        for _ in 0..self.common.retries {
            self.send(env, socket, kind, xid, start, options)?;
            match self.await_answer(env, socket, (kind, answer, xid))? {
                Found::Nothing => {}
                found => return Ok(found),
            }
        }
        Ok(Found::Nothing)
    }

    fn send(&self, env: &mut Env, socket: &OwnedFd, kind: u8, xid: [u8; 3], start: u64, options: &[u8]) -> Result<()> {
        let mut message = vec![kind];
        message.extend_from_slice(&xid);
        push_option(&mut message, CLIENT_ID, &self.id);
        let hundredths = ((uptime_milliseconds() - start) / 10).min(0xffff) as u16;
        push_option(&mut message, ELAPSED, &hundredths.to_be_bytes());
        message.extend_from_slice(options);
        if kind != RELEASE && !self.wanted.is_empty() {
            let wanted: Vec<[u8; 2]> = self.wanted.iter().map(|code| code.to_be_bytes()).collect();
            push_option(&mut message, WANTED, &wanted.concat());
        }
        message.extend_from_slice(&self.extra);
        let name = match kind {
            SOLICIT => "solicit",
            REQUEST => "request",
            RENEW => "renew",
            REBIND => "rebind",
            RELEASE => "release",
            _ => "information request",
        };
        self.common.log.say(env, &text!("sending ", name));
        let to = SocketAddrV6::new(SERVERS, SERVER_PORT, 0, self.common.index);
        match sendto(socket, &message, SendFlags::empty(), &to) {
            Ok(_) => Ok(()),
            // The link or its address may come back.
            Err(errno @ (Errno::NETUNREACH | Errno::ADDRNOTAVAIL | Errno::NETDOWN)) => {
                self.common.log.say(env, Error::on("can't send", errno).message());
                Ok(())
            }
            Err(errno) => Err(Error::on("can't send", errno)),
        }
    }

    fn await_answer(&self, env: &mut Env, socket: &OwnedFd, (kind, answer, xid): (u8, u8, [u8; 3])) -> Result<Found> {
        let end = uptime_milliseconds() + self.common.timeout;
        loop {
            match script::wait(&self.common.signals, Some(socket.as_fd()), end.saturating_sub(uptime_milliseconds())) {
                Wake::Ready => {}
                Wake::Timeout => return Ok(Found::Nothing),
                Wake::Stop => return Ok(Found::Stop),
                Wake::Release => return Ok(Found::Release),
                Wake::Renew => return Ok(Found::Renew),
                Wake::Nothing => continue,
            }
            let mut buffer = [0; 2048];
            let Ok((count, _)) = recv(socket, &mut buffer[..], RecvFlags::DONTWAIT) else { continue };
            let packet = &buffer[..count.min(buffer.len())];
            let parse = |kind| Lease::parse(packet, kind, xid, &self.id, self.association);
            let committed = || parse(REPLY).filter(|lease| kind == SOLICIT && lease.is_committed);
            let Some(lease) = parse(answer).or_else(committed) else {
                self.common.log.explain(env, b"ignoring a packet for another client or of another kind");
                continue;
            };
            if let Some((status, text)) = &lease.refusal {
                let line = text!("server refuses: ", packet6::status_name(*status), " ", text);
                self.common.log.say(env, line.trim_ascii_end());
            }
            if !lease.is_empty() || kind == INFORMATION {
                return Ok(Found::Lease(lease));
            }
            // RFC 8415 18.2.9: such an offer is ignored, another server's may come. An answer ends the exchange.
            if answer == REPLY {
                return Ok(Found::Lease(lease));
            }
        }
    }

    /// RFC 8415 18.2.4, 18.2.5: renew, rebind, until the lease ends. A status ends the program; `None` starts again.
    fn hold(&mut self, env: &mut Env, socket: &OwnedFd, mut lease: Lease) -> Result<Option<ExitStatus>> {
        let (mut start, mut tried) = (uptime_milliseconds(), 0);
        loop {
            let (renew, rebind, end) = match self.stateless {
                true => (lease.refresh(), u32::MAX, u32::MAX),
                false => lease.bounds(),
            };
            let [renew, rebind, end] = [renew, rebind, end].map(|seconds| match seconds {
                u32::MAX => u64::MAX,
                seconds => u64::from(seconds) * 1000,
            });
            let pause = pause_between(uptime_milliseconds() - start, tried, renew, rebind, end);
            let wake = script::wait(&self.common.signals, None, pause);
            let passed = uptime_milliseconds() - start;
            match wake {
                Wake::Stop => return self.stop(env, socket, Some(&lease)).map(Some),
                Wake::Release => return self.rest(env, socket, &lease),
                Wake::Renew => {}
                _ if passed >= end => {
                    self.common.log.say(env, b"lease lost, entering init state");
                    self.call_script(env, b"deconfig", None)?;
                    return Ok(None);
                }
                _ if passed < renew => continue,
                _ => {}
            }
            tried = passed;
            match self.extend(env, socket, &lease, passed >= rebind)? {
                Found::Lease(new) if !new.is_empty() || self.stateless => {
                    self.log_lease(env, &new);
                    (lease, start, tried) = (new, uptime_milliseconds(), 0);
                    self.call_script(env, b"renew", Some(&lease))?;
                }
                // RFC 8415 18.2.10.1: the server knows nothing of it.
                Found::Lease(new) if new.refusal.as_ref().is_some_and(|(status, _)| *status == NO_BINDING) => {
                    self.call_script(env, b"nak", Some(&new))?;
                    self.call_script(env, b"deconfig", None)?;
                    return Ok(None);
                }
                Found::Stop => return self.stop(env, socket, Some(&lease)).map(Some),
                Found::Release => return self.rest(env, socket, &lease),
                _ => {}
            }
        }
    }

    fn extend(&self, env: &mut Env, socket: &OwnedFd, lease: &Lease, from_any: bool) -> Result<Found> {
        if self.stateless {
            return self.ask(env, socket, INFORMATION, REPLY, &[]);
        }
        let mut options = Vec::new();
        if !from_any {
            push_option(&mut options, SERVER_ID, &lease.server);
        }
        options.extend_from_slice(&lease.association(self.association));
        self.ask(env, socket, if from_any { REBIND } else { RENEW }, REPLY, &options)
    }

    /// After a release: waits for the signal to renew.
    fn rest(&self, env: &mut Env, socket: &OwnedFd, lease: &Lease) -> Result<Option<ExitStatus>> {
        self.give_back(env, socket, lease)?;
        loop {
            match script::wait(&self.common.signals, None, u64::MAX) {
                Wake::Stop => return self.stop(env, socket, None).map(Some),
                Wake::Renew => return Ok(None),
                _ => {}
            }
        }
    }

    /// RFC 8415 18.2.7. The answer is not waited for: the addresses go in any case.
    fn give_back(&self, env: &mut Env, socket: &OwnedFd, lease: &Lease) -> Result<()> {
        if !lease.is_empty() {
            let mut options = Vec::new();
            push_option(&mut options, SERVER_ID, &lease.server);
            options.extend_from_slice(&lease.association(self.association));
            self.send(env, socket, RELEASE, [0, 0, 1], uptime_milliseconds(), &options)?;
        }
        self.common.log.say(env, b"entering released state");
        self.call_script(env, b"deconfig", None)
    }

    fn stop(&self, env: &mut Env, socket: &OwnedFd, lease: Option<&Lease>) -> Outcome {
        self.common.log.say(env, b"received SIGTERM");
        if let Some(lease) = lease.filter(|_| self.common.release) {
            self.give_back(env, socket, lease)?;
        }
        self.common.remove_pid();
        Ok(ExitStatus::SUCCESS)
    }
}
