//! The applets of the network: interfaces, routes, names, and the protocols that set them.
#![forbid(unsafe_code)]

mod dhcp;
mod inet;

rbox_core::applets! {
    brctl: "/usr/sbin/brctl";
    dhcprelay: "/usr/sbin/dhcprelay";
    dumpleases: "/usr/bin/dumpleases";
    hostname: "/bin/hostname" "/bin/dnsdomainname";
    ifconfig: "/sbin/ifconfig";
    ifenslave: "/sbin/ifenslave";
    ifup: "/sbin/ifup" "/sbin/ifdown";
    ip: "/sbin/ip" "/sbin/ipaddr" "/sbin/iplink" "/sbin/ipneigh" "/sbin/iproute" "/sbin/iprule" "/sbin/iptunnel";
    nc: "/usr/bin/nc";
    ping: "/bin/ping" "/bin/ping6";
    route: "/sbin/route";
    slattach: "/sbin/slattach";
    tc: "/sbin/tc";
    tunctl: "/sbin/tunctl";
    udhcpc: "/sbin/udhcpc";
    udhcpc6: "/usr/bin/udhcpc6";
    udhcpd: "/usr/sbin/udhcpd";
    vconfig: "/sbin/vconfig";
    wget: "/usr/bin/wget";
}

#[cfg(fuzzing)]
pub use {
    dhcp::config::fuzz as fuzz_udhcpd_conf, dhcp::packet::fuzz as fuzz_dhcp, dhcp::packet6::fuzz as fuzz_dhcp6,
    dhcp::server::fuzz as fuzz_dhcp_server, ifup::fuzz as fuzz_interfaces, wget::fuzz as fuzz_url,
};
