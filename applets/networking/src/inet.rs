//! The checksum of the internet protocols (RFC 1071).

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

#[cfg(test)]
mod tests {
    #[test]
    fn sums_as_in_rfc_1071() {
        assert_eq!(super::checksum(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), 0x220d);
        assert_eq!(super::checksum(&[&[0xff]]), 0x00ff);
    }
}
