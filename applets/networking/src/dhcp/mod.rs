//! DHCP for IPv4 (RFC 2131) and IPv6 (RFC 8415): packets, options, clients, a server and a relay.

pub mod arp;
pub mod client;
pub mod config;
pub mod daemon;
pub mod lease;
pub mod leases;
pub mod options;
pub mod packet;
pub mod relay;
pub mod script;
pub mod server;
