//! Replies of a name server, as text.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_networking::fuzz_nslookup(data));
