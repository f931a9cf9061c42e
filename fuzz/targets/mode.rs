//! Modes of chmod(1).
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::mode::fuzz(data));
