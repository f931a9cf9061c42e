//! `ip route`.

use core::net::IpAddr;

use rbox_core::io::Output;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::netlink::{CREATE_NEW, CREATE_OR_REPLACE, Link, Netlink, Route};
use rbox_core::prelude::*;
use rbox_core::{push, text};

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
        Some((word, rest)) if is(word, "get") => get(env, netlink, rest)?,
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

    fn pick(&self, netlink: &Netlink, show: Show) -> Result<Vec<Route>> {
        let mut picked = Vec::new();
        for route in netlink.routes(if show.family == 0 && self.table.is_some() { 2 } else { show.family })? {
            if self.takes(&route) {
                picked.push(route);
            }
        }
        Ok(picked)
    }
}

fn protocol(word: &[u8]) -> Result<u8> {
    super::named(PROTOCOLS, word, 255, "protocol").map(|number| number as u8)
}

fn list(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    let filter = Filter::parse(netlink, words)?;
    let links = netlink.links()?;
    for route in filter.pick(netlink, show)? {
        env.stdout.write(&describe(&route, &links, filter.table.is_none()))?;
    }
    Ok(())
}

/// Asks the kernel which way a packet to an address would go.
fn get(env: &mut Env, netlink: &Netlink, words: &[&[u8]]) -> Result<()> {
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
    let mut text = describe(&route, &netlink.links()?, false);
    if let Some(source) = wanted.source {
        let after = text!(" from ", source);
        let end = text!(if route.kind == 2 { "local " } else { "" }, to).len().min(text.len());
        text.splice(end..end, after);
    }
    env.stdout.write(&text)
}

/// The line of `ip route`.
fn describe(route: &Route, links: &[Link], with_table: bool) -> Vec<u8> {
    let mut text = Vec::new();
    if let Some(name) = KINDS.name_of(route.kind.into()).filter(|_| route.kind != 1) {
        push!(text, name, " ");
    }
    let most = if route.family == 2 { 32 } else { 128 };
    match route.to {
        None => push!(text, "default"),
        Some(to) if route.prefix == most => push!(text, to),
        Some(to) => push!(text, to, "/", route.prefix),
    }
    if let Some(gateway) = route.gateway {
        push!(text, " via ", gateway);
    }
    if let Some(link) = links.iter().find(|link| link.index == route.index) {
        push!(text, " dev ", &link.name);
    }
    if with_table && route.table != 254 {
        push!(text, " table ", table_name(route.table));
    }
    if route.protocol != 3 {
        push!(text, " proto ", super::name_or_number(PROTOCOLS, route.protocol.into()));
    }
    if route.scope != 0 && route.family == 2 {
        push!(text, " scope ", scope_name(route.scope));
    }
    if let Some(source) = route.source {
        push!(text, " src ", source);
    }
    if let Some(metric) = route.metric {
        push!(text, " metric ", metric);
    }
    if route.flags & ON_LINK != 0 {
        push!(text, " onlink");
    }
    for (name, kind) in METRICS.iter().filter(|(_, kind)| route.metric_of(*kind as u16) != 0) {
        let lock = if route.metric_of(LOCKED) & 1 << kind != 0 { "lock " } else { "" };
        push!(text, " ", name, " ", lock, route.metric_of(kind as u16));
    }
    push!(text, " \n");
    text
}

fn change(netlink: &Netlink, add: bool, flags: u16, show: Show, words: &[&[u8]]) -> Result<()> {
    let mut route = Route::new(show.family);
    let mut words = words.iter().copied();
    let (mut has_target, mut chosen_scope) = (false, None);
    while let Some(word) = words.next() {
        match word {
            b"via" => {
                let word = value(&mut words)?;
                // iproute2 lets the address's family are before it.
                let word = if matches!(word, b"inet" | b"inet6") { value(&mut words)? } else { word };
                route.gateway = Some(address(word)?);
            }
            b"dev" | b"oif" => route.index = netlink.link(value(&mut words)?)?.index,
            b"src" => route.source = Some(address(value(&mut words)?)?),
            b"metric" | b"preference" | b"priority" => route.metric = Some(number(value(&mut words)?, word)?),
            b"table" => route.table = table(value(&mut words)?)?,
            b"scope" => chosen_scope = Some(scope(value(&mut words)?)?),
            b"proto" | b"protocol" => route.protocol = protocol(value(&mut words)?)?,
            b"onlink" => route.flags |= ON_LINK,
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
    let direct = match route.kind {
        // RT_SCOPE_HOST for what is the host's own, RT_SCOPE_LINK for what no router is before.
        2 | 10 => 254,
        1 | 3..=5 if route.gateway.is_none() && route.family == 2 => 253,
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
fn set_metric<'a>(
    route: &mut Route,
    kind: u16,
    name: &[u8],
    words: &mut (impl Iterator<Item = &'a [u8]> + Clone),
) -> Result<()> {
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
    for route in Filter::parse(netlink, words)?.pick(netlink, show)? {
        match netlink.set_route(false, 0, &route) {
            Ok(()) | Err(rbox_core::sys::Errno::SRCH) => {}
            Err(errno) => return Err(refused(errno)),
        }
    }
    Ok(())
}
