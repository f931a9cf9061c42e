//! An archive of tar.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::archive::tar::fuzz(data));
