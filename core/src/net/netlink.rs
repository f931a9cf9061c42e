//! Interfaces, addresses and routes, read from and changed in the kernel by rtnetlink(7).

use core::net::IpAddr;

use super::addr;
use crate::error::{Error, Result};
use crate::sys::net::netlink::SocketAddrNetlink;
use crate::sys::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recv, send, socket_with,
};
use crate::sys::{AsFd, BorrowedFd, Errno, OwnedFd};

const REQUEST: u16 = 1;
const ACK: u16 = 4;
const DUMP: u16 = 0x300;
/// Flags for requests that make something: fail when it is there.
pub const CREATE_NEW: u16 = 0x600;
/// Make it, or replace what is there.
pub const CREATE_OR_REPLACE: u16 = 0x500;
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// A message of rtnetlink(7) in the making: header, fixed part, attributes.
#[derive(Debug)]
pub struct Request(Vec<u8>);

impl Request {
    /// A request of that type (`RTM_...`), with flags and fixed part.
    pub fn new(kind: u16, flags: u16, fixed: &[u8]) -> Self {
        let mut message = vec![0; 16];
        message[4..6].copy_from_slice(&kind.to_ne_bytes());
        message[6..8].copy_from_slice(&(flags | REQUEST).to_ne_bytes());
        message.extend_from_slice(fixed);
        let mut request = Self(message);
        request.pad();
        request
    }

    fn pad(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    /// Adds an attribute.
    pub fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        self.0.extend_from_slice(&(value.len() as u16 + 4).to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value);
        self.pad();
        self
    }
}

/// A connection to the kernel's routing tables.
#[derive(Debug)]
pub struct Netlink(OwnedFd);

/// Bytes of what is received at once; the kernel fills 32 KB.
const BUFFER: usize = 64 * 1024;

fn refused(errno: Errno) -> Error {
    Error::on("RTNETLINK answers", errno)
}

/// What the body of NLMSG_ERROR says; `None` for an acknowledgement.
fn error_of(body: &[u8]) -> Option<Errno> {
    let code = body.get(..4).and_then(|code| code.try_into().ok()).map_or(-1, i32::from_ne_bytes);
    (code < 0).then(|| Errno::from_raw_os_error(-code.max(-4095)))
}

/// The answers to a request for everything of a type.
#[derive(Debug)]
pub struct Dump<'a> {
    netlink: &'a Netlink,
    answer: u16,
    buffer: Vec<u8>,
    /// What has been received and not been taken.
    at: usize,
    end: usize,
}

impl Dump<'_> {
    /// The body of the next one; `None` after the last.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<&[u8]>> {
        loop {
            if split_message(&self.buffer[self.at..self.end]).is_none() {
                self.at = 0;
                self.end = self.netlink.receive(&mut self.buffer).map_err(refused)?.min(BUFFER);
            }
            let Some((kind, body, after)) = split_message(&self.buffer[self.at..self.end]) else { continue };
            let (from, length, left) = (self.at + 16, body.len(), after.len());
            let failure = if matches!(kind, DONE | ERROR) { error_of(body) } else { None };
            self.at = self.end - left;
            match kind {
                // A dump that fails says so at its end.
                DONE | ERROR => return failure.map_or(Ok(None), |errno| Err(refused(errno))),
                kind if kind == self.answer => return Ok(Some(&self.buffer[from..from + length])),
                _ => {}
            }
        }
    }
}

/// The fixed part's length of a reply, then the attributes.
#[derive(Clone, Debug)]
struct Reply {
    kind: u16,
    body: Vec<u8>,
}

impl Netlink {
    /// Opens it.
    pub fn open() -> Result<Self> {
        Self::open_protocol(None, 0)
    }

    /// Opens a connection to what the kernel knows of sockets: sock_diag(7).
    pub fn open_diagnosis() -> Result<Self> {
        Self::open_protocol(Some(crate::sys::net::netlink::SOCK_DIAG), 0)
    }

    fn open_protocol(protocol: Option<Protocol>, groups: u32) -> Result<Self> {
        let failed = |errno| Error::on("netlink", errno);
        let socket =
            socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol).map_err(failed)?;
        bind(&socket, &SocketAddrNetlink::new(0, groups)).map_err(failed)?;
        Ok(Self(socket))
    }

    /// Sends a request that changes something and waits for the kernel's word.
    pub fn change(&self, mut request: Request) -> core::result::Result<(), Errno> {
        request.0[6] |= ACK as u8;
        self.talk(request).map(drop)
    }

    /// The bodies of all messages of type `answer` with which the kernel answers a request for everything of a type
    /// (`RTM_GET...`).
    pub fn dump(&self, kind: u16, fixed: &[u8], answer: u16) -> Result<Vec<Vec<u8>>> {
        let (mut dump, mut bodies) = (self.start_dump(kind, fixed, answer)?, Vec::new());
        while let Some(body) = dump.next()? {
            bodies.push(body.to_vec());
        }
        Ok(bodies)
    }

    /// The same one by one, so that no more than a buffer of them is in memory. Nothing else may be asked meanwhile.
    pub fn start_dump(&self, kind: u16, fixed: &[u8], answer: u16) -> Result<Dump<'_>> {
        self.send(Request::new(kind, DUMP, fixed)).map_err(refused)?;
        Ok(Dump { netlink: self, answer, buffer: vec![0; BUFFER], at: 0, end: 0 })
    }

    fn send(&self, mut request: Request) -> core::result::Result<(), Errno> {
        let length = request.0.len() as u32;
        request.0[..4].copy_from_slice(&length.to_ne_bytes());
        request.0[8] = 1;
        send(&self.0, &request.0, SendFlags::empty()).map(drop)
    }

    fn receive(&self, buffer: &mut [u8]) -> core::result::Result<usize, Errno> {
        loop {
            match recv(&self.0, &mut buffer[..], RecvFlags::empty()) {
                Err(Errno::INTR) => {}
                received => return received.map(|(count, _)| count),
            }
        }
    }

    fn talk(&self, request: Request) -> core::result::Result<Vec<Reply>, Errno> {
        self.send(request)?;
        let mut replies = Vec::new();
        let mut buffer = vec![0; BUFFER];
        loop {
            let count = self.receive(&mut buffer)?;
            let mut rest = &buffer[..count.min(BUFFER)];
            while let Some((kind, body, after)) = split_message(rest) {
                match kind {
                    // A dump that fails says so at its end.
                    DONE | ERROR => return error_of(body).map_or(Ok(replies), Err),
                    _ => replies.push(Reply { kind, body: body.to_vec() }),
                }
                rest = after;
            }
        }
    }

    /// A connection that hears of changes of these groups (`RTMGRP_...`).
    pub fn monitor(groups: u32) -> Result<Self> {
        Self::open_protocol(None, groups)
    }

    /// What to wait on for changes.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Throws away the changes that have come, without waiting.
    pub fn forget_changes(&self) {
        let mut buffer = [0; 4096];
        // ENOBUFS says that some were lost, and more may wait.
        while matches!(recv(&self.0, &mut buffer[..], RecvFlags::DONTWAIT), Ok(_) | Err(Errno::NOBUFS)) {}
    }

    /// Waits for changes: type and body of each message. The error is ENOBUFS when some were lost.
    pub fn changes(&self) -> core::result::Result<Vec<(u16, Vec<u8>)>, Errno> {
        let mut buffer = vec![0; 64 * 1024];
        let (count, _) = recv(&self.0, &mut buffer[..], RecvFlags::empty())?;
        let (mut rest, mut all) = (&buffer[..count.min(buffer.len())], Vec::new());
        while let Some((kind, body, after)) = split_message(rest) {
            all.push((kind, body.to_vec()));
            rest = after;
        }
        Ok(all)
    }

    /// All interfaces, by number.
    pub fn links(&self) -> Result<Vec<Link>> {
        let mut links: Vec<Link> = self.dump(18, &[0; 16], 16)?.iter().filter_map(|body| Link::parse(body)).collect();
        links.sort_by_key(|link| link.index);
        Ok(links)
    }

    /// The interface of that name. The error is `can't find device 'NAME'`.
    pub fn link(&self, name: &[u8]) -> Result<Link> {
        // IFLA_IFNAME. With an acknowledgement after it, the answer has an end.
        let request = Request::new(18, ACK, &[0; 16]).attribute(3, &[name, b"\0"].concat());
        // A name that is too long for the kernel is no interface's either.
        let replies = self.talk(request).unwrap_or_default();
        let found = replies.iter().filter(|reply| reply.kind == 16).find_map(|reply| Link::parse(&reply.body));
        found.ok_or_else(|| Error::parts(&[b"can't find device '", name, b"'"]))
    }

    /// All addresses of that family (`AF_...`, 0 for all).
    pub fn addresses(&self, family: u8) -> Result<Vec<Address>> {
        let (mut dump, mut all) = (self.start_dump(22, &[family, 0, 0, 0, 0, 0, 0, 0], 20)?, Vec::new());
        while let Some(body) = dump.next()? {
            all.extend(Address::parse(body));
        }
        Ok(all)
    }

    /// All routes of that family (`AF_...`, 0 for all).
    pub fn routes(&self, family: u8) -> Result<Vec<Route>> {
        let (mut dump, mut all) = (self.start_routes(family)?, Vec::new());
        while let Some(body) = dump.next()? {
            all.extend(Route::parse(body));
        }
        Ok(all)
    }

    /// The same one by one, for `Route::parse`.
    pub fn start_routes(&self, family: u8) -> Result<Dump<'_>> {
        self.start_dump(26, &[family, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 24)
    }

    /// Sets the flags of an interface that `mask` names (`IFF_...`), and attributes (`IFLA_...`).
    pub fn set_link(
        &self,
        index: u32,
        flags: u32,
        mask: u32,
        attributes: &[(u16, Vec<u8>)],
    ) -> core::result::Result<(), Errno> {
        let fixed = [&[0u8; 4][..], &index.to_ne_bytes(), &flags.to_ne_bytes(), &mask.to_ne_bytes()].concat();
        let request = Request::new(16, 0, &fixed);
        self.change(attributes.iter().fold(request, |request, (kind, value)| request.attribute(*kind, value)))
    }

    /// Gives an interface an address, or takes it away.
    pub fn set_address(&self, add: bool, flags: u16, address: &Address) -> core::result::Result<(), Errno> {
        let family = family(address.local);
        let fixed = [&[family, address.prefix, 0, address.scope][..], &address.index.to_ne_bytes()].concat();
        let octets = addr::octets(address.local);
        let mut request = Request::new(if add { 20 } else { 21 }, flags, &fixed).attribute(2, &octets);
        request = request.attribute(1, &address.peer.map_or(octets, addr::octets));
        if let Some(broadcast) = address.broadcast {
            request = request.attribute(4, &addr::octets(broadcast));
        }
        if !address.label.is_empty() {
            request = request.attribute(3, &[&address.label, &b"\0"[..]].concat());
        }
        if add && address.flags != 0 {
            request = request.attribute(8, &address.flags.to_ne_bytes());
        }
        if address.metric != 0 {
            request = request.attribute(9, &address.metric.to_ne_bytes());
        }
        if address.lifetimes != (u32::MAX, u32::MAX) {
            // struct ifa_cacheinfo: preferred, valid, two times of the kernel.
            let (valid, preferred) = address.lifetimes;
            let times = [preferred.to_ne_bytes(), valid.to_ne_bytes(), [0; 4], [0; 4]].concat();
            request = request.attribute(6, &times);
        }
        self.change(request)
    }

    /// The way that a packet to `wanted.to` would go, from `wanted.source` and through `wanted.index` where these are
    /// set.
    pub fn route_to(&self, wanted: &Route) -> core::result::Result<Route, Errno> {
        let source = wanted.source.map_or(0, |_| if wanted.family == 2 { 32 } else { 128 });
        let fixed = [wanted.family, wanted.prefix, source, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let mut request = Request::new(26, 0, &fixed);
        if let Some(to) = wanted.to {
            request = request.attribute(1, &addr::octets(to));
        }
        if let Some(source) = wanted.source {
            request = request.attribute(2, &addr::octets(source));
        }
        if wanted.index != 0 {
            request = request.attribute(4, &wanted.index.to_ne_bytes());
        }
        // With an acknowledgement after it, the answer has an end.
        request.0[6] |= ACK as u8;
        let replies = self.talk(request)?;
        replies.iter().filter(|reply| reply.kind == 24).find_map(|reply| Route::parse(&reply.body)).ok_or(Errno::SRCH)
    }

    /// Adds a route, or takes it away.
    pub fn set_route(&self, add: bool, flags: u16, route: &Route) -> core::result::Result<(), Errno> {
        let to = route.to.map_or(0, |_| route.prefix);
        let fixed = [route.family, to, 0, route.service, 0, route.protocol, route.scope, route.kind];
        let fixed = [&fixed[..], &route.flags.to_ne_bytes()].concat();
        // RTA_TABLE holds any table; the fixed part's byte is then 0.
        let mut request =
            Request::new(if add { 24 } else { 25 }, flags, &fixed).attribute(15, &route.table.to_ne_bytes());
        let mut put = |kind: u16, value: Option<Vec<u8>>| {
            if let Some(value) = value {
                let so_far = core::mem::replace(&mut request, Request(Vec::new()));
                request = so_far.attribute(kind, &value);
            }
        };
        put(1, route.to.map(addr::octets));
        match route.gateway {
            Some(gateway) if family(gateway) != route.family => {
                let other = u16::from(family(gateway)).to_ne_bytes();
                put(18, Some([&other[..], &addr::octets(gateway)].concat()));
            }
            gateway => put(5, gateway.map(addr::octets)),
        }
        put(9, Some(route.hops.clone()).filter(|hops| !hops.is_empty()));
        put(20, route.preference.map(|preference| vec![preference]));
        put(4, (route.index != 0).then(|| route.index.to_ne_bytes().to_vec()));
        put(6, route.metric.map(|metric| metric.to_ne_bytes().to_vec()));
        put(7, route.source.map(addr::octets));
        let metrics = route.metrics.iter().flat_map(|(kind, value)| nested(*kind, &value.to_ne_bytes()));
        put(8, (!route.metrics.is_empty()).then(|| metrics.collect()));
        self.change(request)
    }
}

/// An attribute that is inside of another.
pub fn nested(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut attribute = [&(value.len() as u16 + 4).to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat();
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    attribute
}

fn family(address: IpAddr) -> u8 {
    if address.is_ipv4() { AddressFamily::INET.as_raw() as u8 } else { AddressFamily::INET6.as_raw() as u8 }
}

/// Type and body of the first message, and what follows it.
fn split_message(rest: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = u32::from_ne_bytes(rest.get(..4)?.try_into().ok()?) as usize;
    let kind = u16::from_ne_bytes(rest.get(4..6)?.try_into().ok()?);
    let body = rest.get(16..length)?;
    Some((kind, body, rest.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

/// The attributes after a fixed part: type and value.
pub fn attributes(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    core::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(rest.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(rest.get(2..4)?.try_into().ok()?) & 0x3fff;
        let value = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The number of 32 bits that an attribute's value begins with.
pub fn word(value: &[u8]) -> u32 {
    value.get(..4).and_then(|value| value.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

/// The text of an attribute, without the NUL at its end.
pub fn name(value: &[u8]) -> Vec<u8> {
    value.strip_suffix(b"\0").unwrap_or(value).to_vec()
}

/// An interface.
#[derive(Clone, Debug, Default)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: Vec<u8>,
    /// `IFF_...` of netdevice(7).
    pub flags: u32,
    /// `ARPHRD_...`: 1 Ethernet, 772 loopback.
    pub hardware: u16,
    /// Largest packet, in bytes.
    pub mtu: u32,
    /// Packets that may wait.
    pub queue: u32,
    /// Number of the interface below, 0 for none.
    pub parent: u32,
    /// Number of the interface that holds this one, 0 for none.
    pub master: u32,
    /// Hardware address.
    pub address: Vec<u8>,
    /// Hardware broadcast address.
    pub broadcast: Vec<u8>,
    /// Name of the queueing discipline.
    pub discipline: Vec<u8>,
    /// RFC 2863 state: 0 unknown, 2 down, 6 up.
    pub state: u8,
    /// `struct rtnl_link_ifmap`: start and end of its memory and its port (64 bits each), its interrupt (16 bits) ...
    pub map: Vec<u8>,
    /// Counters of rtnl_link_stats64: received and sent packets, bytes, errors, dropped, multicast, collisions...
    pub counters: Vec<u64>,
    /// What `IFLA_LINKINFO` says of a virtual interface.
    pub info: Vec<u8>,
    /// All attributes, for those that are seldom asked for.
    pub attributes: Vec<u8>,
}

/// The value of the first attribute of that type.
pub fn find(field: &[u8], wanted: u16) -> Option<&[u8]> {
    attributes(field).find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}

/// `IFF_UP`.
pub const UP: u32 = 1;

impl Link {
    /// The kind of a virtual interface (IFLA_INFO_KIND), empty for another one.
    pub fn kind(&self) -> Vec<u8> {
        find(&self.info, 1).map_or_else(Vec::new, name)
    }

    /// Reads the body of a message.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let fixed = body.get(..16)?;
        let hardware = u16::from_ne_bytes([fixed[2], fixed[3]]);
        let mut link = Self { hardware, index: word(&fixed[4..]), flags: word(&fixed[8..]), ..Self::default() };
        link.attributes = body[16..].to_vec();
        for (kind, value) in attributes(&body[16..]) {
            match kind {
                1 => link.address = value.to_vec(),
                2 => link.broadcast = value.to_vec(),
                3 => link.name = name(value),
                4 => link.mtu = word(value),
                5 => link.parent = word(value),
                6 => link.discipline = name(value),
                10 => link.master = word(value),
                13 => link.queue = word(value),
                14 => link.map = value.to_vec(),
                16 => link.state = value.first().copied().unwrap_or(0),
                18 => link.info = value.to_vec(),
                23 => {
                    let counters =
                        value.chunks_exact(8).map(|counter| counter.try_into().map_or(0, u64::from_ne_bytes));
                    link.counters = counters.collect();
                }
                _ => {}
            }
        }
        Some(link)
    }
}

/// An address of an interface.
#[derive(Clone, Debug)]
pub struct Address {
    /// The interface's number.
    pub index: u32,
    /// The address.
    pub local: IpAddr,
    /// The other end of a point-to-point link.
    pub peer: Option<IpAddr>,
    /// Bits of the network's part.
    pub prefix: u8,
    /// 0 global, 200 site, 253 link, 254 host.
    pub scope: u8,
    /// The broadcast address.
    pub broadcast: Option<IpAddr>,
    /// The interface's name, with an alias.
    pub label: Vec<u8>,
    /// `IFA_F_...`: 0x80 permanent, 0x01 secondary, 0x40 tentative.
    pub flags: u32,
    /// Seconds that the address is valid and preferred; 2^32-1 for ever.
    pub lifetimes: (u32, u32),
    /// `IFA_RT_PRIORITY`: the metric of the route that it makes, 0 for the kernel's choice.
    pub metric: u32,
}

impl Address {
    /// Reads the body of a message.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let fixed = body.get(..8)?;
        let (mut local, mut peer, mut broadcast, mut label) = (None, None, None, Vec::new());
        let (mut flags, mut lifetimes, mut metric) = (u32::from(fixed[2]), (u32::MAX, u32::MAX), 0);
        for (kind, value) in attributes(&body[8..]) {
            match kind {
                1 => peer = addr::from_octets(value),
                2 => local = addr::from_octets(value),
                3 => label = name(value),
                4 => broadcast = addr::from_octets(value),
                6 => lifetimes = (value.get(4..).map_or(0, word), word(value)),
                8 => flags = word(value),
                9 => metric = word(value),
                _ => {}
            }
        }
        // IPv6 has one address only unless the link has two ends.
        let local = local.or(peer)?;
        let peer = peer.filter(|peer| *peer != local);
        let index = word(&fixed[4..]);
        Some(Self { index, local, peer, prefix: fixed[1], scope: fixed[3], broadcast, label, flags, lifetimes, metric })
    }
}

/// A route.
#[derive(Clone, Debug)]
pub struct Route {
    /// `AF_INET` 2 or `AF_INET6` 10.
    pub family: u8,
    /// Where to; `None` is everywhere.
    pub to: Option<IpAddr>,
    /// Bits of the destination that count.
    pub prefix: u8,
    /// The next router.
    pub gateway: Option<IpAddr>,
    /// The interface's number, 0 for none.
    pub index: u32,
    /// The address to send from.
    pub source: Option<IpAddr>,
    /// The lower wins.
    pub metric: Option<u32>,
    /// 254 main, 255 local.
    pub table: u32,
    /// Who made it: 2 the kernel, 3 boot, 4 static.
    pub protocol: u8,
    /// 0 global, 253 link, 254 host.
    pub scope: u8,
    /// 1 unicast, 2 local, 3 broadcast, 6 blackhole, 7 unreachable, 8 prohibit, 9 throw.
    pub kind: u8,
    /// `RTNH_F_...`: 4 the gateway is on the link.
    pub flags: u32,
    /// What `RTA_METRICS` holds: `RTAX_...` and its value, 1 the metrics that are locked, 2 the MTU in bytes, 3 the
    /// window in bytes, 4 the round trip time in eighths of a millisecond, 8 the largest segment in bytes.
    pub metrics: Vec<(u16, u32)>,
    /// Type of service.
    pub service: u8,
    /// RFC 4191, `RTA_PREF`: 0 medium, 1 high, 3 low.
    pub preference: Option<u8>,
    /// Several routers, `RTA_MULTIPATH`: `struct rtnexthop` and attributes for each.
    pub hops: Vec<u8>,
}

impl Route {
    /// A unicast route of the main table, made at boot, to everywhere.
    pub fn new(family: u8) -> Self {
        Self {
            family,
            to: None,
            prefix: 0,
            gateway: None,
            index: 0,
            source: None,
            metric: None,
            table: 254,
            protocol: 3,
            scope: 0,
            kind: 1,
            flags: 0,
            metrics: Vec::new(),
            service: 0,
            preference: None,
            hops: Vec::new(),
        }
    }

    /// One of its metrics (`RTAX_...`), 0 where it is not set.
    pub fn metric_of(&self, kind: u16) -> u32 {
        self.metrics.iter().find(|(known, _)| *known == kind).map_or(0, |(_, value)| *value)
    }

    /// Reads the body of a message.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let fixed = body.get(..12)?;
        let mut route = Self::new(fixed[0]);
        (route.prefix, route.service, route.table, route.protocol) = (fixed[1], fixed[3], fixed[4].into(), fixed[5]);
        (route.scope, route.kind, route.flags) = (fixed[6], fixed[7], word(&fixed[8..]));
        for (kind, value) in attributes(&body[12..]) {
            match kind {
                1 => route.to = addr::from_octets(value),
                4 => route.index = word(value),
                5 => route.gateway = addr::from_octets(value),
                6 => route.metric = Some(word(value)),
                7 => route.source = addr::from_octets(value),
                8 => route.metrics = attributes(value).map(|(kind, value)| (kind, word(value))).collect(),
                9 => route.hops = value.to_vec(),
                15 => route.table = word(value),
                // RTA_VIA: the router is of another family, which comes first.
                18 => route.gateway = value.get(2..).and_then(addr::from_octets),
                20 => route.preference = value.first().copied(),
                _ => {}
            }
        }
        Some(route)
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let mut rest = data;
    while let Some((_, body, after)) = split_message(rest) {
        // Only a panic counts.
        let _ = (Link::parse(body), Address::parse(body), Route::parse(body));
        rest = after;
    }
    // As above.
    let _ = (Link::parse(data), Address::parse(data), Route::parse(data));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_found() {
        let netlink = Netlink::open().expect("the kernel has rtnetlink");
        let link = netlink.link(b"lo").expect("each network namespace has lo");
        assert_eq!((link.hardware, link.address.len()), (772, 6));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        let mut random = crate::testing::Random::new(23);
        for _ in 0..20_000 {
            let bytes = random.bytes(120);
            if let Some((_, body, _)) = split_message(&bytes) {
                attributes(body).count();
            }
            // Any result is right; a panic is not.
            let _ = (Link::parse(&bytes), Address::parse(&bytes), Route::parse(&bytes));
        }
    }

    #[test]
    fn broken_messages_end_the_reading() {
        assert!(split_message(&[8, 0, 0, 0, 1, 0]).is_none());
        assert!(split_message(&[0; 16]).is_none());
        assert_eq!(attributes(&[3, 0, 1, 0]).count(), 0);
        assert_eq!(attributes(&[200, 0, 1, 0, 5]).count(), 0);
        assert!(Link::parse(&[0; 15]).is_none());
    }
}
