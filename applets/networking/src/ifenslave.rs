//! `ifenslave`: join interfaces to one of the kind bond (linux/if_bonding.h).

use rbox_core::net::netlink::{Link, Netlink, UP, nested};
use rbox_core::prelude::*;

options! {
    "[-cdf] MASTER IFACE...

Attach interfaces to the bonding interface MASTER.

  -c, --change-active  Make IFACE the active one
  -d, --detach         Detach interfaces from MASTER
  -f, --force          Attach interfaces that are no Ethernet too";
    ACTIVE = "-c",
    DETACH = "-d",
    FORCE = "-f",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (name, interfaces) = args.operands_between(2, usize::MAX)?.split_first().ok_or_else(Error::usage)?;
    if args.has(ACTIVE) && args.has(DETACH) {
        return Err(Error::usage());
    }
    let netlink = Netlink::open()?;
    let master = netlink.link(name)?;
    if master.kind() != b"bond" {
        return Err(Error::parts(&[name, b": not a bonding interface"]));
    }
    if master.flags & UP == 0 {
        return Err(Error::parts(&[name, b": the interface must be up"]));
    }
    let mut status = ExitStatus::SUCCESS;
    for interface in interfaces {
        let done = netlink.link(interface).and_then(|link| {
            if args.has(DETACH) {
                detach(&netlink, &master, &link)
            } else if args.has(ACTIVE) {
                activate(&netlink, &master, &link)
            } else {
                attach(&netlink, &master, &link, args.has(FORCE))
            }
        });
        if let Err(error) = done {
            status.worsen(env.warn(error));
        }
    }
    Ok(status)
}

fn refused(link: &Link, why: &[u8]) -> Error {
    Error::parts(&[&link.name, b": ", why])
}

fn attach(netlink: &Netlink, master: &Link, link: &Link, force: bool) -> Result<()> {
    if link.master != 0 {
        return Err(refused(link, b"is already attached"));
    }
    // ARPHRD_ETHER.
    if link.hardware != 1 && !force {
        return Err(refused(link, b"no Ethernet interface"));
    }
    // Documentation/networking/bonding.rst: an interface that is up cannot be attached; the bond brings it up.
    if link.flags & UP != 0 {
        netlink.set_link(link.index, 0, UP, &[]).map_err(|errno| Error::on(&link.name, errno))?;
    }
    set_master(netlink, link, master.index)
}

fn set_master(netlink: &Netlink, link: &Link, master: u32) -> Result<()> {
    let set = netlink.set_link(link.index, 0, 0, &[(10, master.to_ne_bytes().to_vec())]);
    set.map_err(|errno| Error::on(&link.name, errno))
}

fn check_member(master: &Link, link: &Link) -> Result<()> {
    if link.master == master.index { Ok(()) } else { Err(refused(link, b"is not attached")) }
}

fn detach(netlink: &Netlink, master: &Link, link: &Link) -> Result<()> {
    check_member(master, link)?;
    set_master(netlink, link, 0)
}

/// IFLA_BOND_ACTIVE_SLAVE.
fn activate(netlink: &Netlink, master: &Link, link: &Link) -> Result<()> {
    check_member(master, link)?;
    let info = [nested(1, b"bond"), nested(2, &nested(2, &link.index.to_ne_bytes()))].concat();
    netlink.set_link(master.index, 0, 0, &[(18, info)]).map_err(|errno| Error::on(&link.name, errno))
}
