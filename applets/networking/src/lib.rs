//! The applets of the network: interfaces, routes, names, and the protocols that set them.
#![forbid(unsafe_code)]

mod inet;

rbox_core::applets! {
    dnsd: "/usr/sbin/dnsd";
    hostname: "/bin/hostname" "/bin/dnsdomainname";
    ifconfig: "/sbin/ifconfig";
    ip: "/sbin/ip" "/sbin/ipaddr" "/sbin/iplink" "/sbin/ipneigh" "/sbin/iproute" "/sbin/iprule";
    nc: "/usr/bin/nc";
    nslookup: "/usr/bin/nslookup";
    ping: "/bin/ping" "/bin/ping6";
    route: "/sbin/route";
    udhcpc: "/sbin/udhcpc";
    wget: "/usr/bin/wget";
}

#[cfg(fuzzing)]
pub use {dnsd::fuzz as fuzz_dnsd, nslookup::fuzz as fuzz_nslookup, udhcpc::fuzz as fuzz_dhcp, wget::fuzz as fuzz_url};
