//! The parts of rpm packages.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::archive::rpm::fuzz(data));
