//! The applets of the network: interfaces, routes, names, and the protocols that set them.
#![forbid(unsafe_code)]

mod dhcp;
mod ethernet;
mod ftp;
mod inet;
mod netascii;
mod service;

rbox_core::applets! {
    arp: "/sbin/arp";
    arping: "/usr/sbin/arping";
    brctl: "/usr/sbin/brctl";
    dhcprelay: "/usr/sbin/dhcprelay";
    dnsd: "/usr/sbin/dnsd";
    dumpleases: "/usr/bin/dumpleases";
    ether_wake: "/usr/sbin/ether-wake";
    fakeidentd: "/usr/sbin/fakeidentd";
    ftpd: "/usr/sbin/ftpd";
    ftpget: "/usr/bin/ftpget" "/usr/bin/ftpput";
    hostname: "/bin/hostname" "/bin/dnsdomainname";
    httpd: "/usr/sbin/httpd";
    ifconfig: "/sbin/ifconfig";
    ifenslave: "/sbin/ifenslave";
    ifplugd: "/usr/sbin/ifplugd";
    ifup: "/sbin/ifup" "/sbin/ifdown";
    inetd: "/usr/sbin/inetd";
    ip: "/sbin/ip" "/sbin/ipaddr" "/sbin/iplink" "/sbin/ipneigh" "/sbin/iproute" "/sbin/iprule" "/sbin/iptunnel";
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
    slattach: "/sbin/slattach";
    tc: "/sbin/tc";
    tcpsvd: "/usr/bin/tcpsvd" "/usr/bin/udpsvd";
    telnet: "/usr/bin/telnet";
    telnetd: "/usr/sbin/telnetd";
    tftp: "/usr/bin/tftp";
    tftpd: "/usr/sbin/tftpd";
    traceroute: "/usr/bin/traceroute" "/usr/bin/traceroute6";
    tunctl: "/sbin/tunctl";
    udhcpc: "/sbin/udhcpc";
    udhcpc6: "/usr/bin/udhcpc6";
    udhcpd: "/usr/sbin/udhcpd";
    vconfig: "/sbin/vconfig";
    wget: "/usr/bin/wget";
    whois: "/usr/bin/whois";
    zcip: "/sbin/zcip";
}

#[cfg(fuzzing)]
pub use {
    dhcp::config::fuzz as fuzz_udhcpd_conf, dhcp::packet::fuzz as fuzz_dhcp, dhcp::packet6::fuzz as fuzz_dhcp6,
    dhcp::server::fuzz as fuzz_dhcp_server, dnsd::fuzz as fuzz_dnsd, ethernet::fuzz as fuzz_arp,
    ftpd::fuzz as fuzz_ftp, httpd::fuzz as fuzz_httpd, ifup::fuzz as fuzz_interfaces, inetd::fuzz as fuzz_inetd,
    netstat::fuzz as fuzz_netstat, nslookup::fuzz as fuzz_nslookup, ntp::fuzz as fuzz_ntp, telnet::fuzz as fuzz_telnet,
    tftp::fuzz as fuzz_tftp, traceroute::fuzz as fuzz_traceroute, wget::fuzz as fuzz_url, whois::fuzz as fuzz_whois,
};
