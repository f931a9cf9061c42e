//! cpio.
