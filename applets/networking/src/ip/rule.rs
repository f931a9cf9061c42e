//! `ip rule`: which routing table is asked for what (linux/fib_rules.h).

use core::net::IpAddr;

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{from_octets, octets};
use rbox_core::net::netlink::{CREATE_NEW, Netlink, Request, attributes, name, word};
use rbox_core::number::{parse_in_range, parse_radix};
use rbox_core::prelude::*;
use rbox_core::text;
use rbox_core::text::Hex;

use super::record::Record;
use super::{Show, is, number, prefix, refused, table, table_name, unknown, value};

/// FR_ACT_*.
const ACTIONS: Names = names! { "goto" = GOTO, "nop" = 3, "blackhole" = 6, "unreachable" = 7, "prohibit" = 8 };
const TO_TABLE: u8 = 1;
const GOTO: u8 = 2;
/// FIB_RULE_INVERT: what does not match.
const INVERT: u32 = 2;

pub fn run(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Outcome {
    match words.split_first() {
        None => list(env, netlink, show)?,
        Some((word, rest)) if is(word, "list") || is(word, "show") || *word == b"ls" => match rest.first() {
            None => list(env, netlink, show)?,
            Some(word) => return Err(unknown(word)),
        },
        Some((word, rest)) if is(word, "add") => change(netlink, show, true, rest)?,
        Some((word, rest)) if is(word, "delete") => change(netlink, show, false, rest)?,
        Some((word, _)) => return Err(super::invalid(word, "ip")),
    }
    Ok(ExitStatus::SUCCESS)
}

/// A rule: the packets that it is for, and what is done with them.
#[derive(Default)]
struct Rule {
    /// `AF_INET` 2, `AF_INET6` 10.
    family: u8,
    from: Option<(IpAddr, u8)>,
    to: Option<(IpAddr, u8)>,
    service: u8,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    mark: Option<u32>,
    mask: Option<u32>,
    priority: Option<u32>,
    table: u32,
    goto: u32,
    action: u8,
    flags: u32,
}

impl Rule {
    fn parse(body: &[u8]) -> Option<Self> {
        let fixed = body.get(..12)?;
        let mut rule = Self { family: fixed[0], service: fixed[3], table: fixed[4].into(), ..Self::default() };
        (rule.action, rule.flags) = (fixed[7], word(&fixed[8..]));
        for (kind, value) in attributes(&body[12..]) {
            match kind {
                1 => rule.to = from_octets(value).map(|address| (address, fixed[1])),
                2 => rule.from = from_octets(value).map(|address| (address, fixed[2])),
                3 => rule.incoming = name(value),
                4 => rule.goto = word(value),
                6 => rule.priority = Some(word(value)),
                10 => rule.mark = Some(word(value)),
                15 => rule.table = word(value),
                16 => rule.mask = Some(word(value)),
                17 => rule.outgoing = name(value),
                _ => {}
            }
        }
        Some(rule)
    }

    fn print(&self, record: &mut Record) {
        record.open("", b'{');
        record.number("", "priority", self.priority.unwrap_or(0).into());
        record.text(":\t");
        if self.flags & INVERT != 0 {
            record.flag("not ", "not");
        }
        print_network(record, ("from ", "src", "srclen"), self.from);
        if self.to.is_some() {
            print_network(record, (" to ", "dst", "dstlen"), self.to);
        }
        if self.service != 0 {
            record.word(" tos ", "tos", &text!("0x", Hex(self.service.into())));
        }
        if self.mark.is_some() || self.mask.is_some() {
            record.word(" fwmark ", "fwmark", &text!("0x", Hex(self.mark.unwrap_or(0).into())));
            if let Some(mask) = self.mask.filter(|mask| *mask != u32::MAX) {
                record.word("/", "fwmask", &text!("0x", Hex(mask.into())));
            }
        }
        for (lead, key, device) in [(" iif ", "iif", &self.incoming), (" oif ", "oif", &self.outgoing)] {
            if !device.is_empty() {
                record.word(lead, key, device);
            }
        }
        match self.action {
            TO_TABLE => record.word(" lookup ", "table", &table_name(self.table)),
            GOTO => record.number(" goto ", "goto", self.goto.into()),
            action => record.word(" ", "action", &super::name_or_number(ACTIONS, action.into())),
        }
        record.text(" \n");
        record.close(b'}');
    }

    fn request(&self, add: bool) -> Request {
        let bits = |network: Option<(IpAddr, u8)>| network.map_or(0, |(_, bits)| bits);
        let fixed = [self.family, bits(self.to), bits(self.from), self.service, 0, 0, 0, self.action];
        let fixed = [&fixed[..], &self.flags.to_ne_bytes()].concat();
        let (kind, flags) = if add { (32, CREATE_NEW) } else { (33, 0) };
        let mut request = Request::new(kind, flags, &fixed);
        for (kind, network) in [(1, self.to), (2, self.from)] {
            if let Some((address, _)) = network {
                request = request.attribute(kind, &octets(address));
            }
        }
        for (kind, device) in [(3, &self.incoming), (17, &self.outgoing)] {
            if !device.is_empty() {
                request = request.attribute(kind, &[device, &b"\0"[..]].concat());
            }
        }
        let numbers = [
            (4, Some(self.goto).filter(|_| self.action == GOTO)),
            (6, self.priority),
            (10, self.mark),
            (15, Some(self.table).filter(|table| *table != 0)),
            (16, self.mask),
        ];
        for (kind, number) in numbers {
            if let Some(number) = number {
                request = request.attribute(kind, &number.to_ne_bytes());
            }
        }
        request
    }
}

fn print_network(record: &mut Record, (lead, key, length): (&str, &str, &str), network: Option<(IpAddr, u8)>) {
    match network {
        None => record.word(lead, key, b"all"),
        Some((address, bits)) => {
            record.word(lead, key, &text!(address));
            if bits != if address.is_ipv4() { 32 } else { 128 } {
                record.number("/", length, bits.into());
            }
        }
    }
}

fn list(env: &mut Env, netlink: &Netlink, show: Show) -> Result<()> {
    let family = if show.family == 0 { 2 } else { show.family };
    let mut record = Record::new(show);
    for body in netlink.dump(34, &[family, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 32)? {
        print(&mut record, &body);
    }
    record.finish(env)
}

/// Prints the rule of a message.
pub fn print(record: &mut Record, body: &[u8]) {
    if let Some(rule) = Rule::parse(body) {
        rule.print(record);
    }
}

fn change(netlink: &Netlink, show: Show, add: bool, words: &[&[u8]]) -> Result<()> {
    let mut rule = Rule { family: show.family, ..Rule::default() };
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            b"not" => rule.flags |= INVERT,
            b"from" => rule.from = selector(value(&mut words)?)?,
            b"to" => rule.to = selector(value(&mut words)?)?,
            b"preference" | b"order" | b"priority" | b"pref" | b"prio" => {
                rule.priority = Some(number(value(&mut words)?, word)?);
            }
            b"tos" | b"dsfield" => rule.service = hexadecimal(value(&mut words)?, 255)? as u8,
            b"fwmark" => {
                let word = value(&mut words)?;
                let (mark, mask) =
                    rbox_core::bytes::split_once(word, b'/').map_or((word, None), |(mark, mask)| (mark, Some(mask)));
                rule.mark = Some(any_radix(mark)?);
                rule.mask = mask.map(any_radix).transpose()?;
            }
            b"dev" | b"iif" => rule.incoming = value(&mut words)?.to_vec(),
            b"oif" => rule.outgoing = value(&mut words)?.to_vec(),
            b"table" | b"lookup" => (rule.action, rule.table) = (TO_TABLE, table(value(&mut words)?)?),
            b"goto" => (rule.action, rule.goto) = (GOTO, number(value(&mut words)?, word)?),
            word => {
                let word = if word == b"type" { value(&mut words)? } else { word };
                rule.action = ACTIONS.number_of(word).ok_or_else(|| super::invalid(word, "ip"))? as u8;
            }
        }
    }
    if rule.family == 0 {
        let address = rule.from.or(rule.to).map(|(address, _)| address);
        rule.family = if address.is_none_or(|address| address.is_ipv4()) { 2 } else { 10 };
    }
    // A rule without an action looks up the main table.
    if add && rule.action == 0 {
        (rule.action, rule.table) = (TO_TABLE, 254);
    }
    netlink.change(rule.request(add)).map_err(refused)
}

/// A network, or `all` for every address.
fn selector(word: &[u8]) -> Result<Option<(IpAddr, u8)>> {
    match word {
        b"all" | b"any" | b"default" => Ok(None),
        word => Ok(Some(prefix(word)?).filter(|(_, bits)| *bits > 0)),
    }
}

/// A number with or without 0x.
fn any_radix(word: &[u8]) -> Result<u32> {
    match word.strip_prefix(b"0x") {
        Some(digits) => hexadecimal(digits, u32::MAX.into()).map(|number| number as u32),
        None => parse_in_range(word, 0, u32::MAX.into())
            .map(|number| number as u32)
            .map_err(|_| super::invalid(word, "fwmark")),
    }
}

fn hexadecimal(word: &[u8], most: u64) -> Result<u64> {
    let digits = word.strip_prefix(b"0x").unwrap_or(word);
    parse_radix(digits, 16).filter(|number| *number <= most).ok_or_else(|| super::invalid(word, "ip"))
}
