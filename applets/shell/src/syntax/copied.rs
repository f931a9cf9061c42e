//! Copies of bytes, by one function.

/// Bytes that can be copied.
pub trait Copied {
    /// What `to_vec` does, but as a call: this crate is optimised for speed and would inline it 200 times. Where a loop of a
    /// script comes by, `to_vec` stays.
    fn copied(&self) -> Vec<u8>;
}

impl Copied for [u8] {
    #[inline(never)]
    fn copied(&self) -> Vec<u8> {
        self.to_vec()
    }
}
