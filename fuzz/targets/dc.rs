//! A program for dc.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_calc::fuzz_dc(data));
