//! `ifconfig`: show and set interfaces, in the words of net-tools.

use core::net::IpAddr;

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{
    hardware_text, mask, mask_bits, parse, parse_hardware, parse_pairs, parse_prefix, parse_v4,
};
use rbox_core::net::netlink::{Address, CREATE_OR_REPLACE, Link, Netlink, UP};
use rbox_core::number;
use rbox_core::prelude::*;
use rbox_core::sys::{Errno, interface};
use rbox_core::text::Hex;
use rbox_core::{push, text};

options! {
    "[-a] [IFACE[:ALIAS] [ADDRESS[/BITS]] [netmask MASK] [[-]broadcast [ADDRESS]] [[-]pointopoint [ADDRESS]] [dstaddr ADDRESS] [add|del ADDRESS/BITS] [hw ether|infiniband ADDRESS] [mtu N] [metric N] [txqueuelen N] [mem_start N] [io_addr N] [irq N] [outfill N] [keepalive N] [[-]arp] [[-]trailers] [[-]allmulti] [[-]multicast] [[-]promisc] [[-]dynamic] [up|down]]

Print or configure network interfaces. An alias is another address of IFACE.

  -a  Print interfaces that are down too";
    ALL = "-a",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

/// `IFF_...` of netdevice(7), as ifconfig names them.
const FLAGS: Names = names! {
    "UP" = 1, "BROADCAST" = 2, "DEBUG" = 4, "LOOPBACK" = 8, "POINTOPOINT" = 0x10, "NOTRAILERS" = 0x20, "RUNNING" = 0x40, "NOARP" = 0x80, "PROMISC" = 0x100, "ALLMULTI" = 0x200, "MULTICAST" = 0x1000,
};

/// IFF_BROADCAST.
const BROADCAST: u32 = 2;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let netlink = Netlink::open()?;
    let Some((&name, words)) = args.operands().split_first() else {
        let mut links = netlink.links()?;
        links.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        for link in links.iter().filter(|link| args.has(ALL) || link.flags & UP != 0) {
            show_with_aliases(env, &netlink, link)?;
        }
        return Ok(ExitStatus::SUCCESS);
    };
    let device = name.split(|&byte| byte == b':').next().unwrap_or(name);
    let link = netlink
        .link(device)
        .map_err(|_| Error::parts(&[name, b": error fetching interface information: Device not found"]))?;
    if words.is_empty() {
        show(env, &netlink.addresses(0)?, &link, name)?;
    } else {
        set(&netlink, &link, name, words)?;
    }
    Ok(ExitStatus::SUCCESS)
}

fn show_with_aliases(env: &mut Env, netlink: &Netlink, link: &Link) -> Result<()> {
    let addresses = netlink.addresses(0)?;
    show(env, &addresses, link, &link.name)?;
    let aliases = addresses.iter().filter(|address| address.index == link.index && address.local.is_ipv4());
    let mut labels: Vec<&[u8]> =
        aliases.map(|address| label_of(address, link)).filter(|label| *label != link.name).collect();
    labels.sort();
    labels.dedup();
    labels.into_iter().try_for_each(|label| show(env, &addresses, link, label))
}

/// The name that an IPv4 address goes by: the interface's, or that of an alias.
fn label_of<'a>(address: &'a Address, link: &'a Link) -> &'a [u8] {
    if address.label.is_empty() { &link.name } else { &address.label }
}

/// Shows an interface, or with the name of an alias what that has of its own.
fn show(env: &mut Env, addresses: &[Address], link: &Link, name: &[u8]) -> Result<()> {
    let mut text = name.to_vec();
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
    let own = addresses.iter().filter(|address| address.index == link.index);
    // An interface has one IPv4 address for those who ask the kernel by name.
    let first = own.clone().find(|address| address.local.is_ipv4() && label_of(address, link) == name);
    let is_alias = name != link.name;
    for address in first.into_iter().chain(own.filter(|address| address.local.is_ipv6() && !is_alias)) {
        text.extend_from_slice(&address_line(address, link));
    }
    text.extend_from_slice(b"          ");
    for name in FLAGS.of_flags(link.flags.into()) {
        text.extend_from_slice(name.as_bytes());
        text.push(b' ');
    }
    push!(text, " MTU:", link.mtu, "  Metric:1\n");
    if !is_alias {
        text.extend(counters(link));
    }
    push!(text, resources(&link.map), "\n");
    env.stdout.write(&text)
}

/// The interrupt and addresses of the hardware, where the kernel has them.
fn resources(map: &[u8]) -> Vec<u8> {
    let number = |at: usize| map.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_ne_bytes);
    let (memory, end, port) = (number(0), number(8), number(16));
    let (interrupt, channel) = match map.get(24..27) {
        Some(&[low, high, channel]) => (u16::from_ne_bytes([low, high]), channel),
        _ => (0, 0),
    };
    let mut text = Vec::new();
    if interrupt != 0 {
        push!(text, "Interrupt:", interrupt, " ");
    }
    // Lower ones are numbers of devices, not ports.
    if port >= 0x100 {
        push!(text, "Base address:0x", Hex(port), " ");
    }
    if memory != 0 {
        push!(text, "Memory:", Hex(memory), "-", Hex(end), " ");
    }
    if channel != 0 {
        push!(text, "DMA chan:", Hex(channel.into()), " ");
    }
    if text.is_empty() { text } else { text!("          ", text, "\n") }
}

fn address_line(address: &Address, link: &Link) -> Vec<u8> {
    match address.local {
        IpAddr::V4(local) => {
            let mut line = text!("          inet addr:", local, "  ");
            if let Some(peer) = address.peer {
                push!(line, "P-t-P:", peer, "  ");
            } else if let Some(broadcast) = address.broadcast.filter(|_| link.flags & BROADCAST != 0) {
                push!(line, "Bcast:", broadcast, "  ");
            } else if link.flags & BROADCAST != 0 {
                push!(line, "Bcast:0.0.0.0  ");
            }
            push!(line, "Mask:", mask(address.prefix), "\n");
            line
        }
        IpAddr::V6(local) => {
            let scope = match address.scope {
                // The kernel calls it so where only the last 32 bits are set (RFC 4291, 2.5.5.1).
                0 if local.to_bits() >> 32 == 0 => "Compat",
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

/// What the words of a call ask for.
#[derive(Default)]
struct Change {
    /// Flags (`IFF_...`) and which of them change.
    flags: u32,
    mask: u32,
    /// `IFLA_...` and their values.
    attributes: Vec<(u16, Vec<u8>)>,
    address: Option<IpAddr>,
    prefix: Option<u8>,
    broadcast: Option<IpAddr>,
    peer: Option<IpAddr>,
}

impl Change {
    fn set_flag(&mut self, flag: u32, on: bool) {
        self.mask |= flag;
        self.flags = if on { self.flags | flag } else { self.flags & !flag };
    }
}

fn set(netlink: &Netlink, link: &Link, name: &[u8], words: &[&[u8]]) -> Result<()> {
    let failed = |errno| Error::on(&link.name, errno);
    let mut change = Change::default();
    let mut map = link.map.clone();
    map.resize(32, 0);
    let mut words = words.iter().copied().peekable();
    while let Some(word) = words.next() {
        let (plain, on) = match word.strip_prefix(b"-") {
            Some(plain) => (plain, false),
            None => (word, true),
        };
        let flag = match plain {
            b"up" => Some((UP, on)),
            b"down" => Some((UP, !on)),
            b"trailers" => Some((0x20, !on)),
            b"arp" => Some((0x80, !on)),
            b"promisc" => Some((0x100, on)),
            b"allmulti" => Some((0x200, on)),
            b"multicast" => Some((0x1000, on)),
            b"dynamic" => Some((0x8000, on)),
            b"broadcast" => Some((BROADCAST, on)),
            b"pointopoint" => Some((0x10, on)),
            _ => None,
        };
        if let Some((flag, on)) = flag {
            change.set_flag(flag, on);
            // These two may have an address after them.
            let address =
                words.peek().filter(|_| on && flag & (BROADCAST | 0x10) != 0).and_then(|word| parse_v4(word).ok());
            if let Some(address) = address {
                words.next();
                *(if flag == BROADCAST { &mut change.broadcast } else { &mut change.peer }) = Some(address.into());
            }
            continue;
        }
        let mut value = || words.next().ok_or_else(Error::usage);
        let number = |word, most| number::parse_in_range(word, 0, most);
        let attribute = |word| number(word, u32::MAX.into()).map(|value| (value as u32).to_ne_bytes().to_vec());
        match word {
            b"netmask" => change.prefix = Some(netmask(value()?)?),
            b"dstaddr" => change.peer = Some(parse_v4(value()?)?.into()),
            b"mtu" => change.attributes.push((4, attribute(value()?)?)),
            b"txqueuelen" => change.attributes.push((13, attribute(value()?)?)),
            b"hw" => change.attributes.push((1, hardware_address(value()?, value()?)?)),
            b"metric" => ask(name, interface::SET_METRIC, "SIOCSIFMETRIC", value()?)?,
            b"outfill" => ask(name, interface::SET_OUTFILL, "SIOCSOUTFILL", value()?)?,
            b"keepalive" => ask(name, interface::SET_KEEPALIVE, "SIOCSKEEPALIVE", value()?)?,
            b"mem_start" | b"io_addr" | b"irq" => {
                // Places in struct rtnl_link_ifmap.
                let (at, size) = match word {
                    b"mem_start" => (0, 8),
                    b"io_addr" => (16, 8),
                    _ => (24, 2),
                };
                let word = value()?;
                let number =
                    number::parse_c(word).filter(|number| *number >= 0).ok_or_else(|| number::invalid(word))?;
                map[at..at + size].copy_from_slice(&number.to_ne_bytes()[..size]);
                change.attributes.retain(|(kind, _)| *kind != 14);
                change.attributes.push((14, map.clone()));
            }
            b"add" | b"del" => {
                let (local, prefix) = parse_prefix(value()?)?;
                let address = new_address(link, local, prefix);
                netlink.set_address(word == b"add", CREATE_OR_REPLACE, &address).map_err(failed)?;
            }
            _ => {
                let (address, bits) = rbox_core::bytes::split_once(word, b'/')
                    .map_or((word, None), |(address, bits)| (address, Some(bits)));
                change.address = Some(parse_v4(address).map(IpAddr::V4).or_else(|_| parse(address))?);
                if bits.is_some() {
                    change.prefix = Some(parse_prefix(word)?.1);
                }
            }
        }
    }
    apply(netlink, link, name, change)
}

/// The bits of a netmask.
fn netmask(word: &[u8]) -> Result<u8> {
    mask_bits(parse_v4(word)?).ok_or_else(|| Error::parts(&[b"bad netmask '", word, b"'"]))
}

/// The bytes of a hardware address: 6 of Ethernet, 20 of InfiniBand (RFC 4391).
fn hardware_address(class: &[u8], word: &[u8]) -> Result<Vec<u8>> {
    match class {
        b"ether" => Ok(parse_hardware(word)?.to_vec()),
        b"infiniband" => Ok(parse_pairs::<20>(word)?.to_vec()),
        class => Err(Error::parts(&[b"unknown hardware class '", class, b"'"])),
    }
}

/// Makes a request that rtnetlink has no word for.
fn ask(name: &[u8], request: u32, what: &str, word: &[u8]) -> Result<()> {
    let number = number::parse_in_range(word, 0, i32::MAX as u64)? as i32;
    interface::set_number(name, request, number).map_err(|errno| Error::on(what, errno))
}

fn apply(netlink: &Netlink, link: &Link, name: &[u8], mut change: Change) -> Result<()> {
    let failed = |errno| Error::on(&link.name, errno);
    // An alias has no flags of its own: down takes its address away.
    if name != link.name && change.mask & UP != 0 {
        if change.flags & UP == 0 {
            take_away(netlink, link, name)?;
        }
        change.mask &= !UP;
        change.flags &= !UP;
    }
    if change.address.is_some() || change.prefix.is_some() || change.broadcast.is_some() || change.peer.is_some() {
        replace_address(netlink, link, name, &change)?;
        // As ever with ifconfig, an address brings the interface up, 0.0.0.0 too.
        if change.address.is_some() && name == link.name && change.mask & UP == 0 {
            change.set_flag(UP, true);
        }
    }
    if change.mask != 0 || !change.attributes.is_empty() {
        netlink.set_link(link.index, change.flags, change.mask, &change.attributes).map_err(failed)?;
    }
    Ok(())
}

fn new_address(link: &Link, local: IpAddr, prefix: u8) -> Address {
    let scope = if local.is_loopback() { 254 } else { 0 };
    let (peer, broadcast, label) = (None, None, Vec::new());
    Address {
        index: link.index,
        local,
        peer,
        prefix,
        scope,
        broadcast,
        label,
        flags: 0,
        lifetimes: (u32::MAX, u32::MAX),
        metric: 0,
    }
}

/// Takes the IPv4 addresses of that name away and returns them.
fn take_away(netlink: &Netlink, link: &Link, name: &[u8]) -> Result<Vec<Address>> {
    let mut old = netlink.addresses(2)?;
    old.retain(|old| old.index == link.index && label_of(old, link) == name);
    // Taking the first away takes the others of its network along: one that is gone already is no failure.
    for old in &old {
        match netlink.set_address(false, 0, old) {
            Ok(()) | Err(Errno::ADDRNOTAVAIL) => {}
            Err(errno) => return Err(Error::on(&link.name, errno)),
        }
    }
    Ok(old)
}

/// The interface, or the alias, has one IPv4 address for ifconfig: the old ones go, 0.0.0.0 means none.
fn replace_address(netlink: &Netlink, link: &Link, name: &[u8], change: &Change) -> Result<()> {
    let failed = |errno| Error::on(&link.name, errno);
    if let Some(local @ IpAddr::V6(_)) = change.address {
        let new = new_address(link, local, change.prefix.unwrap_or(64));
        return netlink.set_address(true, CREATE_OR_REPLACE, &new).map_err(failed);
    }
    let old = take_away(netlink, link, name)?;
    let old = old.first();
    let Some(IpAddr::V4(local)) = change.address.or(old.map(|old| old.local)) else {
        let what = match change {
            Change { prefix: Some(_), .. } => "SIOCSIFNETMASK",
            Change { broadcast: Some(_), .. } => "SIOCSIFBRDADDR",
            _ => "SIOCSIFDSTADDR",
        };
        return Err(Error::on(what, Errno::ADDRNOTAVAIL));
    };
    if local.is_unspecified() {
        return Ok(());
    }
    let class = match local.octets()[0] {
        0..128 => 8,
        128..192 => 16,
        _ => 24,
    };
    let old_prefix = old.filter(|_| change.address.is_none()).map_or(class, |old| old.prefix);
    let prefix = change.prefix.unwrap_or(old_prefix);
    let mut new = new_address(link, local.into(), prefix);
    let everyone = || IpAddr::V4((local.to_bits() | !mask(prefix).to_bits()).into());
    new.broadcast = change.broadcast.or_else(|| (link.flags & BROADCAST != 0 && prefix < 31).then(everyone));
    new.peer = change.peer;
    new.label = name.to_vec();
    netlink.set_address(true, CREATE_OR_REPLACE, &new).map_err(failed)
}
