//! `ip addr`.

use core::net::IpAddr;

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::mask;
use rbox_core::net::netlink::{Address, CREATE_NEW, CREATE_OR_REPLACE, Link, Netlink, UP};
use rbox_core::pattern::glob::{self, Flags};
use rbox_core::prelude::*;
use rbox_core::text::Left;
use rbox_core::{push, text};

use super::link::{counters, full_name, head, state};
use super::{Show, is, prefix, refused, scope, scope_name, unknown, value, within};

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
        Some((to, _)) if show.family == 0 => {
            if to.is_ipv4() {
                2
            } else {
                10
            }
        }
        None if filter.label.is_some() => 2,
        _ => show.family,
    };
    let show = Show { family, ..show };
    let addresses = netlink.addresses(show.family)?;
    for link in links.iter().filter(|link| filter.device.is_none_or(|name| link.name == name)) {
        if filter.up && link.flags & UP == 0 {
            continue;
        }
        let own: Vec<&Address> =
            addresses.iter().filter(|address| address.index == link.index && filter.takes(address)).collect();
        // A family or a filter shows only the interfaces that have such an address.
        if own.is_empty() && (!matches!(show.family, 0 | 17) || filter.scope.is_some() || filter.flags != (0, 0)) {
            continue;
        }
        env.stdout.write(&text(link, &links, &own, show))?;
    }
    Ok(())
}

fn text(link: &Link, links: &[Link], own: &[&Address], show: Show) -> Vec<u8> {
    let mut text = Vec::new();
    if show.brief {
        text = full_name(link, links);
        text.resize(text.len().max(16), b' ');
        push!(text, " ", Left(state(link), 14), " ");
        for address in own {
            push!(text, address.local, "/", address.prefix, " ");
        }
        text.push(b'\n');
        return text;
    }
    if show.one_line {
        for address in own {
            push!(
                text,
                link.index,
                ": ",
                &link.name,
                "    ",
                line(address, link),
                "\\       ",
                lifetimes(address),
                "\n"
            );
        }
        return text;
    }
    text = head(link, links, false);
    if show.statistics {
        text.extend(counters(link, false));
    }
    if !matches!(show.family, 0 | 17) {
        // The second line is of no family.
        text.truncate(text.iter().position(|&byte| byte == b'\n').unwrap_or(text.len()));
    }
    text.push(b'\n');
    for address in own {
        push!(text, "    ", line(address, link), "\n       ", lifetimes(address), "\n");
    }
    text
}

/// Flags of an address that are shown: if_addr.h, IFA_F_*.
const SHOWN: Names =
    names! { "secondary" = SECONDARY, "tentative" = TENTATIVE, "deprecated" = DEPRECATED, "dadfailed" = 8 };

fn line(address: &Address, link: &Link) -> Vec<u8> {
    let mut text = text!(if address.local.is_ipv4() { "inet " } else { "inet6 " }, address.local);
    if let Some(peer) = address.peer {
        push!(text, " peer ", peer);
    }
    push!(text, "/", address.prefix);
    if let Some(broadcast) = address.broadcast {
        push!(text, " brd ", broadcast);
    }
    push!(text, " scope ", scope_name(address.scope));
    for (name, flag) in SHOWN.iter() {
        if u64::from(address.flags) & flag != 0 {
            push!(text, " ", name);
        }
    }
    if address.flags & PERMANENT == 0 {
        push!(text, " dynamic");
    }
    text.push(b' ');
    if address.local.is_ipv4() {
        push!(text, if address.label.is_empty() { &link.name } else { &address.label });
    }
    text
}

fn lifetimes(address: &Address) -> Vec<u8> {
    let time = |seconds: u32| if seconds == u32::MAX { b"forever".to_vec() } else { text!(seconds, "sec") };
    text!("valid_lft ", time(address.lifetimes.0), " preferred_lft ", time(address.lifetimes.1))
}

fn change(netlink: &Netlink, add: bool, flags: u16, words: &[&[u8]]) -> Result<()> {
    let mut words = words.iter().copied();
    let (mut local, mut peer, mut broadcast, mut device, mut label) = (None, None, None, None, Vec::new());
    // The broadcast address has all ones, or all zeros, past the prefix.
    let (mut chosen_scope, mut ends) = (None, None);
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
            other if local.is_none() => local = Some(prefix(other)?),
            other => return Err(unknown(other)),
        }
    }
    let (local, bits) = local.ok_or_else(Error::usage)?;
    let device = device.ok_or_else(|| Error::new("need \"dev IFACE\""))?;
    let length = peer.map_or(bits, |(_, bits)| bits);
    if let (IpAddr::V4(address), Some(ones)) = (local, ends) {
        let (address, mask) = (address.to_bits(), mask(bits).to_bits());
        broadcast = Some(IpAddr::V4(if ones { address | !mask } else { address & mask }.into()));
    }
    if !label.is_empty() && !label.starts_with(device) {
        return Err(Error::parts(&[b"\"dev\" (", device, b") must match \"label\" (", &label, b")"]));
    }
    let scope = chosen_scope.unwrap_or(if local.is_loopback() { 254 } else { 0 });
    let index = netlink.link(device)?.index;
    let (peer, lifetimes) = (peer.map(|(peer, _)| peer), (u32::MAX, u32::MAX));
    let address = Address { index, local, peer, prefix: length, scope, broadcast, label, flags: 0, lifetimes };
    netlink.set_address(add, flags, &address).map_err(refused)
}

fn flush(netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    let filter = Filter::parse(words)?;
    let device = filter.device.ok_or_else(|| Error::new("flush requires an argument"))?;
    let index = netlink.link(device)?.index;
    for address in
        netlink.addresses(show.family)?.iter().filter(|address| address.index == index && filter.takes(address))
    {
        match netlink.set_address(false, 0, address) {
            // A first address takes its secondary ones along.
            Ok(()) | Err(rbox_core::sys::Errno::ADDRNOTAVAIL) => {}
            Err(errno) => return Err(refused(errno)),
        }
    }
    Ok(())
}
