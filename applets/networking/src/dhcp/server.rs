//! What a server answers (RFC 2131 4.3). Nothing here waits or sends: the daemon is `daemon.rs`.

use core::net::Ipv4Addr;

use super::config::{CONFLICT_TIME, Config, DECLINE_TIME, MAX_LEASES, MIN_LEASE, OFFER_TIME, Static};
use super::leases::{Lease, Leases, of_host};
use super::packet::{self, Kind, Message, push_option};

/// A server's knowledge.
pub struct Server {
    pub config: Config,
    /// The address by which clients know it.
    pub own: Ipv4Addr,
    pub leases: Leases,
}

/// What to do about a request.
#[derive(Debug)]
pub enum Answer {
    Nothing,
    Send(Message),
    /// To send when nobody answers an ARP probe for the address: it is new to the client.
    Probe(Message),
}

/// RFC 2132 3.14 and RFC 6842.
const HOST_NAME: u8 = 12;
/// Bytes of IP and UDP headers and of the fixed part, of what RFC 2131 2 lets each client take.
const LEAST_SIZE: usize = 576;
const OVERHEAD: usize = 28 + 240;

impl Server {
    /// Answers one request. `now` is in seconds.
    pub fn answer(&mut self, request: &Message, now: u64) -> Answer {
        // RFC 2131 4.3.2: a request that names another server is a refusal of this one's offer.
        let named = request.address(packet::SERVER);
        if named.is_some_and(|server| server != self.own) {
            return Answer::Nothing;
        }
        let sent = match request.kind() {
            Some(Kind::Discover) => return self.offer(request, now),
            Some(Kind::Request) => self.acknowledge(request, named.is_some(), now),
            Some(Kind::Decline) => {
                let address = request.address(packet::REQUESTED).unwrap_or(request.client);
                if self.is_of(address, request) {
                    self.mark_taken(address, now + u64::from(self.config.numbers[DECLINE_TIME]));
                }
                None
            }
            Some(Kind::Release) => {
                if self.is_of(request.client, request)
                    && let Some(lease) = self.leases.get_mut(&request.client)
                {
                    lease.ends = now;
                }
                None
            }
            // RFC 2131 4.3.5: no address and no time.
            Some(Kind::Inform) => Some(self.reply(request, Kind::Ack, Ipv4Addr::UNSPECIFIED, None)),
            _ => None,
        };
        sent.map_or(Answer::Nothing, Answer::Send)
    }

    /// An address turned out to be another host's: nobody gets it for a while.
    pub fn conflict(&mut self, address: Ipv4Addr, now: u64) {
        self.mark_taken(address, now + u64::from(self.config.numbers[CONFLICT_TIME]));
    }

    fn mark_taken(&mut self, address: Ipv4Addr, ends: u64) {
        self.leases.insert(address, Lease { hardware: [0; 6], ends, name: Vec::new() });
    }

    fn is_of(&self, address: Ipv4Addr, request: &Message) -> bool {
        self.leases.get(&address).is_some_and(|lease| lease.hardware == request.hardware)
    }

    fn static_of(&self, hardware: [u8; 6]) -> Option<&Static> {
        self.config.statics.iter().find(|known| known.hardware == hardware)
    }

    /// The address of this client: the one that is set for it, else the one that it has or had.
    fn known(&self, request: &Message) -> Option<Ipv4Addr> {
        match self.static_of(request.hardware) {
            Some(known) => Some(known.address),
            None => of_host(&self.leases, request.hardware),
        }
    }

    fn offer(&mut self, request: &Message, now: u64) -> Answer {
        let known = self.known(request);
        let chosen = known.or_else(|| self.wish(request, now)).or_else(|| self.free(request.hardware, now));
        let Some(address) = chosen else { return Answer::Nothing };
        // Who still has it need not be asked for it.
        let is_new = self.leases.get(&address).is_none_or(|lease| lease.ends <= now);
        let reserved = now + u64::from(self.config.numbers[OFFER_TIME]);
        if is_new && !self.take(address, request, reserved, now) {
            return Answer::Nothing;
        }
        let offer = self.reply(request, Kind::Offer, address, Some(self.lease_time(request)));
        if is_new && self.static_of(request.hardware).is_none() { Answer::Probe(offer) } else { Answer::Send(offer) }
    }

    /// The address that the client asks for, when it is free.
    fn wish(&self, request: &Message, now: u64) -> Option<Ipv4Addr> {
        request.address(packet::REQUESTED).filter(|address| self.is_free(*address, now))
    }

    fn is_free(&self, address: Ipv4Addr, now: u64) -> bool {
        // The first and the last of 256 are those of networks and of broadcasts, mostly.
        self.config.holds(address)
            && !matches!(address.octets()[3], 0 | 255)
            && address != self.own
            && self.config.statics.iter().all(|known| known.address != address)
            && self.leases.get(&address).is_none_or(|lease| lease.ends <= now)
    }

    /// A free address, by preference one that nobody had; the first that is tried depends on the client alone, so that
    /// it gets the same one again.
    fn free(&self, hardware: [u8; 6], now: u64) -> Option<Ipv4Addr> {
        let (start, end) = (self.config.start.to_bits(), self.config.end.to_bits());
        let count = u64::from(end - start) + 1;
        let hash = hardware.iter().fold(0u64, |hash, &byte| hash.wrapping_mul(65_599).wrapping_add(byte.into()));
        let all = || (0..count).map(|at| Ipv4Addr::from_bits(start + ((hash + at) % count) as u32));
        // More addresses than leases need not be looked at.
        let most = self.leases.len() + self.config.statics.len() + 4;
        let unused = all().take(most).find(|address| !self.leases.contains_key(address) && self.is_free(*address, now));
        let oldest = || self.leases.iter().filter(|(address, _)| self.is_free(**address, now));
        unused.or_else(|| oldest().min_by_key(|(_, lease)| lease.ends).map(|(address, _)| *address))
    }

    /// Reserves an address for the client; false when there are too many leases.
    fn take(&mut self, address: Ipv4Addr, request: &Message, ends: u64, now: u64) -> bool {
        let most = self.config.numbers[MAX_LEASES] as usize;
        if self.leases.len() >= most && !self.leases.contains_key(&address) {
            self.leases.retain(|_, lease| lease.ends > now);
            if self.leases.len() >= most {
                return false;
            }
        }
        let name = request.option(HOST_NAME).unwrap_or_default().to_vec();
        self.leases.insert(address, Lease { hardware: request.hardware, ends, name });
        true
    }

    /// RFC 2131 4.3.2: the client selects an offer, checks an address that it had, or extends its lease.
    fn acknowledge(&mut self, request: &Message, is_selecting: bool, now: u64) -> Option<Message> {
        let wished = request.address(packet::REQUESTED);
        let address = wished.unwrap_or(request.client);
        if address.is_unspecified() {
            return None;
        }
        let known = self.known(request);
        if known == Some(address) {
            let seconds = self.lease_time(request);
            return match self.take(address, request, now + u64::from(seconds), now) {
                true => Some(self.reply(request, Kind::Ack, address, Some(seconds))),
                false => None,
            };
        }
        // Silence where this server knows nothing of the client, whose address may be another server's; no network but
        // this one's is right for a client that reached it without a relay.
        let is_wrong = wished.is_some() && request.relay.is_unspecified() && !self.config.holds(address);
        let is_refused = is_selecting || known.is_some() || is_wrong || self.leases.contains_key(&address);
        is_refused.then(|| self.reply(request, Kind::Nak, Ipv4Addr::UNSPECIFIED, None))
    }

    fn lease_time(&self, request: &Message) -> u32 {
        let wished = request.number(packet::LEASE_TIME).unwrap_or(self.config.lease);
        wished.min(self.config.lease).max(self.config.numbers[MIN_LEASE])
    }

    fn reply(&self, request: &Message, kind: Kind, your: Ipv4Addr, seconds: Option<u32>) -> Message {
        let mut reply = Message::request(kind, request.xid, request.hardware);
        (reply.operation, reply.relay, reply.your) = (packet::REPLY, request.relay, your);
        reply.broadcast = request.broadcast;
        push_option(&mut reply.options, packet::SERVER, &self.own.octets());
        // RFC 6842 3: the identifier of the client comes back.
        if let Some(client) = request.option(packet::CLIENT_ID) {
            push_option(&mut reply.options, packet::CLIENT_ID, client);
        }
        if kind == Kind::Nak {
            // RFC 2131 4.3.2: the client may have no right address.
            reply.broadcast = true;
            return reply;
        }
        reply.client = request.client;
        reply.next_server = self.config.next_server;
        reply.server_name = self.config.server_name.clone();
        reply.boot_file = self.config.boot_file.clone();
        if let Some(seconds) = seconds {
            push_option(&mut reply.options, packet::LEASE_TIME, &seconds.to_be_bytes());
        }
        if let Some(known) = self.static_of(request.hardware).filter(|known| !known.name.is_empty()) {
            push_option(&mut reply.options, HOST_NAME, &known.name);
        }
        self.push_options(&mut reply, request);
        reply
    }

    /// Adds what the configuration has, first what the client asks for, as far as its packets have space.
    fn push_options(&self, reply: &mut Message, request: &Message) {
        let size = request.option(packet::MAX_SIZE).and_then(|size| size.try_into().ok()).map_or(0, u16::from_be_bytes);
        // Nothing is sent in parts.
        let most = usize::from(size).clamp(LEAST_SIZE, 1500) - OVERHEAD - 1;
        let wanted = request.option(packet::WANTED).unwrap_or_default();
        let position = |code: u8| wanted.iter().position(|known| *known == code).unwrap_or(wanted.len());
        let mut options: Vec<&(u8, Vec<u8>)> = self.config.options.iter().collect();
        options.sort_by_key(|(code, _)| position(*code));
        for (code, value) in options {
            let length = value.len() + 2 * value.len().div_ceil(255);
            let is_there = packet::options(&reply.options).any(|(known, _)| known == *code);
            if !is_there && reply.options.len() + length <= most {
                push_option(&mut reply.options, *code, value);
            }
        }
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let Ok(config) = Config::parse(b"", b"start 10.0.0.2\nend 10.0.0.9\nmax_leases 4\nopt dns 1.2.3.4") else { return };
    let mut server = Server { config, own: Ipv4Addr::new(10, 0, 0, 1), leases: Leases::new() };
    for (now, bytes) in data.chunks(300).enumerate() {
        let Some(request) = Message::parse(bytes, packet::REQUEST) else { continue };
        if let Answer::Send(reply) | Answer::Probe(reply) = server.answer(&request, now as u64) {
            assert!(reply.to_bytes().len() <= 1472 && (reply.your.is_unspecified() || reply.your != server.own));
        }
        assert!(server.leases.len() <= 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Server {
        let config = "start 10.0.0.2\nend 10.0.0.4\nmax_leases 3\nopt lease 1000\nopt dns 10.0.0.1\nopt domain a.b\n\
                      static_lease 2:0:0:0:0:9 10.0.0.3 box";
        let config = Config::parse(b"", config.as_bytes()).expect("a right file");
        Server { config, own: Ipv4Addr::new(10, 0, 0, 1), leases: Leases::new() }
    }

    fn request(kind: Kind, host: u8, options: &[(u8, &[u8])]) -> Message {
        let mut request = Message::request(kind, 7, [2, 0, 0, 0, 0, host]);
        for (code, value) in options {
            push_option(&mut request.options, *code, value);
        }
        request
    }

    fn sent(answer: Answer) -> Option<(Kind, Ipv4Addr)> {
        match answer {
            Answer::Nothing => None,
            Answer::Send(reply) | Answer::Probe(reply) => Some((reply.kind()?, reply.your)),
        }
    }

    const OWN: &[u8] = &[10, 0, 0, 1];

    #[test]
    fn an_offer_is_reserved_and_acknowledged() {
        let mut server = server();
        let Some((Kind::Offer, address)) = sent(server.answer(&request(Kind::Discover, 1, &[]), 0)) else {
            panic!("no offer")
        };
        // .3 is another's.
        assert!(matches!(address.octets(), [10, 0, 0, 2 | 4]));
        let select = request(Kind::Request, 1, &[(packet::REQUESTED, &address.octets()), (packet::SERVER, OWN)]);
        assert_eq!(sent(server.answer(&select, 1)), Some((Kind::Ack, address)));
        assert_eq!(server.leases[&address].ends, 1001);
        // Another client cannot have it.
        let other = request(Kind::Request, 2, &[(packet::REQUESTED, &address.octets()), (packet::SERVER, OWN)]);
        assert_eq!(sent(server.answer(&other, 2)).map(|(kind, _)| kind), Some(Kind::Nak));
        let elsewhere = request(Kind::Request, 1, &[(packet::SERVER, &[10, 0, 0, 99])]);
        assert_eq!(sent(server.answer(&elsewhere, 2)), None);
    }

    #[test]
    fn leases_are_released_and_declined_by_their_owner_only() {
        let mut server = server();
        let address = sent(server.answer(&request(Kind::Discover, 1, &[]), 0)).expect("an offer").1;
        for host in [2, 1] {
            let mut release = request(Kind::Release, host, &[(packet::SERVER, OWN)]);
            release.client = address;
            assert_eq!(sent(server.answer(&release, 5)), None);
            assert_eq!(server.leases[&address].ends, if host == 1 { 5 } else { 60 });
        }
        let decline = request(Kind::Decline, 1, &[(packet::REQUESTED, &address.octets())]);
        server.answer(&decline, 10);
        assert_eq!((server.leases[&address].hardware, server.leases[&address].ends), ([0; 6], 3610));
        assert_ne!(sent(server.answer(&request(Kind::Discover, 1, &[]), 20)).expect("another").1, address);
    }

    #[test]
    fn a_host_gets_the_address_that_is_set_for_it_and_its_name() {
        let mut server = server();
        let Answer::Send(offer) = server.answer(&request(Kind::Discover, 9, &[]), 0) else { panic!("no offer") };
        assert_eq!((offer.your, offer.option(12)), (Ipv4Addr::new(10, 0, 0, 3), Some(&b"box"[..])));
    }

    #[test]
    fn the_range_is_full_until_a_lease_has_ended() {
        let mut server = server();
        assert!(sent(server.answer(&request(Kind::Discover, 1, &[]), 0)).is_some());
        assert!(sent(server.answer(&request(Kind::Discover, 2, &[]), 0)).is_some());
        assert!(sent(server.answer(&request(Kind::Discover, 3, &[]), 0)).is_none());
        assert!(sent(server.answer(&request(Kind::Discover, 3, &[]), 61)).is_some());
    }

    #[test]
    fn silence_for_strangers_and_a_refusal_for_a_wrong_network() {
        let mut server = server();
        let check = |address: [u8; 4]| request(Kind::Request, 1, &[(packet::REQUESTED, &address)]);
        assert_eq!(sent(server.answer(&check([10, 0, 0, 4]), 0)), None);
        let nak = sent(server.answer(&check([192, 168, 0, 4]), 0));
        assert_eq!(nak, Some((Kind::Nak, Ipv4Addr::UNSPECIFIED)));
    }

    #[test]
    fn options_that_are_asked_for_come_first_and_all_fit() {
        let mut server = server();
        server.config.options.push((200, vec![1; 255]));
        server.config.options.push((201, vec![2; 255]));
        let asked = request(Kind::Inform, 1, &[(packet::WANTED, &[201, 15])]);
        let Answer::Send(reply) = server.answer(&asked, 0) else { panic!("no reply") };
        let codes: Vec<u8> = packet::options(&reply.options).map(|(code, _)| code).collect();
        assert_eq!(codes, [53, 54, 201, 15, 6]);
        assert_eq!(reply.option(packet::LEASE_TIME), None);
    }

    #[test]
    fn lease_times_have_bounds() {
        let server = server();
        let time = |wished: u32| server.lease_time(&request(Kind::Discover, 1, &[(51, &wished.to_be_bytes())]));
        assert_eq!((time(5), time(500), time(5000)), (60, 500, 1000));
    }
}
