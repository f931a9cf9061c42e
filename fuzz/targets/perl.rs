//! An expression of Perl's syntax and a string.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::pattern::perl::fuzz(data));
