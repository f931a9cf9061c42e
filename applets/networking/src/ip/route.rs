//! `ip route`.

use core::net::IpAddr;

use rbox_core::io::Output;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{self, from_octets, octets};
use rbox_core::net::netlink::{CREATE_NEW, CREATE_OR_REPLACE, Link, Netlink, Route, attributes, nested, word};
use rbox_core::number::{parse_c, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::text;
use rbox_core::text::Hex;

use super::record::Record;
use super::{Show, address, is, number, prefix, refused, scope, scope_name, table, table_name, unknown, value, within};

/// rtnetlink(7), rtm_type.
const KINDS: Names = names! {
    "unicast" = 1, "local" = 2, "broadcast" = 3, "anycast" = 4, "multicast" = 5, "blackhole" = 6, "unreachable" = 7,
    "prohibit" = 8, "throw" = 9, "nat" = 10,
};
/// rtnetlink(7), rtm_protocol, and those that linux/rtnetlink.h adds.
const PROTOCOLS: Names = names! {
    "redirect" = 1, "kernel" = 2, "boot" = 3, "static" = 4, "ra" = 9, "dhcp" = 16,
};
/// linux/rtnetlink.h, RTAX_*: those that are plain numbers.
const METRICS: Names = names! {
    "mtu" = 2, "window" = 3, "rtt" = 4, "rttvar" = 5, "ssthresh" = 6, "cwnd" = 7, "advmss" = 8, "reordering" = 9,
    "hoplimit" = 10, "initcwnd" = 11, "initrwnd" = 14,
};
/// RTAX_LOCK: a bit for each metric that the kernel may not change.
const LOCKED: u16 = 1;
/// RTNH_F_ONLINK: the gateway is reached through the device, whatever the routes are.
const ON_LINK: u32 = 4;

pub fn run(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Outcome {
    match words.split_first() {
        None => list(env, netlink, show, &[])?,
        Some((word, rest)) if is(word, "show") || is(word, "list") || *word == b"ls" => list(env, netlink, show, rest)?,
        Some((word, rest)) if is(word, "add") => change(netlink, true, CREATE_NEW, show, rest)?,
        Some((word, rest)) if is(word, "append") => change(netlink, true, 0xc00, show, rest)?,
        Some((word, rest)) if is(word, "prepend") => change(netlink, true, 0x400, show, rest)?,
        // NLM_F_EXCL without NLM_F_CREATE.
        Some((word, rest)) if is(word, "test") => change(netlink, true, 0x200, show, rest)?,
        Some((word, rest)) if is(word, "replace") => change(netlink, true, CREATE_OR_REPLACE, show, rest)?,
        Some((word, rest)) if is(word, "change") || *word == b"chg" => change(netlink, true, 0x100, show, rest)?,
        Some((word, rest)) if is(word, "delete") => change(netlink, false, 0, show, rest)?,
        Some((word, rest)) if is(word, "get") => get(env, netlink, show, rest)?,
        Some((word, rest)) if is(word, "flush") => flush(netlink, show, rest)?,
        Some((word, _)) => return Err(super::invalid(word, "ip")),
    }
    Ok(ExitStatus::SUCCESS)
}

/// What `show` and `flush` pick.
#[derive(Default)]
struct Filter {
    device: Option<u32>,
    /// `None` is all, and then each line has its table.
    table: Option<u32>,
    /// The destination: exactly this network, networks within it, or those that hold it.
    exact: Option<(Option<IpAddr>, u8)>,
    root: Option<(IpAddr, u8)>,
    matching: Option<(IpAddr, u8)>,
    gateway: Option<IpAddr>,
    source: Option<IpAddr>,
    scope: Option<u8>,
    protocol: Option<u8>,
    kind: Option<u8>,
    metric: Option<u32>,
}

impl Filter {
    fn parse(netlink: &Netlink, words: &[&[u8]]) -> Result<Self> {
        let mut filter = Self { table: Some(254), ..Self::default() };
        let mut words = words.iter().copied();
        while let Some(mut word) = words.next() {
            let mut value = || value(&mut words);
            // `to` may precede the words for the destination.
            if word == b"to" {
                word = value()?;
            }
            match word {
                b"dev" | b"oif" => filter.device = Some(netlink.link(value()?)?.index),
                b"table" => {
                    filter.table = match value()? {
                        b"all" => None,
                        word => Some(table(word)?),
                    }
                }
                b"via" => filter.gateway = Some(address(value()?)?),
                b"src" => filter.source = Some(address(value()?)?),
                b"scope" => filter.scope = Some(scope(value()?)?),
                b"proto" | b"protocol" => filter.protocol = Some(protocol(value()?)?),
                b"type" => {
                    let word = value()?;
                    filter.kind = Some(KINDS.number_of(word).ok_or_else(|| super::invalid(word, "type"))? as u8);
                }
                b"metric" => filter.metric = Some(number(value()?, word)?),
                b"root" => filter.root = Some(prefix(value()?)?),
                b"match" => filter.matching = Some(prefix(value()?)?),
                b"default" => filter.exact = Some((None, 0)),
                word if filter.exact.is_none() => {
                    let word = if word == b"exact" { value()? } else { word };
                    let (to, bits) = prefix(word).map_err(|_| unknown(word))?;
                    filter.exact = Some((Some(to).filter(|_| bits > 0), bits));
                }
                word => return Err(unknown(word)),
            }
        }
        Ok(filter)
    }

    fn takes(&self, route: &Route) -> bool {
        let to = route.to.unwrap_or(if route.family == 2 { [0; 4].into() } else { [0u8; 16].into() });
        self.device.is_none_or(|index| route.index == index)
            && self.table.is_none_or(|table| route.table == table)
            && self.exact.is_none_or(|(to, bits)| route.to == to && route.prefix == bits)
            && self.root.is_none_or(|(root, bits)| route.prefix >= bits && within(to, root, bits))
            && self.matching.is_none_or(|(host, bits)| route.prefix <= bits && within(host, to, route.prefix))
            && self.gateway.is_none_or(|gateway| route.gateway == Some(gateway))
            && self.source.is_none_or(|source| route.source == Some(source))
            && self.scope.is_none_or(|scope| route.scope == scope)
            && self.protocol.is_none_or(|protocol| route.protocol == protocol)
            && self.kind.is_none_or(|kind| route.kind == kind)
            && self.metric.is_none_or(|metric| route.metric == Some(metric))
    }

    /// The family to ask the kernel for: IPv4 alone, unless all tables are wanted.
    fn family(&self, show: Show) -> u8 {
        if show.family == 0 && self.table.is_some() { 2 } else { show.family }
    }
}

fn protocol(word: &[u8]) -> Result<u8> {
    super::named(PROTOCOLS, word, 255, "protocol").map(|number| number as u8)
}

fn list(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    let filter = Filter::parse(netlink, words)?;
    let links = netlink.links()?;
    let mut record = Record::new(show);
    let mut routes = netlink.start_routes(filter.family(show))?;
    while let Some(body) = routes.next()? {
        if let Some(route) = Route::parse(body).filter(|route| filter.takes(route)) {
            print(&mut record, &route, &links, show, filter.table.is_none(), None);
            record.flush(env)?;
        }
    }
    record.finish(env)
}

/// Asks the kernel which way a packet to an address would go.
fn get(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    let mut wanted = Route::new(0);
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            b"from" => wanted.source = Some(address(value(&mut words)?)?),
            b"oif" | b"dev" => wanted.index = netlink.link(value(&mut words)?)?.index,
            word => {
                let word = if word == b"to" { value(&mut words)? } else { word };
                let (to, bits) = prefix(word)?;
                (wanted.to, wanted.prefix) = (Some(to), bits);
            }
        }
    }
    let Some(to) = wanted.to else { return Err(Error::new("need at least destination address")) };
    wanted.family = if to.is_ipv4() { 2 } else { 10 };
    let mut route = netlink.route_to(&wanted).map_err(refused)?;
    // The route to one address is not in the table: the kernel made up its scope and protocol.
    (route.scope, route.protocol) = (0, 3);
    let mut record = Record::new(show);
    print(&mut record, &route, &netlink.links()?, show, false, wanted.source);
    record.finish(env)
}

/// One line, and one more for each of several routers.
pub fn print(record: &mut Record, route: &Route, links: &[Link], show: Show, with_table: bool, from: Option<IpAddr>) {
    record.open("", b'{');
    if route.kind != 1 || show.details && !record.json {
        record.word("", "type", &super::name_or_number(KINDS, route.kind.into()));
        record.text(" ");
    }
    let most = if route.family == 2 { 32 } else { 128 };
    let to = match route.to {
        None => text!("default"),
        Some(to) if route.prefix == most => text!(to),
        Some(to) => text!(to, "/", route.prefix),
    };
    record.word("", "dst", &to);
    if let Some(from) = from {
        record.word(" from ", "from", &addr::text(from));
    }
    if route.service != 0 {
        record.word(" tos ", "tos", &text!("0x", Hex(route.service.into())));
    }
    print_gateway(record, route.gateway, route.family);
    print_device(record, route.index, links);
    if with_table && route.table != 254 {
        record.word(" table ", "table", &table_name(route.table));
    }
    if route.protocol != 3 || show.details && !record.json {
        record.word(" proto ", "protocol", &super::name_or_number(PROTOCOLS, route.protocol.into()));
    }
    if (route.scope != 0 || show.details && !record.json) && route.family == 2 {
        record.word(" scope ", "scope", &scope_name(route.scope));
    }
    if let Some(source) = route.source {
        record.word(" src ", "prefsrc", &addr::text(source));
    }
    if let Some(metric) = route.metric {
        record.number(" metric ", "metric", metric.into());
    }
    print_flags(record, route.flags);
    print_metrics(record, route);
    let hops = hops(&route.hops);
    record.text(if hops.is_empty() { " \n" } else { " " });
    // An end of the line for the first of several routers.
    record.open_if(!hops.is_empty(), "nexthops", b'[');
    for (flags, weight, index, gateway) in &hops {
        record.text("\n\tnexthop");
        record.open("", b'{');
        print_gateway(record, *gateway, route.family);
        print_device(record, *index, links);
        record.number(" weight ", "weight", (*weight).into());
        print_flags(record, *flags);
        record.close(b'}');
        record.text(" ");
    }
    record.close_if(!hops.is_empty(), b']');
    if !hops.is_empty() {
        record.text("\n");
    }
    record.close(b'}');
}

fn print_gateway(record: &mut Record, gateway: Option<IpAddr>, family: u8) {
    let Some(gateway) = gateway else { return };
    let other = super::family_of(gateway) != family;
    if other && record.json {
        record.open("via", b'{');
        record.word("", "family", if gateway.is_ipv4() { b"inet" } else { b"inet6" });
        record.word("", "host", &addr::text(gateway));
        return record.close(b'}');
    }
    record.word(if other { " via inet6 " } else { " via " }, "gateway", &addr::text(gateway));
}

fn print_device(record: &mut Record, index: u32, links: &[Link]) {
    if let Ok(at) = links.binary_search_by_key(&index, |link| link.index) {
        record.word(" dev ", "dev", &links[at].name);
    }
}

/// RTNH_F_*.
const FLAGS: Names =
    names! { "dead" = 1, "pervasive" = 2, "onlink" = ON_LINK, "offload" = 8, "linkdown" = 16, "unresolved" = 32 };

fn print_flags(record: &mut Record, flags: u32) {
    if flags == 0 && !record.json {
        return;
    }
    record.open("flags", b'[');
    for name in FLAGS.of_flags(flags.into()) {
        record.word(" ", "", name.as_bytes());
    }
    record.close(b']');
}

fn print_metrics(record: &mut Record, route: &Route) {
    let is_there = |kind: u64| route.metric_of(kind as u16) != 0;
    let any = !route.metrics.is_empty() && METRICS.iter().any(|(_, kind)| is_there(kind));
    if !any {
        return print_preference(record, route);
    }
    record.open("metrics", b'[');
    record.open("", b'{');
    for (name, kind) in METRICS.iter().filter(|(_, kind)| is_there(*kind)) {
        let lock = if route.metric_of(LOCKED) & 1 << kind != 0 { "lock " } else { "" };
        record.text(text!(" ", name, " ", lock));
        record.number("", name, route.metric_of(kind as u16).into());
    }
    record.close(b'}');
    record.close(b']');
    print_preference(record, route);
}

fn print_preference(record: &mut Record, route: &Route) {
    // RFC 4191; iproute2 prints it always, BusyBox never: where it is not the usual one.
    if let Some(preference) = route.preference.filter(|preference| *preference != 0 || record.json) {
        record.word(" pref ", "pref", &super::name_or_number(PREFERENCES, preference.into()));
    }
}

/// RFC 4191 2.1.
const PREFERENCES: Names = names! { "medium" = 0, "high" = 1, "low" = 3 };

/// Flags, weight, interface and router of each `struct rtnexthop`.
fn hops(mut rest: &[u8]) -> Vec<(u32, u32, u32, Option<IpAddr>)> {
    let mut all = Vec::new();
    while let Some((head, _)) = rest.split_first_chunk::<8>() {
        let length = usize::from(u16::from_ne_bytes([head[0], head[1]]));
        let Some(body) = rest.get(8..length) else { break };
        let gateway = attributes(body).find_map(|(kind, value)| match kind {
            5 => from_octets(value),
            18 => value.get(2..).and_then(from_octets),
            _ => None,
        });
        all.push((head[2].into(), u32::from(head[3]) + 1, word(&head[4..]), gateway));
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    all
}

/// What follows `nexthop` on a command line.
fn hop<'a>(netlink: &Netlink, words: &mut core::iter::Peekable<impl Iterator<Item = &'a [u8]>>) -> Result<Vec<u8>> {
    let (mut gateway, mut index, mut weight, mut flags) = (Vec::new(), 0u32, 1, 0u8);
    while let Some(word) = words.next_if(|word| *word != b"nexthop") {
        match word {
            b"via" => {
                let mut word = value(words)?;
                if matches!(word, b"inet" | b"inet6") {
                    word = value(words)?;
                }
                gateway = nested(5, &octets(address(word)?));
            }
            b"dev" => index = netlink.link(value(words)?)?.index,
            b"weight" => weight = parse_in_range(value(words)?, 1, 256)?,
            b"onlink" => flags |= ON_LINK as u8,
            word => return Err(unknown(word)),
        }
    }
    let length = (8 + gateway.len()) as u16;
    let head = [&length.to_ne_bytes()[..], &[flags, (weight - 1) as u8], &index.to_ne_bytes()].concat();
    Ok([head, gateway].concat())
}

fn change(netlink: &Netlink, add: bool, flags: u16, show: Show, words: &[&[u8]]) -> Result<()> {
    let mut route = Route::new(show.family);
    let mut words = words.iter().copied().peekable();
    let (mut has_target, mut chosen_scope, mut via_own) = (false, None, &b""[..]);
    while let Some(word) = words.next() {
        match word {
            b"via" => {
                let word = value(&mut words)?;
                // iproute2 lets the address's family are before it.
                let word = if matches!(word, b"inet" | b"inet6") {
                    value(&mut words)?
                } else {
                    via_own = word;
                    word
                };
                route.gateway = Some(address(word)?);
            }
            b"dev" | b"oif" => route.index = netlink.link(value(&mut words)?)?.index,
            b"src" => route.source = Some(address(value(&mut words)?)?),
            b"metric" | b"preference" | b"priority" => route.metric = Some(number(value(&mut words)?, word)?),
            b"table" => route.table = table(value(&mut words)?)?,
            b"scope" => chosen_scope = Some(scope(value(&mut words)?)?),
            b"proto" | b"protocol" => route.protocol = protocol(value(&mut words)?)?,
            b"onlink" => route.flags |= ON_LINK,
            b"tos" | b"dsfield" => {
                let word = value(&mut words)?;
                let number = parse_c(word).and_then(|number| u8::try_from(number).ok());
                route.service = number.ok_or_else(|| super::invalid(word, "tos"))?;
            }
            b"pref" => route.preference = Some(super::named(PREFERENCES, value(&mut words)?, 3, "pref")? as u8),
            b"nexthop" => route.hops.extend_from_slice(&hop(netlink, &mut words)?),
            other => {
                if let Some(metric) = METRICS.number_of(other) {
                    set_metric(&mut route, metric as u16, other, &mut words)?;
                    continue;
                }
                if let Some(kind) = KINDS.number_of(other) {
                    route.kind = kind as u8;
                    continue;
                }
                if has_target && other != b"to" {
                    return Err(unknown(other));
                }
                let target = if other == b"to" { value(&mut words)? } else { other };
                has_target = true;
                if target != b"default" {
                    let (to, bits) = prefix(target)?;
                    (route.to, route.prefix) = (Some(to).filter(|_| bits > 0), bits);
                    // Of a zero address only the family is left.
                    route.family = if to.is_ipv4() { 2 } else { 10 };
                }
            }
        }
    }
    if !has_target {
        return Err(Error::usage());
    }
    if route.family == 0 {
        route.family = if route.gateway.is_none_or(|address| address.is_ipv4()) { 2 } else { 10 };
    }
    // A router of the other family is only meant where that is said.
    if !via_own.is_empty() && route.gateway.is_some_and(|gateway| super::family_of(gateway) != route.family) {
        return Err(Error::parts(&[b"an inet address is expected rather than \"", via_own, b"\""]));
    }
    let direct = match route.kind {
        // RT_SCOPE_HOST for what is the host's own, RT_SCOPE_LINK for what no router is before.
        2 | 10 => 254,
        1 | 3..=5 if route.gateway.is_none() && route.hops.is_empty() && route.family == 2 => 253,
        _ => 0,
    };
    route.scope = chosen_scope.unwrap_or(if add { direct } else { 255 });
    if route.table == 254 && matches!(route.kind, 2..=4 | 10) {
        route.table = 255;
    }
    if !add {
        route.protocol = if route.protocol == 3 { 0 } else { route.protocol };
        route.kind = if route.kind == 1 { 0 } else { route.kind };
    }
    netlink.set_route(add, flags, &route).map_err(refused)
}

/// The value of a metric, which `lock` before it makes the last word on it.
fn set_metric<'a>(route: &mut Route, kind: u16, name: &[u8], words: &mut impl Iterator<Item = &'a [u8]>) -> Result<()> {
    let mut word = value(words)?;
    if word == b"lock" {
        word = value(words)?;
        let locked = route.metric_of(LOCKED) | 1 << kind;
        route.metrics.retain(|(kind, _)| *kind != LOCKED);
        route.metrics.push((LOCKED, locked));
    }
    route.metrics.push((kind, number(word, name)?));
    Ok(())
}

fn flush(netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    if words.is_empty() {
        return Err(Error::new("\"ip route flush\" requires an argument"));
    }
    if words == [b"cache"] {
        // Linux has had no cache of IPv4 routes since 3.6; writing there still makes it look all of them up again.
        let mut file = Output::create(b"/proc/sys/net/ipv4/route/flush")?;
        file.write(b"-1\n")?;
        return file.flush();
    }
    let filter = Filter::parse(netlink, words)?;
    let mut routes = netlink.routes(filter.family(show))?;
    routes.retain(|route| filter.takes(route));
    for route in routes {
        match netlink.set_route(false, 0, &route) {
            Ok(()) | Err(rbox_core::sys::Errno::SRCH) => {}
            Err(errno) => return Err(refused(errno)),
        }
    }
    Ok(())
}
