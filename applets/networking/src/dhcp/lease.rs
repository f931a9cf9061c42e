//! What a server gave, as a script reads it: variables of its environment, named as udhcpc's users know them.

use core::net::Ipv4Addr;

use rbox_core::net::addr::{self, mask_bits};
use rbox_core::text;

use super::options::{self, clean, show};
use super::packet::{LEASE_TIME, Message, SERVER};

/// A server's acknowledgement.
#[derive(Debug)]
pub struct Lease(Message);

impl Lease {
    pub fn new(acknowledgement: Message) -> Self {
        Self(acknowledgement)
    }

    /// The address that was given.
    pub fn address(&self) -> Ipv4Addr {
        self.0.your
    }

    pub fn server(&self) -> Option<Ipv4Addr> {
        self.0.address(SERVER)
    }

    /// How long it may be held; an hour where the server names no time. Less than four seconds would be a storm.
    pub fn seconds(&self) -> u32 {
        self.0.number(LEASE_TIME).unwrap_or(3600).clamp(4, 0x7fff_ffff)
    }

    /// When to renew, to ask any server, and to end, in milliseconds: RFC 2131 4.4.5, RFC 2132 9.11 and 9.12.
    pub fn bounds(&self) -> (u64, u64, u64) {
        let end = u64::from(self.seconds()) * 1000;
        let time =
            |code, default, most: u64| self.0.number(code).map_or(default, |time| u64::from(time) * 1000).min(most);
        let late = time(59, end / 8 * 7, end);
        (time(58, end / 2, late).max(1000), late, end)
    }

    /// The variables of the script's environment, `NAME=value`.
    pub fn vars(&self) -> Vec<Vec<u8>> {
        let mut vars = vec![[b"ip=", &addr::text(self.0.your.into())[..]].concat()];
        let mut add = |name: &str, value: &[u8]| vars.push([name.as_bytes(), b"=", value].concat());
        if !self.0.next_server.is_unspecified() {
            add("siaddr", &text!(self.0.next_server));
        }
        if !self.0.boot_file.is_empty() {
            add("boot_file", &clean(&self.0.boot_file));
        }
        if !self.0.server_name.is_empty() {
            add("sname", &clean(&self.0.server_name));
        }
        for (code, value) in super::packet::options(&self.0.options) {
            let Some(name) = options::name_of(code) else {
                // BusyBox's name for what it does not know.
                add(str::from_utf8(&text!("opt", code)).unwrap_or_default(), &options::hexadecimal(value));
                continue;
            };
            if let Some(text) = show(code, value) {
                add(name, &text);
                if code == 1
                    && let Ok(mask) = <[u8; 4]>::try_from(value)
                    && let Some(bits) = mask_bits(Ipv4Addr::from(mask))
                {
                    add("mask", &text!(bits));
                }
            }
        }
        vars
    }
}
