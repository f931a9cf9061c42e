//! A pattern and a string, in all modes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::pattern::glob::fuzz(data));
