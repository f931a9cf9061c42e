//! `route`: print, add and delete routes, in the words of net-tools.

use core::net::IpAddr;

use rbox_core::net::addr::{self, mask, mask_bits, parse, parse_prefix, parse_v4};
use rbox_core::net::netlink::{CREATE_NEW, Link, Netlink, Route};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::text::{Left, Right};
use rbox_core::{push, text};

options! {
    "[-ne] [-A inet|inet6] [add|del [-net|-host] TARGET [netmask MASK] [gw GATEWAY] [metric N] [mss BYTES] [window BYTES] [irtt MS] [reject] [[dev] IFACE]]

Print, add or delete routes. TARGET is an address, ADDRESS/BITS or default.

  -n         Print numeric addresses only
  -e         Print window and initial round trip time
  -A FAMILY  Select inet (default) or inet6";
    NUMBERS = "-n",
    OTHER = "-e",
    FAMILY = "-A",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let family = match args.value(FAMILY) {
        None | Some(b"inet") => 2,
        Some(b"inet6") => 10,
        Some(word) => return Err(Error::usage_because(&[b"unknown family '", word, b"'"])),
    };
    let netlink = Netlink::open()?;
    match args.operands() {
        [] if family == 2 => print(env, &netlink, args.has(NUMBERS), args.has(OTHER)),
        [] => print_v6(env, &netlink),
        [b"add", words @ ..] => change(&netlink, true, words, family),
        [b"del" | b"delete", words @ ..] => change(&netlink, false, words, family),
        _ => Err(Error::usage()),
    }
}

/// `RTF_UP`, `RTF_GATEWAY`, `RTF_HOST`, `RTF_REJECT` as characters.
fn flags(route: &Route, most: u8) -> Vec<u8> {
    let mut flags = if matches!(route.kind, 6..=8) { b"!".to_vec() } else { b"U".to_vec() };
    if route.gateway.is_some() {
        flags.push(b'G');
    }
    if route.prefix == most {
        flags.push(b'H');
    }
    flags
}

/// Prints the IPv4 table, with `other` MSS, window and round trip time instead of metrics.
pub fn print(env: &mut Env, netlink: &Netlink, numbers: bool, other: bool) -> Outcome {
    let columns = if other { "  MSS Window  irtt Iface" } else { "Metric Ref    Use Iface" };
    let title = "Kernel IP routing table\nDestination     Gateway         Genmask         Flags ";
    env.stdout.write(&text!(title, columns, "\n"))?;
    let links = netlink.links()?;
    // Other names are never looked up: the answer would depend on the routes that are shown.
    for route in netlink.routes(2)?.into_iter().filter(|route| route.table == 254) {
        let name = |address: Option<IpAddr>, zero: &str| address.map_or(text!(zero), addr::text);
        let (all, none) = if numbers { ("0.0.0.0", "0.0.0.0") } else { ("default", "*") };
        let (to, gateway) = (name(route.to, all), name(route.gateway, none));
        let mut line = text!(Left(to, 15), " ", Left(gateway, 15), " ", Left(mask(route.prefix), 15), " ");
        push!(line, Left(flags(&route, 32), 6));
        match other {
            true => {
                push!(line, Right(segment(&route), 5, b' '), " ", Left(route.metric_of(WINDOW), 6), " ");
                push!(line, Right(route.metric_of(ROUND_TRIP) >> 3, 5, b' '), " ");
            }
            false => push!(line, Left(route.metric.unwrap_or(0), 6), " 0        0 "),
        }
        push!(line, device(&links, &route), "\n");
        env.stdout.write(&line)?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// RTAX_WINDOW, RTAX_RTT, RTAX_ADVMSS.
const WINDOW: u16 = 3;
const ROUND_TRIP: u16 = 4;
const SEGMENT: u16 = 8;
/// What route(8) calls mss is the packet with the headers of IP and TCP.
const HEADERS: u32 = 40;

fn segment(route: &Route) -> u32 {
    match route.metric_of(SEGMENT) {
        0 => 0,
        segment => segment.saturating_add(HEADERS),
    }
}

fn device<'a>(links: &'a [Link], route: &Route) -> &'a [u8] {
    links.iter().find(|link| link.index == route.index).map_or(b"*", |link| &link.name)
}

/// Prints the IPv6 table.
pub fn print_v6(env: &mut Env, netlink: &Netlink) -> Outcome {
    env.stdout.write(b"Kernel IPv6 routing table\n")?;
    let title = "Destination                                 Next Hop                                Flags Metric Ref    Use Iface\n";
    env.stdout.write(title.as_bytes())?;
    let links = netlink.links()?;
    for route in netlink.routes(10)? {
        let zero = IpAddr::from([0u16; 8]);
        let to = Left(text!(route.to.unwrap_or(zero), "/", route.prefix), 43);
        let gateway = Left(route.gateway.unwrap_or(zero), 39);
        let metric = Left(route.metric.unwrap_or(0), 6);
        let mut line = text!(to, " ", gateway, " ", Left(flags(&route, 128), 5), " ", metric);
        push!(line, " 0        0 ", device(&links, &route), "\n");
        env.stdout.write(&line)?;
    }
    Ok(ExitStatus::SUCCESS)
}

fn change(netlink: &Netlink, add: bool, words: &[&[u8]], family: u8) -> Outcome {
    let mut route = Route::new(family);
    let mut words = words.iter().copied();
    let mut word = words.next().ok_or_else(Error::usage)?;
    let host = match word {
        b"-net" => Some(false),
        b"-host" => Some(true),
        _ => None,
    };
    if host.is_some() {
        word = words.next().ok_or_else(Error::usage)?;
    }
    let target = word;
    if !matches!(target, b"default") {
        let (to, prefix) = destination(target, family)?;
        (route.to, route.prefix) = (Some(to), prefix);
        // A network without bits has those of its class, as route(8) has always guessed.
        if let (IpAddr::V4(address), Some(false), false) = (to, host, target.contains(&b'/')) {
            route.prefix = match address.octets()[0] {
                0..128 => 8,
                128..192 => 16,
                _ => 24,
            };
        }
    }
    // The mask, where there is one.
    let mut said = target.contains(&b'/').then_some(route.prefix);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(Error::usage);
        match word {
            b"netmask" => {
                let word = value()?;
                let bits = mask_bits(parse_v4(word)?).ok_or_else(|| Error::parts(&[b"bogus netmask ", word]))?;
                if host == Some(true) && bits != 32 {
                    return Err(Error::parts(&[b"netmask ", word, b" and host route conflict"]));
                }
                route.prefix = bits;
                said = Some(bits);
            }
            b"gw" | b"gateway" => route.gateway = Some(gateway(value()?, family)?),
            b"metric" => route.metric = Some(number(value()?)?),
            b"mss" => {
                let bytes = parse_in_range(value()?, 64, 32_768)? as u32;
                route.metrics.push((SEGMENT, bytes - HEADERS));
            }
            b"window" => route.metrics.push((WINDOW, parse_in_range(value()?, 128, i32::MAX as u64)? as u32)),
            // The kernel counts eighths.
            b"irtt" => {
                route.metrics.push((ROUND_TRIP, parse_in_range(value()?, 0, u64::from(u32::MAX) / 8)? as u32 * 8))
            }
            b"reject" => route.kind = 7,
            b"dev" | b"device" => route.index = netlink.link(value()?)?.index,
            // Without a word before it a device is the last.
            name if words.len() == 0 => route.index = netlink.link(name)?.index,
            _ => return Err(Error::usage()),
        }
    }
    if let (Some(to), Some(bits), true) = (route.to, said, add)
        && network(to, bits) != to
    {
        return Err(Error::new("netmask and route address conflict"));
    }
    route.to = route.to.filter(|_| route.prefix > 0).map(|to| network(to, route.prefix));
    route.scope = if add && route.gateway.is_none() && route.kind == 1 && family == 2 { 253 } else { 0 };
    if !add {
        // Fields that are not given match anything: 255 is RT_SCOPE_NOWHERE, protocol 0 any.
        (route.scope, route.protocol, route.kind) = (255, 0, 0);
    }
    let what = if add { "SIOCADDRT" } else { "SIOCDELRT" };
    netlink.set_route(add, if add { CREATE_NEW } else { 0 }, &route).map_err(|errno| Error::on(what, errno))?;
    Ok(ExitStatus::SUCCESS)
}

fn number(word: &[u8]) -> Result<u32> {
    parse_in_range(word, 0, u32::MAX.into()).map(|number| number as u32)
}

fn gateway(word: &[u8], family: u8) -> Result<IpAddr> {
    if family == 2 { parse_v4(word).map(IpAddr::V4) } else { parse(word) }
}

/// The address of a target and the bits that its `/BITS` leaves, or all.
fn destination(word: &[u8], family: u8) -> Result<(IpAddr, u8)> {
    match word.contains(&b'/') {
        true => parse_prefix(word),
        false => gateway(word, family).map(|address| (address, if family == 2 { 32 } else { 128 })),
    }
}

/// The address with all bits past the prefix cleared: the kernel takes no other network.
fn network(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V4((address.to_bits() & mask(prefix).to_bits()).into()),
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6((address.to_bits() & mask).into())
        }
    }
}
