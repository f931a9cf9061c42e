//! An expression and a text, in all modes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::pattern::regex::fuzz(data));
