//! The network: addresses as text, and what the kernel knows of interfaces and routes.

pub mod addr;
pub mod netlink;
