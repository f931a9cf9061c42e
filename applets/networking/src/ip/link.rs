//! `ip link`.

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{hardware_text, parse_hardware};
use rbox_core::net::netlink::{CREATE_NEW, Link, Netlink, Request, UP, nested};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::text::{Left, Right};
use rbox_core::{push, text};

use super::{Show, is, number, refused, unknown, value};

/// `IFF_...` of netdevice(7), as iproute2 names them.
const FLAGS: Names = names! {
    "LOOPBACK" = 8, "BROADCAST" = 2, "POINTOPOINT" = 0x10, "MULTICAST" = 0x1000, "NOARP" = 0x80, "ALLMULTI" = 0x200, "PROMISC" = 0x100, "MASTER" = 0x400, "SLAVE" = 0x800, "DEBUG" = 4, "DYNAMIC" = 0x8000, "UP" = 1, "LOWER_UP" = 0x1_0000,
};

/// Operational states (RFC 2863).
const STATES: Names = names! {
    "UNKNOWN" = 0, "NOTPRESENT" = 1, "DOWN" = 2, "LOWERLAYERDOWN" = 3, "TESTING" = 4, "DORMANT" = 5, "UP" = 6,
};

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
    let (mut only, mut up) = (None, false);
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            b"dev" => only = Some(value(&mut words)?),
            b"up" => up = true,
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
    let wanted = |link: &&Link| only.is_none_or(|name| link.name == name) && (!up || link.flags & UP != 0);
    for link in links.iter().filter(wanted) {
        let mut text = if show.brief { brief(link, &links) } else { head(link, &links, show.one_line) };
        if show.statistics {
            text.extend(counters(link, show.one_line));
        }
        text.push(b'\n');
        env.stdout.write(&text)?;
    }
    Ok(())
}

fn brief(link: &Link, links: &[Link]) -> Vec<u8> {
    let mut text = full_name(link, links);
    text.resize(text.len().max(16), b' ');
    push!(text, " ", Left(state(link), 14), " ", hardware_text(&link.address), " <", flag_names(link), "> ");
    text
}

pub fn state(link: &Link) -> &'static str {
    STATES.name_of(link.state.into()).unwrap_or("UNKNOWN")
}

fn flag_names(link: &Link) -> Vec<u8> {
    let mut text = Vec::new();
    if link.flags & (UP | 0x40) == UP {
        push!(text, "NO-CARRIER,");
    }
    for name in FLAGS.of_flags(link.flags.into()) {
        push!(text, name, ",");
    }
    text.pop();
    text
}

/// The name, with that of the interface below or at the other end.
pub fn full_name(link: &Link, links: &[Link]) -> Vec<u8> {
    let mut text = link.name.clone();
    if let Some(parent) = links.iter().find(|other| other.index == link.parent && link.parent != link.index) {
        push!(text, "@", &parent.name);
    }
    text
}

/// The two lines that show an interface; one with -o.
pub fn head(link: &Link, links: &[Link], one_line: bool) -> Vec<u8> {
    let named = |index: u32| links.iter().find(|link| link.index == index).map(|link| link.name.as_slice());
    let mut text = text!(link.index, ": ", full_name(link, links), ": <", flag_names(link), "> mtu ", link.mtu);
    if !link.discipline.is_empty() {
        push!(text, " qdisc ", &link.discipline);
    }
    if let Some(master) = named(link.master) {
        push!(text, " master ", master);
    }
    push!(text, " state ", state(link));
    if link.queue != 0 {
        push!(text, " qlen ", link.queue);
    }
    let kind = match link.hardware {
        1 => "ether",
        772 => "loopback",
        776 => "sit",
        65534 => "none",
        _ => "unknown",
    };
    push!(text, if one_line { "\\    link/" } else { "\n    link/" }, kind);
    if !link.address.is_empty() {
        let other = if link.flags & 0x10 == 0 { " brd " } else { " peer " };
        push!(text, " ", hardware_text(&link.address), other, hardware_text(&link.broadcast));
    }
    text
}

/// What the interface has received and sent, in the columns of iproute2: two lines each, or parts of one.
pub fn counters(link: &Link, one_line: bool) -> Vec<u8> {
    let lead = if one_line { "\\    " } else { "\n    " };
    // Places in struct rtnl_link_stats64.
    let received = row(link, [2, 0, 4, 6, 21, 8]);
    let sent = row(link, [3, 1, 5, 7, 16, 9]);
    let mut text = text!(lead, "RX:  bytes packets errors dropped  missed   mcast           ", lead, received);
    push!(text, lead, "TX:  bytes packets errors dropped carrier collsns           ", lead, sent);
    text
}

fn row(link: &Link, columns: [usize; 6]) -> Vec<u8> {
    let mut text = Vec::new();
    for (at, width) in columns.into_iter().zip([10, 7, 6, 7, 7, 7]) {
        push!(text, Right(link.counters.get(at).copied().unwrap_or(0), width, b' '), " ");
    }
    text
}

fn set(netlink: &Netlink, words: &[&[u8]]) -> Result<()> {
    let mut words = words.iter().copied();
    let (mut name, mut flags, mut mask) = (None, 0, 0);
    let mut attributes: Vec<(u16, Vec<u8>)> = Vec::new();
    while let Some(word) = words.next() {
        let flag = match word {
            b"up" | b"down" => Some(UP),
            b"multicast" => Some(0x1000),
            b"allmulticast" => Some(0x200),
            b"promisc" => Some(0x100),
            b"arp" => Some(0x80),
            _ => None,
        };
        if let Some(flag) = flag {
            let on = match word {
                b"up" => true,
                b"down" => false,
                _ => match value(&mut words)? {
                    b"on" => word != b"arp",
                    b"off" => word == b"arp",
                    other => return Err(Error::parts(&[b"invalid argument '", other, b"' to '", word, b"'"])),
                },
            };
            mask |= flag;
            flags = if on { flags | flag } else { flags & !flag };
            continue;
        }
        let number = |value: &[u8]| number(value, word).map(|value| value.to_ne_bytes().to_vec());
        match word {
            b"dev" => name = Some(value(&mut words)?),
            b"mtu" => attributes.push((4, number(value(&mut words)?)?)),
            b"txqueuelen" | b"qlen" => attributes.push((13, number(value(&mut words)?)?)),
            b"name" => attributes.push((3, [value(&mut words)?, b"\0"].concat())),
            b"address" => attributes.push((1, parse_hardware(value(&mut words)?)?.to_vec())),
            b"broadcast" | b"brd" => attributes.push((2, parse_hardware(value(&mut words)?)?.to_vec())),
            b"master" => {
                let master = netlink.link(value(&mut words)?)?;
                attributes.push((10, master.index.to_ne_bytes().to_vec()));
            }
            b"nomaster" => attributes.push((10, vec![0; 4])),
            b"netns" => attributes.push((19, number(value(&mut words)?)?)),
            other if name.is_none() => name = Some(other),
            other => return Err(unknown(other)),
        }
    }
    let link = netlink.link(name.ok_or_else(|| Error::new("not enough information: \"dev\" argument is required"))?)?;
    netlink.set_link(link.index, flags, mask, &attributes).map_err(refused)
}

fn add(netlink: &Netlink, words: &[&[u8]]) -> Result<()> {
    let mut words = words.iter().copied();
    let (mut kind, mut own, mut peer) = (None::<&[u8]>, Vec::new(), None::<Vec<(u16, Vec<u8>)>>);
    let mut data = Vec::new();
    while let Some(word) = words.next() {
        // Type veth: the words after `peer` describe the other end.
        if word == b"peer" && kind == Some(b"veth") && peer.is_none() {
            peer = Some(Vec::new());
            continue;
        }
        let attributes = peer.as_mut().unwrap_or(&mut own);
        match word {
            b"name" | b"dev" => attributes.push((3, [value(&mut words)?, b"\0"].concat())),
            b"type" => kind = Some(value(&mut words)?),
            b"link" => attributes.push((5, netlink.link(value(&mut words)?)?.index.to_ne_bytes().to_vec())),
            b"address" => attributes.push((1, parse_hardware(value(&mut words)?)?.to_vec())),
            b"mtu" => {
                let mtu = parse_in_range(value(&mut words)?, 0, u32::MAX.into())? as u32;
                attributes.push((4, mtu.to_ne_bytes().to_vec()));
            }
            // Of type vlan: IFLA_VLAN_ID and, in the network's order, IFLA_VLAN_PROTOCOL.
            b"id" if kind == Some(b"vlan") => {
                let id = parse_in_range(value(&mut words)?, 0, 4095)? as u16;
                data.extend_from_slice(&nested(1, &id.to_ne_bytes()));
            }
            b"protocol" if kind == Some(b"vlan") => {
                let protocol: u16 = match value(&mut words)? {
                    b"802.1Q" | b"802.1q" => 0x8100,
                    b"802.1ad" => 0x88a8,
                    other => return Err(unknown(other)),
                };
                data.extend_from_slice(&nested(5, &protocol.to_be_bytes()));
            }
            // Of type vrf: IFLA_VRF_TABLE.
            b"table" if kind == Some(b"vrf") => {
                let table = parse_in_range(value(&mut words)?, 1, u32::MAX.into())? as u32;
                data.extend_from_slice(&nested(1, &table.to_ne_bytes()));
            }
            other if attributes.iter().all(|(kind, _)| *kind != 3) => attributes.push((3, [other, b"\0"].concat())),
            other => return Err(unknown(other)),
        }
    }
    // VETH_INFO_PEER holds an interface's fixed part and attributes.
    if let Some(peer) = peer {
        let attributes = peer.iter().flat_map(|(kind, value)| nested(*kind, value));
        data = nested(1, &[0; 16].into_iter().chain(attributes).collect::<Vec<u8>>());
    }
    let kind = kind.ok_or_else(|| Error::new("not enough information: \"type\" argument is required"))?;
    let mut message = Request::new(16, CREATE_NEW, &[0; 16]);
    for (attribute, value) in &own {
        message = message.attribute(*attribute, value);
    }
    // IFLA_LINKINFO holds IFLA_INFO_KIND, and what belongs to the kind in IFLA_INFO_DATA.
    let mut info = nested(1, kind);
    if !data.is_empty() {
        info.extend_from_slice(&nested(2, &data));
    }
    netlink.change(message.attribute(18, &info)).map_err(refused)
}

fn delete(netlink: &Netlink, words: &[&[u8]]) -> Result<()> {
    let name = words.iter().find(|word| **word != b"dev").ok_or_else(Error::usage)?;
    let index = netlink.link(name)?.index;
    let fixed = [&[0u8; 4][..], &index.to_ne_bytes(), &[0; 8]].concat();
    netlink.change(Request::new(17, 0, &fixed)).map_err(refused)
}
