//! The applets of the network: interfaces, routes, names, and the protocols that set them.
#![forbid(unsafe_code)]

mod dhcp;
mod inet;

rbox_core::applets! {
    hostname: "/bin/hostname" "/bin/dnsdomainname";
    ifconfig: "/sbin/ifconfig";
    ip: "/sbin/ip" "/sbin/ipaddr" "/sbin/iplink" "/sbin/ipneigh" "/sbin/iproute" "/sbin/iprule";
    nc: "/usr/bin/nc";
    ping: "/bin/ping" "/bin/ping6";
    route: "/sbin/route";
    udhcpc: "/sbin/udhcpc";
    wget: "/usr/bin/wget";
}

#[cfg(fuzzing)]
pub use {dhcp::packet::fuzz as fuzz_dhcp, wget::fuzz as fuzz_url};
