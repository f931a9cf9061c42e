//! Requests to a DHCP server, one after the other.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_networking::fuzz_dhcp_server(data));
