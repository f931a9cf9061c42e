//! `ip addr`.

use core::net::IpAddr;

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{mask, parse, parse_prefix};
use rbox_core::net::netlink::{Address, CREATE_NEW, CREATE_OR_REPLACE, Link, Netlink, UP};
use rbox_core::prelude::*;
use rbox_core::text::Left;
use rbox_core::{push, text};

use super::link::{full_name, head, state};
use super::{Show, is, refused, scope, scope_name, unknown, value};

pub fn run(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Outcome {
    match words.split_first() {
        None => list(env, netlink, show, &[])?,
        Some((word, rest)) if is(word, "show") || is(word, "list") || *word == b"ls" => list(env, netlink, show, rest)?,
        Some((word, rest)) if is(word, "add") => change(netlink, true, CREATE_NEW, rest)?,
        Some((word, rest)) if is(word, "replace") || is(word, "change") => change(netlink, true, CREATE_OR_REPLACE, rest)?,
        Some((word, rest)) if is(word, "delete") => change(netlink, false, 0, rest)?,
        Some((word, rest)) if is(word, "flush") => flush(netlink, show, rest)?,
        Some((word, _)) => return Err(Error::parts(&[b"unknown command '", word, b"'"])),
    }
    Ok(ExitStatus::SUCCESS)
}

/// What `show` and `flush` pick.
#[derive(Default)]
struct Filter<'a> {
    device: Option<&'a [u8]>,
    scope: Option<u8>,
    to: Option<(IpAddr, u8)>,
    up: bool,
}

impl<'a> Filter<'a> {
    fn parse(words: &[&'a [u8]]) -> Result<Self> {
        let mut filter = Self::default();
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            match word {
                b"dev" => filter.device = Some(value(&mut words, word)?),
                b"scope" => filter.scope = Some(scope(value(&mut words, word)?)?),
                b"to" => filter.to = Some(parse_prefix(value(&mut words, word)?)?),
                b"up" => filter.up = true,
                name if filter.device.is_none() => filter.device = Some(name),
                other => return Err(unknown(other)),
            }
        }
        Ok(filter)
    }

    fn takes(&self, address: &Address) -> bool {
        self.scope.is_none_or(|scope| address.scope == scope) && self.to.is_none_or(|(to, bits)| within(address.local, to, bits))
    }
}

fn within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()) & mask(bits).to_bits() == 0,
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0,
        _ => false,
    }
}

fn list(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    let filter = Filter::parse(words)?;
    let links = netlink.links()?;
    if let Some(name) = filter.device {
        netlink.link(name)?;
    }
    let addresses = netlink.addresses(show.family)?;
    for link in links.iter().filter(|link| filter.device.is_none_or(|name| link.name == name)) {
        if filter.up && link.flags & UP == 0 {
            continue;
        }
        let own: Vec<&Address> = addresses.iter().filter(|address| address.index == link.index && filter.takes(address)).collect();
        // A family or a filter shows only the interfaces that have such an address.
        if own.is_empty() && (show.family != 0 || filter.scope.is_some() || filter.to.is_some()) {
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
            push!(text, link.index, ": ", &link.name, "    ", line(address, link), "\\       ", lifetimes(address), "\n");
        }
        return text;
    }
    text = head(link, links, false);
    if show.family != 0 {
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
const SHOWN: Names = names! { "secondary" = 1, "tentative" = 0x40, "deprecated" = 0x20, "dadfailed" = 8 };

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
    if address.flags & 0x80 == 0 {
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
    let (mut chosen_scope, mut everyone) = (None, false);
    while let Some(word) = words.next() {
        match word {
            b"dev" => device = Some(value(&mut words, word)?),
            b"peer" | b"remote" => peer = Some(parse_prefix(value(&mut words, word)?)?),
            b"broadcast" | b"brd" => match value(&mut words, word)? {
                b"+" => everyone = true,
                b"-" => broadcast = None,
                address => broadcast = Some(parse(address)?),
            },
            b"scope" => chosen_scope = Some(scope(value(&mut words, word)?)?),
            b"label" => label = value(&mut words, word)?.to_vec(),
            b"local" => local = Some(parse_prefix(value(&mut words, word)?)?),
            other if local.is_none() => local = Some(parse_prefix(other)?),
            other => return Err(unknown(other)),
        }
    }
    let (local, bits) = local.ok_or_else(Error::usage)?;
    let device = device.ok_or_else(|| Error::new("not enough information: \"dev\" argument is required"))?;
    let prefix = peer.map_or(bits, |(_, bits)| bits);
    if let (IpAddr::V4(address), true) = (local, everyone) {
        broadcast = Some(IpAddr::V4((address.to_bits() | !mask(prefix).to_bits()).into()));
    }
    let scope = chosen_scope.unwrap_or(if local.is_loopback() { 254 } else { 0 });
    let index = netlink.link(device)?.index;
    let (peer, lifetimes) = (peer.map(|(peer, _)| peer), (u32::MAX, u32::MAX));
    let address = Address { index, local, peer, prefix, scope, broadcast, label, flags: 0, lifetimes };
    netlink.set_address(add, flags, &address).map_err(refused)
}

fn flush(netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    let filter = Filter::parse(words)?;
    let device = filter.device.ok_or_else(|| Error::new("flush requires an argument"))?;
    let index = netlink.link(device)?.index;
    for address in netlink.addresses(show.family)?.iter().filter(|address| address.index == index && filter.takes(address)) {
        match netlink.set_address(false, 0, address) {
            // A first address takes its secondary ones along.
            Ok(()) | Err(rbox_core::sys::Errno::ADDRNOTAVAIL) => {}
            Err(errno) => return Err(refused(errno)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(within(address("10.0.2.15"), address("10.0.2.0"), 24));
        assert!(!within(address("10.0.3.15"), address("10.0.2.0"), 24));
        assert!(within(address("fe80::1"), address("fe80::"), 10));
        assert!(within(address("::1"), address("::"), 0));
        assert!(!within(address("::1"), address("0.0.0.0"), 0));
    }
}
