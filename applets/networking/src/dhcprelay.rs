//! `dhcprelay`: carry DHCP between the links of clients and that of a server (RFC 1542).

use core::net::{IpAddr, Ipv4Addr};

use rbox_core::net::addr::parse_v4;
use rbox_core::net::netlink::{Address, Netlink};
use rbox_core::prelude::*;

use crate::dhcp::packet::{SERVER_PORT, listen};
use crate::dhcp::relay::{self, Side};

options! {
    "CLIENT_IFACE[,CLIENT_IFACE]... SERVER_IFACE [SERVER]

Relay DHCP requests of the clients on the first interfaces to SERVER, an address, or to all servers on SERVER_IFACE,
and their replies back."
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).program();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let words = args.operands_between(2, 3)?;
    let to = words.get(2).map_or(Ok(Ipv4Addr::BROADCAST), |word| parse_v4(word))?;
    let netlink = Netlink::open()?;
    let addresses = netlink.addresses(2)?;
    let clients = words[0].split(|&byte| byte == b',').map(|name| side(&netlink, &addresses, name));
    let clients = clients.collect::<Result<Vec<Side>>>()?;
    let server = side(&netlink, &addresses, words[1])?;
    relay::run(env, &clients, &server, to)
}

fn side(netlink: &Netlink, addresses: &[Address], name: &[u8]) -> Result<Side> {
    let index = netlink.link(name)?.index;
    let own = addresses.iter().find(|address| address.index == index).map(|address| address.local);
    let Some(IpAddr::V4(own)) = own else { return Err(Error::parts(&[name, b": no IPv4 address"])) };
    Ok(Side { index, own, socket: listen(name, SERVER_PORT)? })
}
