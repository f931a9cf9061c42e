//! The applets of the network: interfaces, routes, names, and the protocols that set them.
#![forbid(unsafe_code)]

mod ftp;
mod inet;
mod service;

rbox_core::applets! {
    fakeidentd: "/usr/sbin/fakeidentd";
    ftpd: "/usr/sbin/ftpd";
    ftpget: "/usr/bin/ftpget" "/usr/bin/ftpput";
    hostname: "/bin/hostname" "/bin/dnsdomainname";
    httpd: "/usr/sbin/httpd";
    ifconfig: "/sbin/ifconfig";
    inetd: "/usr/sbin/inetd";
    ip: "/sbin/ip" "/sbin/ipaddr" "/sbin/iplink" "/sbin/ipneigh" "/sbin/iproute" "/sbin/iprule";
    nc: "/usr/bin/nc";
    ping: "/bin/ping" "/bin/ping6";
    route: "/sbin/route";
    tcpsvd: "/usr/bin/tcpsvd" "/usr/bin/udpsvd";
    telnet: "/usr/bin/telnet";
    telnetd: "/usr/sbin/telnetd";
    tftp: "/usr/bin/tftp";
    tftpd: "/usr/sbin/tftpd";
    udhcpc: "/sbin/udhcpc";
    wget: "/usr/bin/wget";
}

#[cfg(fuzzing)]
pub use {
    ftpd::fuzz as fuzz_ftp, httpd::fuzz as fuzz_httpd, inetd::fuzz as fuzz_inetd, telnet::fuzz as fuzz_telnet,
    tftp::fuzz as fuzz_tftp, udhcpc::fuzz as fuzz_dhcp, wget::fuzz as fuzz_url,
};
