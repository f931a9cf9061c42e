//! `ip monitor`: print changes as they happen (rtnetlink(7), RTMGRP_*).

use rbox_core::net::netlink::{Address, Link, Netlink, Route};
use rbox_core::prelude::*;
use rbox_core::sys::Errno;

use super::neigh::Neighbour;
use super::record::Record;
use super::{Show, address, is, link, route, rule, unknown};

/// linux/rtnetlink.h: RTMGRP_LINK, _NEIGH, addresses and routes of both families, rules of IPv4 and IPv6.
const LINKS: u32 = 1;
const NEIGHBOURS: u32 = 4;
const ADDRESSES: u32 = 0x10 | 0x100;
const ROUTES: u32 = 0x40 | 0x400;
const RULES: u32 = 0x80 | 1 << 18;

pub fn run(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Outcome {
    let (mut groups, mut labels) = (0, false);
    for word in words {
        match *word {
            b"all" => labels = true,
            b"label" => labels = true,
            word if is(word, "link") => groups |= LINKS,
            word if is(word, "address") => groups |= ADDRESSES,
            word if is(word, "route") => groups |= ROUTES,
            word if is(word, "neigh") => groups |= NEIGHBOURS,
            word if word.len() > 1 && is(word, "rule") => groups |= RULES,
            word => return Err(unknown(word)),
        }
    }
    if groups == 0 {
        groups = LINKS | ADDRESSES | ROUTES | NEIGHBOURS | RULES;
    }
    // Names of interfaces are needed in any case.
    let monitor = Netlink::monitor(groups | LINKS)?;
    let mut links = netlink.links()?;
    loop {
        let changes = match monitor.changes() {
            Ok(changes) => changes,
            Err(Errno::INTR) => continue,
            // What was lost cannot be printed; the names of interfaces must be right again.
            Err(Errno::NOBUFS) => {
                env.report(&Error::on("netlink", Errno::NOBUFS));
                links = netlink.links()?;
                continue;
            }
            Err(errno) => return Err(Error::on("netlink", errno)),
        };
        for (kind, body) in changes {
            let mut record = Record::new(show);
            print(&mut record, &mut links, show, labels, kind, &body);
            let is_wanted = kind & !3 != 16 || groups & LINKS != 0;
            // More than the bracket of a list.
            if is_wanted && record.length() > 1 {
                record.finish(env)?;
            }
        }
        env.stdout.flush()?;
    }
}

/// Prints one message of that type (RTM_*), of which the lowest two bits are 0 for what is there and 1 for what is gone.
fn print(record: &mut Record, links: &mut Vec<Link>, show: Show, labels: bool, kind: u16, body: &[u8]) {
    let is_gone = kind & 3 == 1;
    // A family of its own is only asked for where messages have one.
    let is_other = show.family != 0 && body.first() != Some(&show.family) && kind >= 20;
    let label = match kind & !3 {
        _ if is_other || kind & 3 > 1 => return,
        16 => "[LINK]",
        20 => "[ADDR]",
        24 => "[ROUTE]",
        28 => "[NEIGH]",
        32 => "[RULE]",
        _ => return,
    };
    if labels {
        record.text(label);
    }
    if is_gone {
        record.text("Deleted ");
    }
    let marked = |record: &mut Record| {
        if is_gone {
            record.flag("", "deleted");
        }
    };
    match kind & !3 {
        16 => {
            let Some(link) = Link::parse(body) else { return };
            links.retain(|other| other.index != link.index);
            record.open("", b'{');
            marked(record);
            link::head(record, &link, links, show, false);
            record.text("\n");
            record.close(b'}');
            if !is_gone {
                let at = links.partition_point(|other| other.index < link.index);
                links.insert(at, link);
            }
        }
        20 => {
            let Some(own) = Address::parse(body) else { return };
            let none = Link::default();
            let link = links.iter().find(|link| link.index == own.index).unwrap_or(&none);
            record.open("", b'{');
            marked(record);
            record.number("", "index", own.index.into());
            record.word(": ", "dev", &link.name);
            record.text("    ");
            address::line(record, &own, link);
            record.text("\n       ");
            address::lifetimes(record, &own);
            record.text("\n");
            record.close(b'}');
        }
        24 => {
            // Entries of the routing cache are none of the tables'.
            if let Some(found) = Route::parse(body).filter(|found| found.flags & 0x200 == 0) {
                route::print(record, &found, links, show, true, None);
            }
        }
        28 => {
            if let Some(neighbour) = Neighbour::parse(body) {
                neighbour.print(record, links, show, true);
            }
        }
        _ => rule::print(record, body),
    }
}
