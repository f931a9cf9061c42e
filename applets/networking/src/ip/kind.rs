//! Kinds of virtual interfaces: the words for their attributes, read and printed by the same tables (linux/if_link.h,
//! linux/if_tunnel.h).

use core::net::IpAddr;

use rbox_core::bytes;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{self, from_octets, hardware_text, octets};
use rbox_core::net::netlink::{Link, Netlink, attributes, nested, word};
use rbox_core::number::{hundredths, parse_c, parse_decimal, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::text;
use rbox_core::text::Hex;

use super::record::Record;
use super::{invalid, value};

/// A row of a table: the attribute in the lowest 16 bits, its form in the next 8, and what else the form needs.
const fn row(form: u64, attribute: u64) -> u64 {
    form << 16 | attribute
}

/// Forms: numbers of so many bytes.
const U8: u64 = 1;
const U16: u64 = 2;
const U32: u64 = 4;
const U64: u64 = 8;
/// 16 bits in network order.
const PORT: u64 = 9;
const SWITCH: u64 = 10;
const DEVICE: u64 = 11;
/// IPv4 or IPv6; the next 8 bits are the attribute for IPv6, where that is another.
const ADDRESS: u64 = 12;
/// 8 bits; `inherit` and `auto` are 0.
const TTL: u64 = 13;
/// 8 bits in hexadecimal; `inherit` is 1.
const TOS: u64 = 14;
/// Without a value.
const PRESENT: u64 = 15;
/// Only printed: a bridge's identifier, and hundredths of a second in 64 bits.
const BRIDGE_ID: u64 = 16;
const TIMER: u64 = 17;
/// A bit of `struct ifla_vlan_flags`, which is in the next 8 bits.
const VLAN_FLAG: u64 = 18;
/// `FROM:TO` and again.
const PRIORITIES: u64 = 19;
/// 32 bits in network order, as a number or an address, and a bit of the flags (IFLA_GRE_IFLAGS, _OFLAGS).
const KEY: u64 = 20;
/// Bits of these flags alone.
const GRE_FLAG: u64 = 21;
/// A list of IPv4 addresses.
const TARGETS: u64 = 22;
/// Words for numbers: see `choices`.
const CHOICE: u64 = 32;

const fn choice(which: u64, attribute: u64) -> u64 {
    row(CHOICE + which, attribute)
}

const VLAN: Names = names! {
    "protocol" = choice(0, 5), "id" = row(U16, 1), "reorder_hdr" = row(1 << 8 | VLAN_FLAG, 2), "gvrp" = row(2 << 8 | VLAN_FLAG, 2),
    "loose_binding" = row(4 << 8 | VLAN_FLAG, 2), "mvrp" = row(8 << 8 | VLAN_FLAG, 2),
    "bridge_binding" = row(16 << 8 | VLAN_FLAG, 2), "ingress-qos-map" = row(PRIORITIES, 4),
    "egress-qos-map" = row(PRIORITIES, 3),
};
const BRIDGE: Names = names! {
    "forward_delay" = row(U32, 1), "hello_time" = row(U32, 2), "max_age" = row(U32, 3), "ageing_time" = row(U32, 4),
    "stp_state" = row(U32, 5), "priority" = row(U16, 6), "vlan_filtering" = row(U8, 7), "vlan_protocol" = choice(0, 8),
    "bridge_id" = row(BRIDGE_ID, 11), "designated_root" = row(BRIDGE_ID, 10), "root_port" = row(U16, 12),
    "root_path_cost" = row(U32, 13), "topology_change" = row(U8, 14), "topology_change_detected" = row(U8, 15),
    "hello_timer" = row(TIMER, 16), "tcn_timer" = row(TIMER, 17), "topology_change_timer" = row(TIMER, 18),
    "gc_timer" = row(TIMER, 19), "vlan_default_pvid" = row(U16, 39), "group_fwd_mask" = row(U16, 9),
    "mcast_snooping" = row(U8, 23), "mcast_router" = row(U8, 22), "mcast_query_use_ifaddr" = row(U8, 24),
    "mcast_querier" = row(U8, 25), "mcast_hash_max" = row(U32, 27), "mcast_last_member_count" = row(U32, 28),
    "mcast_startup_query_count" = row(U32, 29), "mcast_query_interval" = row(U64, 33), "mcast_igmp_version" = row(U8, 43),
    "mcast_mld_version" = row(U8, 44), "nf_call_iptables" = row(U8, 36), "nf_call_ip6tables" = row(U8, 37),
    "nf_call_arptables" = row(U8, 38),
};
const BRIDGE_PORT: Names = names! {
    "state" = choice(1, 1), "priority" = row(U16, 2), "cost" = row(U32, 3), "hairpin" = row(SWITCH, 4), "guard" = row(SWITCH, 5),
    "root_block" = row(SWITCH, 6), "fastleave" = row(SWITCH, 7), "learning" = row(SWITCH, 8), "flood" = row(SWITCH, 9),
    "port_id" = row(U16, 17), "port_no" = row(U16, 18), "designated_port" = row(U16, 15), "designated_cost" = row(U16, 16),
    "designated_bridge" = row(BRIDGE_ID, 14), "designated_root" = row(BRIDGE_ID, 13), "hold_timer" = row(TIMER, 23),
    "message_age_timer" = row(TIMER, 21), "forward_delay_timer" = row(TIMER, 22), "proxy_arp" = row(SWITCH, 10),
    "mcast_router" = row(U8, 25), "mcast_flood" = row(SWITCH, 27), "bcast_flood" = row(SWITCH, 30),
    "neigh_suppress" = row(SWITCH, 32), "vlan_tunnel" = row(SWITCH, 29), "isolated" = row(SWITCH, 33), "locked" = row(SWITCH, 39),
};
const BOND: Names = names! {
    "mode" = choice(2, 1), "active_slave" = row(DEVICE, 2), "miimon" = row(U32, 3), "updelay" = row(U32, 4),
    "downdelay" = row(U32, 5), "use_carrier" = row(U8, 6), "arp_interval" = row(U32, 7), "arp_ip_target" = row(TARGETS, 8),
    "arp_validate" = choice(3, 9), "arp_all_targets" = choice(4, 10), "primary" = row(DEVICE, 11),
    "primary_reselect" = choice(5, 12), "fail_over_mac" = choice(6, 13), "xmit_hash_policy" = choice(7, 14),
    "resend_igmp" = row(U32, 15), "num_grat_arp" = row(U8, 16), "all_slaves_active" = row(U8, 17), "min_links" = row(U32, 18),
    "lp_interval" = row(U32, 19), "packets_per_slave" = row(U32, 20), "lacp_rate" = choice(8, 21), "ad_select" = choice(9, 22),
    "ad_actor_sys_prio" = row(U16, 24), "ad_user_port_key" = row(U16, 25), "tlb_dynamic_lb" = row(U8, 27),
};
const VXLAN: Names = names! {
    "id" = row(U32, 1), "vni" = row(U32, 1), "remote" = row(16 << 8 | ADDRESS, 2), "group" = row(16 << 8 | ADDRESS, 2),
    "local" = row(17 << 8 | ADDRESS, 4), "dev" = row(DEVICE, 3), "srcport" = row(PORT, 10), "dstport" = row(PORT, 15),
    "learning" = row(SWITCH, 7), "proxy" = row(SWITCH, 11), "rsc" = row(SWITCH, 12), "l2miss" = row(SWITCH, 13),
    "l3miss" = row(SWITCH, 14), "tos" = row(TOS, 6), "ttl" = row(TTL, 5), "df" = choice(10, 29), "ageing" = row(U32, 8),
    "maxaddress" = row(U32, 9), "udpcsum" = row(SWITCH, 18), "udp6zerocsumtx" = row(SWITCH, 19),
    "udp6zerocsumrx" = row(SWITCH, 20), "external" = row(SWITCH, 25), "gbp" = row(PRESENT, 23), "gpe" = row(PRESENT, 27),
};
const MACVLAN: Names = names! { "mode" = choice(11, 1), "flags" = row(U16, 2), "bcqueuelen" = row(U32, 7) };
const IPVLAN: Names = names! { "mode" = choice(12, 1), "flags" = row(U16, 2) };
const VRF: Names = names! { "table" = row(U32, 1) };
const GRE: Names = names! {
    "remote" = row(ADDRESS, 7), "local" = row(ADDRESS, 6), "dev" = row(DEVICE, 1), "ttl" = row(TTL, 8), "hoplimit" = row(TTL, 8),
    "tos" = row(TOS, 9), "pmtudisc" = row(SWITCH, 10), "ikey" = row(KEY, 4), "okey" = row(KEY, 5), "key" = row(KEY, 0),
    "icsum" = row(0x81 << 8 | GRE_FLAG, 0), "ocsum" = row(0x82 << 8 | GRE_FLAG, 0), "csum" = row(0x83 << 8 | GRE_FLAG, 0),
    "iseq" = row(0x11 << 8 | GRE_FLAG, 0), "oseq" = row(0x12 << 8 | GRE_FLAG, 0), "seq" = row(0x13 << 8 | GRE_FLAG, 0),
    "encaplimit" = row(U8, 11), "ignore-df" = row(SWITCH, 19), "external" = row(PRESENT, 18),
};
const IP_TUNNEL: Names = names! {
    "remote" = row(ADDRESS, 3), "local" = row(ADDRESS, 2), "dev" = row(DEVICE, 1), "ttl" = row(TTL, 4), "hoplimit" = row(TTL, 4),
    "tos" = row(TOS, 5), "pmtudisc" = row(SWITCH, 10), "encaplimit" = row(U8, 6), "isatap" = row(U16, 8), "mode" = choice(13, 9),
    "external" = row(PRESENT, 19),
};
const VTI: Names = names! {
    "remote" = row(ADDRESS, 5), "local" = row(ADDRESS, 4), "dev" = row(DEVICE, 1), "ikey" = row(KEY, 2), "okey" = row(KEY, 3),
    "key" = row(KEY, 0),
};
const GENEVE: Names = names! {
    "id" = row(U32, 1), "remote" = row(7 << 8 | ADDRESS, 2), "ttl" = row(TTL, 3), "tos" = row(TOS, 4), "dstport" = row(PORT, 5),
    "external" = row(PRESENT, 6), "udpcsum" = row(SWITCH, 8), "df" = choice(10, 13),
};
const TUN: Names = names! {
    "type" = choice(14, 3), "pi" = row(SWITCH, 4), "vnet_hdr" = row(SWITCH, 5), "multi_queue" = row(SWITCH, 7),
    "persist" = row(SWITCH, 6), "user" = row(U32, 1), "group" = row(U32, 2),
};

/// The table of a kind; what is not known takes no words.
fn table(kind: &[u8]) -> Names {
    match kind {
        b"vlan" => VLAN,
        b"bridge" => BRIDGE,
        b"bridge_slave" => BRIDGE_PORT,
        b"bond" => BOND,
        b"vxlan" => VXLAN,
        b"macvlan" | b"macvtap" => MACVLAN,
        b"ipvlan" | b"ipvtap" => IPVLAN,
        b"vrf" => VRF,
        b"gre" | b"gretap" | b"ip6gre" | b"ip6gretap" => GRE,
        b"ipip" | b"sit" | b"ip6tnl" => IP_TUNNEL,
        b"vti" | b"vti6" => VTI,
        b"geneve" => GENEVE,
        b"tun" => TUN,
        _ => names! {},
    }
}

/// The words of a choice, and the size of the number in bytes; 0 is 16 bits in network order.
fn choices(which: u64) -> (Names, usize) {
    match which {
        0 => (names! { "802.1Q" = 0x8100, "802.1q" = 0x8100, "802.1ad" = 0x88a8 }, 0),
        1 => (names! { "disabled" = 0, "listening" = 1, "learning" = 2, "forwarding" = 3, "blocking" = 4 }, 1),
        2 => (
            names! {
                "balance-rr" = 0, "active-backup" = 1, "balance-xor" = 2, "broadcast" = 3, "802.3ad" = 4, "balance-tlb" = 5,
                "balance-alb" = 6,
            },
            1,
        ),
        3 => (names! { "none" = 0, "active" = 1, "backup" = 2, "all" = 3, "filter" = 4 }, 4),
        4 => (names! { "any" = 0, "all" = 1 }, 4),
        5 => (names! { "always" = 0, "better" = 1, "failure" = 2 }, 1),
        6 => (names! { "none" = 0, "active" = 1, "follow" = 2 }, 1),
        7 => (
            names! {
                "layer2" = 0, "layer3+4" = 1, "layer2+3" = 2, "encap2+3" = 3, "encap3+4" = 4, "vlan+srcmac" = 5,
            },
            1,
        ),
        8 => (names! { "slow" = 0, "fast" = 1 }, 1),
        9 => (names! { "stable" = 0, "bandwidth" = 1, "count" = 2 }, 1),
        10 => (names! { "unset" = 0, "set" = 1, "inherit" = 2 }, 1),
        11 => (names! { "private" = 1, "vepa" = 2, "bridge" = 4, "passthru" = 8, "source" = 16 }, 4),
        12 => (names! { "l2" = 0, "l3" = 1, "l3s" = 2 }, 2),
        13 => (names! { "ip6ip" = 41, "ipip" = 4, "ipip6" = 4, "ip6ip6" = 41, "any" = 0 }, 1),
        _ => (names! { "tun" = 1, "tap" = 2 }, 1),
    }
}

/// The attributes of a kind in the making.
#[derive(Default)]
pub struct Data {
    kind: Vec<u8>,
    attributes: Vec<u8>,
    /// Values and mask of `struct ifla_vlan_flags`.
    vlan_flags: Option<(u32, u32)>,
    /// GRE: flags and keys, of what comes in and of what goes out.
    flags: [u16; 2],
    keys: [Option<u32>; 2],
}

/// GRE_KEY of linux/if_tunnel.h.
const HAS_KEY: u16 = 0x2000;

impl Data {
    pub fn new(kind: &[u8]) -> Self {
        Self { kind: kind.to_vec(), ..Self::default() }
    }

    fn put(&mut self, attribute: u64, value: &[u8]) {
        self.attributes.extend_from_slice(&nested(attribute as u16, value));
    }

    /// Takes a word, and its value from those that follow, if it is one of the kind's. False if it is none.
    pub fn take<'a>(
        &mut self,
        netlink: &Netlink,
        name: &'a [u8],
        words: &mut (impl Iterator<Item = &'a [u8]> + Clone),
    ) -> Result<bool> {
        let names = table(&self.kind);
        let (found, denied) = match (names.number_of(name), name.strip_prefix(b"no")) {
            (Some(found), _) => (found, false),
            (None, Some(name)) => match names.number_of(name).filter(|found| found >> 16 & 0xff == SWITCH) {
                Some(found) => (found, true),
                None => return Ok(false),
            },
            (None, None) => return Ok(false),
        };
        let (attribute, form, more) = (found & 0xffff, found >> 16 & 0xff, found >> 24);
        match form {
            PRESENT => self.put(attribute, &[]),
            GRE_FLAG => {
                for side in [0, 1].into_iter().filter(|side| more >> side & 1 == 1) {
                    self.flags[side] |= (more as u16 & 0xf0) << 8;
                }
            }
            SWITCH => {
                // A value may follow, as with bridges, or none, as with tunnels.
                let next = words.clone().next().and_then(|word| on_or_off(word).ok());
                if next.is_some() {
                    words.next();
                }
                self.put(attribute, &[u8::from(next.unwrap_or(!denied))]);
            }
            VLAN_FLAG => {
                let is_on = on_or_off(value(words)?)?;
                let (flags, mask) = self.vlan_flags.unwrap_or_default();
                let bit = more as u32;
                self.vlan_flags = Some((if is_on { flags | bit } else { flags & !bit }, mask | bit));
            }
            PRIORITIES => {
                let mut pairs = Vec::new();
                while let Some(pair) = words.clone().next().and_then(priorities) {
                    words.next();
                    // IFLA_VLAN_QOS_MAPPING.
                    pairs.extend_from_slice(&nested(1, &pair));
                }
                self.put(attribute, &pairs);
            }
            KEY => self.set_key(name, value(words)?)?,
            form => {
                let word = value(words)?;
                let (value, attribute_of_v6) = encode(netlink, form, name, word, words)?;
                let is_v6 = attribute_of_v6 && more != 0;
                self.put(if is_v6 { more } else { attribute }, &value);
            }
        }
        Ok(true)
    }

    fn set_key(&mut self, name: &[u8], word: &[u8]) -> Result<()> {
        let number = match addr::parse(word) {
            Ok(IpAddr::V4(address)) => address.to_bits(),
            _ => number(word, name)? as u32,
        };
        for side in [0, 1] {
            if name[0] == [b'i', b'o'][side] || name[0] == b'k' {
                self.flags[side] |= HAS_KEY;
                self.keys[side] = Some(number);
            }
        }
        Ok(())
    }

    /// The nested attributes.
    pub fn finish(mut self) -> Vec<u8> {
        if let Some((flags, mask)) = self.vlan_flags {
            self.put(2, &[flags.to_ne_bytes(), mask.to_ne_bytes()].concat());
        }
        // IFLA_GRE_IFLAGS, IFLA_GRE_IKEY and so on; IFLA_VTI_IKEY has no flags before it.
        let is_gre = !self.kind.starts_with(b"vti");
        for side in [0, 1] {
            if is_gre && self.flags[side] != 0 {
                self.put(2 + side as u64, &self.flags[side].to_be_bytes());
            }
            if let Some(key) = self.keys[side] {
                self.put(if is_gre { 4 } else { 2 } + side as u64, &key.to_be_bytes());
            }
        }
        self.attributes
    }
}

fn on_or_off(word: &[u8]) -> Result<bool> {
    match word {
        b"on" | b"1" => Ok(true),
        b"off" | b"0" => Ok(false),
        word => Err(invalid(word, "on|off")),
    }
}

fn priorities(word: &[u8]) -> Option<[u8; 8]> {
    let (from, to) = bytes::split_once(word, b':')?;
    let number = |word| parse_decimal(word).and_then(|number| u32::try_from(number).ok());
    let mut pair = [0; 8];
    pair[..4].copy_from_slice(&number(from)?.to_ne_bytes());
    pair[4..].copy_from_slice(&number(to)?.to_ne_bytes());
    Some(pair)
}

fn number(word: &[u8], name: &[u8]) -> Result<u64> {
    let number = parse_c(word).and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| Error::parts(&[b"invalid argument '", word, b"' to '", name, b"'"]))
}

/// The value of an attribute, and whether it is an IPv6 address.
fn encode<'a>(
    netlink: &Netlink,
    form: u64,
    name: &[u8],
    word: &'a [u8],
    words: &mut impl Iterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, bool)> {
    let bad = || Error::parts(&[b"invalid argument '", word, b"' to '", name, b"'"]);
    let sized = |number: u64, size: usize| match size {
        0 => (number <= 0xffff).then(|| (number as u16).to_be_bytes().to_vec()),
        size if size < 8 && number >> (8 * size) != 0 => None,
        1 => Some(vec![number as u8]),
        2 => Some((number as u16).to_ne_bytes().to_vec()),
        4 => Some((number as u32).to_ne_bytes().to_vec()),
        _ => Some(number.to_ne_bytes().to_vec()),
    };
    let value = match form {
        U8 | U16 | U32 | U64 => sized(number(word, name)?, form as usize),
        // A range of ports has a second word.
        PORT if name == b"srcport" => {
            let (low, high) = (number(word, name)?, number(value(words)?, name)?);
            sized(low, 0).zip(sized(high, 0)).map(|(low, high)| [low, high].concat())
        }
        PORT => sized(number(word, name)?, 0),
        DEVICE => Some(netlink.link(word)?.index.to_ne_bytes().to_vec()),
        ADDRESS if word == b"any" => Some(vec![0; 4]),
        ADDRESS => {
            let address = super::address(word)?;
            return Ok((octets(address), address.is_ipv6()));
        }
        TTL if matches!(word, b"inherit" | b"auto") => Some(vec![0]),
        TOS if word == b"inherit" => Some(vec![1]),
        TTL | TOS => sized(parse_in_range(word, 0, 255).or_else(|_| number(word, name))?, 1),
        TARGETS => {
            let all = word.split(|&byte| byte == b',').enumerate();
            let all = all.map(|(at, word)| Ok(nested(at as u16, &addr::parse_v4(word)?.octets())));
            Some(all.collect::<Result<Vec<_>>>()?.concat())
        }
        CHOICE.. => {
            let (names, size) = choices(form - CHOICE);
            sized(names.number_of(word).map_or_else(|| number(word, name).map_err(|_| bad()), Ok)?, size)
        }
        // What is only printed.
        _ => None,
    };
    value.map(|value| (value, false)).ok_or_else(bad)
}

/// Prints what the kernel says of a kind, in the order of its table.
pub fn show(record: &mut Record, kind: &[u8], data: &[u8], links: &[Link]) {
    let all: Vec<(u16, &[u8])> = attributes(data).collect();
    let mut before = 0;
    for (name, found) in table(kind).iter() {
        let (attribute, form, more) = (found as u16, found >> 16 & 0xff, found >> 24);
        let alternative = if form == ADDRESS { more as u16 } else { 0 };
        let is_it = |(kind, _): &&(u16, &[u8])| *kind == attribute || alternative != 0 && *kind == alternative;
        // Two words for one attribute.
        if found == before || attribute == 0 {
            continue;
        }
        before = found;
        if let Some((_, value)) = all.iter().find(is_it) {
            show_value(record, name, form, (more, value), links);
        }
    }
}

fn show_value(record: &mut Record, name: &'static str, form: u64, (more, value): (u64, &[u8]), links: &[Link]) {
    let lead = text!(" ", name, " ");
    let lead = str::from_utf8(&lead).unwrap_or_default();
    let number = value.iter().rev().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
    let in_network_order = value.iter().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
    match form {
        U8 | U16 | U32 | U64 => record.number(lead, name, number),
        PORT if value.len() == 4 => {
            let ports = text!(in_network_order >> 16, " ", in_network_order & 0xffff);
            record.word(lead, name, &ports);
        }
        PORT => record.number(lead, name, in_network_order),
        SWITCH => record.switch(lead, name, number != 0),
        DEVICE => {
            let named = links.iter().find(|link| u64::from(link.index) == number);
            if number != 0 {
                record.word(lead, name, &named.map_or_else(|| text!("if", number), |link| link.name.clone()));
            }
        }
        ADDRESS if number != 0 || value.len() == 4 && !value.is_empty() => {
            if let Some(address) = from_octets(value).filter(|address| !address.is_unspecified()) {
                record.word(lead, name, &text!(address));
            }
        }
        TTL if number == 0 => record.word(lead, name, b"inherit"),
        TTL => record.number(lead, name, number),
        TOS if number == 1 => record.word(lead, name, b"inherit"),
        TOS if number != 0 => record.word(lead, name, &text!("0x", Hex(number))),
        PRESENT => record.flag(&text_of(name), name),
        BRIDGE_ID if value.len() == 8 => {
            let pairs: Vec<Vec<u8>> = value[2..].iter().map(|byte| text!(Hex((*byte).into()))).collect();
            let priority: Vec<u8> = hardware_text(&value[..2]).into_iter().filter(|&byte| byte != b':').collect();
            record.word(lead, name, &text!(priority, ".", pairs.join(&b':')));
        }
        TIMER => record.digits(lead, name, &hundredths(number)),
        VLAN_FLAG if number & more != 0 => record.switch(lead, name, true),
        PRIORITIES => {
            let pairs = attributes(value).filter_map(|(_, pair)| Some(text!(word(pair), ":", word(pair.get(4..)?))));
            record.word(lead, name, &pairs.collect::<Vec<_>>().join(&b' '));
        }
        KEY if number != 0 => record.word(lead, name, &from_octets(value).map_or_else(Vec::new, addr::text)),
        TARGETS => {
            let all: Vec<Vec<u8>> = attributes(value).filter_map(|(_, one)| from_octets(one)).map(addr::text).collect();
            if !all.is_empty() {
                record.word(lead, name, &all.join(&b','));
            }
        }
        CHOICE.. => {
            let (names, size) = choices(form - CHOICE);
            let number = if size == 0 { in_network_order } else { number };
            record.word(lead, name, &super::name_or_number(names, number));
        }
        _ => {}
    }
}

/// A word without a value.
fn text_of(name: &'static str) -> String {
    [" ", name].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Type and hexadecimal value of each attribute that the words make.
    fn made(kind: &str, words: &str) -> String {
        let netlink = Netlink::open().expect("the kernel has rtnetlink");
        let mut data = Data::new(kind.as_bytes());
        let mut words = words.split(' ').map(str::as_bytes);
        while let Some(word) = words.next() {
            assert!(data.take(&netlink, word, &mut words).expect("a right word"), "{}", String::from_utf8_lossy(word));
        }
        let all = data.finish();
        let hexadecimal = |value: &[u8]| String::from_utf8_lossy(&hardware_text(value)).replace(':', "");
        attributes(&all).map(|(kind, value)| format!("{kind}={} ", hexadecimal(value))).collect()
    }

    /// As iproute2 6.1 sends them, seen by strace, but for values that are the kernel's own defaults.
    #[test]
    fn words_are_the_attributes_that_iproute2_sends() {
        for (kind, words, expected) in [
            (
                "vlan",
                "id 5 protocol 802.1ad reorder_hdr off gvrp on egress-qos-map 1:2 3:4",
                "1=0500 5=88a8 3=0c00010001000000020000000c0001000300000004000000 2=0200000003000000 ",
            ),
            (
                "bond",
                "mode 802.3ad miimon 100 lacp_rate fast xmit_hash_policy layer3+4 arp_ip_target 10.0.0.1,10.0.0.2",
                "1=04 3=64000000 21=01 14=01 8=080000000a000001080001000a000002 ",
            ),
            (
                "gre",
                "remote 1.2.3.4 ikey 1.1.1.1 okey 9 icsum oseq nopmtudisc dev lo tos inherit",
                "7=01020304 10=00 1=01000000 9=01 2=a000 4=01010101 3=3000 5=00000009 ",
            ),
            ("gretap", "remote 1.2.3.4 seq csum", "7=01020304 2=9000 3=9000 "),
            ("sit", "remote 1.2.3.4 local any ttl 64 mode ip6ip", "3=01020304 2=00000000 4=40 9=29 "),
            ("vti", "remote 1.2.3.4 key 9", "5=01020304 2=00000009 3=00000009 "),
            ("vxlan", "id 5 group 239.1.1.1 srcport 10 20 dstport 4789", "1=05000000 2=ef010101 10=000a0014 15=12b5 "),
            ("vxlan", "remote 2001:db8::1", "16=20010db8000000000000000000000001 "),
            ("bridge", "vlan_filtering 1 group_fwd_mask 0x8", "7=01 9=0800 "),
        ] {
            assert_eq!(made(kind, words), expected, "{kind} {words}");
        }
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        let netlink = Netlink::open().expect("the kernel has rtnetlink");
        for (kind, words) in [
            ("vlan", "id 65536"),
            ("vlan", "gvrp x"),
            ("bond", "mode x"),
            ("gre", "ttl 256"),
            ("bridge", "bridge_id 1"),
            ("vxlan", "id"),
        ] {
            let mut words = words.split(' ').map(str::as_bytes);
            let word = words.next().expect("a word");
            assert!(Data::new(kind.as_bytes()).take(&netlink, word, &mut words).is_err(), "{kind}");
        }
    }

    #[test]
    fn attributes_are_printed_as_the_words_that_make_them() {
        let mut record = Record::new(super::super::Show::default());
        let data = [nested(5, &[0x81, 0]), nested(1, &[5, 0]), nested(2, &[3, 0, 0, 0, 255, 255, 255, 255])].concat();
        show(&mut record, b"vlan", &data, &[]);
        let data =
            [nested(6, &[10, 0, 0, 1]), nested(7, &[10, 0, 0, 2]), nested(8, &[0]), nested(4, &[0, 0, 0, 7])].concat();
        show(&mut record, b"gre", &data, &[]);
        // What is cut off.
        show(&mut record, b"vxlan", &[8, 0, 1, 0, 5], &[]);
        let out = record.into_bytes();
        let expected =
            " protocol 802.1Q id 5 reorder_hdr on gvrp on remote 10.0.0.2 local 10.0.0.1 ttl inherit ikey 0.0.0.7";
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}
