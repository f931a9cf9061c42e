//! udhcpd.conf: one setting a line, `#` begins a comment.

use core::net::Ipv4Addr;

use rbox_core::bytes;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::net::addr::{parse_hardware, parse_v4};
use rbox_core::number::{Decimal, parse_in_range};
use rbox_core::prelude::*;

use super::options;
use super::packet::LEASE_TIME;

/// A host that always gets the same address.
#[derive(Debug)]
pub struct Static {
    pub hardware: [u8; 6],
    pub address: Ipv4Addr,
    pub name: Vec<u8>,
}

/// What udhcpd.conf says.
#[derive(Debug)]
pub struct Config {
    /// The first and the last address that is given.
    pub start: Ipv4Addr,
    pub end: Ipv4Addr,
    pub interface: Vec<u8>,
    /// `max_leases`, then times in seconds: `auto_time`, `decline_time`, `conflict_time`, `offer_time`, `min_lease`.
    pub numbers: [u32; 6],
    pub lease_file: Vec<u8>,
    pub pid_file: Vec<u8>,
    pub notify_file: Option<Vec<u8>>,
    pub next_server: Ipv4Addr,
    pub server_name: Vec<u8>,
    pub boot_file: Vec<u8>,
    pub statics: Vec<Static>,
    /// The longest lease, in seconds.
    pub lease: u32,
    /// Codes and values.
    pub options: Vec<(u8, Vec<u8>)>,
}

/// The settings that are numbers, by their position.
const NUMBERS: Names = names! {
    "max_leases" = MAX_LEASES, "auto_time" = AUTO_TIME, "decline_time" = DECLINE_TIME, "conflict_time" = CONFLICT_TIME,
    "offer_time" = OFFER_TIME, "min_lease" = MIN_LEASE,
};
pub const MAX_LEASES: usize = 0;
pub const AUTO_TIME: usize = 1;
pub const DECLINE_TIME: usize = 2;
pub const CONFLICT_TIME: usize = 3;
pub const OFFER_TIME: usize = 4;
pub const MIN_LEASE: usize = 5;

impl Config {
    /// Reads the contents of the file `path`. The error names the file and the line.
    pub fn parse(path: &[u8], content: &[u8]) -> Result<Self> {
        let mut config = Self {
            start: Ipv4Addr::new(192, 168, 0, 20),
            end: Ipv4Addr::new(192, 168, 0, 254),
            interface: b"eth0".to_vec(),
            numbers: [235, 7200, 3600, 3600, 60, 60],
            lease_file: b"/var/lib/misc/udhcpd.leases".to_vec(),
            pid_file: b"/var/run/udhcpd.pid".to_vec(),
            notify_file: None,
            next_server: Ipv4Addr::UNSPECIFIED,
            server_name: Vec::new(),
            boot_file: Vec::new(),
            statics: Vec::new(),
            lease: 10 * 86_400,
            options: Vec::new(),
        };
        for (index, line) in content.split(|&byte| byte == b'\n').enumerate() {
            let line = line.split(|&byte| byte == b'#').next().unwrap_or_default().trim_ascii();
            if !line.is_empty() {
                let number = Decimal::new(index as u64 + 1);
                config.set(line).map_err(|error| error.context([path, b": line ", number.as_bytes()].concat()))?;
            }
        }
        if config.start > config.end {
            return Err(Error::parts(&[path, b": the end of the address range is before its start"]));
        }
        Ok(config)
    }

    fn set(&mut self, line: &[u8]) -> Result<()> {
        let (name, value) = match line.iter().position(u8::is_ascii_whitespace) {
            Some(at) => (&line[..at], line[at..].trim_ascii()),
            None => return Err(Error::parts(&[b"no value for '", line, b"'"])),
        };
        match name {
            b"start" => self.start = parse_v4(value)?,
            b"end" => self.end = parse_v4(value)?,
            b"siaddr" => self.next_server = parse_v4(value)?,
            b"interface" => self.interface = value.to_vec(),
            b"lease_file" => self.lease_file = value.to_vec(),
            b"pidfile" => self.pid_file = value.to_vec(),
            b"notify_file" => self.notify_file = Some(value.to_vec()),
            // The fields of a packet (RFC 2131 2), each with a NUL at its end.
            b"sname" => self.server_name = limited(value, 63)?,
            b"boot_file" => self.boot_file = limited(value, 127)?,
            b"static_lease" => self.statics.push(new_static(value)?),
            b"opt" | b"option" => self.set_option(value)?,
            name => {
                let at = NUMBERS.number_of(name).ok_or_else(|| Error::parts(&[b"unknown setting '", name, b"'"]))?;
                self.numbers[at as usize] = parse_in_range(value, 0, i32::MAX as u64)? as u32;
            }
        }
        Ok(())
    }

    fn set_option(&mut self, words: &[u8]) -> Result<()> {
        let at = words.iter().position(u8::is_ascii_whitespace).unwrap_or(words.len());
        let (code, value) = options::parse_value(&words[..at], words[at..].trim_ascii())?;
        if let (LEASE_TIME, &[a, b, c, d]) = (code, &value[..]) {
            self.lease = u32::from_be_bytes([a, b, c, d]);
            return Ok(());
        }
        match self.options.iter_mut().find(|(known, _)| *known == code) {
            // Several lines add to one list.
            Some((_, so_far)) => so_far.extend_from_slice(&value),
            None => self.options.push((code, value)),
        }
        Ok(())
    }

    /// True when the address is one of the range.
    pub fn holds(&self, address: Ipv4Addr) -> bool {
        (self.start..=self.end).contains(&address)
    }
}

fn limited(value: &[u8], most: usize) -> Result<Vec<u8>> {
    if value.len() > most { Err(Error::parts(&[b"'", value, b"' is too long"])) } else { Ok(value.to_vec()) }
}

/// `MAC ADDRESS [HOSTNAME]`.
fn new_static(value: &[u8]) -> Result<Static> {
    let words: Vec<&[u8]> = bytes::words(value).collect();
    let (hardware, address, name) = match words[..] {
        [hardware, address] => (hardware, address, Vec::new()),
        [hardware, address, name] => (hardware, address, limited(name, 255)?),
        _ => return Err(Error::parts(&[b"static_lease '", value, b"' is not MAC ADDRESS [HOSTNAME]"])),
    };
    Ok(Static { hardware: parse_hardware(hardware)?, address: parse_v4(address)?, name })
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    if let Ok(config) = Config::parse(b"file", data) {
        assert!(config.server_name.len() < 64 && config.boot_file.len() < 128 && config.start <= config.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(content: &str) -> core::result::Result<Config, String> {
        let parsed = Config::parse(b"f", content.as_bytes());
        parsed.map_err(|error| String::from_utf8_lossy(error.message()).into_owned())
    }

    #[test]
    fn settings_are_read() {
        let config = parse(
            "start 10.0.0.5 # first\nend\t10.0.0.9\nmax_leases 3\n\n#x\nstatic_lease 2:0:0:0:0:1 10.0.0.7 box\n\
             opt dns 10.0.0.1\noption dns 10.0.0.2 10.0.0.3\nopt lease 77\nopt 0xab 0102\nboot_file a b\n",
        )
        .expect("a right file");
        assert_eq!((config.start, config.end), (Ipv4Addr::new(10, 0, 0, 5), Ipv4Addr::new(10, 0, 0, 9)));
        assert_eq!((config.numbers[MAX_LEASES], config.numbers[AUTO_TIME], config.lease), (3, 7200, 77));
        assert_eq!(config.options, [(6, vec![10, 0, 0, 1, 10, 0, 0, 2, 10, 0, 0, 3]), (0xab, vec![1, 2])]);
        assert_eq!((&config.statics[0].name[..], config.statics[0].hardware), (&b"box"[..], [2, 0, 0, 0, 0, 1]));
        assert_eq!(config.boot_file, b"a b");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (content, message) in [
            ("\nstart x", "f: line 2: bad address 'x'"),
            ("end", "f: line 1: no value for 'end'"),
            ("foo bar", "f: line 1: unknown setting 'foo'"),
            ("opt nosuch 1", "f: line 1: unknown option 'nosuch'"),
            ("opt mtu x", "f: line 1: bad option 'x'"),
            ("opt dns", "f: line 1: bad option ''"),
            ("max_leases -1", "f: line 1: invalid number '-1'"),
            ("static_lease 2:0:0:0:0:1", "f: line 1: static_lease '2:0:0:0:0:1' is not MAC ADDRESS [HOSTNAME]"),
            ("start 10.0.0.2\nend 10.0.0.1", "f: the end of the address range is before its start"),
        ] {
            assert_eq!(parse(content).err().as_deref(), Some(message), "{content}");
        }
        assert!(parse(&["sname ", &"x".repeat(64)].concat()).is_err());
    }
}
