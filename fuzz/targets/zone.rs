//! tzfile(5) and the rules of TZ.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::time::fuzz_zone(data));
