//! DHCP for IPv4 (RFC 2131) and IPv6 (RFC 8415): packets, options, clients, a server and a relay.

pub mod arp;
pub mod client;
pub mod client6;
pub mod common;
pub mod config;
pub mod daemon;
pub mod lease;
pub mod leases;
pub mod options;
pub mod packet;
pub mod packet6;
pub mod relay;
pub mod script;
pub mod server;
