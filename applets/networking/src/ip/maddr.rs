//! `ip maddr`: the multicast addresses that interfaces listen to (/proc/net/igmp, igmp6 and dev_mcast).

use core::net::Ipv4Addr;

use rbox_core::bytes;
use rbox_core::io;
use rbox_core::net::addr::{from_octets, hardware_text, parse_hardware};
use rbox_core::net::netlink::Netlink;
use rbox_core::number::{parse_decimal, parse_radix};
use rbox_core::prelude::*;
use rbox_core::sys::interface;
use rbox_core::text;

use super::record::Record;
use super::{Show, is, unknown, value};

pub fn run(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Outcome {
    match words.split_first() {
        None => list(env, show, &[])?,
        Some((word, rest)) if is(word, "show") || is(word, "list") || *word == b"ls" => list(env, show, rest)?,
        Some((word, rest)) if is(word, "add") => change(netlink, true, rest)?,
        Some((word, rest)) if is(word, "delete") => change(netlink, false, rest)?,
        Some((word, _)) => return Err(super::invalid(word, "ip")),
    }
    Ok(ExitStatus::SUCCESS)
}

/// Adds a hardware address to an interface, or takes it away.
fn change(netlink: &Netlink, add: bool, words: &[&[u8]]) -> Result<()> {
    let mut words = words.iter().copied();
    let (mut device, mut address) = (None, None);
    while let Some(word) = words.next() {
        match word {
            b"dev" => device = Some(value(&mut words)?),
            word if address.is_none() => {
                let word = if word == b"address" { value(&mut words)? } else { word };
                address = Some(parse_hardware(word)?);
            }
            word => return Err(unknown(word)),
        }
    }
    let (Some(device), Some(address)) = (device, address) else {
        return Err(Error::new("not enough information: address and \"dev IFACE\" are required"));
    };
    let name = netlink.link(device)?.name;
    interface::set_multicast(&name, add, address).map_err(|errno| Error::on(device, errno))
}

/// An address: the number and the name of its interface, its family, its text, how many use it.
struct Membership {
    index: u64,
    name: Vec<u8>,
    family: u8,
    address: Vec<u8>,
    users: u64,
}

fn list(env: &mut Env, show: Show, words: &[&[u8]]) -> Result<()> {
    let only = match words {
        [] => None,
        [b"dev", name] | [name] => Some(*name),
        [_, word, ..] => return Err(unknown(word)),
    };
    let mut all = Vec::new();
    if matches!(show.family, 0 | 17) {
        read_hardware(&mut all)?;
    }
    if matches!(show.family, 0 | 2) {
        read_v4(&mut all)?;
    }
    if matches!(show.family, 0 | 10) {
        read_v6(&mut all)?;
    }
    all.retain(|one| only.is_none_or(|name| name == one.name));
    // The order within an interface stays.
    all.sort_by_key(|one| one.index);
    let mut record = Record::new(show);
    for group in all.chunk_by(|one, next| one.index == next.index) {
        record.open("", b'{');
        record.number("", "ifindex", group[0].index);
        record.word(":\t", "ifname", &group[0].name);
        record.text(if show.one_line { "" } else { "\n" });
        record.open("maddr", b'[');
        for one in group {
            record.open("", b'{');
            record.text(if show.one_line { "\\" } else { "" });
            match one.family {
                17 => record.word("\tlink  ", "link", &one.address),
                family => {
                    record.word("\t", "family", if family == 2 { b"inet" } else { b"inet6" });
                    record.word(if family == 2 { "  " } else { " " }, "address", &one.address);
                }
            }
            if one.users != 1 {
                record.number(" users ", "users", one.users);
            }
            record.text(if show.one_line { "" } else { "\n" });
            record.close(b'}');
        }
        record.text(if show.one_line { "\n" } else { "" });
        record.close(b']');
        record.close(b'}');
        record.flush(env)?;
    }
    record.finish(env)
}

fn hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| parse_radix(pair, 16).map(|byte| byte as u8);
    digits.chunks(2).map(|digits| if digits.len() == 2 { pair(digits) } else { None }).collect()
}

/// Number, name, users, users of all addresses, address.
fn read_hardware(all: &mut Vec<Membership>) -> Result<()> {
    read(b"/proc/net/dev_mcast", all, |words| {
        let &[index, name, users, _, address] = words else { return None };
        Some(Membership {
            index: parse_decimal(index)?,
            name: name.to_vec(),
            family: 17,
            address: hardware_text(&hexadecimal(address)?),
            users: parse_decimal(users)?,
        })
    })
}

/// Number, name, address, users, and more.
fn read_v6(all: &mut Vec<Membership>) -> Result<()> {
    read(b"/proc/net/igmp6", all, |words| {
        let &[index, name, address, users, ..] = words else { return None };
        let address = from_octets(&hexadecimal(address)?)?;
        let (index, users) = (parse_decimal(index)?, parse_decimal(users)?);
        Some(Membership { index, name: name.to_vec(), family: 10, address: text!(address), users })
    })
}

/// A line with number and name of an interface, then one for each of its addresses, which begins with a blank.
fn read_v4(all: &mut Vec<Membership>) -> Result<()> {
    let (mut index, mut name) = (None, Vec::new());
    read(b"/proc/net/igmp", all, |words| {
        if let Some(number) = parse_decimal(words[0]).filter(|_| words.len() > 4) {
            index = Some(number);
            name = words[1].strip_suffix(b":").unwrap_or(words[1]).to_vec();
            return None;
        }
        let (address, users) = (words[0], words.get(1)?);
        // The kernel writes the number as this processor has it in memory.
        let address = Ipv4Addr::from((parse_radix(address, 16).filter(|_| address.len() == 8)? as u32).to_ne_bytes());
        Some(Membership {
            index: index?,
            name: name.clone(),
            family: 2,
            address: text!(address),
            users: parse_decimal(users)?,
        })
    })
}

fn read(path: &[u8], all: &mut Vec<Membership>, mut parse: impl FnMut(&[&[u8]]) -> Option<Membership>) -> Result<()> {
    let content = io::read_file(path)?;
    for line in content.split(|&byte| byte == b'\n') {
        let words: Vec<&[u8]> = bytes::words(line).collect();
        if !words.is_empty() {
            all.extend(parse(&words));
        }
    }
    Ok(())
}
