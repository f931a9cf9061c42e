//! Packets of DHCP, with their headers and without, and the variables made of them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_networking::fuzz_dhcp(data));
