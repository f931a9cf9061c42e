//! The applets of the network: interfaces, routes, names, and the protocols that set them.
#![forbid(unsafe_code)]

mod inet;

rbox_core::applets! {
    hostname: "/bin/hostname" "/bin/dnsdomainname";
    udhcpc: "/sbin/udhcpc";
}
