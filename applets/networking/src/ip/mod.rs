//! `ip`: show and set interfaces, addresses and routes, in the words of iproute2.

mod address;
mod link;
mod route;

use rbox_core::applet::help;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::netlink::Netlink;
use rbox_core::prelude::*;
use rbox_core::text;

options! {
    "[-46ob] [-f inet|inet6|link] link|addr|route [COMMAND]

Show or set interfaces, addresses and routes.

  -4          IPv4 only
  -6          IPv6 only
  -f FAMILY, -family FAMILY  inet, inet6 or link
  -o, -oneline  One line each
  -b, -br, -brief  Few words each

ip link [show] [IFACE]
ip link set IFACE [up|down] [arp on|off] [multicast on|off] [promisc on|off]
        [mtu N] [txqueuelen N] [name NAME] [address MAC] [master IFACE|nomaster]
ip link add [link IFACE] [name] NAME type KIND [id N] | ip link del NAME
ip addr [show] [[dev] IFACE] [scope SCOPE] [to PREFIX]
ip addr add|del|replace ADDRESS[/BITS] [brd ADDRESS|+] [peer ADDRESS] [scope SCOPE] [label NAME] dev IFACE
ip addr flush dev IFACE
ip route [show] [dev IFACE] [table TABLE] | ip route flush dev IFACE
ip route add|del|replace|append|change [TYPE] PREFIX|default [via ADDRESS] [dev IFACE]
        [src ADDRESS] [metric N] [table TABLE] [proto N] [scope SCOPE]";
    FOUR = "-4",
    SIX = "-6",
    FAMILY = "-f",
    ONE_LINE = "-o",
    BRIEF = "-b",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

/// What the options before the object ask for.
#[derive(Clone, Copy)]
struct Show {
    /// `AF_INET` 2, `AF_INET6` 10, 0 for all.
    family: u8,
    one_line: bool,
    brief: bool,
}

/// iproute2's options have one dash and may be cut, so they are read here.
/// The options as iproute2 takes them, with one dash or two, cut short at will.
const LONG_OPTIONS: Names = names! {
    "4" = FOUR.0, "6" = SIX.0, "oneline" = ONE_LINE.0, "brief" = BRIEF.0, "family" = FAMILY.0, "help" = HELP,
};
/// No option of the usage text.
const HELP: u64 = 255;

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let mut words = args.operands();
    let mut show = Show { family: 0, one_line: false, brief: false };
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
        match option {
            FOUR => show.family = 2,
            SIX => show.family = 10,
            ONE_LINE => show.one_line = true,
            BRIEF => show.brief = true,
            _ => {
                let (family, rest) = words.split_first().ok_or_else(Error::usage)?;
                words = rest;
                show.family = match *family {
                    b"inet" => 2,
                    b"inet6" => 10,
                    b"link" => 0,
                    word => return Err(Error::parts(&[b"invalid argument '", word, b"' to 'family'"])),
                };
            }
        }
    }
    let called = env.name.strip_prefix(b"ip").filter(|object| !object.is_empty()).map(<[u8]>::to_vec);
    let (object, words) = match (&called, words.split_first()) {
        (Some(object), _) => (object.as_slice(), words),
        (None, Some((object, words))) => (*object, words),
        (None, None) => return Err(Error::usage()),
    };
    let netlink = Netlink::open()?;
    match object {
        _ if is(object, "link") => link::run(env, &netlink, show, words),
        _ if is(object, "address") || object == b"addr" => address::run(env, &netlink, show, words),
        _ if is(object, "route") => route::run(env, &netlink, show, words),
        _ => Err(Error::parts(&[b"unknown object '", object, b"'"])),
    }
}

/// True when `word` is a beginning of `command`, as iproute2 takes them.
fn is(word: &[u8], command: &str) -> bool {
    !word.is_empty() && command.as_bytes().starts_with(word)
}

/// Takes the value of a keyword.
fn value<'a>(words: &mut dyn Iterator<Item = &'a [u8]>, keyword: &[u8]) -> Result<&'a [u8]> {
    words.next().ok_or_else(|| Error::parts(&[b"argument of '", keyword, b"' is missing"]))
}

/// The word is none that the command knows.
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
    match SCOPES.number_of(word) {
        Some(number) => Ok(number as u8),
        None => Ok(rbox_core::number::parse_in_range(word, 0, 255)? as u8),
    }
}

/// The name of a scope.
fn scope_name(scope: u8) -> Vec<u8> {
    match SCOPES.name_of(scope.into()) {
        Some(name) => name.into(),
        None => text!(scope),
    }
}
