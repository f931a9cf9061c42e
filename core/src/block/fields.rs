//! The fields of on-disk structures: numbers of 1 to 8 bytes, the lowest first.

/// The number of `length` bytes at `at`.
pub fn get(block: &[u8], at: usize, length: usize) -> u64 {
    block[at..at + length].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// Writes the lowest `length` bytes of `value` at `at`.
pub fn put(block: &mut [u8], at: usize, length: usize, value: u64) {
    block[at..at + length].copy_from_slice(&value.to_le_bytes()[..length]);
}
