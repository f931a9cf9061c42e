//! Packets of NTP version 4 (RFC 5905 7.3) and their authentication (RFC 5905 7.3, RFC 8573 has MD5's end).

use rbox_core::hash::{Algorithm, of};
use rbox_core::sys::time::{ClockId, Timespec, clock_gettime};

/// Bytes of a packet without authentication.
pub const SIZE: usize = 48;
/// The longest packet that is read: with a key's number and a digest of SHA-1.
pub const LONGEST: usize = SIZE + 4 + 20;
/// Modes.
pub const CLIENT: u8 = 3;
pub const SERVER: u8 = 4;
/// Seconds from 1900 to 1970.
const EPOCH: i64 = 2_208_988_800;

/// Seconds since 1900 modulo 2^32, and a fraction of 32 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp(pub u64);

impl Stamp {
    /// The system's clock.
    pub fn now() -> Self {
        Self::of(clock_gettime(ClockId::Realtime))
    }

    pub fn of(time: Timespec) -> Self {
        let seconds = (time.tv_sec + EPOCH) as u32;
        let fraction = (time.tv_nsec as u64 & 0xffff_ffff) * (1 << 32) / 1_000_000_000;
        Self(u64::from(seconds) << 32 | fraction)
    }

    /// Seconds from `other` to this one, which is right within 68 years: eras do not matter (RFC 5905 6).
    pub fn since(self, other: Self) -> f64 {
        self.0.wrapping_sub(other.0) as i64 as f64 / (1u64 << 32) as f64
    }
}

/// What is in a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Packet {
    /// 0 nothing, 1 and 2 the last minute of the day has 61 or 59 seconds, 3 not synchronized.
    pub leap: u8,
    pub version: u8,
    pub mode: u8,
    pub stratum: u8,
    /// Powers of two, in seconds.
    pub poll: i8,
    pub precision: i8,
    /// Seconds.
    pub root_delay: f64,
    pub root_dispersion: f64,
    pub reference_id: [u8; 4],
    pub reference: Stamp,
    pub origin: Stamp,
    pub received: Stamp,
    pub transmitted: Stamp,
}

impl Packet {
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..SIZE)?;
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let short = |at: usize| f64::from(word(at)) / 65_536.0;
        let stamp = |at: usize| Stamp(u64::from(word(at)) << 32 | u64::from(word(at + 4)));
        Some(Self {
            leap: bytes[0] >> 6,
            version: bytes[0] >> 3 & 7,
            mode: bytes[0] & 7,
            stratum: bytes[1],
            poll: bytes[2] as i8,
            precision: bytes[3] as i8,
            root_delay: short(4),
            root_dispersion: short(8),
            reference_id: [bytes[12], bytes[13], bytes[14], bytes[15]],
            reference: stamp(16),
            origin: stamp(24),
            received: stamp(32),
            transmitted: stamp(40),
        })
    }

    pub fn bytes(&self) -> Vec<u8> {
        let short = |seconds: f64| ((seconds * 65_536.0) as u32).to_be_bytes();
        let head =
            [self.leap << 6 | self.version << 3 | self.mode, self.stratum, self.poll as u8, self.precision as u8];
        let mut bytes = head.to_vec();
        bytes.extend_from_slice(&short(self.root_delay));
        bytes.extend_from_slice(&short(self.root_dispersion));
        bytes.extend_from_slice(&self.reference_id);
        for stamp in [self.reference, self.origin, self.received, self.transmitted] {
            bytes.extend_from_slice(&stamp.0.to_be_bytes());
        }
        bytes
    }
}

/// A key that both sides know: its number, its algorithm, and the secret.
#[derive(Clone, Debug)]
pub struct Key {
    pub number: u32,
    pub algorithm: Algorithm,
    pub secret: Vec<u8>,
}

impl Key {
    /// Adds the key's number and the digest of secret and packet.
    pub fn seal(&self, packet: &mut Vec<u8>) {
        let digest = of(self.algorithm, &[&self.secret, packet]);
        packet.extend_from_slice(&self.number.to_be_bytes());
        packet.extend_from_slice(&digest);
    }

    /// True when a packet ends in the digest that it should.
    pub fn fits(&self, packet: &[u8]) -> bool {
        let Some((content, seal)) = packet.split_at_checked(SIZE) else { return false };
        let mut sealed = content.to_vec();
        self.seal(&mut sealed);
        // All bytes are compared: the time says nothing of where they differ.
        let wanted = &sealed[SIZE..];
        wanted.len() == seal.len() && wanted.iter().zip(seal).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
    }
}

/// What the fuzz target feeds.
#[cfg(fuzzing)]
pub fn fuzz(data: &[u8]) {
    let key = Key { number: 1, algorithm: Algorithm::Md5, secret: b"x".to_vec() };
    assert!(!key.fits(data) || data.len() == SIZE + 20);
    if let Some(packet) = Packet::parse(data) {
        assert_eq!(packet.bytes().len(), SIZE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_written_as_they_are_read() {
        let mut bytes: Vec<u8> = (1..=48).collect();
        bytes[0] = 0b11_100_011;
        let packet = Packet::parse(&bytes).expect("a packet");
        assert_eq!((packet.leap, packet.version, packet.mode, packet.stratum), (3, 4, CLIENT, 2));
        assert_eq!(packet.bytes(), bytes);
        assert_eq!(Packet::parse(&bytes[..47]), None);
    }

    #[test]
    fn stamps_differ_by_seconds_across_eras() {
        let time = |tv_sec, tv_nsec| Stamp::of(Timespec { tv_sec, tv_nsec });
        assert_eq!(time(0, 0).0, 2_208_988_800 << 32);
        assert_eq!(time(10, 500_000_000).since(time(8, 0)), 2.5);
        // 2036-02-07 06:28:16 is 0 again.
        assert_eq!(time(2_085_978_496, 0).0, 0);
        assert_eq!(time(2_085_978_497, 0).since(time(2_085_978_495, 0)), 2.0);
    }

    #[test]
    fn seals_need_the_same_key() {
        let key = |secret: &str| Key { number: 5, algorithm: Algorithm::Sha1, secret: secret.into() };
        let mut packet = Packet::default().bytes();
        key("secret").seal(&mut packet);
        assert_eq!(packet.len(), SIZE + 24);
        assert!(key("secret").fits(&packet) && !key("other").fits(&packet));
        packet[7] ^= 1;
        assert!(!key("secret").fits(&packet) && !key("secret").fits(&packet[..SIZE]));
    }
}
