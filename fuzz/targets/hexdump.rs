//! Format strings of hexdump(1).
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rbox_viewers::fuzz_hexdump(data));
