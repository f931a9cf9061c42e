//! `ip neigh`: what the kernel knows of the hardware addresses around (rtnetlink(7), RTM_GETNEIGH).

use core::net::IpAddr;

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{self, from_octets, hardware_text, octets, parse_hardware};
use rbox_core::net::netlink::{CREATE_NEW, CREATE_OR_REPLACE, Link, Netlink, Request, attributes, word};
use rbox_core::prelude::*;

use super::record::Record;
use super::{Show, address, is, prefix, refused, unknown, value, within};

/// linux/neighbour.h, NUD_*.
const STATES: Names = names! {
    "incomplete" = 1, "reachable" = 2, "stale" = 4, "delay" = 8, "probe" = 0x10, "failed" = 0x20, "noarp" = NO_ARP,
    "permanent" = PERMANENT, "none" = 0, "all" = 0xff,
};
const NO_ARP: u16 = 0x40;
const PERMANENT: u16 = 0x80;
/// NTF_PROXY and NTF_ROUTER.
const FLAGS: Names = names! { "router" = 0x80, "proxy" = PROXY };
const PROXY: u8 = 8;

pub fn run(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Outcome {
    match words.split_first() {
        None => list(env, netlink, show, &[])?,
        Some((word, rest)) if is(word, "show") || is(word, "list") || *word == b"ls" => list(env, netlink, show, rest)?,
        Some((word, rest)) if is(word, "flush") => flush(netlink, show, rest)?,
        Some((word, rest)) if is(word, "add") => change(netlink, 28, CREATE_NEW, rest)?,
        Some((word, rest)) if is(word, "replace") => change(netlink, 28, CREATE_OR_REPLACE, rest)?,
        Some((word, rest)) if is(word, "change") || *word == b"chg" => change(netlink, 28, 0x100, rest)?,
        Some((word, rest)) if is(word, "delete") => change(netlink, 29, 0, rest)?,
        Some((word, _)) => return Err(super::invalid(word, "ip")),
    }
    Ok(ExitStatus::SUCCESS)
}

/// One of the kernel's neighbours.
pub struct Neighbour {
    index: u32,
    state: u16,
    flags: u8,
    to: IpAddr,
    hardware: Vec<u8>,
    /// `struct nda_cacheinfo`: used, confirmed, updated, references.
    times: Option<(u32, u32, u32, u32)>,
    probes: u32,
}

impl Neighbour {
    pub fn parse(body: &[u8]) -> Option<Self> {
        let fixed = body.get(..12)?;
        let (mut to, mut hardware, mut times, mut probes) = (None, Vec::new(), None, 0);
        for (kind, value) in attributes(&body[12..]) {
            match kind {
                1 => to = from_octets(value),
                2 => hardware = value.to_vec(),
                3 if value.len() >= 16 => {
                    times = Some((word(&value[4..]), word(value), word(&value[8..]), word(&value[12..])));
                }
                4 => probes = word(value),
                _ => {}
            }
        }
        let state = u16::from_ne_bytes([fixed[8], fixed[9]]);
        Some(Self { index: word(&fixed[4..]), state, flags: fixed[10], to: to?, hardware, times, probes })
    }

    fn request(&self, kind: u16, flags: u16) -> Request {
        let family = if self.to.is_ipv4() { 2u8 } else { 10 };
        let fixed = [&[family, 0, 0, 0][..], &self.index.to_ne_bytes(), &self.state.to_ne_bytes(), &[self.flags, 0]];
        let request = Request::new(kind, flags, &fixed.concat()).attribute(1, &octets(self.to));
        if self.hardware.is_empty() { request } else { request.attribute(2, &self.hardware) }
    }

    pub fn print(&self, record: &mut Record, links: &[Link], show: Show, with_device: bool) {
        record.open("", b'{');
        record.word("", "dst", &addr::text(self.to));
        if with_device && let Ok(at) = links.binary_search_by_key(&self.index, |link| link.index) {
            record.word(" dev ", "dev", &links[at].name);
        }
        if !self.hardware.is_empty() {
            record.word(" lladdr ", "lladdr", &hardware_text(&self.hardware));
        }
        for name in FLAGS.of_flags(self.flags.into()) {
            record.text(" ");
            record.flag(name, name);
        }
        if show.statistics > 0 {
            self.print_times(record);
        }
        let state = STATES.name_of(self.state.into()).unwrap_or("none").to_ascii_uppercase();
        record.open("state", b'[');
        record.word(" ", "", state.as_bytes());
        record.close(b']');
        record.text("\n");
        record.close(b'}');
    }

    /// Seconds since it was confirmed, used and updated, which the kernel counts in hundredths (NDA_CACHEINFO), and probes.
    fn print_times(&self, record: &mut Record) {
        if let Some((used, confirmed, updated, references)) = self.times {
            if references != 0 {
                record.number(" ref ", "refcnt", references.into());
            }
            record.number(" used ", "used", u64::from(used) / 100);
            record.number("/", "confirmed", u64::from(confirmed) / 100);
            record.number("/", "updated", u64::from(updated) / 100);
        }
        record.number(" probes ", "probes", self.probes.into());
    }
}

/// What `show` and `flush` pick: a device's number, a network, states.
fn pick(netlink: &Netlink, show: Show, words: &[&[u8]], mut states: u16) -> Result<(Vec<Neighbour>, bool)> {
    let (mut device, mut network, mut chosen, mut flags) = (None, None, 0, 0);
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            b"proxy" => flags = PROXY,
            b"dev" => device = Some(netlink.link(value(&mut words)?)?.index),
            b"nud" => chosen |= state(value(&mut words)?)?,
            word if network.is_none() => {
                let word = if word == b"to" { value(&mut words)? } else { word };
                network = Some(prefix(word)?);
            }
            word => return Err(unknown(word)),
        }
    }
    if chosen != 0 {
        states = chosen;
    }
    let bodies = netlink.dump(30, &[show.family, 0, 0, 0, 0, 0, 0, 0, 0, 0, flags, 0], 28)?;
    let mut all: Vec<Neighbour> = bodies.iter().filter_map(|body| Neighbour::parse(body)).collect();
    all.retain(|neighbour| {
        (neighbour.state & states != 0 || flags != 0)
            && device.is_none_or(|index| neighbour.index == index)
            && network.is_none_or(|(network, bits)| within(neighbour.to, network, bits))
    });
    Ok((all, device.is_none()))
}

fn state(word: &[u8]) -> Result<u16> {
    super::named(STATES, word, 0xffff, "nud").map(|state| state as u16)
}

fn list(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    let links = netlink.links()?;
    // An entry that needs no resolution is not listed.
    let (neighbours, with_device) = pick(netlink, show, words, !NO_ARP)?;
    let mut record = Record::new(show);
    for neighbour in neighbours {
        neighbour.print(&mut record, &links, show, with_device);
        record.flush(env)?;
    }
    record.finish(env)
}

fn flush(netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    if words.is_empty() {
        return Err(Error::new("\"ip neigh flush\" requires an argument"));
    }
    for neighbour in pick(netlink, show, words, !(PERMANENT | NO_ARP))?.0 {
        match netlink.change(neighbour.request(29, 0)) {
            Ok(()) | Err(rbox_core::sys::Errno::NOENT) => {}
            Err(errno) => return Err(refused(errno)),
        }
    }
    Ok(())
}

/// Adds, changes or deletes one: `kind` is RTM_NEWNEIGH or RTM_DELNEIGH.
fn change(netlink: &Netlink, kind: u16, flags: u16, words: &[&[u8]]) -> Result<()> {
    let (mut to, mut index) = (None, 0);
    let (times, probes) = (None, 0);
    let mut new =
        Neighbour { index: 0, state: PERMANENT, flags: 0, to: [0; 4].into(), hardware: Vec::new(), times, probes };
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            b"dev" => index = netlink.link(value(&mut words)?)?.index,
            b"lladdr" => new.hardware = parse_hardware(value(&mut words)?)?.to_vec(),
            b"nud" => new.state = state(value(&mut words)?)?,
            b"router" => new.flags |= 0x80,
            b"proxy" => {
                new.flags |= PROXY;
                to = Some(address(value(&mut words)?)?);
            }
            word if to.is_none() => {
                let word = if word == b"to" { value(&mut words)? } else { word };
                to = Some(address(word)?);
            }
            word => return Err(unknown(word)),
        }
    }
    new.to = to.ok_or_else(Error::usage)?;
    if index == 0 {
        return Err(Error::new("need \"dev IFACE\""));
    }
    new.index = index;
    netlink.change(new.request(kind, flags)).map_err(refused)
}
