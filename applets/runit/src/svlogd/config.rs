//! `LOG/config`: what a log keeps and where it goes.

use core::net::{Ipv4Addr, SocketAddrV4};

use rbox_core::bytes;
use rbox_core::number::{parse_c_start, parse_decimal};

/// The settings of a log.
#[derive(Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes from which on `current` is rotated; 0 = never.
    pub size: u64,
    /// How many old files are kept; 0 = all.
    pub most: u64,
    /// How many are kept when the disk is full; 0 = all.
    pub least: u64,
    /// Seconds after which `current` is rotated; 0 = never.
    pub age: u64,
    /// The command that old files go through.
    pub processor: Option<Vec<u8>>,
    /// Where messages are sent.
    pub receiver: Option<SocketAddrV4>,
    /// Messages are only sent, not written.
    pub only_sent: bool,
    /// What is before each message.
    pub prefix: Vec<u8>,
    /// `-`, `+`, `e` or `E`, and the pattern.
    pub patterns: Vec<(u8, Vec<u8>)>,
}

impl Config {
    /// Reads the file's text, and calls `warn` with each word that is no address.
    pub fn parse(text: &[u8], warn: &mut impl FnMut(&[u8])) -> Self {
        let mut config = Self {
            size: 1_000_000,
            most: 10,
            least: 0,
            age: 0,
            processor: None,
            receiver: None,
            only_sent: false,
            prefix: Vec::new(),
            patterns: Vec::new(),
        };
        for line in text.split(|&byte| byte == b'\n') {
            let Some((&character, rest)) = line.split_first() else { continue };
            let number = || u64::try_from(parse_c_start(rest)).unwrap_or(0);
            match character {
                b's' => config.size = number(),
                b'n' => config.most = number(),
                b'N' => config.least = number(),
                b't' => config.age = number(),
                b'!' => config.processor = (!rest.is_empty()).then(|| rest.to_vec()),
                b'u' | b'U' => match address(rest) {
                    Some(address) => (config.receiver, config.only_sent) = (Some(address), character == b'U'),
                    None => warn(rest),
                },
                b'p' => config.prefix = rest.to_vec(),
                b'-' | b'+' | b'e' | b'E' => config.patterns.push((character, rest.to_vec())),
                _ => {}
            }
        }
        config
    }
}

/// `A.B.C.D[:PORT]`; the port of syslog is 514.
fn address(word: &[u8]) -> Option<SocketAddrV4> {
    let (host, port) = match bytes::split_once(word, b':') {
        Some((host, port)) => (host, u16::try_from(parse_decimal(port)?).ok()?),
        None => (word, 514),
    };
    let mut octets = [0; 4];
    let mut words = host.split(|&byte| byte == b'.');
    for octet in &mut octets {
        *octet = u8::try_from(parse_decimal(words.next()?)?).ok()?;
    }
    words.next().is_none().then(|| SocketAddrV4::new(Ipv4Addr::from(octets), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_setting() {
        let text = b"# comment\n\ns2000\nn3\nN1\nt60\n!cat\nU10.0.0.1:99\npx: \n-*\n+a*\n";
        let mut wrong = Vec::new();
        let config = Config::parse(text, &mut |word| wrong.push(word.to_vec()));
        assert_eq!((config.size, config.most, config.least, config.age), (2000, 3, 1, 60));
        assert_eq!((config.processor.as_deref(), config.prefix.as_slice()), (Some(&b"cat"[..]), &b"x: "[..]));
        assert_eq!(config.receiver, Some(SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 99)));
        assert!(config.only_sent && wrong.is_empty());
        assert_eq!(config.patterns, [(b'-', b"*".to_vec()), (b'+', b"a*".to_vec())]);
        Config::parse(b"u1.2.3\nuhost\n", &mut |word| wrong.push(word.to_vec()));
        assert_eq!(wrong, [b"1.2.3".to_vec(), b"host".to_vec()]);
    }
}
