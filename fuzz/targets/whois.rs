//! Replies of registries.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_networking::fuzz_whois(data));
