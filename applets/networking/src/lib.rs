//! The applets of the network: interfaces, routes, names, and the protocols that set them.
#![forbid(unsafe_code)]

mod dhcp;
mod inet;

rbox_core::applets! {
    dhcprelay: "/usr/sbin/dhcprelay";
    dumpleases: "/usr/bin/dumpleases";
    hostname: "/bin/hostname" "/bin/dnsdomainname";
    ifconfig: "/sbin/ifconfig";
    ip: "/sbin/ip" "/sbin/ipaddr" "/sbin/iplink" "/sbin/ipneigh" "/sbin/iproute" "/sbin/iprule";
    nc: "/usr/bin/nc";
    ping: "/bin/ping" "/bin/ping6";
    route: "/sbin/route";
    udhcpc: "/sbin/udhcpc";
    udhcpc6: "/usr/bin/udhcpc6";
    udhcpd: "/usr/sbin/udhcpd";
    wget: "/usr/bin/wget";
}

#[cfg(fuzzing)]
pub use {
    dhcp::config::fuzz as fuzz_udhcpd_conf, dhcp::packet::fuzz as fuzz_dhcp, dhcp::packet6::fuzz as fuzz_dhcp6,
    dhcp::server::fuzz as fuzz_dhcp_server, wget::fuzz as fuzz_url,
};
