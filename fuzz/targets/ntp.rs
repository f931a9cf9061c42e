//! Packets of NTP, keys, ntp.conf.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_networking::fuzz_ntp(data));
