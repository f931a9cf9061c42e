//! `vconfig`: make and change interfaces of IEEE 802.1Q (linux/if_vlan.h).

use rbox_core::number::parse_in_range;
use rbox_core::prelude::*;
use rbox_core::sys::interface::{VlanRequest, vlan};

options! {
    "COMMAND [ARGS]

Create and remove VLAN interfaces.

add IFACE ID                              Create the interface of VLAN ID on IFACE
rem VLAN                                  Remove the interface VLAN
set_flag VLAN FLAG 0|1                    Set or clear a flag: 1 reorders headers
set_egress_map VLAN PRIORITY QOS          Map a packet's priority to a class of 802.1Q
set_ingress_map VLAN PRIORITY QOS         Map a class of 802.1Q to a packet's priority
set_name_type TYPE                        Name new interfaces so: VLAN_PLUS_VID VLAN_PLUS_VID_NO_PAD
                                          DEV_PLUS_VID DEV_PLUS_VID_NO_PAD"
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(_: &mut Env, args: &Args<'_>) -> Outcome {
    let (name, request) = match *args.operands() {
        [b"add", name, id] => (name, VlanRequest::Add(parse_in_range(id, 0, 4094)? as u32)),
        [b"rem", name] => (name, VlanRequest::Remove),
        [b"set_flag", name, flag, value] => {
            let flag = parse_in_range(flag, 0, u32::MAX.into())? as u32;
            (name, VlanRequest::Flag(flag, parse_in_range(value, 0, 1)? as u16))
        }
        [command @ (b"set_egress_map" | b"set_ingress_map"), name, priority, class] => {
            let priority = parse_in_range(priority, 0, u32::MAX.into())? as u32;
            let class = parse_in_range(class, 0, 7)? as u16;
            let is_egress = command == b"set_egress_map";
            (name, if is_egress { VlanRequest::Egress(priority, class) } else { VlanRequest::Ingress(priority, class) })
        }
        [b"set_name_type", word] => {
            let kind = match word {
                b"VLAN_PLUS_VID" => 0,
                b"DEV_PLUS_VID" => 1,
                b"VLAN_PLUS_VID_NO_PAD" => 2,
                b"DEV_PLUS_VID_NO_PAD" => 3,
                word => return Err(Error::parts(&[b"unknown name type '", word, b"'"])),
            };
            (&b""[..], VlanRequest::NameType(kind))
        }
        _ => return Err(Error::usage()),
    };
    match vlan(name, request) {
        Ok(()) => Ok(ExitStatus::SUCCESS),
        Err(errno) => Err(Error::on(if name.is_empty() { b"vlan" } else { name }, errno)),
    }
}
