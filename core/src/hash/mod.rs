//! Hashes after one small interface: FIPS 180-4 (SHA-1, SHA-2), FIPS 202 (SHA-3), RFC 1321 (MD5), by RustCrypto's crates.
//!
//! sha3 stays at 0.10: 0.11 compiles its loop where it is used, at the level of the rest, and took six times as long.

pub mod blake2b;
pub use rbox_codecs::crc;

use md5::Md5;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use sha3::digest::Digest as _;
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

/// Declares the algorithms and what holds the state of each.
macro_rules! algorithms {
    ($($(#[$doc:meta])* $name:ident($hash:ty)),* $(,)?) => {
        /// Which hash.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Algorithm {
            $($(#[$doc])* $name),*
        }

        enum State {
            $($name($hash)),*
        }

        impl Hash {
            /// The hash of nothing yet.
            pub fn new(algorithm: Algorithm) -> Self {
                Self(match algorithm {
                    $(Algorithm::$name => State::$name(<$hash>::new())),*
                })
            }

            /// Adds bytes to what is hashed.
            pub fn update(&mut self, content: &[u8]) {
                match &mut self.0 {
                    $(State::$name(hash) => hash.update(content)),*
                }
            }

            /// The hash of all that was added, 16-64 bytes.
            pub fn finish(self) -> Vec<u8> {
                match self.0 {
                    $(State::$name(hash) => hash.finalize().to_vec()),*
                }
            }
        }
    };
}

/// A hash of what is added bit by bit.
pub struct Hash(State);

algorithms! {
    /// 128 bits, broken: for checks against accidents only.
    Md5(Md5),
    /// 160 bits, broken too.
    Sha1(Sha1),
    /// SHA-2 of 224 bits.
    Sha224(Sha224),
    /// SHA-2 of 256 bits.
    Sha256(Sha256),
    /// SHA-2 of 384 bits.
    Sha384(Sha384),
    /// SHA-2 of 512 bits.
    Sha512(Sha512),
    /// SHA-3 of 224 bits.
    Sha3_224(Sha3_224),
    /// SHA-3 of 256 bits.
    Sha3_256(Sha3_256),
    /// SHA-3 of 384 bits.
    Sha3_384(Sha3_384),
    /// SHA-3 of 512 bits.
    Sha3_512(Sha3_512),
}

/// The hash of the parts, one after the other.
pub fn of(algorithm: Algorithm, parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = Hash::new(algorithm);
    parts.iter().for_each(|part| hash.update(part));
    hash.finish()
}

/// The bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> Vec<u8> {
    let digit = |value: u8| b"0123456789abcdef"[usize::from(value & 15)];
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(algorithm: Algorithm) -> String {
        String::from_utf8(hex(&of(algorithm, &[b"a", b"bc"]))).expect("digits")
    }

    #[test]
    fn hashes_are_those_of_the_standards() {
        assert_eq!(text(Algorithm::Md5), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(text(Algorithm::Sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(text(Algorithm::Sha224), "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
        assert_eq!(text(Algorithm::Sha256), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(text(Algorithm::Sha384).starts_with("cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"));
        assert!(text(Algorithm::Sha512).starts_with("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea2"));
        assert_eq!(text(Algorithm::Sha3_224), "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf");
        assert!(text(Algorithm::Sha3_256).starts_with("3a985da74fe225b2045c172d6bd390bd"));
        assert!(text(Algorithm::Sha3_384).starts_with("ec01498288516fc926459f58e2c6ad8d"));
        assert!(text(Algorithm::Sha3_512).starts_with("b751850b1a57168a5693cd924b6b096e"));
    }
}
