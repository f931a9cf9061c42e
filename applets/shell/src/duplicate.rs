//! Copies of bytes, made in one place.

/// Bytes that can be copied.
pub trait Duplicate {
    /// What `to_vec` does, but as a call: this crate is optimised for speed and would have all of it in 200 places. Where a loop of a
    /// script comes by, `to_vec` stays.
    fn duplicate(&self) -> Vec<u8>;
}

impl Duplicate for [u8] {
    #[inline(never)]
    fn duplicate(&self) -> Vec<u8> {
        self.to_vec()
    }
}
