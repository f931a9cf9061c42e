//! DHCP for IPv4 (RFC 2131) and IPv6 (RFC 8415): packets, options, clients, a server and a relay.

pub mod arp;
pub mod client;
pub mod options;
pub mod packet;
pub mod script;
