//! The applets of the network: interfaces, routes, names, and the protocols that set them.
#![forbid(unsafe_code)]

mod ethernet;
mod inet;

rbox_core::applets! {
    arp: "/sbin/arp";
    arping: "/usr/sbin/arping";
    dnsd: "/usr/sbin/dnsd";
    ether_wake: "/usr/sbin/ether-wake";
    hostname: "/bin/hostname" "/bin/dnsdomainname";
    ifconfig: "/sbin/ifconfig";
    ifplugd: "/usr/sbin/ifplugd";
    ip: "/sbin/ip" "/sbin/ipaddr" "/sbin/iplink" "/sbin/ipneigh" "/sbin/iproute" "/sbin/iprule";
    ipcalc: "/bin/ipcalc";
    nameif: "/sbin/nameif";
    nbd_client: "/usr/sbin/nbd-client";
    nc: "/usr/bin/nc";
    netstat: "/bin/netstat";
    nslookup: "/usr/bin/nslookup";
    ntp: "/usr/sbin/ntpd";
    ping: "/bin/ping" "/bin/ping6";
    pscan: "/usr/bin/pscan";
    rdate: "/usr/sbin/rdate";
    route: "/sbin/route";
    traceroute: "/usr/bin/traceroute" "/usr/bin/traceroute6";
    udhcpc: "/sbin/udhcpc";
    wget: "/usr/bin/wget";
    whois: "/usr/bin/whois";
    zcip: "/sbin/zcip";
}

#[cfg(fuzzing)]
pub use {
    dnsd::fuzz as fuzz_dnsd, ethernet::fuzz as fuzz_arp, netstat::fuzz as fuzz_netstat,
    nslookup::fuzz as fuzz_nslookup, ntp::fuzz as fuzz_ntp, traceroute::fuzz as fuzz_traceroute,
    udhcpc::fuzz as fuzz_dhcp, wget::fuzz as fuzz_url, whois::fuzz as fuzz_whois,
};
