//! An archive of cpio.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::archive::cpio::fuzz(data));
