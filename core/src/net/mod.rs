//! The network: addresses as text, addresses of names, and what the kernel knows of interfaces and routes.

pub mod addr;
pub mod dns;
pub mod netlink;
pub mod sockets;
pub mod tls;
