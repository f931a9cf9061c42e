//! `ip tunnel` and `iptunnel`: tunnels of IP, made and listed as interfaces of their kinds (linux/if_tunnel.h).

use core::net::IpAddr;

use rbox_core::net::addr::{self, from_octets};
use rbox_core::net::netlink::{CREATE_NEW, Link, Netlink, find, word};
use rbox_core::prelude::*;
use rbox_core::text;
use rbox_core::text::Hex;

use super::kind::Data;
use super::link::{delete_index, new_link};
use super::record::Record;
use super::{Show, invalid, is, refused, unknown, value};

pub fn run(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Outcome {
    match words.split_first() {
        None => list(env, netlink, show, &[])?,
        Some((word, rest)) if is(word, "show") || is(word, "list") || *word == b"ls" => list(env, netlink, show, rest)?,
        Some((word, rest)) if is(word, "add") => change(netlink, CREATE_NEW, rest)?,
        Some((word, rest)) if is(word, "change") || *word == b"chg" => change(netlink, 0, rest)?,
        Some((word, rest)) if is(word, "delete") => {
            let name = rest.iter().find(|word| !matches!(**word, b"dev" | b"name")).ok_or_else(Error::usage)?;
            let link = netlink.link(name)?;
            if layout(&link.kind()).is_none() {
                return Err(Error::parts(&[b"'", name, b"' is no tunnel"]));
            }
            delete_index(netlink, link.index).map_err(refused)?;
        }
        Some((word, _)) => return Err(invalid(word, "ip")),
    }
    Ok(ExitStatus::SUCCESS)
}

/// The attributes of a kind of tunnel: device, local and remote address, time to live, service, path MTU discovery, and the
/// keys, 0 for what it has not; then its name in lists.
struct Layout {
    attributes: [u16; 6],
    keys: [u16; 2],
    title: &'static str,
}

fn layout(kind: &[u8]) -> Option<Layout> {
    let of_ip = [1, 2, 3, 4, 5, 10];
    let (attributes, keys, title) = match kind {
        b"gre" => ([1, 6, 7, 8, 9, 10], [4, 5], "gre/ip"),
        b"ipip" => (of_ip, [0, 0], "ip/ip"),
        b"sit" => (of_ip, [0, 0], "ipv6/ip"),
        b"ip6gre" => ([1, 6, 7, 8, 0, 0], [4, 5], "gre/ipv6"),
        b"ip6tnl" => ([1, 2, 3, 4, 0, 0], [0, 0], "ip/ipv6"),
        b"vti" => ([1, 4, 5, 0, 0, 0], [2, 3], "ip/ip"),
        b"vti6" => ([1, 4, 5, 0, 0, 0], [2, 3], "ip/ipv6"),
        _ => return None,
    };
    Some(Layout { attributes, keys, title })
}

fn change(netlink: &Netlink, flags: u16, words: &[&[u8]]) -> Result<()> {
    let (mut name, mut mode, mut rest) = (None, None, Vec::new());
    let mut all = words.iter().copied();
    while let Some(word) = all.next() {
        match word {
            b"mode" => mode = Some(value(&mut all)?),
            b"name" => name = Some(value(&mut all)?),
            // What has a value is not the name, which may come anywhere.
            b"remote" | b"local" | b"ttl" | b"hoplimit" | b"tos" | b"dsfield" | b"dev" | b"key" | b"ikey" | b"okey" => {
                rest.push(if word == b"dsfield" { b"tos" } else { word });
                rest.push(value(&mut all)?);
            }
            b"csum" | b"icsum" | b"ocsum" | b"seq" | b"iseq" | b"oseq" | b"pmtudisc" | b"nopmtudisc" | b"external" => {
                rest.push(word);
            }
            word if name.is_none() => name = Some(word),
            word => return Err(unknown(word)),
        }
    }
    let known = name.filter(|_| flags == 0).map(|name| netlink.link(name)).transpose()?;
    let kind = match (mode, &known) {
        (Some(b"gre" | b"gre/ip"), _) => b"gre".to_vec(),
        (Some(b"ipip" | b"ip/ip"), _) => b"ipip".to_vec(),
        (Some(b"sit" | b"ipv6/ip"), _) => b"sit".to_vec(),
        (Some(b"ip6gre" | b"gre/ipv6"), _) => b"ip6gre".to_vec(),
        (Some(b"ip6ip6" | b"ipip6" | b"any"), _) => b"ip6tnl".to_vec(),
        (Some(mode @ (b"vti" | b"vti6")), _) => mode.to_vec(),
        (Some(mode), _) => return Err(invalid(mode, "mode")),
        (None, Some(link)) => link.kind(),
        (None, None) => return Err(Error::new("cannot determine tunnel mode (ipip, gre, vti or sit)")),
    };
    let mut data = Data::new(&kind);
    let mut rest = rest.iter().copied();
    while let Some(word) = rest.next() {
        if !data.take(netlink, word, &mut rest)? {
            return Err(unknown(word));
        }
    }
    let attributes: Vec<(u16, Vec<u8>)> = name.map(|name| (3, [name, b"\0"].concat())).into_iter().collect();
    netlink.change(new_link(&[0; 16], flags, &attributes, &kind, &data.finish())).map_err(refused)
}

fn list(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    let only = match words {
        [] => None,
        [b"dev" | b"name", name] | [name] => Some(netlink.link(name)?.name),
        [_, word, ..] => return Err(unknown(word)),
    };
    let links = netlink.links()?;
    let mut record = Record::new(show);
    for link in links.iter().filter(|link| only.as_ref().is_none_or(|name| *name == link.name)) {
        let Some(layout) = layout(&link.kind()) else { continue };
        let is_v6 = layout.title.ends_with("/ipv6");
        if show.family == 0 || (show.family == 10) == is_v6 {
            print(&mut record, link, &links, &layout);
            record.flush(env)?;
        }
    }
    record.finish(env)
}

fn print(record: &mut Record, link: &Link, links: &[Link], layout: &Layout) {
    let data = find(&link.info, 2).unwrap_or_default();
    let value = |attribute: u16| find(data, attribute).filter(|_| attribute != 0);
    let byte = |attribute: u16| value(attribute).and_then(|value| value.first()).copied();
    let [device, local, remote, life, service, discovery] = layout.attributes;
    record.open("", b'{');
    record.word("", "ifname", &link.name);
    record.word(": ", "mode", layout.title.as_bytes());
    for (lead, key, attribute) in [(" remote ", "remote", remote), (" local ", "local", local)] {
        let address = value(attribute).and_then(from_octets).filter(|address: &IpAddr| !address.is_unspecified());
        record.word(lead, key, &address.map_or_else(|| b"any".to_vec(), addr::text));
    }
    let below = value(device).map_or(0, word);
    if let Some(below) = links.iter().find(|other| other.index == below && below != 0) {
        record.word(" dev ", "dev", &below.name);
    }
    match byte(life) {
        Some(0) | None => record.word(" ttl ", "ttl", b"inherit"),
        Some(life) => record.number(" ttl ", "ttl", life.into()),
    }
    match byte(service) {
        Some(0) | None => {}
        Some(1) => record.word(" tos ", "tos", b"inherit"),
        Some(service) => record.word(" tos ", "tos", &text!("0x", Hex(service.into()))),
    }
    if byte(discovery) == Some(0) {
        record.flag(" nopmtudisc", "nopmtudisc");
    }
    for (lead, key, attribute) in [(" ikey ", "ikey", layout.keys[0]), (" okey ", "okey", layout.keys[1])] {
        if let Some(number) = value(attribute).filter(|value| value.len() == 4 && **value != [0; 4]) {
            let number = u32::from_be_bytes([number[0], number[1], number[2], number[3]]);
            record.number(lead, key, number.into());
        }
    }
    record.text("\n");
    record.close(b'}');
}
