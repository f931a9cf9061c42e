//! `ip addr`.

use core::net::IpAddr;

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{self, mask};
use rbox_core::net::netlink::{Address, CREATE_NEW, CREATE_OR_REPLACE, Link, Netlink, UP};
use rbox_core::pattern::glob::{self, Flags};
use rbox_core::prelude::*;
use rbox_core::text;

use super::record::Record;
use super::{Show, is, link, number, prefix, refused, scope, scope_name, unknown, value, within};

pub fn run(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Outcome {
    match words.split_first() {
        None => list(env, netlink, show, &[])?,
        Some((word, rest)) if is(word, "show") || is(word, "list") || *word == b"ls" => list(env, netlink, show, rest)?,
        Some((word, rest)) if is(word, "add") => change(netlink, true, CREATE_NEW, rest)?,
        Some((word, rest)) if is(word, "replace") || is(word, "change") => {
            change(netlink, true, CREATE_OR_REPLACE, rest)?
        }
        Some((word, rest)) if is(word, "delete") => change(netlink, false, 0, rest)?,
        Some((word, rest)) if is(word, "flush") => flush(netlink, show, rest)?,
        Some((word, _)) => return Err(super::invalid(word, "ip")),
    }
    Ok(ExitStatus::SUCCESS)
}

/// What `show` and `flush` pick.
#[derive(Default)]
struct Filter<'a> {
    device: Option<&'a [u8]>,
    scope: Option<u8>,
    to: Option<(IpAddr, u8)>,
    label: Option<&'a [u8]>,
    /// Flags that must be set and that must not be.
    flags: (u32, u32),
    up: bool,
}

/// linux/if_addr.h, IFA_F_*.
const SECONDARY: u32 = 1;
const DEPRECATED: u32 = 0x20;
const TENTATIVE: u32 = 0x40;
const PERMANENT: u32 = 0x80;

impl<'a> Filter<'a> {
    fn parse(words: &[&'a [u8]]) -> Result<Self> {
        let mut filter = Self::default();
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            match word {
                b"dev" => filter.device = Some(value(&mut words)?),
                b"scope" => filter.scope = Some(scope(value(&mut words)?)?),
                b"to" => filter.to = Some(prefix(value(&mut words)?)?),
                b"label" => filter.label = Some(value(&mut words)?),
                b"up" => filter.up = true,
                b"primary" => filter.flags.1 |= SECONDARY,
                b"secondary" | b"temporary" => filter.flags.0 |= SECONDARY,
                b"permanent" => filter.flags.0 |= PERMANENT,
                b"dynamic" => filter.flags.1 |= PERMANENT,
                b"deprecated" => filter.flags.0 |= DEPRECATED,
                b"tentative" => filter.flags.0 |= TENTATIVE,
                name if filter.device.is_none() => filter.device = Some(name),
                other => return Err(unknown(other)),
            }
        }
        Ok(filter)
    }

    fn takes(&self, address: &Address) -> bool {
        self.scope.is_none_or(|scope| address.scope == scope)
            && self.to.is_none_or(|(to, bits)| within(address.local, to, bits))
            && self.label.is_none_or(|label| glob::matches(label, &address.label, Flags::default()))
            && address.flags & self.flags.0 == self.flags.0
            && address.flags & self.flags.1 == 0
    }
}

fn list(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    let filter = Filter::parse(words)?;
    let links = netlink.links()?;
    if let Some(name) = filter.device {
        netlink.link(name)?;
    }
    // A network is of one family, and so is a label.
    let family = match filter.to {
        Some((to, _)) if show.family == 0 => super::family_of(to),
        None if filter.label.is_some() => 2,
        _ => show.family,
    };
    let show = Show { family, ..show };
    let mut addresses = netlink.addresses(show.family)?;
    addresses.retain(|address| filter.takes(address));
    // The order within an interface stays.
    addresses.sort_by_key(|address| address.index);
    let mut rest = &addresses[..];
    let mut record = Record::new(show);
    for link in &links {
        let start = rest.partition_point(|address| address.index < link.index);
        let count = rest[start..].partition_point(|address| address.index == link.index);
        let own = &rest[start..start + count];
        rest = &rest[start + count..];
        if filter.device.is_some_and(|name| link.name != name) || filter.up && link.flags & UP == 0 {
            continue;
        }
        // A family or a filter shows only the interfaces that have such an address.
        if own.is_empty() && (!matches!(show.family, 0 | 17) || filter.scope.is_some() || filter.flags != (0, 0)) {
            continue;
        }
        record.open("", b'{');
        print(env, &mut record, link, &links, own, show)?;
        record.close(b'}');
        record.flush(env)?;
    }
    record.finish(env)
}

fn print(env: &mut Env, record: &mut Record, link: &Link, links: &[Link], own: &[Address], show: Show) -> Result<()> {
    if show.brief {
        link::brief(record, link, links);
    } else if record.json || !show.one_line {
        link::head(record, link, links, show, true);
        record.text("\n");
    }
    record.open("addr_info", b'[');
    for address in own {
        record.open("", b'{');
        if show.brief {
            brief(record, address);
        } else {
            if show.one_line {
                record.text(text!(link.index, ": ", &link.name));
            }
            record.text("    ");
            line(record, address, link);
            record.text(if show.one_line { "\\       " } else { "\n       " });
            lifetimes(record, address);
            record.text("\n");
        }
        record.close(b'}');
        record.flush(env)?;
    }
    record.close(b']');
    if show.brief {
        record.text("\n");
    }
    Ok(())
}

fn brief(record: &mut Record, address: &Address) {
    record.word("", "local", &addr::text(address.local));
    if let Some(peer) = address.peer {
        record.word(" peer ", "address", &addr::text(peer));
    }
    record.number("/", "prefixlen", address.prefix.into());
    record.text(" ");
}

/// Flags of an address that are shown: if_addr.h, IFA_F_*.
const SHOWN: Names = names! {
    "secondary" = SECONDARY, "tentative" = TENTATIVE, "deprecated" = DEPRECATED, "dadfailed" = 8, "nodad" = NO_CHECK,
    "home" = HOME, "mngtmpaddr" = 0x100, "noprefixroute" = NO_ROUTE, "autojoin" = 0x400,
};
const NO_CHECK: u32 = 2;
const HOME: u32 = 0x10;
const NO_ROUTE: u32 = 0x200;

/// What one line says of an address; what is printed first is what `monitor` prints too.
pub fn line(record: &mut Record, address: &Address, link: &Link) {
    record.word("", "family", if address.local.is_ipv4() { b"inet" } else { b"inet6" });
    record.word(" ", "local", &addr::text(address.local));
    if let Some(peer) = address.peer {
        record.word(" peer ", "address", &addr::text(peer));
    }
    record.number("/", "prefixlen", address.prefix.into());
    if address.metric != 0 {
        record.number(" metric ", "metric", address.metric.into());
    }
    if let Some(broadcast) = address.broadcast {
        record.word(" brd ", "broadcast", &addr::text(broadcast));
    }
    record.word(" scope ", "scope", &scope_name(address.scope));
    for (name, flag) in SHOWN.iter() {
        if u64::from(address.flags) & flag != 0 {
            record.text(" ");
            // What is secondary in IPv4 is temporary in IPv6 (RFC 8981).
            let name = if flag == SECONDARY.into() && address.local.is_ipv6() { "temporary" } else { name };
            record.flag(name, name);
        }
    }
    if address.flags & PERMANENT == 0 {
        record.flag(" dynamic", "dynamic");
    }
    record.text(" ");
    if address.local.is_ipv4() {
        record.word("", "label", if address.label.is_empty() { &link.name } else { &address.label });
    }
}

/// For how long it is valid and preferred.
pub fn lifetimes(record: &mut Record, address: &Address) {
    let times = [
        ("valid_lft ", "valid_life_time", address.lifetimes.0),
        (" preferred_lft ", "preferred_life_time", address.lifetimes.1),
    ];
    for (lead, key, seconds) in times {
        if record.json || seconds != u32::MAX {
            record.number(lead, key, seconds.into());
            record.text("sec");
        } else {
            record.text(lead);
            record.text("forever");
        }
    }
}

fn change(netlink: &Netlink, add: bool, flags: u16, words: &[&[u8]]) -> Result<()> {
    let mut words = words.iter().copied();
    let (mut local, mut peer, mut broadcast, mut device, mut label) = (None, None, None, None, Vec::new());
    // The broadcast address has all ones, or all zeros, past the prefix.
    let (mut chosen_scope, mut ends) = (None, None);
    let (mut lifetimes, mut metric, mut set) = ((u32::MAX, u32::MAX), 0, 0);
    while let Some(word) = words.next() {
        match word {
            b"dev" => device = Some(value(&mut words)?),
            b"peer" | b"remote" => peer = Some(prefix(value(&mut words)?)?),
            b"broadcast" | b"brd" => match value(&mut words)? {
                b"+" => ends = Some(true),
                b"-" => ends = Some(false),
                word => broadcast = Some(super::address(word)?),
            },
            b"scope" => chosen_scope = Some(scope(value(&mut words)?)?),
            b"label" => label = value(&mut words)?.to_vec(),
            b"local" => local = Some(prefix(value(&mut words)?)?),
            b"metric" | b"priority" | b"preference" => metric = number(value(&mut words)?, word)?,
            b"valid_lft" => lifetimes.0 = lifetime(value(&mut words)?, word)?,
            b"preferred_lft" => lifetimes.1 = lifetime(value(&mut words)?, word)?,
            b"nodad" | b"home" | b"mngtmpaddr" | b"noprefixroute" | b"autojoin" => {
                set |= SHOWN.number_of(word).unwrap_or(0) as u32;
            }
            other if local.is_none() => local = Some(prefix(other)?),
            other => return Err(unknown(other)),
        }
    }
    let (local, bits) = local.ok_or_else(Error::usage)?;
    let device = device.ok_or_else(|| Error::new("need \"dev IFACE\""))?;
    let length = peer.map_or(bits, |(_, bits)| bits);
    if local.is_ipv6() && (ends.is_some() || broadcast.is_some()) {
        return Err(Error::new("broadcast can be set only for IPv4 addresses"));
    }
    // A network of two has none (RFC 3021).
    if let (IpAddr::V4(address), Some(ones), 0..=30) = (local, ends, bits) {
        let (address, mask) = (address.to_bits(), mask(bits).to_bits());
        broadcast = Some(IpAddr::V4(if ones { address | !mask } else { address & mask }.into()));
    }
    if !label.is_empty() && !label.starts_with(device) {
        return Err(Error::parts(&[b"\"dev\" (", device, b") must match \"label\" (", &label, b")"]));
    }
    let scope = chosen_scope.unwrap_or(if local.is_loopback() { 254 } else { 0 });
    let index = netlink.link(device)?.index;
    // What is valid for a time is preferred as long at most.
    lifetimes.1 = if lifetimes.1 == u32::MAX { lifetimes.0 } else { lifetimes.1 };
    if lifetimes.1 > lifetimes.0 {
        return Err(Error::new("preferred_lft is greater than valid_lft"));
    }
    let peer = peer.map(|(peer, _)| peer);
    let address =
        Address { index, local, peer, prefix: length, scope, broadcast, label, flags: set, lifetimes, metric };
    netlink.set_address(add, flags, &address).map_err(refused)
}

/// Seconds, or `forever`.
fn lifetime(word: &[u8], keyword: &[u8]) -> Result<u32> {
    if word == b"forever" { Ok(u32::MAX) } else { number(word, keyword) }
}

fn flush(netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    let filter = Filter::parse(words)?;
    if words.is_empty() {
        return Err(Error::new("flush requires an argument"));
    }
    let index = filter.device.map(|name| netlink.link(name)).transpose()?.map(|link| link.index);
    let addresses = netlink.addresses(show.family)?;
    let wanted = |own: &&Address| index.is_none_or(|index| own.index == index) && filter.takes(own);
    for address in addresses.iter().filter(wanted) {
        match netlink.set_address(false, 0, address) {
            // A first address takes its secondary ones along.
            Ok(()) | Err(rbox_core::sys::Errno::ADDRNOTAVAIL) => {}
            Err(errno) => return Err(refused(errno)),
        }
    }
    Ok(())
}
