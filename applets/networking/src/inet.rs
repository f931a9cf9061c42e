//! What tools of the internet protocols share: the checksum (RFC 1071), times as text.

use rbox_core::text;
use rbox_core::text::Right;

/// The ones' complement of the ones' complement sum of all 16-bit words of the parts; only the last may have odd length.
pub fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u32;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        }
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    !(sum as u16)
}

/// A time in microseconds as milliseconds with three decimals.
pub fn milliseconds(time: u64) -> Vec<u8> {
    text!(time / 1000, ".", Right(time % 1000, 3, b'0'))
}

#[cfg(test)]
mod tests {
    #[test]
    fn sums_as_in_rfc_1071() {
        assert_eq!(super::checksum(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), 0x220d);
        assert_eq!(super::checksum(&[&[0xff]]), 0x00ff);
    }
}
