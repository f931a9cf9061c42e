//! `ifconfig`: show and set interfaces, in the words of net-tools.

use core::net::IpAddr;

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{hardware_text, mask, mask_bits, parse_hardware, parse_prefix, parse_v4};
use rbox_core::net::netlink::{Address, CREATE_OR_REPLACE, Link, Netlink, UP};
use rbox_core::number;
use rbox_core::prelude::*;
use rbox_core::{push, text};

options! {
    "[-a] [IFACE [ADDRESS[/BITS]] [netmask MASK] [broadcast ADDRESS] [pointopoint ADDRESS] [mtu N] [txqueuelen N] [hw ether ADDRESS] [add|del ADDRESS/BITS] [[-]arp] [[-]allmulti] [[-]multicast] [[-]promisc] [up|down]]

Show the interfaces that are up, or one, or set one.

  -a  Show those that are down too";
    ALL = "-a",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

/// `IFF_...` of netdevice(7), as ifconfig names them.
const FLAGS: Names = names! {
    "UP" = 1, "BROADCAST" = 2, "DEBUG" = 4, "LOOPBACK" = 8, "POINTOPOINT" = 0x10, "NOTRAILERS" = 0x20, "RUNNING" = 0x40, "NOARP" = 0x80, "PROMISC" = 0x100, "ALLMULTI" = 0x200, "MULTICAST" = 0x1000,
};

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let netlink = Netlink::open()?;
    let Some((&name, words)) = args.operands().split_first() else {
        let mut links = netlink.links()?;
        links.sort_by(|a, b| a.name.cmp(&b.name));
        for link in links.iter().filter(|link| args.has(ALL) || link.flags & UP != 0) {
            show(env, &netlink, link)?;
        }
        return Ok(ExitStatus::SUCCESS);
    };
    let link = netlink.link(name).map_err(|_| Error::parts(&[name, b": error fetching interface information: Device not found"]))?;
    if words.is_empty() {
        show(env, &netlink, &link)?;
    } else {
        set(&netlink, &link, words)?;
    }
    Ok(ExitStatus::SUCCESS)
}

fn show(env: &mut Env, netlink: &Netlink, link: &Link) -> Result<()> {
    let mut text = link.name.clone();
    text.resize(text.len().max(9), b' ');
    text.extend_from_slice(b" Link encap:");
    match link.hardware {
        1 => {
            let address = hardware_text(&link.address).to_ascii_uppercase();
            text.extend_from_slice(&[b"Ethernet  HWaddr ", address.as_slice(), b"  \n"].concat());
        }
        772 => text.extend_from_slice(b"Local Loopback  \n"),
        _ => text.extend_from_slice(b"UNSPEC  \n"),
    }
    for address in netlink.addresses(0)?.iter().filter(|address| address.index == link.index) {
        text.extend_from_slice(&address_line(address, link));
    }
    text.extend_from_slice(b"          ");
    for name in FLAGS.of_flags(link.flags.into()) {
        text.extend_from_slice(name.as_bytes());
        text.push(b' ');
    }
    push!(text, " MTU:", link.mtu, "  Metric:1\n", counters(link), "\n");
    env.stdout.write(&text)
}

fn address_line(address: &Address, link: &Link) -> Vec<u8> {
    match address.local {
        IpAddr::V4(local) => {
            let mut line = text!("          inet addr:", local, "  ");
            if let Some(peer) = address.peer {
                push!(line, "P-t-P:", peer, "  ");
            } else if let Some(broadcast) = address.broadcast.filter(|_| link.flags & 2 != 0) {
                push!(line, "Bcast:", broadcast, "  ");
            } else if link.flags & 2 != 0 {
                push!(line, "Bcast:0.0.0.0  ");
            }
            push!(line, "Mask:", mask(address.prefix), "\n");
            line
        }
        IpAddr::V6(local) => {
            let scope = match address.scope {
                0 => "Global",
                200 => "Site",
                253 => "Link",
                254 => "Host",
                _ => "Unknown",
            };
            text!("          inet6 addr: ", local, "/", address.prefix, " Scope:", scope, "\n")
        }
    }
}

fn counters(link: &Link) -> Vec<u8> {
    let count = |index: usize| link.counters.get(index).copied().unwrap_or(0);
    let mut text = Vec::new();
    for (lead, indices, last) in [("RX", [0, 4, 6, 13, 12], " frame:"), ("TX", [1, 5, 7, 16, 15], " carrier:")] {
        push!(text, "          ", lead, " packets:", count(indices[0]), " errors:", count(indices[1]));
        push!(text, " dropped:", count(indices[2]), " overruns:", count(indices[3]), last, count(indices[4]), "\n");
    }
    push!(text, "          collisions:", count(9), " txqueuelen:", link.queue, " \n");
    push!(text, "          RX bytes:", size(count(2)), "  TX bytes:", size(count(3)), "\n");
    text
}

fn size(bytes: u64) -> Vec<u8> {
    let (unit, name) = match bytes {
        0..1024 => (1, "B"),
        1024..1_048_576 => (1024, "KiB"),
        1_048_576..1_073_741_824 => (1_048_576, "MiB"),
        _ => (1_073_741_824, "GiB"),
    };
    text!(bytes, " (", bytes / unit, ".", bytes % unit * 10 / unit, " ", name, ")")
}

fn set(netlink: &Netlink, link: &Link, words: &[&[u8]]) -> Result<()> {
    let failed = |errno| Error::on(&link.name, errno);
    let (mut address, mut prefix, mut broadcast, mut peer) = (None, None, None, None);
    let (mut flags, mut mask_of_flags) = (0, 0);
    let mut attributes = Vec::new();
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let (plain, on) = match word.strip_prefix(b"-") {
            Some(plain) => (plain, false),
            None => (word, true),
        };
        let flag = match plain {
            b"up" => Some((UP, on)),
            b"down" => Some((UP, !on)),
            b"arp" => Some((0x80, !on)),
            b"promisc" => Some((0x100, on)),
            b"allmulti" => Some((0x200, on)),
            b"multicast" => Some((0x1000, on)),
            _ => None,
        };
        if let Some((flag, on)) = flag {
            mask_of_flags |= flag;
            flags = if on { flags | flag } else { flags & !flag };
            continue;
        }
        let mut value = || words.next().ok_or_else(Error::usage);
        let number = |word| number::parse_in_range(word, 0, u32::MAX.into()).map(|value| (value as u32).to_ne_bytes().to_vec());
        match word {
            b"netmask" => {
                let mask = value()?;
                prefix = Some(mask_bits(parse_v4(mask)?).ok_or_else(|| Error::parts(&[b"bad netmask '", mask, b"'"]))?);
            }
            b"broadcast" => broadcast = Some(IpAddr::V4(parse_v4(value()?)?)),
            b"pointopoint" | b"dstaddr" => peer = Some(IpAddr::V4(parse_v4(value()?)?)),
            b"mtu" => attributes.push((4, number(value()?)?)),
            b"txqueuelen" => attributes.push((13, number(value()?)?)),
            b"hw" => {
                let class = value()?;
                if class != b"ether" {
                    return Err(Error::parts(&[b"unknown hardware class '", class, b"'"]));
                }
                attributes.push((1, parse_hardware(value()?)?.to_vec()));
            }
            b"add" | b"del" => {
                let (local, prefix) = parse_prefix(value()?)?;
                let address = new_address(link, local, prefix);
                netlink.set_address(word == b"add", CREATE_OR_REPLACE, &address).map_err(failed)?;
            }
            _ => {
                let (local, bits) = parse_prefix(word)?;
                prefix = if word.contains(&b'/') { Some(bits) } else { prefix };
                address = Some(local);
            }
        }
    }
    if address.is_some() || prefix.is_some() || broadcast.is_some() || peer.is_some() {
        replace_address(netlink, link, address, prefix, broadcast, peer)?;
        // As ever with ifconfig, an address brings the interface up.
        if address.is_some_and(|address| !address.is_unspecified()) && mask_of_flags & UP == 0 {
            (flags, mask_of_flags) = (flags | UP, mask_of_flags | UP);
        }
    }
    if mask_of_flags != 0 || !attributes.is_empty() {
        netlink.set_link(link.index, flags, mask_of_flags, &attributes).map_err(failed)?;
    }
    Ok(())
}

fn new_address(link: &Link, local: IpAddr, prefix: u8) -> Address {
    let scope = if local.is_loopback() { 254 } else { 0 };
    let (peer, broadcast, label) = (None, None, Vec::new());
    Address { index: link.index, local, peer, prefix, scope, broadcast, label, flags: 0, lifetimes: (u32::MAX, u32::MAX) }
}

/// The interface has one IPv4 address for ifconfig: the old ones go, 0.0.0.0 means none.
fn replace_address(
    netlink: &Netlink,
    link: &Link,
    address: Option<IpAddr>,
    prefix: Option<u8>,
    broadcast: Option<IpAddr>,
    peer: Option<IpAddr>,
) -> Result<()> {
    let failed = |errno| Error::on(&link.name, errno);
    let old: Vec<Address> = netlink.addresses(2)?.into_iter().filter(|old| old.index == link.index).collect();
    let Some(IpAddr::V4(local)) = address.or(old.first().map(|old| old.local)) else {
        return match address {
            Some(local) => {
                let new = new_address(link, local, prefix.unwrap_or(64));
                netlink.set_address(true, CREATE_OR_REPLACE, &new).map_err(failed)
            }
            None => Err(Error::parts(&[&link.name, b": no address to change"])),
        };
    };
    // Taking the first away takes the others of its network along: one that is gone already is no failure.
    for old in &old {
        match netlink.set_address(false, 0, old) {
            Ok(()) | Err(rbox_core::sys::Errno::ADDRNOTAVAIL) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    if local.is_unspecified() {
        return Ok(());
    }
    let class = match local.octets()[0] {
        0..128 => 8,
        128..192 => 16,
        _ => 24,
    };
    let prefix = prefix.unwrap_or_else(|| old.first().filter(|_| address.is_none()).map_or(class, |old| old.prefix));
    let mut new = new_address(link, local.into(), prefix);
    let everyone = || IpAddr::V4((local.to_bits() | !mask(prefix).to_bits()).into());
    new.broadcast = broadcast.or_else(|| (link.flags & 2 != 0 && prefix < 31).then(everyone));
    new.peer = peer;
    netlink.set_address(true, CREATE_OR_REPLACE, &new).map_err(failed)
}
