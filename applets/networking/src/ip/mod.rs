//! `ip`: show and set interfaces, addresses, routes, neighbours and rules, in the words of iproute2.

mod address;
mod kind;
mod link;
mod maddr;
mod monitor;
mod neigh;
mod netns;
mod record;
mod route;
mod rule;
mod tunnel;
mod tuntap;

use core::net::IpAddr;

use rbox_core::applet::{VERSION_LINE, help};
use rbox_core::bytes;
use rbox_core::io::Input;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr;
use rbox_core::net::netlink::Netlink;
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Mode, OFlags};
use rbox_core::sys::{AsFd, OwnedFd, fs, namespace};
use rbox_core::text;

options! {
    "[-046osdjp] [-br] [-f inet|inet6|link] [-n NETNS] [-batch FILE] link|addr|route|neigh|rule|tunnel|tuntap|maddr|netns|monitor [COMMAND]

Print or configure interfaces, addresses, routes, neighbours, routing rules and tunnels.

  -4               Select IPv4
  -6               Select IPv6
  -0               Select links
  -f FAMILY, -family FAMILY  Select inet, inet6 or link
  -o, -oneline     Print one line per record
  --brief          Print a short form (-br)
  -s, -statistics  Print statistics; twice, errors too
  -d, -details     Print what is seldom asked for
  -j, -json        Print JSON
  -p, -pretty      Print JSON in lines
  -n NETNS, -netns NETNS  Work in this network namespace
  -b FILE, -batch FILE  Read commands from FILE, - for standard input
  --force          Continue after a command of FILE has failed
  -V, -Version     Print the version

ip link [show] [IFACE] [up] [type KIND] [master IFACE] [group N]
ip link set IFACE [up|down] [arp on|off] [multicast on|off] [allmulticast on|off] [promisc on|off] [mtu N]
        [txqueuelen N] [name NAME] [alias NAME] [address MAC] [master IFACE|nomaster] [netns PID|NAME] [group N]
        [type KIND[_slave] OPTIONS]
ip link add [link IFACE] [name] NAME type KIND [OPTIONS] | ip link del NAME
        KIND: vlan bridge bond dummy veth vxlan macvlan ipvlan vrf tun gre sit ipip vti geneve wireguard ...
ip addr [show] [[dev] IFACE] [scope SCOPE] [to PREFIX] [label PATTERN] [up]
        [permanent|dynamic|primary|secondary|tentative|deprecated]
ip addr add|del|replace ADDRESS[/BITS] [brd ADDRESS|+|-] [peer ADDRESS] [scope SCOPE] [label NAME] [metric N]
        [valid_lft SEC] [preferred_lft SEC] [nodad] [noprefixroute] dev IFACE
ip addr flush [dev IFACE] [scope SCOPE] [to PREFIX]
ip route [show|flush] [[root|match|exact] PREFIX] [dev IFACE] [via ADDRESS] [src ADDRESS]
        [table TABLE|all] [scope SCOPE] [proto PROTO] [type TYPE]
ip route add|del|replace|append|prepend|change|test [TYPE] PREFIX|default [via ADDRESS] [dev IFACE] [src ADDRESS]
        [metric N] [table TABLE] [proto PROTO] [scope SCOPE] [onlink] [tos N] [pref high|medium|low]
        [mtu|advmss|window [lock] N] [nexthop via ADDRESS [dev IFACE] [weight N]]...
ip route get ADDRESS [from ADDRESS] [oif IFACE]
ip neigh [show|flush] [PREFIX] [dev IFACE] [nud STATE] [proxy]
ip neigh add|del|replace|change ADDRESS [lladdr MAC] [nud STATE] dev IFACE
ip rule [list] | ip rule add|del [not] [from PREFIX] [to PREFIX] [iif IFACE] [oif IFACE] [tos N] [fwmark N[/MASK]]
        [pref N] [table TABLE|goto N|blackhole|unreachable|prohibit]
ip tunnel [show] [NAME] | ip tunnel add|change|del NAME [mode gre|ipip|sit|vti] [remote ADDRESS] [local ADDRESS]
        [ttl N] [tos N] [[no]pmtudisc] [dev IFACE] [[i|o]key N] [[i|o]seq] [[i|o]csum]
ip tuntap [show] | ip tuntap add|del [dev] NAME mode tun|tap [user USER] [group GROUP] [pi] [vnet_hdr] [multi_queue]
ip maddr [show] [dev IFACE] | ip maddr add|del MAC dev IFACE
ip netns [list] | ip netns add|del|pids NAME | ip netns attach NAME PID | ip netns exec NAME COMMAND [ARG]...
ip netns identify [PID]
ip monitor [all|label] [link] [addr] [route] [neigh] [rule]";
    FOUR = "-4",
    SIX = "-6",
    ZERO = "-0",
    FAMILY = "-f",
    ONE_LINE = "-o",
    BRIEF = "--brief",
    STATISTICS = "-s",
    DETAILS = "-d",
    JSON = "-j",
    PRETTY = "-p",
    NAMESPACE = "-n",
    BATCH = "-b",
    FORCE = "--force",
    VERSION = "-V",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

/// What the options before the object ask for.
#[derive(Clone, Copy, Default)]
struct Show {
    /// `AF_INET` 2, `AF_INET6` 10, `AF_PACKET` 17, 0 for all.
    family: u8,
    one_line: bool,
    brief: bool,
    /// How much of it.
    statistics: u8,
    details: bool,
    json: bool,
    pretty: bool,
    /// The command is one of a file.
    in_batch: bool,
}

/// The options as iproute2 takes them, with one dash or two, cut short at will.
const LONG_OPTIONS: Names = names! {
    "4" = FOUR.0, "6" = SIX.0, "0" = ZERO.0, "oneline" = ONE_LINE.0, "batch" = BATCH.0, "brief" = BRIEF.0,
    "family" = FAMILY.0, "force" = FORCE.0, "statistics" = STATISTICS.0, "stats" = STATISTICS.0, "details" = DETAILS.0,
    "json" = JSON.0, "pretty" = PRETTY.0, "netns" = NAMESPACE.0, "Version" = VERSION.0, "help" = HELP,
};
/// No option of the usage text.
const HELP: u64 = 255;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut words = args.operands();
    let (mut show, mut batch, mut force) = (Show::default(), None, false);
    while let Some((word, rest)) = words.split_first()
        && word.starts_with(b"-")
    {
        words = rest;
        let name = word.strip_prefix(b"--").unwrap_or(&word[1..]);
        let found = LONG_OPTIONS.iter().find(|(known, _)| !name.is_empty() && known.as_bytes().starts_with(name));
        let option = match found {
            Some((_, option)) if option != HELP => Opt(option as u8),
            Some(_) => {
                let text = help(USAGE, &env.name);
                env.stdout.write(&text)?;
                return Ok(ExitStatus::SUCCESS);
            }
            None => return Err(Error::usage_because(&[b"unrecognized option '", word, b"'"])),
        };
        let mut value = || -> Result<&[u8]> {
            let (value, rest) = words.split_first().ok_or_else(Error::usage)?;
            words = rest;
            Ok(value)
        };
        match option {
            FOUR => show.family = 2,
            SIX => show.family = 10,
            ZERO => show.family = 17,
            ONE_LINE => show.one_line = true,
            BRIEF => show.brief = true,
            STATISTICS => show.statistics = show.statistics.saturating_add(1),
            DETAILS => show.details = true,
            JSON => show.json = true,
            PRETTY => show.pretty = true,
            FORCE => force = true,
            NAMESPACE => {
                let (name, file) = {
                    let name = value()?;
                    (name, open_namespace(name)?)
                };
                namespace::enter(file.as_fd(), namespace::NET).map_err(|errno| Error::on(name, errno))?;
            }
            BATCH => batch = Some(value()?),
            VERSION => {
                env.stdout.write(&text!("ip utility, ", VERSION_LINE, "\n"))?;
                return Ok(ExitStatus::SUCCESS);
            }
            _ => {
                show.family = match value()? {
                    b"inet" => 2,
                    b"inet6" => 10,
                    b"link" => 17,
                    word => return Err(invalid(word, "family")),
                };
            }
        }
    }
    let netlink = Netlink::open()?;
    if let Some(path) = batch {
        return run_batch(env, &netlink, show, path, force);
    }
    let called = env.name.strip_prefix(b"ip").filter(|object| !object.is_empty()).map(<[u8]>::to_vec);
    match (&called, words.split_first()) {
        (Some(object), _) => dispatch(env, &netlink, show, object, words),
        (None, Some((object, words))) => dispatch(env, &netlink, show, object, words),
        (None, None) => Err(Error::usage()),
    }
}

/// Runs the commands of a file, one a line: words between blanks, `#` begins a comment.
fn run_batch(env: &mut Env, netlink: &Netlink, show: Show, path: &[u8], force: bool) -> Outcome {
    let show = Show { in_batch: true, ..show };
    let mut input = Input::operand(path)?;
    let (mut number, mut status) = (0u64, ExitStatus::SUCCESS);
    while let Some(line) = input.line()? {
        number += 1;
        let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
        let words: Vec<&[u8]> = bytes::words(line).collect();
        let Some((object, words)) = words.split_first() else { continue };
        if let Err(error) = dispatch(env, netlink, show, object, words) {
            if error.is_output() {
                return Err(error);
            }
            env.report(&error);
            env.report(&Error::new(text!("command failed ", path, ":", number)));
            status = ExitStatus::FAILURE;
            if !force {
                break;
            }
        }
    }
    Ok(status)
}

fn dispatch(env: &mut Env, netlink: &Netlink, show: Show, object: &[u8], words: &[&[u8]]) -> Outcome {
    match object {
        _ if is(object, "link") => link::run(env, netlink, show, words).map_err(|error| {
            // What is wrong with a link has the status of what the kernel refuses.
            if error.is_usage() { error } else { error.with_status(2) }
        }),
        _ if is(object, "address") || object == b"addr" => address::run(env, netlink, show, words),
        _ if is(object, "route") => route::run(env, netlink, show, words),
        _ if is(object, "neighbour") || object == b"neighbor" => neigh::run(env, netlink, show, words),
        _ if object.len() > 1 && is(object, "rule") => rule::run(env, netlink, show, words),
        _ if is(object, "tunnel") => tunnel::run(env, netlink, show, words),
        _ if object.len() > 3 && is(object, "tuntap") => tuntap::run(env, netlink, show, words),
        _ if is(object, "maddress") => maddr::run(env, netlink, show, words),
        _ if object.len() > 2 && is(object, "netns") => netns::run(env, show, words),
        _ if object.len() > 1 && is(object, "monitor") => monitor::run(env, netlink, show, words),
        _ => Err(Error::usage_because(&[b"unknown object '", object, b"'"])),
    }
}

/// The network namespace that `ip netns` of iproute2 knows by this name.
fn open_namespace(name: &[u8]) -> Result<OwnedFd> {
    fs::open(namespace_path(name)?, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| Error::on([b"cannot open network namespace \"", name, b"\""].concat(), errno))
}

/// Where network namespaces with names are (ip-netns(8)).
const NAMESPACES: &str = "/var/run/netns";

/// The file of a network namespace with a name.
fn namespace_path(name: &[u8]) -> Result<Vec<u8>> {
    if name.contains(&b'/') || matches!(name, b"" | b"." | b"..") {
        return Err(Error::parts(&[b"invalid netns name \"", name, b"\""]));
    }
    Ok(text!(NAMESPACES, "/", name))
}

/// `AF_INET` or `AF_INET6`.
fn family_of(address: IpAddr) -> u8 {
    if address.is_ipv4() { 2 } else { 10 }
}

/// True when `word` is a beginning of `command`, as iproute2 takes them.
fn is(word: &[u8], command: &str) -> bool {
    !word.is_empty() && command.as_bytes().starts_with(word)
}

/// Takes the value of a keyword.
fn value<'a>(words: &mut impl Iterator<Item = &'a [u8]>) -> Result<&'a [u8]> {
    words.next().ok_or_else(|| Error::new("command line is not complete, try \"help\""))
}

/// `word` is nothing that `what` takes.
fn invalid(word: &[u8], what: &str) -> Error {
    Error::parts(&[b"invalid argument '", word, b"' to '", what.as_bytes(), b"'"])
}

/// A number of 32 bits, the value of a keyword.
fn number(word: &[u8], keyword: &[u8]) -> Result<u32> {
    let number = rbox_core::number::parse_in_range(word, 0, u32::MAX.into());
    number
        .map(|number| number as u32)
        .map_err(|_| Error::parts(&[b"invalid argument '", word, b"' to '", keyword, b"'"]))
}

/// What is in a table of names, or a number of at most `most`.
fn named(names: Names, word: &[u8], most: u64, what: &str) -> Result<u64> {
    let number = names.number_of(word).or_else(|| rbox_core::number::parse_in_range(word, 0, most).ok());
    number.ok_or_else(|| invalid(word, what))
}

/// The name of a number, or the number.
fn name_or_number(names: Names, number: u64) -> Vec<u8> {
    names.name_of(number).map_or_else(|| text!(number), |name| name.into())
}

/// An address; the error has iproute2's wording.
fn address(word: &[u8]) -> Result<IpAddr> {
    addr::parse(word).map_err(|_| Error::parts(&[b"an inet address is expected rather than \"", word, b"\""]))
}

/// A network; all bits count of one without a prefix.
fn prefix(word: &[u8]) -> Result<(IpAddr, u8)> {
    addr::parse_prefix(word).map_err(|_| Error::parts(&[b"an inet prefix is expected rather than \"", word, b"\""]))
}

/// True when the first `bits` of the two are equal.
fn within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()) & addr::mask(bits).to_bits() == 0,
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            (a.to_bits() ^ b.to_bits()).checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// rtnetlink(7), rt_class_t.
const TABLES: Names = names! { "local" = 255, "main" = 254, "default" = 253 };

/// The number of a routing table.
fn table(word: &[u8]) -> Result<u32> {
    named(TABLES, word, u32::MAX.into(), "table ID").map(|number| number as u32)
}

/// The name of a routing table.
fn table_name(table: u32) -> Vec<u8> {
    name_or_number(TABLES, table.into())
}

/// The command does not know the word.
fn unknown(word: &[u8]) -> Error {
    Error::parts(&[b"either \"dev\" is duplicate, or \"", word, b"\" is garbage"])
}

/// The kernel's word, in iproute2's form.
fn refused(errno: rbox_core::sys::Errno) -> Error {
    Error::on("RTNETLINK answers", errno).with_status(2)
}

/// rtnetlink(7), rt_scope_t.
const SCOPES: Names = names! { "global" = 0, "site" = 200, "link" = 253, "host" = 254, "nowhere" = 255 };

/// The number of a scope by name or number.
fn scope(word: &[u8]) -> Result<u8> {
    named(SCOPES, word, 255, "scope").map(|number| number as u8)
}

/// The name of a scope.
fn scope_name(scope: u8) -> Vec<u8> {
    name_or_number(SCOPES, scope.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_the_usage_text_are_taken() {
        for line in rbox_core::options::lines(USAGE) {
            for name in line.names {
                let name = name.trim_ascii_start().strip_prefix(b"-").expect("a dash");
                let name = name.strip_prefix(b"-").unwrap_or(name);
                let found = LONG_OPTIONS.iter().find(|(known, _)| known.as_bytes().starts_with(name));
                assert_eq!(found.map(|(_, option)| Opt(option as u8)), Some(line.option), "{name:?}");
            }
        }
    }

    #[test]
    fn a_network_holds_its_addresses() {
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert!(within(address("10.0.2.15"), address("10.0.2.0"), 24));
        assert!(!within(address("10.0.3.15"), address("10.0.2.0"), 24));
        assert!(within(address("fe80::1"), address("fe80::"), 10));
        assert!(within(address("::1"), address("::"), 0));
        assert!(!within(address("::1"), address("0.0.0.0"), 0));
    }
}
