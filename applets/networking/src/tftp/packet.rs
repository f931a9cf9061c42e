//! Packets of TFTP: RFC 1350, with options (RFC 2347).

use rbox_core::number::parse_decimal;
use rbox_core::prelude::*;
use rbox_core::{push, text};

pub const READ: u8 = 1;
pub const WRITE: u8 = 2;
pub const DATA: u8 = 3;
pub const ACK: u8 = 4;
pub const ERROR: u8 = 5;
pub const OPTIONS: u8 = 6;

/// Bytes of a block where nobody asks for others (RFC 1350), and the most that may be asked for (RFC 2348).
pub const BLOCK: usize = 512;
pub const LARGEST: u64 = 65_464;

/// What both sides agree on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// RFC 2348: bytes of a block, 8-65464.
    pub block: Option<u64>,
    /// RFC 2349: bytes of the file.
    pub size: Option<u64>,
    /// RFC 2349: seconds until a packet is sent again, 1-255.
    pub timeout: Option<u64>,
}

impl Options {
    /// Reads names and values that NUL bytes end. What is not known, or wrong, is as if it were not there.
    pub fn parse(content: &[u8]) -> Self {
        let mut options = Self::default();
        let mut words = content.split(|&byte| byte == 0);
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            let Some(value) = parse_decimal(value) else { continue };
            match &name.to_ascii_lowercase()[..] {
                b"blksize" => options.block = Some(value.min(LARGEST)).filter(|block| *block >= 8),
                b"tsize" => options.size = Some(value),
                b"timeout" => options.timeout = Some(value).filter(|seconds| (1..=255).contains(seconds)),
                _ => {}
            }
        }
        options
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub fn push_to(&self, packet: &mut Vec<u8>) {
        for (name, value) in [("blksize", self.block), ("tsize", self.size), ("timeout", self.timeout)] {
            if let Some(value) = value {
                push!(*packet, name, "\0", value, "\0");
            }
        }
    }

    /// The packet by which a server agrees.
    pub fn packet(&self) -> Vec<u8> {
        let mut packet = vec![0, OPTIONS];
        self.push_to(&mut packet);
        packet
    }
}

/// A request for a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Request<'a> {
    pub is_write: bool,
    pub name: &'a [u8],
    pub mode: &'a [u8],
    pub options: Options,
}

impl<'a> Request<'a> {
    pub fn parse(packet: &'a [u8]) -> Option<Self> {
        let [0, kind @ (READ | WRITE), rest @ ..] = packet else { return None };
        let mut words = rest.splitn(3, |&byte| byte == 0);
        let (name, mode, options) = (words.next()?, words.next()?, words.next()?);
        (!name.is_empty()).then(|| Self { is_write: *kind == WRITE, name, mode, options: Options::parse(options) })
    }

    pub fn packet(&self) -> Vec<u8> {
        let kind = if self.is_write { WRITE } else { READ };
        let mut packet = text!(&[0, kind], self.name, "\0", self.mode, "\0");
        self.options.push_to(&mut packet);
        packet
    }
}

/// A packet of a number alone, or the start of one with data.
pub fn numbered(kind: u8, number: u16) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    vec![0, kind, high, low]
}

pub fn error(code: u16, message: &[u8]) -> Vec<u8> {
    text!(numbered(ERROR, code), message, "\0")
}

/// The kind and the number of a packet; 0 where it has none.
pub fn head(packet: &[u8]) -> Option<(u8, u16)> {
    match packet {
        [0, OPTIONS, ..] => Some((OPTIONS, 0)),
        [0, kind, high, low, ..] => Some((*kind, u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

/// `server error: (1) File not found`. The message is a stranger's.
pub fn refusal(packet: &[u8]) -> Error {
    let (_, code) = head(packet).unwrap_or_default();
    let message = packet.get(4..).unwrap_or_default().split(|&byte| byte == 0).next().unwrap_or_default();
    let message = rbox_core::term::clean(message, b"", rbox_core::term::Shown::Caret);
    Error::new(text!("server error: (", u32::from(code), ") ", message))
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    if let Some(request) = Request::parse(data) {
        assert_eq!(Request::parse(&request.packet()).map(|request| request.options), Some(request.options));
    }
    head(data);
    refusal(data);
    Options::parse(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_options() {
        let packet = b"\0\x01dir/file\0OCTET\0BlkSize\x001428\0tsize\x000\0timeout\x003\0x\0y\0";
        let request = Request::parse(packet).expect("it is right");
        assert_eq!((request.is_write, request.name, request.mode), (false, &b"dir/file"[..], &b"OCTET"[..]));
        assert_eq!(request.options, Options { block: Some(1428), size: Some(0), timeout: Some(3) });
        assert_eq!(request.packet(), b"\0\x01dir/file\0OCTET\0blksize\x001428\0tsize\x000\0timeout\x003\0");
        assert_eq!(Options::parse(b"blksize\x007\0timeout\x00256\0tsize\x00-1\0blksize"), Options::default());
        assert_eq!(Options::parse(b"blksize\x0099999\0").block, Some(65_464));
        for wrong in [&b""[..], b"\0\x03\0\x01", b"\0\x01name", b"\0\x01name\0octet", b"\0\x01\0octet\0"] {
            assert_eq!(Request::parse(wrong), None);
        }
    }

    #[test]
    fn messages_of_strangers_are_clean() {
        assert_eq!(refusal(b"\0\x05\0\x01no\x1b[2Jfile\0more").message(), b"server error: (1) no^[[2Jfile");
    }
}
