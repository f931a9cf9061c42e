//! The server's process: sockets, signals, ARP probes that nobody waits for, and the lease file.

use core::net::{Ipv4Addr, SocketAddrV4};

use rbox_core::daemon::{keep_only, uptime_milliseconds};
use rbox_core::prelude::*;
use rbox_core::sys::net::{RecvFlags, SendFlags, recv, sendto};
use rbox_core::sys::signal_queue::{SIGUSR1, SignalQueue};
use rbox_core::sys::time::{ClockId, clock_gettime, milliseconds};
use rbox_core::sys::{AsFd, OwnedFd, event, fs, packet as ethernet, sandbox};
use rbox_core::text;

use super::config::AUTO_TIME;
use super::packet::{self, Kind, Message};
use super::script::{self, Log};
use super::server::{Answer, Server};
use super::{arp, leases};

/// A server that runs.
pub struct Daemon {
    pub server: Server,
    pub index: u32,
    pub hardware: [u8; 6],
    pub port: u16,
    /// For how many milliseconds to ask by ARP who has a new address; 0 not to ask.
    pub arping: u64,
    pub log: Log,
    pub signals: SignalQueue,
    /// Requests of clients.
    pub socket: OwnedFd,
    /// Replies to hosts without an address.
    pub raw: OwnedFd,
    /// Probes that may still be answered.
    pub probes: Vec<Probe>,
}

/// An offer that waits for silence.
pub struct Probe {
    /// Milliseconds of the clock that never goes back.
    deadline: u64,
    request: Message,
    offer: Message,
}

fn now() -> u64 {
    uptime_milliseconds() / 1000
}

/// Seconds since 1970.
pub fn wall() -> u64 {
    clock_gettime(ClockId::Realtime).tv_sec as u64
}

impl Daemon {
    /// Serves until a signal ends it.
    pub fn run(&mut self, env: &mut Env) -> Outcome {
        let arp = arp::open(self.index)?;
        let config = &self.server.config;
        let keep = if config.notify_file.is_some() { sandbox::UDHCPD_S } else { sandbox::UDHCPD };
        // Both files are replaced or removed in their directories.
        keep_only(keep, &[&config.lease_file, &config.pid_file])?;
        let period = u64::from(self.server.config.numbers[AUTO_TIME]) * 1000;
        let mut next_write = uptime_milliseconds() + period;
        loop {
            let time = uptime_milliseconds();
            if period > 0 && time >= next_write {
                self.write_leases(env);
                next_write = time + period;
            }
            self.send_offers(env, time);
            let next = self.probes.iter().map(|probe| probe.deadline).min().unwrap_or(u64::MAX);
            let limit = milliseconds(next.min(if period > 0 { next_write } else { u64::MAX }).saturating_sub(time));
            let ready = {
                let mut polled = [
                    event::PollFd::from_borrowed_fd(self.signals.fd(), event::PollFlags::IN),
                    event::PollFd::new(&self.socket, event::PollFlags::IN),
                    event::PollFd::new(&arp, event::PollFlags::IN),
                ];
                // What fails here fails in the calls that follow.
                let _ = event::poll(&mut polled, Some(&limit));
                polled.map(|polled| !polled.revents().is_empty())
            };
            match self.signals.take() {
                Some(SIGUSR1) => {
                    self.log.say(env, b"received SIGUSR1");
                    self.write_leases(env);
                }
                Some(_) => return self.stop(env),
                None => {}
            }
            if ready[1] {
                self.receive(env);
            }
            if ready[2] {
                self.hear(env, &arp);
            }
        }
    }

    fn stop(&self, env: &mut Env) -> Outcome {
        self.log.say(env, b"received SIGTERM");
        self.write_leases(env);
        // Whoever removed it already wanted it gone.
        let _ = fs::unlink(&self.server.config.pid_file[..]);
        Ok(ExitStatus::SUCCESS)
    }

    /// What cannot be written is told and tried again at the next time.
    fn write_leases(&self, env: &mut Env) {
        let config = &self.server.config;
        let written = leases::write(&config.lease_file, &self.server.leases, wall(), now());
        let notified = match &config.notify_file {
            Some(path) => script::call(env, self.log, &self.signals, path, &config.lease_file, &[]),
            None => Ok(()),
        };
        for error in [written.err(), notified.err()].into_iter().flatten() {
            self.log.say(env, error.message());
        }
    }

    /// Takes what waits, but not so much that a flood would keep offers and signals waiting.
    fn receive(&mut self, env: &mut Env) {
        let mut buffer = [0; 2048];
        for _ in 0..64 {
            let Ok((count, _)) = recv(&self.socket, &mut buffer[..], RecvFlags::DONTWAIT) else { return };
            match Message::parse(&buffer[..count.min(buffer.len())], packet::REQUEST) {
                // Ethernet addresses only.
                Some(request) if buffer[1..3] == [1, 6] => self.take(env, request),
                _ => self.log.explain(env, b"ignoring a packet that is no request"),
            }
        }
    }

    fn take(&mut self, env: &mut Env, request: Message) {
        if self.probes.iter().any(|probe| probe.request.hardware == request.hardware) {
            // The client repeats what is being worked at.
            return;
        }
        match self.server.answer(&request, now()) {
            Answer::Nothing => self.log.explain(env, b"no answer"),
            Answer::Send(reply) => self.send(env, &reply),
            Answer::Probe(offer) if self.arping == 0 => self.send(env, &offer),
            Answer::Probe(offer) => {
                let probe = arp::probe(self.hardware, offer.your);
                if let Err(errno) = ethernet::send(self.raw.as_fd(), self.index, arp::ARP, &[0xff; 6], &probe) {
                    self.log.say(env, Error::on("ARP", errno).message());
                }
                self.probes.push(Probe { deadline: uptime_milliseconds() + self.arping, request, offer });
            }
        }
    }

    /// Sends the offers for whose addresses nobody has answered.
    fn send_offers(&mut self, env: &mut Env, time: u64) {
        let probes = core::mem::take(&mut self.probes);
        let (due, waiting) = probes.into_iter().partition(|probe| probe.deadline <= time);
        self.probes = waiting;
        let due: Vec<Probe> = due;
        for probe in due {
            self.send(env, &probe.offer);
        }
    }

    /// Takes an ARP packet: an address that another host has is not offered, another one is.
    fn hear(&mut self, env: &mut Env, arp: &OwnedFd) {
        let mut buffer = [0; 64];
        let Ok((count, _)) = recv(arp, &mut buffer[..], RecvFlags::DONTWAIT) else { return };
        let packet = &buffer[..count.min(buffer.len())];
        let taken = self.probes.iter().position(|probe| {
            // The client itself may ask who has the address.
            arp::claims(packet, self.hardware, probe.offer.your) && packet[8..14] != probe.request.hardware
        });
        if let Some(at) = taken {
            let Probe { request, offer, .. } = self.probes.swap_remove(at);
            self.log.say(env, &text!(offer.your, " belongs to someone, reserving it"));
            self.server.conflict(offer.your, now());
            self.take(env, request);
        }
    }

    /// RFC 2131 4.1: to the relay, to everyone, to the address that the client has, or to the one that it gets.
    fn send(&self, env: &mut Env, reply: &Message) {
        let name = match reply.kind() {
            Some(Kind::Offer) => "OFFER",
            Some(Kind::Nak) => "NAK",
            _ => "ACK",
        };
        let shown = if reply.your.is_unspecified() { reply.client } else { reply.your };
        self.log.say(env, &text!("sending ", name, " to ", shown));
        let content = reply.to_bytes();
        let by_udp = |to: Ipv4Addr, port: u16| {
            let sent = sendto(&self.socket, &content, SendFlags::empty(), &SocketAddrV4::new(to, port));
            sent.map(drop).map_err(|errno| Error::on("can't send", errno))
        };
        let client_port = self.port.saturating_add(1);
        let sent = if !reply.relay.is_unspecified() {
            by_udp(reply.relay, self.port)
        } else if !reply.client.is_unspecified() && name != "NAK" {
            by_udp(reply.client, client_port)
        } else {
            let to = if reply.broadcast { Ipv4Addr::BROADCAST } else { reply.your };
            let (from, to) = (SocketAddrV4::new(self.server.own, self.port), SocketAddrV4::new(to, client_port));
            packet::send_raw(&self.raw, self.index, reply.hardware, &content, from, to)
        };
        if let Err(error) = sent {
            self.log.say(env, error.message());
        }
    }
}
