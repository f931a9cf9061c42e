//! `ip link`: list and change interfaces.

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{from_octets, hardware_text, parse_hardware};
use rbox_core::net::netlink::{CREATE_NEW, Link, Netlink, Request, UP, find, name, nested, word};
use rbox_core::prelude::*;
use rbox_core::sys::{AsRawFd, OwnedFd};
use rbox_core::text;
use rbox_core::text::Right;

use super::kind::{self, Data};
use super::record::Record;
use super::{Show, is, named, number, refused, tuntap, unknown, value};

/// `IFF_...` of netdevice(7), as iproute2 names them.
const FLAGS: Names = names! {
    "LOOPBACK" = 8, "BROADCAST" = 2, "POINTOPOINT" = 0x10, "MULTICAST" = 0x1000, "NOARP" = 0x80, "ALLMULTI" = 0x200, "PROMISC" = 0x100, "MASTER" = 0x400, "SLAVE" = 0x800, "DEBUG" = 4, "DYNAMIC" = 0x8000, "UP" = 1, "LOWER_UP" = 0x1_0000,
};

/// Operational states (RFC 2863).
const STATES: Names = names! {
    "UNKNOWN" = 0, "NOTPRESENT" = 1, "DOWN" = 2, "LOWERLAYERDOWN" = 3, "TESTING" = 4, "DORMANT" = 5, "UP" = 6,
};

/// linux/if_arp.h, ARPHRD_*.
const HARDWARE: Names = names! {
    "ether" = 1, "infiniband" = 32, "slip" = 256, "ppp" = 512, "ipip" = 768, "tunnel6" = 769, "loopback" = 772, "sit" = 776,
    "gre" = 778, "ieee802.11" = 801, "gre6" = 823, "none" = 65534,
};

/// linux/rtnetlink.h: the number of a group, of which only that of all interfaces at first has a name.
const GROUPS: Names = names! { "default" = 0 };

pub fn run(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Outcome {
    match words.split_first() {
        None => list(env, netlink, show, &[])?,
        Some((word, rest)) if is(word, "show") || is(word, "list") || *word == b"ls" => list(env, netlink, show, rest)?,
        Some((word, rest)) if is(word, "set") => set(netlink, rest)?,
        Some((word, rest)) if is(word, "add") => add(netlink, rest)?,
        Some((word, rest)) if is(word, "delete") => delete(netlink, rest)?,
        Some((word, _)) => return Err(super::invalid(word, "ip")),
    }
    Ok(ExitStatus::SUCCESS)
}

fn list(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    let (mut only, mut up, mut kind, mut master, mut group) = (None, false, None, None, None);
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            b"dev" => only = Some(value(&mut words)?),
            b"up" => up = true,
            b"type" => kind = Some(value(&mut words)?),
            b"master" => master = Some(netlink.link(value(&mut words)?)?.index),
            b"group" => group = Some(named(GROUPS, value(&mut words)?, u32::MAX.into(), "group")? as u32),
            name if only.is_none() => only = Some(name),
            other => return Err(unknown(other)),
        }
    }
    let links = netlink.links()?;
    if let Some(name) = only
        && !links.iter().any(|link| link.name == name)
    {
        return Err(Error::parts(&[b"can't find device '", name, b"'"]));
    }
    let wanted = |link: &&Link| {
        only.is_none_or(|name| link.name == name)
            && (!up || link.flags & UP != 0)
            && kind.is_none_or(|kind| is_of_kind(link, kind))
            && master.is_none_or(|master| link.master == master)
            && group.is_none_or(|group| link_number(link, 27) == group)
    };
    let mut record = Record::new(show);
    for link in links.iter().filter(wanted) {
        record.open("", b'{');
        if show.brief {
            brief(&mut record, link, &links);
            record.word("", "address", &hardware(link, &link.address));
            record.text(text!(" <", flag_names(link), "> "));
            push_flags(&mut record, link);
        } else {
            head(&mut record, link, &links, show, true);
        }
        record.text("\n");
        record.close(b'}');
        record.flush(env)?;
    }
    record.finish(env)
}

/// `bridge_slave` is an interface that a bridge holds.
fn is_of_kind(link: &Link, kind: &[u8]) -> bool {
    match kind.strip_suffix(b"_slave") {
        Some(master) => find(&link.info, 4).map(name).is_some_and(|kind| kind == master),
        None => link.kind() == kind,
    }
}

/// Name and state in the short form.
pub fn brief(record: &mut Record, link: &Link, links: &[Link]) {
    let start = record.length();
    names_of(record, link, links);
    if !record.json {
        record.text(vec![b' '; 16usize.saturating_sub(record.length() - start)]);
    }
    record.word(" ", "operstate", state(link).as_bytes());
    record.text(vec![b' '; 15usize.saturating_sub(state(link).len())]);
}

fn state(link: &Link) -> &'static str {
    STATES.name_of(link.state.into()).unwrap_or("UNKNOWN")
}

fn flag_names(link: &Link) -> Vec<u8> {
    let mut names: Vec<&[u8]> = Vec::new();
    if link.flags & (UP | 0x40) == UP {
        names.push(b"NO-CARRIER");
    }
    names.extend(FLAGS.of_flags(link.flags.into()).map(str::as_bytes));
    names.join(&b',')
}

/// The flags of JSON.
fn push_flags(record: &mut Record, link: &Link) {
    if !record.json {
        return;
    }
    record.open("flags", b'[');
    for name in flag_names(link).split(|&byte| byte == b',').filter(|name| !name.is_empty()) {
        record.word("", "", name);
    }
    record.close(b']');
}

/// The name, with that of the interface below or at the other end, of which only the number is known in another network
/// namespace.
fn names_of(record: &mut Record, link: &Link, links: &[Link]) {
    // IFLA_LINK_NETNSID.
    let is_here = find(&link.attributes, 37).is_none();
    let below = match find(&link.attributes, 5).map(word) {
        None => None,
        Some(0) => Some(b"NONE".to_vec()),
        Some(index) if index == link.index && is_here => None,
        Some(index) => {
            let named = links.iter().find(|other| other.index == index && is_here).map(|other| other.name.clone());
            Some(named.unwrap_or_else(|| text!("if", index)))
        }
    };
    if let (true, Some(below)) = (record.json, &below) {
        record.word("", "link", below);
    }
    record.word("", "ifname", &link.name);
    if let Some(below) = below {
        record.text(text!("@", below));
    }
}

/// An attribute that is a number of 32 bits.
fn link_number(link: &Link, attribute: u16) -> u32 {
    find(&link.attributes, attribute).map_or(0, word)
}

/// The addresses of tunnels are those of hosts.
fn hardware(link: &Link, address: &[u8]) -> Vec<u8> {
    match from_octets(address).filter(|_| matches!(link.hardware, 768 | 769 | 776 | 778 | 823)) {
        Some(address) => text!(address),
        None => hardware_text(address),
    }
}

/// The two lines that show an interface, one with -o, and what else the options ask for.
pub fn head(record: &mut Record, link: &Link, links: &[Link], show: Show, with_counters: bool) {
    let named = |index: u32| links.iter().find(|link| link.index == index).map(|link| link.name.as_slice());
    let lead = if show.one_line { "\\    " } else { "\n    " };
    record.number("", "ifindex", link.index.into());
    record.text(": ");
    names_of(record, link, links);
    record.text(text!(": <", flag_names(link), ">"));
    push_flags(record, link);
    record.number(" mtu ", "mtu", link.mtu.into());
    if !link.discipline.is_empty() {
        record.word(" qdisc ", "qdisc", &link.discipline);
    }
    if let Some(master) = named(link.master) {
        record.word(" master ", "master", master);
    }
    record.word(" state ", "operstate", state(link).as_bytes());
    if record.json || show.details {
        let mode = if find(&link.attributes, 17) == Some(&[1]) { "DORMANT" } else { "DEFAULT" };
        record.word(" mode ", "linkmode", mode.as_bytes());
        let group = super::name_or_number(GROUPS, link_number(link, 27).into());
        record.word(" group ", "group", &group);
    }
    if link.queue != 0 {
        record.number(" qlen ", "txqlen", link.queue.into());
    }
    if !matches!(show.family, 0 | 17) {
        // The second line is of no family.
        return;
    }
    record.text(lead);
    let kind = HARDWARE.name_of(link.hardware.into()).unwrap_or("unknown");
    record.word("link/", "link_type", kind.as_bytes());
    if !link.address.is_empty() {
        record.word(" ", "address", &hardware(link, &link.address));
        let (other, key) = if link.flags & 0x10 == 0 { (" brd ", "broadcast") } else { (" peer ", "broadcast") };
        record.word(other, key, &hardware(link, &link.broadcast));
    }
    if show.details {
        details(record, link, links, lead);
    }
    if let Some(alias) = find(&link.attributes, 20) {
        record.text(lead);
        record.word("alias ", "ifalias", &name(alias));
    }
    if with_counters && show.statistics > 0 {
        counters(record, link, show, lead);
    }
}

fn details(record: &mut Record, link: &Link, links: &[Link], lead: &str) {
    for (name, attribute) in names! { "promiscuity" = 30, "allmulti" = 61, "minmtu" = 50, "maxmtu" = 51 }.iter() {
        number_of(record, link, name, attribute as u16);
    }
    record.open_if(!link.info.is_empty(), "linkinfo", b'{');
    // IFLA_INFO_KIND and IFLA_INFO_DATA, then those of the interface that holds this one.
    for (kind_at, data_at, suffix, keys) in
        [(1, 2, "", ["info_kind", "info_data"]), (4, 5, "_slave", ["info_slave_kind", "info_slave_data"])]
    {
        let Some(kind) = find(&link.info, kind_at).map(name) else { continue };
        record.text(lead);
        record.word("", keys[0], &kind);
        record.text(suffix);
        if let Some(data) = find(&link.info, data_at) {
            let kind = [&kind[..], suffix.as_bytes()].concat();
            record.open(keys[1], b'{');
            kind::show(record, &kind, data, links);
            record.close(b'}');
        }
    }
    record.close_if(!link.info.is_empty(), b'}');
    for (name, attribute) in names! {
        "numtxqueues" = 31, "numrxqueues" = 32, "gso_max_size" = 41, "gso_max_segs" = 40, "tso_max_size" = 59,
        "tso_max_segs" = 60, "gro_max_size" = 58,
    }
    .iter()
    {
        number_of(record, link, name, attribute as u16);
    }
}

fn number_of(record: &mut Record, link: &Link, name: &str, attribute: u16) {
    if let Some(number) = find(&link.attributes, attribute) {
        record.text(text!(" ", name, " "));
        let key = match name {
            "minmtu" => "min_mtu",
            "maxmtu" => "max_mtu",
            "numtxqueues" => "num_tx_queues",
            "numrxqueues" => "num_rx_queues",
            name => name,
        };
        record.number("", key, word(number).into());
    }
}

/// What the interface has received and sent, in the columns of iproute2: two lines each, or parts of one.
fn counters(record: &mut Record, link: &Link, show: Show, lead: &str) {
    // Offsets in struct rtnl_link_stats64.
    let (received, sent) = ([2, 0, 4, 6, 15, 8], [3, 1, 5, 7, 17, 9]);
    if record.json {
        record.open("stats64", b'{');
        let keys = "rx bytes packets errors dropped over_errors multicast tx bytes packets errors dropped carrier_errors collisions";
        let mut keys = keys.split(' ');
        for columns in [received, sent] {
            record.open(keys.next().unwrap_or_default(), b'{');
            for (at, key) in columns.into_iter().zip(&mut keys) {
                record.number("", key, counter(link, at));
            }
            record.close(b'}');
        }
        return record.close(b'}');
    }
    let widths = [10, 7, 6, 7, 7, 7];
    record.text(text!(lead, "RX:  bytes packets errors dropped  missed   mcast           "));
    row(record, link, lead, &received, widths);
    if show.statistics > 1 {
        record.text(text!(lead, "RX errors:  length    crc   frame    fifo overrun"));
        row(record, link, lead, &[10, 12, 13, 14, 11], [18, 6, 7, 7, 7, 7]);
    }
    record.text(text!(lead, "TX:  bytes packets errors dropped carrier collsns           "));
    row(record, link, lead, &sent, widths);
    if show.statistics > 1 {
        record.text(text!(lead, "TX errors: aborted   fifo  window heartbt transns"));
        row(record, link, lead, &[16, 18, 20, 19], [18, 6, 7, 7, 7, 7]);
        record.text(text!(Right(link_number(link, 35), 7, b' '), " "));
    }
}

fn counter(link: &Link, at: usize) -> u64 {
    link.counters.get(at).copied().unwrap_or(0)
}

fn row(record: &mut Record, link: &Link, lead: &str, columns: &[usize], widths: [usize; 6]) {
    record.text(lead);
    for (at, width) in columns.iter().zip(widths) {
        record.text(text!(Right(counter(link, *at), width, b' '), " "));
    }
}

/// The attributes of an interface on a command line.
#[derive(Default)]
struct New {
    attributes: Vec<(u16, Vec<u8>)>,
    flags: u32,
    mask: u32,
    /// Keeps the network namespace open until the kernel has looked at it.
    namespace: Option<OwnedFd>,
}

impl New {
    /// Takes a word that every interface has, with its value. False if it is none.
    fn take<'a>(
        &mut self,
        netlink: &Netlink,
        word: &[u8],
        words: &mut (impl Iterator<Item = &'a [u8]> + Clone),
    ) -> Result<bool> {
        let flag = match word {
            b"up" | b"down" => UP,
            b"multicast" => 0x1000,
            b"allmulticast" => 0x200,
            b"promisc" => 0x100,
            b"arp" => 0x80,
            b"dynamic" => 0x8000,
            b"trailers" => 0x20,
            _ => 0,
        };
        if flag != 0 {
            // Two of them say what is not done.
            let inverted = matches!(word, b"arp" | b"trailers");
            let on = match word {
                b"up" => true,
                b"down" => false,
                _ => match value(words)? {
                    b"on" => !inverted,
                    b"off" => inverted,
                    other => return Err(Error::parts(&[b"invalid argument '", other, b"' to '", word, b"'"])),
                },
            };
            self.mask |= flag;
            self.flags = if on { self.flags | flag } else { self.flags & !flag };
            return Ok(true);
        }
        let bytes = |number: u32| number.to_ne_bytes().to_vec();
        let attribute = match word {
            b"mtu" => (4, bytes(number(value(words)?, word)?)),
            b"txqueuelen" | b"qlen" | b"txqlen" => (13, bytes(number(value(words)?, word)?)),
            b"numtxqueues" => (31, bytes(number(value(words)?, word)?)),
            b"numrxqueues" => (32, bytes(number(value(words)?, word)?)),
            b"group" => (27, bytes(named(GROUPS, value(words)?, u32::MAX.into(), "group")? as u32)),
            b"name" => (3, [value(words)?, b"\0"].concat()),
            b"alias" => (20, value(words)?.to_vec()),
            b"address" | b"addr" => (1, parse_hardware(value(words)?)?.to_vec()),
            b"broadcast" | b"brd" => (2, parse_hardware(value(words)?)?.to_vec()),
            b"master" => (10, bytes(netlink.link(value(words)?)?.index)),
            b"nomaster" => (10, vec![0; 4]),
            b"netns" => {
                let word = value(words)?;
                match rbox_core::number::parse_decimal(word) {
                    Some(_) => (19, bytes(number(word, b"netns")?)),
                    None => {
                        let file = super::open_namespace(word)?;
                        let descriptor = (file.as_raw_fd() as u32).to_ne_bytes().to_vec();
                        self.namespace = Some(file);
                        (28, descriptor)
                    }
                }
            }
            _ => return Ok(false),
        };
        self.attributes.push(attribute);
        Ok(true)
    }
}

fn set(netlink: &Netlink, words: &[&[u8]]) -> Result<()> {
    let mut words = words.iter().copied();
    let (mut name, mut new, mut data) = (None, New::default(), None::<(&[u8], Data)>);
    while let Some(word) = words.next() {
        if let Some((_, data)) = &mut data {
            if !data.take(netlink, word, &mut words)? {
                return Err(unknown(word));
            }
        } else if word == b"dev" {
            name = Some(value(&mut words)?);
        } else if word == b"type" {
            let kind = value(&mut words)?;
            data = Some((kind, Data::new(kind)));
        } else if !new.take(netlink, word, &mut words)? {
            if name.is_some() {
                return Err(unknown(word));
            }
            name = Some(word);
        }
    }
    let link = netlink.link(name.ok_or_else(|| Error::new("not enough information: \"dev\" argument is required"))?)?;
    if let Some((kind, data)) = data {
        let info = match kind.strip_suffix(b"_slave") {
            Some(kind) => [nested(4, kind), nested(5, &data.finish())].concat(),
            None => [nested(1, kind), nested(2, &data.finish())].concat(),
        };
        new.attributes.push((18, info));
    }
    netlink.set_link(link.index, new.flags, new.mask, &new.attributes).map_err(refused)
}

fn add(netlink: &Netlink, words: &[&[u8]]) -> Result<()> {
    let mut words = words.iter().copied();
    let (mut kind, mut own, mut peer) = (None::<&[u8]>, New::default(), None::<New>);
    let (mut data, mut index) = (Data::default(), 0u32);
    while let Some(word) = words.next() {
        // Type veth: the words after `peer` describe the other end.
        if word == b"peer" && kind == Some(b"veth") && peer.is_none() {
            peer = Some(New::default());
            continue;
        }
        let new = peer.as_mut().unwrap_or(&mut own);
        match word {
            b"type" => {
                let word = value(&mut words)?;
                if matches!(word, b"tun" | b"tap") {
                    let name = own.attributes.iter().find(|(kind, _)| *kind == 3).map(|(_, name)| name.as_slice());
                    let name = name.and_then(|name| name.strip_suffix(b"\0"));
                    return tuntap::add(word, name, &mut words);
                }
                (kind, data) = (Some(word), Data::new(word));
            }
            _ if kind.is_some() && data.take(netlink, word, &mut words)? => {}
            b"link" => {
                let below = netlink.link(value(&mut words)?)?.index;
                new.attributes.push((5, below.to_ne_bytes().to_vec()));
            }
            b"index" => index = number(value(&mut words)?, word)?,
            b"dev" => new.attributes.push((3, [value(&mut words)?, b"\0"].concat())),
            _ if new.take(netlink, word, &mut words)? => {}
            other if new.attributes.iter().all(|(kind, _)| *kind != 3) => {
                new.attributes.push((3, [other, b"\0"].concat()));
            }
            other => return Err(unknown(other)),
        }
    }
    let mut data = data.finish();
    // VETH_INFO_PEER holds an interface's fixed part and attributes.
    if let Some(peer) = &peer {
        let attributes = peer.attributes.iter().flat_map(|(kind, value)| nested(*kind, value));
        data = nested(1, &[0; 16].into_iter().chain(attributes).collect::<Vec<u8>>());
    }
    let kind = kind.ok_or_else(|| Error::new("not enough information: \"type\" argument is required"))?;
    let fixed = [[0; 4], index.to_ne_bytes(), own.flags.to_ne_bytes(), own.mask.to_ne_bytes()].concat();
    netlink.change(new_link(&fixed, CREATE_NEW, &own.attributes, kind, &data)).map_err(refused)
}

/// A request that makes or changes an interface of a kind: IFLA_LINKINFO holds IFLA_INFO_KIND, and what belongs to the
/// kind in IFLA_INFO_DATA.
pub fn new_link(fixed: &[u8], flags: u16, attributes: &[(u16, Vec<u8>)], kind: &[u8], data: &[u8]) -> Request {
    let mut info = nested(1, kind);
    if !data.is_empty() {
        info.extend_from_slice(&nested(2, data));
    }
    let request = Request::new(16, flags, fixed);
    let request = attributes.iter().fold(request, |request, (kind, value)| request.attribute(*kind, value));
    request.attribute(18, &info)
}

fn delete(netlink: &Netlink, words: &[&[u8]]) -> Result<()> {
    let name = words.iter().find(|word| **word != b"dev").ok_or_else(Error::usage)?;
    delete_index(netlink, netlink.link(name)?.index).map_err(refused)
}

/// Deletes an interface.
pub fn delete_index(netlink: &Netlink, index: u32) -> core::result::Result<(), rbox_core::sys::Errno> {
    let fixed = [&[0u8; 4][..], &index.to_ne_bytes(), &[0; 8]].concat();
    netlink.change(Request::new(17, 0, &fixed))
}
