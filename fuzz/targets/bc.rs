//! A program for bc.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_calc::fuzz_bc(data));
