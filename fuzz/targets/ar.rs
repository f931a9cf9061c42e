//! An archive of ar.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::archive::ar::fuzz(data));
