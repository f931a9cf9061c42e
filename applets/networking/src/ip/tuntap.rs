//! `ip tuntap`: interfaces whose other end is a program (linux/if_tun.h).

use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::netlink::{Netlink, find, word};
use rbox_core::prelude::*;
use rbox_core::sys::tun;
use rbox_core::text;
use rbox_core::users;

use super::record::Record;
use super::{Show, is, unknown, value};

/// IFF_*.
const MODES: Names = names! { "tun" = 1, "tap" = 2 };
const FLAGS: Names = names! {
    "pi" = NO_HEADER, "one_queue" = 0x2000, "vnet_hdr" = 0x4000, "multi_queue" = 0x100,
};
const NO_HEADER: u16 = 0x1000;

pub fn run(env: &mut Env, netlink: &Netlink, show: Show, words: &[&[u8]]) -> Outcome {
    let mut rest = words.iter().skip(1).copied();
    match words.first() {
        None => list(env, netlink, show)?,
        Some(word) if is(word, "show") || is(word, "list") || *word == b"ls" => list(env, netlink, show)?,
        Some(word) if is(word, "add") => add(b"", None, &mut rest)?,
        Some(word) if is(word, "delete") => {
            let (name, flags, _) = parse(b"", None, &mut rest)?;
            tun::set_persistent(b"/dev/net/tun", &name, flags, None)
                .map_err(|errno| Error::on("/dev/net/tun", errno))?;
        }
        Some(word) => return Err(super::invalid(word, "ip")),
    }
    Ok(ExitStatus::SUCCESS)
}

/// Makes one of that mode, unless the words name it.
pub fn add<'a>(mode: &[u8], name: Option<&[u8]>, words: &mut impl Iterator<Item = &'a [u8]>) -> Result<()> {
    let (name, flags, owner) = parse(mode, name, words)?;
    let made = tun::set_persistent(b"/dev/net/tun", &name, flags, Some(owner));
    made.map(drop).map_err(|errno| Error::on("/dev/net/tun", errno))
}

/// Name, flags, and who may open it: a user and a group.
fn parse<'a>(
    mode: &[u8],
    name: Option<&[u8]>,
    words: &mut impl Iterator<Item = &'a [u8]>,
) -> Result<(Vec<u8>, u16, tun::Owner)> {
    let (mut name, mut flags) = (name.map(<[u8]>::to_vec), NO_HEADER);
    let (mut mode, mut owner) = (MODES.number_of(mode), (None, None));
    while let Some(word) = words.next() {
        match word {
            b"mode" => {
                let word = value(words)?;
                mode = Some(MODES.number_of(word).ok_or_else(|| super::invalid(word, "mode"))?);
            }
            b"user" => owner.0 = Some(users::user_id(value(words)?)?),
            b"group" => owner.1 = Some(users::group_id(value(words)?)?),
            b"dev" | b"name" => name = Some(value(words)?.to_vec()),
            // The header is what is left out.
            word => match FLAGS.number_of(word) {
                Some(flag) => flags ^= flag as u16,
                None if name.is_none() => name = Some(word.to_vec()),
                None => return Err(unknown(word)),
            },
        }
    }
    let mode = mode.ok_or_else(|| Error::new("you have to specify a mode: tun or tap"))?;
    Ok((name.unwrap_or_default(), flags | mode as u16, owner))
}

fn list(env: &mut Env, netlink: &Netlink, show: Show) -> Result<()> {
    let mut record = Record::new(show);
    for link in netlink.links()?.iter().filter(|link| link.kind() == b"tun") {
        let data = find(&link.info, 2).unwrap_or_default();
        let byte = |attribute: u16| find(data, attribute).and_then(|value| value.first()).copied().unwrap_or(0);
        record.open("", b'{');
        record.word("", "ifname", &link.name);
        record.text(text!(": ", MODES.name_of(byte(3).into()).unwrap_or("tun")));
        record.open("flags", b'[');
        let mut names = Vec::new();
        // IFLA_TUN_PI, _VNET_HDR, _MULTI_QUEUE, _PERSIST.
        for (name, attribute) in (names! { "pi" = 4, "vnet_hdr" = 5, "multi_queue" = 7, "persist" = 6 }).iter() {
            if byte(attribute as u16) != 0 {
                names.push(name);
            }
        }
        if record.json {
            names.push(MODES.name_of(byte(3).into()).unwrap_or("tun"));
        }
        for name in names {
            record.word(" ", "", name.as_bytes());
        }
        record.close(b']');
        for (attribute, name) in [(1, "user"), (2, "group")] {
            if let Some(id) = find(data, attribute) {
                record.text(text!(" ", name, " "));
                record.number("", name, word(id).into());
            }
        }
        record.text("\n");
        record.close(b'}');
    }
    record.finish(env)
}
