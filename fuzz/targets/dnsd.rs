//! Questions to a name server, and its configuration.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_networking::fuzz_dnsd(data));
