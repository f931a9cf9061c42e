//! `ip route`.


use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{parse, parse_prefix};
use rbox_core::net::netlink::{CREATE_NEW, CREATE_OR_REPLACE, Link, Netlink, Route};
use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::push;

use super::{Show, is, refused, scope, scope_name, unknown, value};

const KINDS: Names = names! {
    "unicast" = 1, "local" = 2, "broadcast" = 3, "blackhole" = 6, "unreachable" = 7, "prohibit" = 8,
};
const PROTOCOLS: Names = names! {
    "redirect" = 1, "kernel" = 2, "boot" = 3, "static" = 4, "dhcp" = 16,
};

pub fn run(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Outcome {
    match words.split_first() {
        None => list(env, netlink, show, &[])?,
        Some((word, rest)) if is(word, "show") || is(word, "list") || *word == b"ls" => list(env, netlink, show, rest)?,
        Some((word, rest)) if is(word, "add") => change(netlink, true, CREATE_NEW, show, rest)?,
        Some((word, rest)) if is(word, "append") => change(netlink, true, 0xc00, show, rest)?,
        Some((word, rest)) if is(word, "replace") => change(netlink, true, CREATE_OR_REPLACE, show, rest)?,
        Some((word, rest)) if is(word, "change") || *word == b"chg" => change(netlink, true, 0x100, show, rest)?,
        Some((word, rest)) if is(word, "delete") => change(netlink, false, 0, show, rest)?,
        Some((word, rest)) if is(word, "get") => get(env, netlink, rest)?,
        Some((word, rest)) if is(word, "flush") => flush(netlink, show, rest)?,
        Some((word, _)) => return Err(Error::parts(&[b"unknown command '", word, b"'"])),
    }
    Ok(ExitStatus::SUCCESS)
}

fn table(word: &[u8]) -> Result<u8> {
    Ok(match word {
        b"main" => 254,
        b"local" => 255,
        b"default" => 253,
        b"all" => 0,
        word => parse_in_range(word, 0, 255)? as u8,
    })
}

/// The routes that `show` and `flush` pick: those of a table (main), of a device.
fn pick(netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<Vec<Route>> {
    let (mut device, mut wanted_table, mut target) = (None, 254, None);
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            b"dev" => device = Some(netlink.link(value(&mut words, word)?)?.index),
            b"table" => wanted_table = table(value(&mut words, word)?)?,
            b"default" => target = Some((None, 0)),
            other if target.is_none() => {
                let other = if other == b"to" || other == b"root" || other == b"exact" { value(&mut words, other)? } else { other };
                let (to, bits) = parse_prefix(other).map_err(|_| unknown(other))?;
                target = Some((Some(to), bits));
            }
            other => return Err(unknown(other)),
        }
    }
    let family = if show.family == 0 { 2 } else { show.family };
    let mut routes = netlink.routes(family)?;
    routes.retain(|route| wanted_table == 0 || route.table == wanted_table);
    routes.retain(|route| target.is_none_or(|(to, bits)| route.to == to && route.prefix == bits));
    routes.retain(|route| device.is_none_or(|index| route.index == index));
    Ok(routes)
}

fn list(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    let links = netlink.links()?;
    for route in pick(netlink, show, words)? {
        env.stdout.write(&describe(&route, &links))?;
    }
    Ok(())
}

/// Asks the kernel which way a packet to an address would go.
fn get(env: &mut Env, netlink: &Netlink, words: &[&[u8]]) -> Result<()> {
    let mut wanted = Route::new(0);
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            b"from" => wanted.source = Some(parse(value(&mut words, word)?)?),
            b"oif" | b"dev" => wanted.index = netlink.link(value(&mut words, word)?)?.index,
            word => {
                let word = if word == b"to" { value(&mut words, word)? } else { word };
                let (to, bits) = parse_prefix(word)?;
                (wanted.to, wanted.prefix) = (Some(to), bits);
            }
        }
    }
    let Some(to) = wanted.to else { return Err(Error::new("need at least destination address")) };
    wanted.family = if to.is_ipv4() { 2 } else { 10 };
    let mut route = netlink.route_to(&wanted).map_err(refused)?;
    // The way to one address is none of the table: what the kernel made up for it says nothing.
    (route.scope, route.protocol) = (0, 3);
    env.stdout.write(&describe(&route, &netlink.links()?))
}

/// The line of `ip route`.
fn describe(route: &Route, links: &[Link]) -> Vec<u8> {
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
    if let Some(name) = PROTOCOLS.name_of(route.protocol.into()).filter(|_| route.protocol != 3) {
        push!(text, " proto ", name);
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
    push!(text, " \n");
    text
}

fn change(netlink: &Netlink, add: bool, flags: u16, show: Show, words: &[&[u8]]) -> Result<()> {
    let mut route = Route::new(show.family);
    let mut words = words.iter().copied();
    let (mut has_target, mut chosen_scope) = (false, None);
    while let Some(word) = words.next() {
        match word {
            b"via" => route.gateway = Some(parse(value(&mut words, word)?)?),
            b"dev" => route.index = netlink.link(value(&mut words, word)?)?.index,
            b"src" => route.source = Some(parse(value(&mut words, word)?)?),
            b"metric" | b"preference" | b"priority" => {
                route.metric = Some(parse_in_range(value(&mut words, word)?, 0, u32::MAX.into())? as u32);
            }
            b"table" => route.table = table(value(&mut words, word)?)?,
            b"scope" => chosen_scope = Some(scope(value(&mut words, word)?)?),
            b"proto" | b"protocol" => {
                let word = value(&mut words, word)?;
                let named = PROTOCOLS.number_of(word).map(|protocol| protocol as u8);
                route.protocol = named.map_or_else(|| parse_in_range(word, 0, 255).map(|number| number as u8), Ok)?;
            }
            other => {
                if let Some(kind) = KINDS.number_of(other) {
                    route.kind = kind as u8;
                    continue;
                }
                if has_target && other != b"to" {
                    return Err(unknown(other));
                }
                let target = if other == b"to" { value(&mut words, other)? } else { other };
                has_target = true;
                if target != b"default" {
                    let (to, bits) = parse_prefix(target)?;
                    (route.to, route.prefix) = (Some(to).filter(|_| bits > 0), bits);
                }
            }
        }
    }
    if !has_target {
        return Err(Error::usage());
    }
    if route.family == 0 {
        route.family = if route.to.or(route.gateway).is_none_or(|address| address.is_ipv4()) { 2 } else { 10 };
    }
    let direct = if route.gateway.is_none() && route.family == 2 && route.kind == 1 { 253 } else { 0 };
    route.scope = chosen_scope.unwrap_or(if add { direct } else { 255 });
    if !add {
        route.protocol = if route.protocol == 3 { 0 } else { route.protocol };
        route.kind = if route.kind == 1 { 0 } else { route.kind };
    }
    netlink.set_route(add, flags, &route).map_err(refused)
}

fn flush(netlink: &Netlink, show: Show, words: &[&[u8]]) -> Result<()> {
    if words.is_empty() {
        return Err(Error::new("\"ip route flush\" requires an argument"));
    }
    for route in pick(netlink, show, words)? {
        match netlink.set_route(false, 0, &route) {
            Ok(()) | Err(rbox_core::sys::Errno::SRCH) => {}
            Err(errno) => return Err(refused(errno)),
        }
    }
    Ok(())
}
