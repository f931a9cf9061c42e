//! `brctl`: make, change and show bridges (linux/if_link.h, IFLA_BR_* and IFLA_BRPORT_*).

use rbox_core::duration;
use rbox_core::net::addr::hardware_text;
use rbox_core::net::netlink::{CREATE_NEW, Link, Netlink, Request, attributes, find, nested, word};
use rbox_core::number::{hundredths, parse_in_range};
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::text::{Hex, Right};
use rbox_core::{push, text};

options! {
    "COMMAND [BRIDGE [ARGS]]

Manage Ethernet bridges.

show [BRIDGE]...                  Print bridges and their interfaces
showmacs BRIDGE                   Print hardware addresses
showstp BRIDGE                    Print the state of the spanning tree protocol
addbr|delbr BRIDGE                Create or delete BRIDGE
addif|delif BRIDGE IFACE...       Add interfaces to BRIDGE or remove them
stp BRIDGE on|off                 Turn the spanning tree protocol on or off
setageing|setfd|sethello|setmaxage BRIDGE SEC  Set ageing time, forward delay, hello time, maximum age
setbridgeprio BRIDGE N            Set the priority of BRIDGE
setportprio|setpathcost BRIDGE IFACE N  Set priority or cost of an interface
hairpin BRIDGE IFACE on|off       Send packets back through the interface that they came from"
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (command, words) = args.operands().split_first().ok_or_else(Error::usage)?;
    let netlink = Netlink::open()?;
    match (*command, words) {
        (b"show", names) => show(env, &netlink, names)?,
        (b"showmacs", [name]) => show_addresses(env, &netlink, &bridge(&netlink, name)?)?,
        (b"showstp", [name]) => show_tree(env, &netlink, &bridge(&netlink, name)?)?,
        (b"addbr", [name]) => {
            let request = Request::new(16, CREATE_NEW, &[0; 16]).attribute(3, &[name, &b"\0"[..]].concat());
            let made = netlink.change(request.attribute(18, &nested(1, b"bridge")));
            made.map_err(|errno| Error::on([b"bridge ", *name].concat(), errno))?;
        }
        (b"delbr", [name]) => {
            let link = bridge(&netlink, name)?;
            if link.flags & rbox_core::net::netlink::UP != 0 {
                return Err(Error::parts(&[b"bridge ", name, b": ", &text_of(Errno::BUSY)]));
            }
            let fixed = [&[0u8; 4][..], &link.index.to_ne_bytes(), &[0; 8]].concat();
            netlink
                .change(Request::new(17, 0, &fixed))
                .map_err(|errno| Error::on([b"bridge ", *name].concat(), errno))?;
        }
        (b"addif" | b"delif", [name, interfaces @ ..]) if !interfaces.is_empty() => {
            let bridge = bridge(&netlink, name)?;
            let add = *command == b"addif";
            for interface in interfaces {
                set_member(&netlink, &bridge, interface, add)?;
            }
        }
        (command, [name, value]) => set_bridge(&netlink, &bridge(&netlink, name)?, command, value)?,
        (command, [name, port, value]) => {
            let bridge = bridge(&netlink, name)?;
            set_port(&netlink, &bridge, port, command, value)?;
        }
        _ => return Err(Error::usage()),
    }
    Ok(ExitStatus::SUCCESS)
}

fn text_of(errno: Errno) -> Vec<u8> {
    rbox_core::sys::error_text(errno).into_bytes()
}

fn bridge(netlink: &Netlink, name: &[u8]) -> Result<Link> {
    let link = netlink.link(name).map_err(|_| Error::on([b"bridge ", name].concat(), Errno::NXIO))?;
    if link.kind() == b"bridge" { Ok(link) } else { Err(Error::parts(&[name, b": not a bridge"])) }
}

fn set_member(netlink: &Netlink, bridge: &Link, name: &[u8], add: bool) -> Result<()> {
    let link = netlink.link(name).map_err(|_| Error::on([b"interface ", name].concat(), Errno::NODEV))?;
    // An interface has one bridge; only that one's is taken away.
    if add && link.master != 0 {
        return Err(Error::on([b"bridge ", &bridge.name[..]].concat(), Errno::BUSY));
    }
    if !add && link.master != bridge.index {
        return Err(Error::on([b"bridge ", &bridge.name[..]].concat(), Errno::INVAL));
    }
    let master = if add { bridge.index } else { 0 };
    let set = netlink.set_link(link.index, 0, 0, &[(10, master.to_ne_bytes().to_vec())]);
    set.map_err(|errno| Error::on([b"bridge ", &bridge.name[..]].concat(), errno))
}

fn on_or_off(word: &[u8]) -> Result<bool> {
    match word {
        b"on" | b"yes" | b"1" => Ok(true),
        b"off" | b"no" | b"0" => Ok(false),
        word => Err(Error::parts(&[b"invalid argument '", word, b"'"])),
    }
}

/// IFLA_BR_*; the kernel counts times in hundredths of a second.
fn set_bridge(netlink: &Netlink, bridge: &Link, command: &[u8], value: &[u8]) -> Result<()> {
    let time = |value| -> Result<Vec<u8>> {
        let hundredths = duration::parse(value)?.as_millis() / 10;
        let number = u32::try_from(hundredths).map_err(|_| rbox_core::number::invalid(value))?;
        Ok(number.to_ne_bytes().to_vec())
    };
    let (attribute, value) = match command {
        b"setfd" => (1, time(value)?),
        b"sethello" => (2, time(value)?),
        b"setmaxage" => (3, time(value)?),
        b"setageing" => (4, time(value)?),
        b"stp" => (5, u32::from(on_or_off(value)?).to_ne_bytes().to_vec()),
        b"setbridgeprio" => (6, (parse_in_range(value, 0, 0xffff)? as u16).to_ne_bytes().to_vec()),
        _ => return Err(Error::usage()),
    };
    let info = [nested(1, b"bridge"), nested(2, &nested(attribute, &value))].concat();
    netlink.set_link(bridge.index, 0, 0, &[(18, info)]).map_err(|errno| Error::on(&bridge.name, errno))
}

/// IFLA_BRPORT_*.
fn set_port(netlink: &Netlink, bridge: &Link, port: &[u8], command: &[u8], value: &[u8]) -> Result<()> {
    let link = netlink.link(port).map_err(|_| Error::on([b"interface ", port].concat(), Errno::NODEV))?;
    if link.master != bridge.index {
        return Err(Error::parts(&[port, b": not an interface of ", &bridge.name]));
    }
    let (attribute, value) = match command {
        b"setportprio" => (2, (parse_in_range(value, 0, 0xffff)? as u16).to_ne_bytes().to_vec()),
        b"setpathcost" => (3, (parse_in_range(value, 0, u32::MAX.into())? as u32).to_ne_bytes().to_vec()),
        b"hairpin" => (4, vec![u8::from(on_or_off(value)?)]),
        _ => return Err(Error::usage()),
    };
    // IFLA_INFO_SLAVE_KIND and IFLA_INFO_SLAVE_DATA.
    let info = [nested(4, b"bridge"), nested(5, &nested(attribute, &value))].concat();
    netlink.set_link(link.index, 0, 0, &[(18, info)]).map_err(|errno| Error::on(port, errno))
}

/// The attributes of a bridge, or of one of its interfaces.
struct Data<'a>(&'a [u8]);

impl<'a> Data<'a> {
    fn of_bridge(link: &'a Link) -> Self {
        Self(find(&link.info, 2).unwrap_or_default())
    }

    fn of_port(link: &'a Link) -> Self {
        Self(find(&link.info, 5).unwrap_or_default())
    }

    /// A number of any size in this processor's order.
    fn number(&self, attribute: u16) -> u64 {
        let value = find(self.0, attribute).unwrap_or_default();
        let bytes = value.iter().take(8).enumerate();
        bytes.fold(0, |number, (at, &byte)| number | u64::from(byte) << (8 * at))
    }

    /// Hundredths of a second as seconds.
    fn time(&self, attribute: u16) -> Vec<u8> {
        text!(Right(hundredths(self.number(attribute)), 7, b' '))
    }

    /// Priority and hardware address as `8000.020000000001`.
    fn id(&self, attribute: u16) -> Vec<u8> {
        let mut digits = hardware_text(find(self.0, attribute).unwrap_or_default());
        digits.retain(|&byte| byte != b':');
        if digits.len() > 4 {
            digits.insert(4, b'.');
        }
        digits
    }
}

fn members<'a>(links: &'a [Link], bridge: &Link) -> impl Iterator<Item = &'a Link> {
    let index = bridge.index;
    links.iter().filter(move |link| link.master == index)
}

fn show(env: &mut Env, netlink: &Netlink, names: &[&[u8]]) -> Result<()> {
    for name in names {
        bridge(netlink, name)?;
    }
    let links = netlink.links()?;
    env.stdout.write(b"bridge name\tbridge id\t\tSTP enabled\tinterfaces\n")?;
    let wanted = |link: &&Link| link.kind() == b"bridge" && (names.is_empty() || names.contains(&&link.name[..]));
    let mut bridges: Vec<&Link> = links.iter().filter(wanted).collect();
    bridges.sort_by(|one, other| one.name.cmp(&other.name));
    for link in bridges {
        let data = Data::of_bridge(link);
        let enabled = if data.number(5) == 0 { "no" } else { "yes" };
        let mut line = text!(&link.name, "\t\t", data.id(11), "\t", enabled, "\t\t");
        let mut ports: Vec<&Link> = members(&links, link).collect();
        ports.sort_by(|one, other| one.name.cmp(&other.name));
        for (at, port) in ports.iter().enumerate() {
            push!(line, if at > 0 { "\n\t\t\t\t\t\t\t" } else { "" }, &port.name);
        }
        line.push(b'\n');
        env.stdout.write(&line)?;
    }
    Ok(())
}

/// The forwarding table, which the kernel keeps as neighbours of the family AF_BRIDGE.
fn show_addresses(env: &mut Env, netlink: &Netlink, bridge: &Link) -> Result<()> {
    let links = netlink.links()?;
    // An interface's fixed part with the family; IFLA_MASTER picks the bridge's own.
    let bodies = netlink.dump(30, &[7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 28)?;
    let mut rows = Vec::new();
    for body in &bodies {
        let Some(fixed) = body.get(..12) else { continue };
        let Some(port) = members(&links, bridge).find(|link| link.index == word(&fixed[4..])) else { continue };
        let (mut address, mut age, mut is_own) = (Vec::new(), 0, false);
        for (kind, value) in attributes(&body[12..]) {
            match kind {
                2 => address = value.to_vec(),
                // NDA_VLAN: the same address once more.
                5 => address.clear(),
                // struct nda_cacheinfo: confirmed, used, updated in hundredths.
                3 => age = value.get(8..).map_or(0, word),
                9 => is_own = word(value) == bridge.index,
                _ => {}
            }
        }
        // NUD_PERMANENT.
        let is_local = fixed[8] & 0x80 != 0;
        if is_own && !address.is_empty() {
            let age = if is_local { 0 } else { age };
            rows.push((address, Data::of_port(port).number(18), is_local, age));
        }
    }
    rows.sort();
    env.stdout.write(b"port no\tmac addr\t\tis local?\tageing timer\n")?;
    for (address, port, is_local, age) in rows {
        let local = if is_local { "yes" } else { "no" };
        let age = Right(hundredths(age.into()), 7, b' ');
        let line = text!(Right(port, 3, b' '), "\t", hardware_text(&address), "\t", local, "\t\t", age, "\n");
        env.stdout.write(&line)?;
    }
    Ok(())
}

fn show_tree(env: &mut Env, netlink: &Netlink, bridge: &Link) -> Result<()> {
    let links = netlink.links()?;
    let data = Data::of_bridge(bridge);
    let two = |names: [&str; 2], values: [u16; 2]| {
        text!(" ", names[0], data.time(values[0]), "\t\t\t", names[1], data.time(values[1]), "\n")
    };
    let mut out = text!(&bridge.name, "\n bridge id\t\t", data.id(11), "\n designated root\t", data.id(10), "\n");
    push!(
        out,
        " root port\t\t",
        Right(data.number(12), 4, b' '),
        "\t\t\tpath cost\t\t",
        Right(data.number(13), 4, b' '),
        "\n"
    );
    push!(out, two(["max age\t\t", "bridge max age\t\t"], [3, 3]));
    push!(out, two(["hello time\t\t", "bridge hello time\t"], [2, 2]));
    push!(out, two(["forward delay\t\t", "bridge forward delay\t"], [1, 1]));
    push!(out, " ageing time\t\t", data.time(4), "\n");
    push!(out, two(["hello timer\t\t", "tcn timer\t\t"], [16, 17]));
    push!(out, two(["topology change timer\t", "gc timer\t\t"], [18, 19]));
    push!(out, " flags\t\t\t");
    for (name, attribute) in [("TOPOLOGY_CHANGE ", 14), ("TOPOLOGY_CHANGE_DETECTED ", 15)] {
        push!(out, if data.number(attribute) == 0 { "" } else { name });
    }
    push!(out, "\n\n\n");
    for link in members(&links, bridge) {
        push_port(&mut out, link);
    }
    env.stdout.write(&out)
}

fn push_port(out: &mut Vec<u8>, link: &Link) {
    let data = Data::of_port(link);
    let state = match data.number(1) {
        0 => "disabled",
        1 => "listening",
        2 => "learning",
        3 => "forwarding",
        _ => "blocking",
    };
    let timer = |attribute| data.time(attribute);
    push!(*out, &link.name, " (", data.number(18), ")\n port id\t\t", Right(text!(Hex(data.number(17))), 4, b'0'));
    push!(*out, "\t\t\tstate\t\t", Right(state, 15, b' '), "\n designated root\t", data.id(13));
    push!(*out, "\tpath cost\t\t", Right(data.number(3), 4, b' '), "\n designated bridge\t", data.id(14));
    push!(*out, "\tmessage age timer\t", timer(21), "\n designated port\t");
    push!(*out, Right(text!(Hex(data.number(15))), 4, b'0'), "\t\t\tforward delay timer\t", timer(22));
    push!(
        *out,
        "\n designated cost\t",
        Right(data.number(16), 4, b' '),
        "\t\t\thold timer\t\t",
        timer(23),
        "\n flags\t\t\t"
    );
    for (name, attribute) in [("CONFIG_PENDING ", 20), ("TOPOLOGY_CHANGE_ACK ", 19), ("HAIRPIN_MODE ", 4)] {
        push!(*out, if data.number(attribute) == 0 { "" } else { name });
    }
    push!(*out, "\n\n");
}
