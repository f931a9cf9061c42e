//! Packets of DHCP for IPv6 and the variables made of them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_networking::fuzz_dhcp6(data));
