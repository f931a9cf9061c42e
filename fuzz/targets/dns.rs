//! Answers of a name server, and resolv.conf(5).
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_core::net::dns::fuzz(data));
